/* SPDX-License-Identifier: MIT */
/* cancel.c - operations that end before they are done, wherever they are. */
#include <pthread.h>
#include "reads.h"

#define BYTES 4096u

static void no_event(struct decant_uring *ring)
{
	struct decant_uring_event event;

	CHECK_EQ(decant_uring_wait(ring, &event, 1, 20), 0);
}

static bool readable(struct decant_uring *ring, int timeout)
{
	struct pollfd pfd = {.fd = decant_uring_fd(ring), .events = POLLIN};

	return poll(&pfd, 1, timeout) == 1;
}

static void in_flight(void)
{
	static char to[BYTES];
	static const int flags[] = {0, O_NONBLOCK};
	struct stream s;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		stream_init(&s, 0, flags[i]);
		begin(&s, to, BYTES, &s);
		no_event(s.rig.ring);
		CHECK_EQ(decant_uring_cancel(s.rig.ring, to), 0);
		CHECK_EQ(decant_uring_cancel(s.rig.ring, &s), 1);
		CHECK_EQ(decant_uring_cancel(s.rig.ring, &s), 0);
		CHECK_EQ(decant_uring_submit(s.rig.ring), 0);
		CHECK(readable(s.rig.ring, 10000));
		CHECK_EQ(rig_event(s.rig.ring, &s), -ECANCELED);
		CHECK_EQ(decant_uring_cancel(s.rig.ring, &s), 0);
		no_event(s.rig.ring);
		stream_fini(&s);
	}
}

/* The kernel has not seen it. */
static void queued(void)
{
	char to[10];
	struct stream s;

	stream_init(&s, 0, 0);
	begin(&s, to, sizeof(to), &s);
	CHECK_EQ(decant_uring_cancel(s.rig.ring, &s), 1);
	CHECK_EQ(rig_event(s.rig.ring, &s), -ECANCELED);
	no_event(s.rig.ring);
	stream_fini(&s);
}

static void partly_done(void)
{
	char to[10] = "..........";
	struct stream s;

	stream_init(&s, 0, 0);
	begin(&s, to, sizeof(to), &s);
	REQUIRE(write(s.to, "hello", 5) == 5);
	no_event(s.rig.ring);
	CHECK_EQ(decant_uring_cancel(s.rig.ring, &s), 1);
	CHECK_EQ(rig_event(s.rig.ring, &s), 5);
	CHECK(!memcmp(to, "hello.....", 10));
	/* What comes later is for the next one, which no error waits for. */
	REQUIRE(write(s.to, "world", 5) == 5);
	begin(&s, to, 5, to);
	CHECK_EQ(rig_event(s.rig.ring, to), 5);
	CHECK(!memcmp(to, "world.....", 10));
	stream_fini(&s);
}

static void complete_already(void)
{
	char to[5];
	struct stream s;

	stream_init(&s, 0, 0);
	REQUIRE(write(s.to, "hello", 5) == 5);
	begin(&s, to, 5, &s);
	REQUIRE(decant_uring_submit(s.rig.ring) == 0);
	CHECK(readable(s.rig.ring, 10000));
	CHECK_EQ(decant_uring_cancel(s.rig.ring, &s), 1);
	CHECK_EQ(rig_event(s.rig.ring, &s), 5);
	no_event(s.rig.ring);
	stream_fini(&s);
}

/* By name: one of several, several of one name, all. */
static void by_name(void)
{
	enum { NR = 40 };
	static char to[NR];
	struct stream s;

	stream_init(&s, NR, 0);
	for (int i = 0; i < NR; i++)
		begin(&s, to + i, 1, to + i % (NR / 2));
	no_event(s.rig.ring);
	CHECK_EQ(decant_uring_cancel(s.rig.ring, to + 7), 2);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(rig_event(s.rig.ring, to + 7), -ECANCELED);
	no_event(s.rig.ring);
	CHECK_EQ(decant_uring_cancel_all(s.rig.ring), NR - 2);
	CHECK_EQ(decant_uring_cancel_all(s.rig.ring), 0);
	for (int i = 0; i < NR - 2; i++) {
		struct decant_uring_event event;

		REQUIRE(decant_uring_wait(s.rig.ring, &event, 1, 10000) == 1);
		CHECK_EQ(event.result, -ECANCELED);
		CHECK(event.user != to + 7);
	}
	no_event(s.rig.ring);
	stream_fini(&s);
}

#define STARVED 12u

