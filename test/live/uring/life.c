/* SPDX-License-Identifier: MIT */
/* life.c - what an operation keeps until it is complete, and what it doesn't need. */
#include <pthread.h>
#include "pipe.h"

#define BYTES 4096u

static bool released;

static void release(void *user, void *addr, size_t len)
{
	(void)addr;
	(void)len;
	*(bool *)user = true;
}

static int begin_read(struct stream *p, struct decant_iter *it, size_t len)
{
	int err = decant_uring_read(p->rig.ring, p->rig.file, it, len, 0, p);

	return err ? err : decant_uring_submit(p->rig.ring);
}

/* The iterator, its vector and the stack they are on are gone before the transfer. */
static void vanishes(void)
{
	char *bytes = calloc(2, BYTES);
	struct iovec *iov = calloc(2, sizeof(*iov));
	struct decant_iter it;
	struct stream p;

	stream_init(&p, 0, 0);
	iov[0] = (struct iovec){bytes + BYTES, 5};
	iov[1] = (struct iovec){bytes, 5};
	REQUIRE(decant_iter_iovec(&it, DECANT_DEST, iov, 2) == 0);
	REQUIRE(decant_uring_read(p.rig.ring, p.rig.file, &it, 10, 0, &p) == 0);
	CHECK_EQ(decant_iter_count(&it), 0);
	memset(&it, 0xff, sizeof(it));
	memset(iov, 0xff, 2 * sizeof(*iov));
	free(iov);
	REQUIRE(write(p.to, "0123456789", 10) == 10);
	CHECK_EQ(rig_event(p.rig.ring, &p), 10);
	CHECK(!memcmp(bytes + BYTES, "01234", 5) && !memcmp(bytes, "56789", 5));
	stream_fini(&p);
	free(bytes);
}

static struct decant_region *new_region(struct decant_space *space, void *addr,
					size_t len)
{
	struct decant_region_options options = {sizeof(options), release, &released};
	struct decant_region *region;

	released = false;
	REQUIRE(decant_region_new(&region, addr, len, &options) == 0);
	REQUIRE(decant_space_add(space, region) == 0);
	return region;
}

static void let_go(struct decant_space *space, struct decant_region *region)
{
	REQUIRE(decant_space_remove(space, region) == 0);
	decant_region_put(region);
}

static void holds_region(void)
{
	static char bytes[BYTES];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, BYTES);
	struct decant_region *region;
	struct decant_space *space;
	struct stream p;

	REQUIRE(decant_space_new(&space) == 0);
	region = new_region(space, bytes, BYTES);
	stream_over(&p, rig_ring(0, space), 0);
	REQUIRE(begin_read(&p, &it, 100) == 0);
	CHECK_EQ(decant_region_refs(region), 3);
	let_go(space, region);
	CHECK(!released);
	close(p.to);
	p.to = -1;
	CHECK_EQ(rig_event(p.rig.ring, &p), 0);
	CHECK(released);
	stream_fini(&p);
	decant_space_free(space);
}

/* Whatever never comes. */
static void free_ends(void)
{
	static char bytes[BYTES];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, BYTES);
	struct decant_region *region;
	struct decant_space *space;
	struct stream p;

	REQUIRE(decant_space_new(&space) == 0);
	region = new_region(space, bytes, BYTES);
	stream_over(&p, rig_ring(0, space), 0);
	REQUIRE(begin_read(&p, &it, 100) == 0);
	REQUIRE(write(p.to, "some", 4) == 4);
	REQUIRE(decant_uring_read(p.rig.ring, p.rig.file, &it, 100, 0, NULL) == 0);
	let_go(space, region);
	CHECK(!released);
	decant_uring_free(p.rig.ring);
	CHECK(released);
	p.rig.ring = NULL;
	stream_fini(&p);
	decant_space_free(space);
}

static void depth_reached(void)
{
	static char bytes[3];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, sizeof(bytes));
	struct stream p;

	stream_init(&p, 2, 0);
	REQUIRE(begin_read(&p, &it, 1) == 0);
	REQUIRE(begin_read(&p, &it, 1) == 0);
	CHECK_EQ(begin_read(&p, &it, 1), -EAGAIN);
	CHECK_EQ(decant_iter_count(&it), 1);
	REQUIRE(write(p.to, "ab", 2) == 2);
	CHECK_EQ(rig_event(p.rig.ring, &p), 1);
	CHECK_EQ(begin_read(&p, &it, 1), 0);
	REQUIRE(write(p.to, "c", 1) == 1);
	CHECK_EQ(rig_event(p.rig.ring, &p), 1);
	CHECK_EQ(rig_event(p.rig.ring, &p), 1);
	CHECK_EQ(bytes[0] + bytes[1] + bytes[2], 'a' + 'b' + 'c');
	stream_fini(&p);
}

static bool readable(const struct rig *rig, int timeout)
{
	struct pollfd pfd = {.fd = decant_uring_fd(rig->ring), .events = POLLIN};

	return poll(&pfd, 1, timeout) == 1;
}

/* Several events, taken one by one, and one of an operation that has nothing to do. */
static void pollable(void)
{
	static char bytes[2];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, 2);
	struct decant_uring_event event;
	struct stream p;

	stream_init(&p, 0, 0);
	CHECK(!readable(&p.rig, 0));
	CHECK_EQ(decant_uring_wait(p.rig.ring, &event, 1, -1), 0);
	REQUIRE(begin_read(&p, &it, 1) == 0);
	CHECK(!readable(&p.rig, 0));
	CHECK_EQ(decant_uring_wait(p.rig.ring, &event, 1, 0), 0);
	CHECK_EQ(decant_uring_wait(p.rig.ring, &event, 1, 10), 0);
	CHECK_EQ(decant_uring_wait(p.rig.ring, &event, 0, 0), -EINVAL);
	REQUIRE(begin_read(&p, &it, 0) == 0);
	CHECK(readable(&p.rig, 10000));
	REQUIRE(write(p.to, "x", 1) == 1);
	CHECK_EQ(rig_event(p.rig.ring, &p), 0);
	CHECK(readable(&p.rig, 10000));
	CHECK_EQ(rig_event(p.rig.ring, &p), 1);
	CHECK(!readable(&p.rig, 0));
	stream_fini(&p);
}

