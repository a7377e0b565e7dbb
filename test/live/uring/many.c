/* SPDX-License-Identifier: MIT */
/* many.c - more elements than one request takes, and very small ones. */
#include "rig.h"

static void pieces(size_t nr, size_t each, size_t gap, enum decant_uring_direct direct)
{
	size_t len = nr * each, step = each + gap;
	unsigned char *flat = malloc(len),
		      *arena = aligned_alloc(4096, (nr * step + 4095) & ~4095ul);
	struct iovec *iov = calloc(nr, sizeof(*iov));
	struct decant_uring_stats stats;
	struct decant_iter it;
	bool same = true;
	struct rig rig;

	REQUIRE(flat && arena && iov);
	rig_random(flat, len);
	rig_init(&rig, rig_dir(), direct);
	for (size_t i = 0; i < nr; i++) {
		iov[i] = (struct iovec){arena + i * step, each};
		memcpy(iov[i].iov_base, flat + i * each, each);
	}
	REQUIRE(decant_iter_iovec(&it, DECANT_SOURCE, iov, nr) == 0);
	CHECK_EQ(rig_write(&rig, &it, len, 100), len);
	memset(arena, 0, nr * step);
	REQUIRE(decant_iter_iovec(&it, DECANT_DEST, iov, nr) == 0);
	CHECK_EQ(rig_read(&rig, &it, len, 100), len);
	for (size_t i = 0; i < nr; i++)
		same &= !memcmp(iov[i].iov_base, flat + i * each, each);
	CHECK(same);
	decant_uring_stats(rig.ring, &stats);
	printf("# %zu x %zu bytes, direct %d: %llu requests, %llu elements\n", nr, each,
	       direct, (unsigned long long)stats.submissions,
	       (unsigned long long)stats.elements);
	rig_fini(&rig);
	free(iov);
	free(arena);
	free(flat);
}

static void each_way(size_t nr, size_t each, size_t gap)
{
	for (size_t i = 0; i < ARRAY_SIZE(rig_directs); i++)
		pieces(nr, each, gap, rig_directs[i]);
}

static void around_the_limit(void)
{
	for (size_t nr = 1022; nr <= 1026; nr++)
		each_way(nr, 512, 512);
}

static void thousands(void)
{
	each_way(5000, 600, 40);
	each_way(3000, 512, 512);
}

static void single_bytes(void)
{
	each_way(100000, 1, 1);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"around 1024 elements", around_the_limit},
		{"thousands of elements", thousands},
		{"100,000 pieces of one byte", single_bytes},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
