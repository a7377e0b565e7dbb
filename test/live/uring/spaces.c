/* SPDX-License-Identifier: MIT */
/*
 * spaces.c - a ring for each thread over one space: the same regions in both, files and
 * a stream between the two, while a third thread adds regions and takes them away.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "sockets.h"

#define ROUNDS	150u
#define SHARED	65536u
#define PER_END (SHARED / 2)

static struct decant_space *space;
static unsigned char *shared; /* one region; each thread has a half of it */
static atomic_bool over;
static atomic_uint released;

struct side {
	int fd;	     /* the stream */
	int file_fd; /* the file that both write to */
	unsigned nr;
};

static void release(void *user, void *addr, size_t len)
{
	(void)user;
	(void)len;
	free(addr);
	atomic_fetch_add(&released, 1);
}

static struct decant_region *add_region(size_t len)
{
	struct decant_region_options options = {sizeof(options), release, NULL};
	struct decant_region *region;
	void *addr = aligned_alloc(4096, len);

	REQUIRE(addr);
	memset(addr, 0, len);
	REQUIRE(decant_region_new(&region, addr, len, &options) == 0);
	REQUIRE(decant_space_add(space, region) == 0);
	return region;
}

static void *come_and_go(void *arg)
{
	unsigned *nr = arg;

	while (!atomic_load(&over)) {
		struct decant_region *region = add_region(8192);

		sched_yield();
		REQUIRE(decant_space_remove(space, region) == 0);
		decant_region_put(region);
		++*nr;
	}
	return NULL;
}

/* Write to its part of the file, off the blocks' edges, and read it back. */
static void file_round(struct decant_uring *ring, struct decant_uring_file *file,
		       struct side *side, unsigned char *mine)
{
	uint64_t pos = side->nr * 20000 + 333;
	struct decant_iter it = rig_buf(DECANT_SOURCE, mine, 7000);
	struct decant_uring_event event;

	REQUIRE(decant_uring_write(ring, file, &it, 7000, pos, NULL) == 0);
	REQUIRE(decant_uring_wait(ring, &event, 1, 60000) == 1);
	CHECK_EQ(event.result, 7000);
	it = rig_buf(DECANT_DEST, mine + 8192, 7000);
	REQUIRE(decant_uring_read(ring, file, &it, 7000, pos, NULL) == 0);
	REQUIRE(decant_uring_wait(ring, &event, 1, 60000) == 1);
	CHECK_EQ(event.result, 7000);
	CHECK(!memcmp(mine, mine + 8192, 7000));
}

/* To the other one and from it; a late cancellation now and then. */
static void stream_round(struct decant_uring *ring, struct decant_uring_file *stream,
			 unsigned char *mine, unsigned round)
{
	struct decant_iter out = rig_buf(DECANT_SOURCE, mine, 5000);
	struct decant_iter in = rig_buf(DECANT_DEST, mine + 16384, 5000);
	struct decant_uring_event event;

	REQUIRE(decant_uring_recv(ring, stream, &in, 5000, NULL, &in) == 0);
	REQUIRE(decant_uring_send(ring, stream, &out, 5000, NULL, &out) == 0);
	for (int i = 0; i < 2; i++) {
		REQUIRE(decant_uring_wait(ring, &event, 1, 60000) == 1);
		CHECK_EQ(event.result, 5000);
		if (event.user == &in)
			CHECK(mine[16384] == (unsigned char)round &&
			      mine[16384 + 4999] == (unsigned char)round);
	}
	CHECK_EQ(decant_uring_cancel_all(ring), 0);
}

static void *run_side(void *arg)
{
	struct side *side = arg;
	unsigned char *mine = shared + side->nr * PER_END;
	struct decant_uring_file *file, *stream;
	struct decant_uring *ring = rig_ring(8, space);

	REQUIRE(!decant_uring_file_open(&stream, side->fd, DECANT_URING_DIRECT_AUTO));
	REQUIRE(!decant_uring_file_open(&file, side->file_fd, DECANT_URING_DIRECT_AUTO));
	for (unsigned i = 0; i < ROUNDS; i++) {
		memset(mine, (int)i, 8192);
		file_round(ring, file, side, mine);
		stream_round(ring, stream, mine, i);
	}
	decant_uring_free(ring);
	decant_uring_file_close(stream);
	decant_uring_file_close(file);
	return NULL;
}

static void two_rings(void)
{
	struct side sides[2] = {{.nr = 0}, {.nr = 1}};
	struct decant_region *region;
	pthread_t threads[3];
	unsigned others = 0;
	int fd[2], file_fd = rig_temporary(rig_dir());

	rig_one_thread = rig_backend == DECANT_URING_RING;
	atomic_store(&released, 0);
	atomic_store(&over, false);
	REQUIRE(decant_space_new(&space) == 0);
	region = add_region(SHARED);
	shared = decant_region_span(region).addr;
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
	REQUIRE(!pthread_create(&threads[2], NULL, come_and_go, &others));
	for (int i = 0; i < 2; i++) {
		sides[i].fd = fd[i];
		sides[i].file_fd = file_fd;
		REQUIRE(!pthread_create(&threads[i], NULL, run_side, &sides[i]));
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&over, true);
	pthread_join(threads[2], NULL);
	REQUIRE(decant_space_remove(space, region) == 0);
	decant_region_put(region);
	CHECK_EQ(atomic_load(&released), others + 1);
	decant_space_free(space);
	close(fd[0]);
	close(fd[1]);
	close(file_fd);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"two rings over one space", two_rings},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
