/* SPDX-License-Identifier: MIT */
/* stream.c - files without positions: pipes, sockets, character devices. */
#include <pthread.h>
#include <sys/socket.h>
#include "rig.h"

#define BYTES (1u << 20)

struct stream {
	struct decant_uring *ring;
	struct decant_uring_file *from;
	struct decant_uring_file *to;
	int fds[2];
};

static struct decant_uring_file *open_file(int fd)
{
	struct decant_uring_file_info info;
	struct decant_uring_file *file;

	REQUIRE(!decant_uring_file_open(&file, fd, DECANT_URING_DIRECT_AUTO));
	decant_uring_file_info(file, &info);
	CHECK(!info.direct && info.why);
	return file;
}

static void stream_init(struct stream *s, int flags)
{
	s->ring = rig_ring(0, NULL);
	REQUIRE(pipe2(s->fds, O_CLOEXEC | flags) == 0);
	s->from = open_file(s->fds[0]);
	s->to = open_file(s->fds[1]);
}

static void stream_fini(struct stream *s)
{
	decant_uring_free(s->ring);
	decant_uring_file_close(s->from);
	decant_uring_file_close(s->to);
	close(s->fds[0]);
	close(s->fds[1]);
}

static void both_events(struct decant_uring *ring, ssize_t *first, ssize_t *second)
{
	struct decant_uring_event event;

	for (int i = 0; i < 2; i++) {
		REQUIRE(decant_uring_wait(ring, &event, 1, 60000) == 1);
		*(event.user == first ? first : second) = event.result;
	}
}

/* Far more than a pipe holds, both ends in one ring; positions are ignored. */
static void both_ends(int flags)
{
	unsigned char *bytes = malloc(BYTES);
	struct decant_iter in, out;
	struct cut from, to;
	ssize_t read = 0, written = 0;
	struct stream s;

	REQUIRE(bytes);
	rig_random(bytes, BYTES);
	stream_init(&s, flags);
	cut_init(&from, BYTES, CUT_RANDOM);
	cut_init(&to, BYTES, CUT_RANDOM);
	cut_fill(&from, bytes);
	in = cut_iter(&to, DECANT_DEST);
	out = cut_iter(&from, DECANT_SOURCE);
	REQUIRE(!decant_uring_read(s.ring, s.from, &in, BYTES, 123, &read));
	REQUIRE(!decant_uring_write(s.ring, s.to, &out, BYTES, UINT64_MAX, &written));
	both_events(s.ring, &read, &written);
	CHECK_EQ(read, BYTES);
	CHECK_EQ(written, BYTES);
	CHECK(cut_holds(&to, bytes, BYTES));
	cut_fini(&from);
	cut_fini(&to);
	stream_fini(&s);
	free(bytes);
}

static void pipes(void)
{
	both_ends(0);
}

static void nonblocking_pipes(void)
{
	both_ends(O_NONBLOCK);
}

static void end_of_pipe(void)
{
	unsigned char bytes[100];
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, sizeof(bytes));
	struct stream s;

	stream_init(&s, 0);
	REQUIRE(write(s.fds[1], "hello", 5) == 5);
	close(s.fds[1]);
	REQUIRE(!decant_uring_read(s.ring, s.from, &it, 100, 0, NULL));
	CHECK_EQ(rig_event(s.ring, NULL), 5);
	CHECK_EQ(decant_iter_count(&it), 0);
	s.fds[1] = -1;
	stream_fini(&s);
}

static void broken_pipe(void)
{
	char bytes[10] = "";
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, sizeof(bytes));
	struct stream s;

	signal(SIGPIPE, SIG_IGN);
	stream_init(&s, 0);
	close(s.fds[0]);
	REQUIRE(!decant_uring_write(s.ring, s.to, &it, 10, 0, NULL));
	CHECK_EQ(rig_event(s.ring, NULL), -EPIPE);
	CHECK_EQ(decant_uring_fsync(s.ring, s.to, NULL), 0);
	CHECK_EQ(rig_event(s.ring, NULL), -EINVAL);
	s.fds[0] = -1;
	stream_fini(&s);
}

/* Reads that wait for a peer don't keep others from the threads. */
static void waiting_reads(void)
{
	enum { READS = 40 };
	static char to[READS], from[READS];
	struct decant_iter it, all = rig_buf(DECANT_SOURCE, from, READS);
	struct stream s;

	stream_init(&s, 0);
	for (int i = 0; i < READS; i++) {
		it = rig_buf(DECANT_DEST, to + i, 1);
		REQUIRE(!decant_uring_read(s.ring, s.from, &it, 1, 0, &s));
	}
	REQUIRE(!decant_uring_write(s.ring, s.to, &all, READS, 0, &s));
	for (int i = 0; i <= READS; i++)
		CHECK(rig_event(s.ring, &s) > 0);
	stream_fini(&s);
}

static void sockets(void)
{
	static unsigned char from[300000], to[300000];
	struct decant_iter in = rig_buf(DECANT_DEST, to, sizeof(to));
	struct decant_iter out = rig_buf(DECANT_SOURCE, from, sizeof(from));
	struct stream s = {.ring = rig_ring(0, NULL)};
	ssize_t read = 0, written = 0;

	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			    s.fds));
	s.from = open_file(s.fds[0]);
	s.to = open_file(s.fds[1]);
	rig_random(from, sizeof(from));
	REQUIRE(!decant_uring_read(s.ring, s.from, &in, sizeof(to), 0, &read));
	REQUIRE(!decant_uring_write(s.ring, s.to, &out, sizeof(from), 0, &written));
	both_events(s.ring, &read, &written);
	CHECK_EQ(read, sizeof(to));
	CHECK_EQ(written, sizeof(from));
	CHECK(!memcmp(from, to, sizeof(to)));
	stream_fini(&s);
}

static void device(const char *path, struct decant_iter it, ssize_t want)
{
	size_t len = decant_iter_count(&it);
	struct rig rig = {.ring = rig_ring(0, NULL),
			  .fd = open(path, O_RDWR | O_CLOEXEC)};

	rig.file = open_file(rig.fd);
	if (it.direction == DECANT_DEST)
		CHECK_EQ(rig_read(&rig, &it, len, 5), want);
	else
		CHECK_EQ(rig_write(&rig, &it, len, 5), want);
	rig_fini(&rig);
}

/* More than 4 GiB, too. */
static void devices(void)
{
	const size_t huge = 5ull << 30;
	unsigned char bytes[1000];
	struct decant_iter it;

	memset(bytes, 1, sizeof(bytes));
	device("/dev/zero", rig_buf(DECANT_DEST, bytes, 1000), 1000);
	CHECK_EQ(bytes[0] + bytes[999], 0);
	device("/dev/null", rig_buf(DECANT_DEST, bytes, 1000), 0);
	device("/dev/full", rig_buf(DECANT_SOURCE, bytes, 1000), -ENOSPC);
	REQUIRE(decant_iter_zero(&it, huge) == 0);
	device("/dev/null", it, (ssize_t)huge);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"both ends of a pipe", pipes},
		{"and not blocking", nonblocking_pipes},
		{"end of a pipe", end_of_pipe},
		{"broken pipe", broken_pipe},
		{"reads that wait", waiting_reads},
		{"sockets", sockets},
		{"devices", devices},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
