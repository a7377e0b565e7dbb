/* SPDX-License-Identifier: MIT */
/*
 * short.c - transfers that come back short, interrupted or refused. The back end of
 * threads calls the functions of this file instead of the C library's.
 */
#include <sys/syscall.h>
#include "rig.h"

#define FILE_BYTES 100000u

DECANT_API ssize_t preadv(int fd, const struct iovec *iov, int nr, off_t pos);
DECANT_API ssize_t pwritev(int fd, const struct iovec *iov, int nr, off_t pos);

static unsigned mischief; /* how many of 8 calls go wrong */
static bool refuse_direct;
static uint64_t state = 1;

/* The threads' own numbers. */
static unsigned draw(unsigned n)
{
	uint64_t x = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	return (unsigned)((x ^ (x >> 27)) >> 33) % n;
}

static size_t total(const struct iovec *iov, int nr)
{
	size_t sum = 0;

	for (int i = 0; i < nr; i++)
		sum += iov[i].iov_len;
	return sum;
}

static ssize_t mischievous(long call, int fd, const struct iovec *iov, int nr, off_t pos)
{
	bool direct = fcntl(fd, F_GETFL) & O_DIRECT;
	struct iovec part[1024];
	size_t left;
	int n = 0;

	if (refuse_direct && direct)
		return errno = EINVAL, -1;
	if (draw(8) >= mischief)
		return syscall(call, fd, iov, nr, pos, 0);
	if (draw(3) == 0)
		return errno = draw(2) ? EINTR : EAGAIN, -1;
	left = 1 + draw((unsigned)total(iov, nr));
	if (direct)
		left = (left + 511) & ~(size_t)511;
	for (; n < nr && left; n++) {
		part[n] = iov[n];
		if (part[n].iov_len > left)
			part[n].iov_len = left;
		left -= part[n].iov_len;
	}
	return syscall(call, fd, part, n, pos, 0);
}

ssize_t preadv(int fd, const struct iovec *iov, int nr, off_t pos)
{
	return mischievous(SYS_preadv, fd, iov, nr, pos);
}

ssize_t pwritev(int fd, const struct iovec *iov, int nr, off_t pos)
{
	return mischievous(SYS_pwritev, fd, iov, nr, pos);
}

static void one(struct rig *rig, unsigned char *model, bool writes)
{
	size_t pos = check_below(FILE_BYTES), len = check_below(FILE_BYTES - pos);
	struct decant_iter it;
	struct cut cut;

	cut_init(&cut, len, (enum cut_style)check_below(CUT_STYLES));
	it = cut_iter(&cut, writes ? DECANT_SOURCE : DECANT_DEST);
	if (writes) {
		rig_random(model + pos, len);
		cut_fill(&cut, model + pos);
		CHECK_EQ(rig_write(rig, &it, len, pos), len);
		CHECK(rig_file_holds(rig->fd, model, FILE_BYTES));
	} else {
		CHECK_EQ(rig_read(rig, &it, len, pos), len);
		CHECK(cut_holds(&cut, model + pos, len));
	}
	cut_fini(&cut);
}

static void many(enum decant_uring_direct direct)
{
	static unsigned char model[FILE_BYTES];
	struct decant_uring_stats stats;
	struct rig rig;

	rig_init(&rig, rig_dir(), direct);
	rig_random(model, sizeof(model));
	rig_put_content(rig.fd, model, sizeof(model));
	mischief = 5;
	for (size_t i = 0; i < check_cases(200); i++)
		one(&rig, model, i & 1);
	mischief = 0;
	decant_uring_stats(rig.ring, &stats);
	if (rig_backend == DECANT_URING_THREADS)
		CHECK(stats.resumed > 0);
	rig_fini(&rig);
}

static void direct_transfers(void)
{
	many(DECANT_URING_DIRECT_AUTO);
}

static void buffered_transfers(void)
{
	many(DECANT_URING_DIRECT_NEVER);
}

static ssize_t refused_read(enum decant_uring_direct direct,
			    struct decant_uring_stats *stats)
{
	unsigned char bytes[8192];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, sizeof(bytes));
	struct rig rig;
	ssize_t n;

	rig_init(&rig, rig_dir(), direct);
	REQUIRE(ftruncate(rig.fd, 8192) == 0);
	refuse_direct = true;
	n = rig_read(&rig, &it, sizeof(bytes), 0);
	refuse_direct = false;
	decant_uring_stats(rig.ring, stats);
	rig_fini(&rig);
	return n;
}

/* A file system that promised more than it keeps. */
static void refused(void)
{
	struct decant_uring_stats stats;

	if (rig_backend != DECANT_URING_THREADS) {
		check_skip("the kernel can't be made to");
		return;
	}
	CHECK_EQ(refused_read(DECANT_URING_DIRECT_ALWAYS, &stats), -EINVAL);
	CHECK_EQ(refused_read(DECANT_URING_DIRECT_AUTO, &stats), 8192);
	CHECK_EQ(stats.buffered_bytes, 8192);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"direct", direct_transfers},
		{"through the page cache", buffered_transfers},
		{"direct I/O refused", refused},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
