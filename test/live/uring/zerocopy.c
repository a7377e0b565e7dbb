/* SPDX-License-Identifier: MIT */
/* zerocopy.c - sending without a copy: when it is done, and how long memory is held. */
#include <sys/mman.h>
#include <sys/resource.h>
#include "child.h"
#include "sockets.h"

#define BYTES (8u << 20)

static unsigned char *bytes, *back;
static bool released;

static void release(void *user, void *addr, size_t len)
{
	(void)user;
	(void)addr;
	(void)len;
	released = true;
}

static bool can(struct ends *ends)
{
	if (decant_uring_backend(ends->ring) == DECANT_URING_RING)
		return true;
	check_skip("threads always copy");
	return false;
}

static struct decant_uring_stats stats_of(struct ends *ends)
{
	struct decant_uring_stats stats;

	decant_uring_stats(ends->ring, &stats);
	return stats;
}

static int begin(struct ends *ends, struct decant_iter *it, unsigned flags)
{
	struct decant_uring_operation what = {.size = sizeof(what),
					      .code = DECANT_URING_WRITE,
					      .flags = flags,
					      .file = ends->from,
					      .it = it,
					      .len = SIZE_MAX,
					      .user = ends};

	return decant_uring_begin(ends->ring, &what);
}

static ssize_t send_once(struct ends *ends, size_t len, unsigned flags)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, len);
	int err = begin(ends, &it, flags);
	ssize_t n;

	if (err)
		return err;
	n = rig_event(ends->ring, ends);
	if (n > 0)
		CHECK(holds_exactly(ends->fd[1], bytes, (size_t)n));
	return n;
}

/* By size, by the caller's word, and not at all. */
static void threshold(void)
{
	struct ends ends;

	ends_init(&ends, TCP, 0);
	if (can(&ends)) {
		CHECK_EQ(send_once(&ends, 32767, 0), 32767);
		CHECK_EQ(stats_of(&ends).zero_copy, 0);
		CHECK_EQ(send_once(&ends, 32768, 0), 32768);
		CHECK_EQ(stats_of(&ends).zero_copy, 1);
		CHECK_EQ(send_once(&ends, 65536, DECANT_URING_COPY), 65536);
		CHECK_EQ(stats_of(&ends).zero_copy, 1);
		CHECK_EQ(send_once(&ends, 10, DECANT_URING_ZERO_COPY), 10);
		CHECK_EQ(stats_of(&ends).zero_copy, 2);
	}
	ends_fini(&ends);
}

/* The loopback copies, says so, and is believed. */
static void of_no_use(void)
{
	struct decant_uring_stats stats;
	struct ends ends;

	ends_init(&ends, TCP, 0);
	if (can(&ends)) {
		for (int i = 0; i < 40; i++)
			CHECK_EQ(send_once(&ends, 65536, 0), 65536);
		stats = stats_of(&ends);
		CHECK(stats.zero_copy >= 8 && stats.zero_copy < 40);
		CHECK_EQ(stats.zero_copied, stats.zero_copy);
		CHECK_EQ(send_once(&ends, 65536, DECANT_URING_ZERO_COPY), 65536);
		CHECK_EQ(stats_of(&ends).zero_copy, stats.zero_copy + 1);
	}
	ends_fini(&ends);
}

/* A kind of socket that can't, and a datagram in more fragments than a packet has. */
static void impossible(void)
{
	struct iovec iov[40];
	struct decant_iter it;
	struct ends ends;

	ends_init(&ends, UNIX_STREAM, 0);
	CHECK_EQ(send_once(&ends, 65536, DECANT_URING_ZERO_COPY), 65536);
	CHECK_EQ(send_once(&ends, 65536, 0), 65536);
	CHECK_EQ(stats_of(&ends).zero_copy, 0);
	ends_fini(&ends);
	for (size_t i = 0; i < ARRAY_SIZE(iov); i++)
		iov[i] = (struct iovec){bytes + 8192 * i, 100};
	ends_init(&ends, UDP, 0);
	CHECK_EQ(send_once(&ends, 60000, DECANT_URING_ZERO_COPY), 60000);
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, ARRAY_SIZE(iov)));
	REQUIRE(begin(&ends, &it, DECANT_URING_ZERO_COPY) == 0);
	CHECK_EQ(rig_event(ends.ring, &ends), 4000);
	CHECK_EQ(recv(ends.fd[1], back, BYTES, 0), 4000);
	for (size_t i = 0; i < ARRAY_SIZE(iov); i++)
		CHECK(!memcmp(back + 100 * i, iov[i].iov_base, 100));
	ends_fini(&ends);
}

