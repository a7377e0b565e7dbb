/* SPDX-License-Identifier: MIT */
/* deadline.c - operations that must end by a time; and those that may end short. */
#include <sys/socket.h>
#include <time.h>
#include "rig.h"

#define MS 1000000ll

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A pipe that nothing comes out of. */
static int pipe_init(struct rig *rig, unsigned depth)
{
	int fds[2];

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
	*rig = (struct rig){.ring = rig_ring(depth, NULL), .fd = fds[0]};
	REQUIRE(!decant_uring_file_open(&rig->file, fds[0], DECANT_URING_DIRECT_AUTO));
	return fds[1];
}

static int begin(struct rig *rig, void *to, size_t len, int64_t deadline, unsigned flags)
{
	struct decant_iter it = rig_buf(DECANT_DEST, to, len);
	struct decant_uring_operation what = {.size = sizeof(what),
					      .code = DECANT_URING_READ,
					      .flags = flags,
					      .file = rig->file,
					      .it = &it,
					      .len = len,
					      .deadline = deadline,
					      .user = to};

	return decant_uring_begin(rig->ring, &what);
}

static void past(void)
{
	struct rig rig;
	int to = pipe_init(&rig, 0);
	char bytes[5];

	REQUIRE(write(to, "hello", 5) == 5);
	CHECK_EQ(begin(&rig, bytes, 5, 1, 0), 0);
	CHECK_EQ(rig_event(rig.ring, bytes), -ETIMEDOUT);
	/* Nothing was read. */
	CHECK_EQ(begin(&rig, bytes, 5, now() + 600000 * MS, 0), 0);
	CHECK_EQ(rig_event(rig.ring, bytes), 5);
	CHECK(!memcmp(bytes, "hello", 5));
	close(to);
	rig_fini(&rig);
}

static void expires(void)
{
	struct rig rig;
	int to = pipe_init(&rig, 0);
	int64_t end = now() + 30 * MS;
	char bytes[5];

	CHECK_EQ(begin(&rig, bytes, 5, end, 0), 0);
	CHECK_EQ(rig_event(rig.ring, bytes), -ETIMEDOUT);
	CHECK(now() >= end);
	end = now() + 30 * MS;
	CHECK_EQ(begin(&rig, bytes, 5, end, 0), 0);
	REQUIRE(write(to, "abc", 3) == 3);
	CHECK_EQ(rig_event(rig.ring, bytes), 3);
	CHECK(now() >= end);
	CHECK(!memcmp(bytes, "abc", 3));
	close(to);
	rig_fini(&rig);
}

/* Who sleeps in poll(2) is woken for it. */
static void polled(void)
{
	struct rig rig;
	int to = pipe_init(&rig, 0);
	struct pollfd pfd = {.fd = decant_uring_fd(rig.ring), .events = POLLIN};
	struct decant_uring_event event;
	char bytes[5];
	int n = 0;

	CHECK_EQ(begin(&rig, bytes, 5, now() + 1000000 * MS, 0), 0);
	CHECK_EQ(begin(&rig, bytes + 1, 1, now() + 30 * MS, 0), 0);
	REQUIRE(decant_uring_submit(rig.ring) == 0);
	while (!n) {
		REQUIRE(poll(&pfd, 1, 10000) == 1);
		n = decant_uring_wait(rig.ring, &event, 1, 0);
	}
	CHECK(event.user == bytes + 1);
	CHECK_EQ(event.result, -ETIMEDOUT);
	CHECK_EQ(decant_uring_cancel_all(rig.ring), 1);
	CHECK_EQ(rig_event(rig.ring, bytes), -ECANCELED);
	close(to);
	rig_fini(&rig);
}

#define MANY 500u

static struct {
	char to;
	int64_t deadline;
	bool cancelled;
} many[MANY];

static void begin_many(struct rig *rig)
{
	int64_t start = now();

	for (unsigned i = 0; i < MANY; i++) {
		many[i].deadline = start + 1 + (int64_t)check_below(60) * MS;
		many[i].cancelled = false;
		CHECK_EQ(begin(rig, &many[i].to, 1, many[i].deadline, 0), 0);
	}
	for (unsigned i = 0; i < MANY / 4; i++) {
		unsigned j = (unsigned)check_below(MANY);

		many[j].cancelled |= decant_uring_cancel(rig->ring, &many[j].to);
	}
}

/* Each once, and none before its time; some are cancelled before. */
static void in_any_order(void)
{
	struct decant_uring_event events[64];
	struct rig rig;
	int to = pipe_init(&rig, MANY);
	unsigned seen = 0;

	begin_many(&rig);
	while (seen < MANY) {
		int n = decant_uring_wait(rig.ring, events, 64, 10000);

		REQUIRE(n > 0);
		for (int i = 0; i < n; i++) {
			size_t at = (size_t)((char *)events[i].user - (char *)many) /
				    sizeof(many[0]);

			CHECK_EQ(events[i].result,
				 many[at].cancelled ? -ECANCELED : -ETIMEDOUT);
			CHECK(many[at].cancelled || now() >= many[at].deadline);
		}
		seen += (unsigned)n;
	}
	CHECK_EQ(decant_uring_wait(rig.ring, events, 64, 0), 0);
	close(to);
	rig_fini(&rig);
}

/* Whatever is complete in time is not disturbed. */
static void in_time(void)
{
	struct rig rig;
	int to = pipe_init(&rig, 0);
	char bytes[20];

	for (int i = 0; i < 200; i++) {
		CHECK_EQ(begin(&rig, bytes, 1, now() + (1000 + i % 7) * 1000 * MS, 0), 0);
		REQUIRE(write(to, "x", 1) == 1);
		CHECK_EQ(rig_event(rig.ring, bytes), 1);
	}
	close(to);
	rig_fini(&rig);
}

static void refused(void)
{
	struct rig rig;
	int to = pipe_init(&rig, 0);
	struct decant_uring_operation what = {.size = sizeof(what) - 1};
	char byte;

	CHECK_EQ(decant_uring_begin(rig.ring, &what), -EINVAL);
	what.size++;
	what.code = (enum decant_uring_code)77;
	CHECK_EQ(decant_uring_begin(rig.ring, &what), -EINVAL);
	CHECK_EQ(begin(&rig, &byte, 1, -1, 0), -EINVAL);
	CHECK_EQ(begin(&rig, &byte, 1, 0, 1u << 31), -EINVAL);
	close(to);
	rig_fini(&rig);
}

/* One transfer, on request. */
static void may_be_short(void)
{
	struct rig rig;
	int to = pipe_init(&rig, 0);
	char bytes[20];

	REQUIRE(write(to, "hello", 5) == 5);
	CHECK_EQ(begin(&rig, bytes, 20, 0, DECANT_URING_SHORT), 0);
	CHECK_EQ(rig_event(rig.ring, bytes), 5);
	CHECK_EQ(begin(&rig, bytes, 20, 0, DECANT_URING_SHORT), 0);
	REQUIRE(write(to, "you", 3) == 3);
	CHECK_EQ(rig_event(rig.ring, bytes), 3);
	CHECK_EQ(begin(&rig, bytes, 20, 0, DECANT_URING_SHORT), 0);
	close(to);
	CHECK_EQ(rig_event(rig.ring, bytes), 0);
	rig_fini(&rig);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"past already", past},
		{"expires", expires},
		{"while the caller polls", polled},
		{"many in any order", in_any_order},
		{"done in time", in_time},
		{"refused", refused},
		{"short on request", may_be_short},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