/* A resumed request is handed over before the caller can poll(2). */
static void pollable_resumed(void)
{
	static char bytes[4];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, 4);
	struct decant_uring_event event;
	struct stream p;

	stream_init(&p, 0, 0);
	REQUIRE(begin_read(&p, &it, 4) == 0);
	REQUIRE(write(p.to, "ab", 2) == 2);
	CHECK(readable(&p.rig, 10000));
	CHECK_EQ(decant_uring_wait(p.rig.ring, &event, 1, 0), 0);
	REQUIRE(write(p.to, "cd", 2) == 2);
	CHECK(readable(&p.rig, 10000));
	CHECK_EQ(rig_event(p.rig.ring, &p), 4);
	CHECK(!memcmp(bytes, "abcd", 4));
	stream_fini(&p);
}

static void *writes_later(void *arg)
{
	const struct timespec later = {.tv_nsec = 20000000};
	const struct stream *p = arg;

	nanosleep(&later, NULL);
	return write(p->to, "x", 1) == 1 ? arg : NULL;
}

/* Completions that need the sleeper's own thread are of no use if they don't wake it. */
static void wakes(void)
{
	static char bytes[10];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, sizeof(bytes));
	struct decant_uring_event event;
	struct stream p;
	pthread_t thread;
	void *written;

	stream_init(&p, 0, 0);
	REQUIRE(begin_read(&p, &it, sizeof(bytes)) == 0);
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		REQUIRE(pthread_create(&thread, NULL, writes_later, &p) == 0);
		CHECK(readable(&p.rig, 10000));
		REQUIRE(!pthread_join(thread, &written) && written);
		CHECK_EQ(decant_uring_wait(p.rig.ring, &event, 1, 0),
			 i + 1 == sizeof(bytes));
		CHECK(!readable(&p.rig, 0));
	}
	stream_fini(&p);
}

/* Events that are left over keep it readable. */
static void readable_to_the_last(void)
{
	static char bytes[3];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, 3);
	struct decant_uring_event event;
	struct stream p;

	stream_init(&p, 0, 0);
	CHECK(!readable(&p.rig, 0));
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(begin_read(&p, &it, 1) == 0);
	REQUIRE(write(p.to, "xyz", 3) == 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK(readable(&p.rig, 10000));
		while (!decant_uring_wait(p.rig.ring, &event, 1, 0))
			CHECK(readable(&p.rig, 10000));
	}
	CHECK(!readable(&p.rig, 0));
	stream_fini(&p);
}

static void *fd_elsewhere(void *arg)
{
	struct stream *p = arg;

	if (rig_one_thread)
		CHECK_EQ(decant_uring_fd(p->rig.ring), -EEXIST);
	else
		CHECK(decant_uring_fd(p->rig.ring) >= 0);
	return NULL;
}

static void descriptor_elsewhere(void)
{
	struct stream p;
	pthread_t thread;

	stream_init(&p, 0, 0);
	REQUIRE(pthread_create(&thread, NULL, fd_elsewhere, &p) == 0);
	pthread_join(thread, NULL);
	CHECK(decant_uring_fd(p.rig.ring) >= 0);
	CHECK_EQ(decant_uring_fd(p.rig.ring), decant_uring_fd(p.rig.ring));
	stream_fini(&p);
}

#define STARVED 12u

/* More operations want scratch memory than there is: they take turns. */
static void scratch_in_turns(void)
{
	struct decant_uring_options options = {.size = sizeof(options),
					       .depth = STARVED,
					       .backend = rig_backend,
					       .stage_bytes = 33u << 20};
	static unsigned char content[STARVED * BYTES], bytes[STARVED * (BYTES + 1)];
	struct decant_iter it;
	struct rig rig;

	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	decant_uring_free(rig.ring);
	REQUIRE(decant_uring_new(&rig.ring, &options) == 0);
	rig_random(content, sizeof(content));
	rig_put_content(rig.fd, content, sizeof(content));
	for (unsigned i = 0; i < STARVED; i++) {
		it = rig_buf(DECANT_DEST, bytes + i * (BYTES + 1) + 1, BYTES);
		REQUIRE(!decant_uring_read(rig.ring, rig.file, &it, BYTES, i * BYTES,
					   &rig));
	}
	for (unsigned i = 0; i < STARVED; i++)
		CHECK_EQ(rig_event(rig.ring, &rig), BYTES);
	for (unsigned i = 0; i < STARVED; i++)
		CHECK(!memcmp(bytes + i * (BYTES + 1) + 1, content + i * BYTES, BYTES));
	rig_fini(&rig);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"the caller's iterator and vector vanish", vanishes},
		{"a region is held until completion", holds_region},
		{"freeing a ring ends its operations", free_ends},
		{"depth reached", depth_reached},
		{"the descriptor can be polled", pollable},
		{"and after a short transfer", pollable_resumed},
		{"it wakes who sleeps on it", wakes},
		{"it is readable up to the last event", readable_to_the_last},
		{"asked for in another thread", descriptor_elsewhere},
		{"scratch memory in turns", scratch_in_turns},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