static struct decant_region *new_region(struct decant_space *space)
{
	struct decant_region_options options = {sizeof(options), release, NULL};
	struct decant_region *region;

	released = false;
	REQUIRE(decant_region_new(&region, bytes, BYTES, &options) == 0);
	REQUIRE(decant_space_add(space, region) == 0);
	return region;
}

static void ends_in_space(struct ends *ends, struct decant_space **space)
{
	struct decant_region *region;

	REQUIRE(decant_space_new(space) == 0);
	region = new_region(*space);
	ends->ring = rig_ring(0, *space);
	tcp_pair(ends->fd, 0);
	ends_open(ends);
	REQUIRE(decant_space_remove(*space, region) == 0);
	REQUIRE(decant_space_add(*space, region) == 0);
	decant_region_put(region);
}

/* From a region, whose pages the ring knows. */
static void registered(void)
{
	struct decant_space *space;
	struct ends ends;

	ends_in_space(&ends, &space);
	if (can(&ends)) {
		CHECK_EQ(send_once(&ends, 65536, 0), 65536);
		CHECK_EQ(send_once(&ends, 10, DECANT_URING_ZERO_COPY), 10);
		CHECK_EQ(stats_of(&ends).zero_copy, 2);
		CHECK_EQ(stats_of(&ends).fixed, 2);
		CHECK_EQ(send_once(&ends, 65536, DECANT_URING_COPY), 65536);
		CHECK_EQ(stats_of(&ends).fixed, 2);
	}
	ends_fini(&ends);
	decant_space_free(space);
	CHECK(released);
}

/* The peer reads nothing: cancelled it may be, but the kernel has the memory still. */
static void held(void)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, BYTES);
	struct decant_uring_event event;
	struct decant_space *space;
	struct ends ends;
	ssize_t n;

	ends_in_space(&ends, &space);
	if (can(&ends)) {
		REQUIRE(begin(&ends, &it, DECANT_URING_ZERO_COPY) == 0);
		no_event(ends.ring);
		decant_uring_cancel_all(ends.ring);
		no_event(ends.ring);
		CHECK_EQ(decant_uring_cancel_all(ends.ring), 0);
		CHECK(!released);
		while (!decant_uring_wait(ends.ring, &event, 1, 1))
			do
				n = recv(ends.fd[1], back, BYTES, MSG_DONTWAIT);
			while (n > 0);
		CHECK(event.result > 0 && event.result < (ssize_t)BYTES);
	}
	ends_fini(&ends);
	decant_space_free(space);
	CHECK(released);
}

/* And if that is for good: it ends all the same, and nobody gets the memory. */
static int forsaken(void)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, BYTES);
	struct decant_space *space;
	struct ends ends;

	ends_in_space(&ends, &space);
	REQUIRE(begin(&ends, &it, DECANT_URING_ZERO_COPY) == 0);
	no_event(ends.ring);
	decant_uring_free(ends.ring);
	ends.ring = NULL;
	decant_space_free(space);
	CHECK_EQ(released, rig_backend == DECANT_URING_THREADS);
	return 0;
}

/* In a child: to a leak checker it would be a leak. */
static void never_acknowledged(void)
{
	child_run(forsaken, NULL);
}

/* Pinned memory has a limit for who is not root. */
static int limited(void)
{
	struct rlimit none = {0};
	struct ends ends;

	if (setresuid(12345, 12345, 12345))
		return CHILD_CANNOT;
	ends_init(&ends, TCP, 0);
	if (setrlimit(RLIMIT_MEMLOCK, &none))
		return CHILD_CANNOT;
	CHECK_EQ(send_once(&ends, 65536, DECANT_URING_ZERO_COPY), 65536);
	ends_fini(&ends);
	return 0;
}

static void memory_limit(void)
{
	child_run(limited, "another user takes root");
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"from which size on", threshold},
		{"of no use", of_no_use},
		{"not possible", impossible},
		{"registered", registered},
		{"memory is held", held},
		{"never acknowledged", never_acknowledged},
		{"a limit on pinned memory", memory_limit},
	};

	bytes = mmap(NULL, 2 * BYTES, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	REQUIRE(bytes != MAP_FAILED);
	back = bytes + BYTES;
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