static void starved_init(struct rig *rig, unsigned char *bytes)
{
	struct decant_uring_options options = {.size = sizeof(options),
					       .depth = STARVED + 1,
					       .backend = rig_backend,
					       .stage_bytes = 33u << 20};
	struct decant_iter it;

	rig_init(rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	decant_uring_free(rig->ring);
	REQUIRE(decant_uring_new(&rig->ring, &options) == 0);
	REQUIRE(ftruncate(rig->fd, STARVED * BYTES) == 0);
	for (unsigned i = 0; i < STARVED; i++) {
		it = rig_buf(DECANT_DEST, bytes + i * (BYTES + 1) + 1, BYTES);
		REQUIRE(!decant_uring_read(rig->ring, rig->file, &it, BYTES, i * BYTES,
					   bytes + i));
	}
}

/* There is scratch memory for one at a time; some of the others are told not to wait. */
static void waiting_for_scratch(void)
{
	static unsigned char bytes[STARVED * (BYTES + 1)];
	struct decant_uring_event event;
	unsigned n = 0, cancelled = 0;
	struct rig rig;

	starved_init(&rig, bytes);
	for (unsigned i = 1; i < STARVED; i += 2)
		CHECK_EQ(decant_uring_cancel(rig.ring, bytes + i), 1);
	while (n < STARVED) {
		unsigned char *user;

		REQUIRE(decant_uring_wait(rig.ring, &event, 1, 10000) == 1);
		user = event.user;
		CHECK_EQ(event.result, (user - bytes) % 2 ? -ECANCELED : (int)BYTES);
		cancelled += event.result < 0;
		n++;
	}
	CHECK_EQ(cancelled, STARVED / 2);
	no_event(rig.ring);
	rig_fini(&rig);
}

/* Everything that can be under way, at once. */
static void torn_down(void)
{
	static unsigned char bytes[STARVED * (BYTES + 1)];
	static char large[1 << 20];
	struct decant_uring_file *from, *to;
	struct decant_iter it;
	struct rig rig;
	int fds[2];

	for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
		REQUIRE(pipe2(fds, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)) == 0);
		starved_init(&rig, bytes);
		REQUIRE(!decant_uring_file_open(&from, fds[0], DECANT_URING_DIRECT_AUTO));
		REQUIRE(!decant_uring_file_open(&to, fds[1], DECANT_URING_DIRECT_AUTO));
		it = rig_buf(DECANT_SOURCE, large, sizeof(large));
		REQUIRE(!decant_uring_write(rig.ring, to, &it, SIZE_MAX, 0, NULL));
		if (nonblocking)
			REQUIRE(decant_uring_submit(rig.ring) == 0);
		decant_uring_free(rig.ring);
		rig.ring = NULL;
		rig_fini(&rig);
		decant_uring_file_close(from);
		decant_uring_file_close(to);
		close(fds[0]);
		close(fds[1]);
	}
}

/* A file's operations end with what is there without a gap. */
static void file_once(struct rig *rig, unsigned char *model, size_t size)
{
	size_t pos = check_below(size), len = check_below(size - pos);
	bool writes = check_below(2);
	struct decant_iter it;
	struct cut cut;
	ssize_t n;

	cut_init(&cut, len, (enum cut_style)check_below(CUT_STYLES));
	it = cut_iter(&cut, writes ? DECANT_SOURCE : DECANT_DEST);
	if (writes) {
		rig_random(model + pos, len);
		cut_fill(&cut, model + pos);
		REQUIRE(!decant_uring_write(rig->ring, rig->file, &it, len, pos, rig));
	} else {
		REQUIRE(!decant_uring_read(rig->ring, rig->file, &it, len, pos, rig));
	}
	if (check_below(2))
		REQUIRE(!decant_uring_submit(rig->ring));
	if (check_below(3))
		decant_uring_cancel(rig->ring, rig);
	n = rig_event(rig->ring, rig);
	CHECK(n == -ECANCELED || (n >= 0 && (size_t)n <= len));
	if (!writes && n >= 0 && (size_t)n == len)
		CHECK(cut_holds(&cut, model + pos, len));
	if (writes && n > 0) {
		unsigned char *back = malloc((size_t)n);

		REQUIRE(pread(rig->fd, back, (size_t)n, (off_t)pos) == n);
		CHECK(!memcmp(back, model + pos, (size_t)n));
		free(back);
	}
	/* What was not reported is neither here nor there. */
	if (writes)
		REQUIRE(pread(rig->fd, model, size, 0) == (ssize_t)size);
	cut_fini(&cut);
}

static void files(void)
{
	enum { SIZE = 60000 };
	static unsigned char model[SIZE];
	struct rig rig;

	for (size_t d = 0; d < ARRAY_SIZE(rig_directs); d++) {
		rig_init(&rig, rig_dir(), rig_directs[d]);
		rig_random(model, SIZE);
		rig_put_content(rig.fd, model, SIZE);
		for (size_t i = 0; i < check_cases(300); i++)
			file_once(&rig, model, SIZE);
		rig_fini(&rig);
	}
}

static void fsyncs(void)
{
	struct rig rig;
	ssize_t n;

	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	for (int i = 0; i < 20; i++) {
		REQUIRE(decant_uring_fsync(rig.ring, rig.file, &rig) == 0);
		if (i & 1)
			REQUIRE(decant_uring_submit(rig.ring) == 0);
		CHECK_EQ(decant_uring_cancel(rig.ring, &rig), 1);
		n = rig_event(rig.ring, &rig);
		CHECK(n == 0 || n == -ECANCELED);
	}
	rig_fini(&rig);
}

/* A write that waits for another one to be done with its block. */
static void waiting_for_block(void)
{
	static char bytes[BYTES];
	struct decant_uring_event event;
	struct decant_iter it;
	struct rig rig;

	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	REQUIRE(ftruncate(rig.fd, BYTES) == 0);
	for (int i = 0; i < 3; i++) {
		it = rig_buf(DECANT_SOURCE, bytes, 10);
		REQUIRE(!decant_uring_write(rig.ring, rig.file, &it, 10, 100, bytes + i));
	}
	CHECK_EQ(decant_uring_cancel(rig.ring, bytes + 1), 1);
	for (int i = 0; i < 3; i++) {
		REQUIRE(decant_uring_wait(rig.ring, &event, 1, 10000) == 1);
		CHECK_EQ(event.result, event.user == bytes + 1 ? -ECANCELED : 10);
	}
	no_event(rig.ring);
	rig_fini(&rig);
}

static void at_every_point(void)
{
	reads_conserve(READS, check_cases(3000));
}

struct borrowed {
	struct stream *s;
	char to[5];
};

static void *begin_elsewhere(void *arg)
{
	struct borrowed *b = arg;

	begin(b->s, b->to, 5, b);
	REQUIRE(decant_uring_submit(b->s->rig.ring) == 0);
	return NULL;
}

static void *cancel_elsewhere(void *arg)
{
	struct borrowed *b = arg;
	struct decant_uring_event event;

	CHECK_EQ(decant_uring_submit(b->s->rig.ring), -EEXIST);
	CHECK_EQ(decant_uring_wait(b->s->rig.ring, &event, 1, -1), -EEXIST);
	return NULL;
}

/* A ring of one thread is no other's; the kernel says so, if it knows. */
static void another_thread(void)
{
	struct stream s;
	struct borrowed b = {.s = &s};
	pthread_t thread;

	if (!rig_one_thread) {
		check_skip("the ring is not for one thread");
		return;
	}
	stream_init(&s, 0, 0);
	begin(&s, b.to, 5, &b);
	REQUIRE(pthread_create(&thread, NULL, cancel_elsewhere, &b) == 0);
	pthread_join(thread, NULL);
	REQUIRE(write(s.to, "hello", 5) == 5);
	CHECK_EQ(rig_event(s.rig.ring, &b), 5);
	stream_fini(&s);
}

/* What a thread began goes on when the thread has ended. */
static void thread_ends(void)
{
	struct stream s;
	struct borrowed b = {.s = &s};
	pthread_t thread;

	if (rig_one_thread) {
		check_skip("the ring is for one thread");
		return;
	}
	stream_init(&s, 0, 0);
	REQUIRE(pthread_create(&thread, NULL, begin_elsewhere, &b) == 0);
	pthread_join(thread, NULL);
	no_event(s.rig.ring);
	REQUIRE(write(s.to, "hello", 5) == 5);
	CHECK_EQ(rig_event(s.rig.ring, &b), 5);
	CHECK(!memcmp(b.to, "hello", 5));
	stream_fini(&s);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"in flight", in_flight},
		{"before it is submitted", queued},
		{"partly done", partly_done},
		{"complete already", complete_already},
		{"by name", by_name},
		{"waiting for scratch memory", waiting_for_scratch},
		{"waiting for a block", waiting_for_block},
		{"a ring is torn down", torn_down},
		{"files", files},
		{"fsync", fsyncs},
		{"at every point", at_every_point},
		{"the thread that began it ends", thread_ends},
		{"another thread", another_thread},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
