/* SPDX-License-Identifier: MIT */
/* deadline.c - operations that must end by a time; and those that may end short. */
#include <sys/socket.h>
#include <time.h>
#include "pipe.h"

#define MS 1000000ll

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
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
	struct stream s;
	char bytes[5];

	stream_init(&s, 0, 0);
	REQUIRE(write(s.to, "hello", 5) == 5);
	CHECK_EQ(begin(&s.rig, bytes, 5, 1, 0), 0);
	CHECK_EQ(rig_event(s.rig.ring, bytes), -ETIMEDOUT);
	/* Nothing was read. */
	CHECK_EQ(begin(&s.rig, bytes, 5, now() + 600000 * MS, 0), 0);
	CHECK_EQ(rig_event(s.rig.ring, bytes), 5);
	CHECK(!memcmp(bytes, "hello", 5));
	stream_fini(&s);
}

static void expires(void)
{
	struct stream s;
	char bytes[5];
	int64_t end;

	stream_init(&s, 0, 0);
	end = now() + 30 * MS;
	CHECK_EQ(begin(&s.rig, bytes, 5, end, 0), 0);
	CHECK_EQ(rig_event(s.rig.ring, bytes), -ETIMEDOUT);
	CHECK(now() >= end);
	end = now() + 30 * MS;
	CHECK_EQ(begin(&s.rig, bytes, 5, end, 0), 0);
	REQUIRE(write(s.to, "abc", 3) == 3);
	CHECK_EQ(rig_event(s.rig.ring, bytes), 3);
	CHECK(now() >= end);
	CHECK(!memcmp(bytes, "abc", 3));
	stream_fini(&s);
}

/* Who sleeps in poll(2) is woken for it. */
static void polled(void)
{
	struct stream s;
	struct pollfd pfd = {.events = POLLIN};
	struct decant_uring_event event;
	char bytes[5];
	int n = 0;

	stream_init(&s, 0, 0);
	pfd.fd = decant_uring_fd(s.rig.ring);
	CHECK_EQ(begin(&s.rig, bytes, 5, now() + 1000000 * MS, 0), 0);
	CHECK_EQ(begin(&s.rig, bytes + 1, 1, now() + 30 * MS, 0), 0);
	REQUIRE(decant_uring_submit(s.rig.ring) == 0);
	while (!n) {
		REQUIRE(poll(&pfd, 1, 10000) == 1);
		n = decant_uring_wait(s.rig.ring, &event, 1, 0);
	}
	CHECK(event.user == bytes + 1);
	CHECK_EQ(event.result, -ETIMEDOUT);
	CHECK_EQ(decant_uring_cancel_all(s.rig.ring), 1);
	CHECK_EQ(rig_event(s.rig.ring, bytes), -ECANCELED);
	stream_fini(&s);
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
	struct stream s;
	unsigned seen = 0;

	stream_init(&s, MANY, 0);
	begin_many(&s.rig);
	while (seen < MANY) {
		int n = decant_uring_wait(s.rig.ring, events, 64, 10000);

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
	CHECK_EQ(decant_uring_wait(s.rig.ring, events, 64, 0), 0);
	stream_fini(&s);
}

/* Whatever is complete in time is not disturbed. */
static void in_time(void)
{
	struct stream s;
	char bytes[20];

	stream_init(&s, 0, 0);
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(begin(&s.rig, bytes, 1, now() + (1000 + i % 7) * 1000 * MS, 0),
			 0);
		REQUIRE(write(s.to, "x", 1) == 1);
		CHECK_EQ(rig_event(s.rig.ring, bytes), 1);
	}
	stream_fini(&s);
}

static void refused(void)
{
	struct stream s;
	struct decant_uring_operation what = {.size = sizeof(what) - 1};
	char byte;

	stream_init(&s, 0, 0);
	CHECK_EQ(decant_uring_begin(s.rig.ring, &what), -EINVAL);
	what.size++;
	what.code = (enum decant_uring_code)77;
	CHECK_EQ(decant_uring_begin(s.rig.ring, &what), -EINVAL);
	CHECK_EQ(begin(&s.rig, &byte, 1, -1, 0), -EINVAL);
	CHECK_EQ(begin(&s.rig, &byte, 1, 0, 1u << 31), -EINVAL);
	stream_fini(&s);
}

/* One transfer, on request. */
static void may_be_short(void)
{
	struct stream s;
	char bytes[20];

	stream_init(&s, 0, 0);
	REQUIRE(write(s.to, "hello", 5) == 5);
	CHECK_EQ(begin(&s.rig, bytes, 20, 0, DECANT_URING_SHORT), 0);
	CHECK_EQ(rig_event(s.rig.ring, bytes), 5);
	CHECK_EQ(begin(&s.rig, bytes, 20, 0, DECANT_URING_SHORT), 0);
	REQUIRE(write(s.to, "you", 3) == 3);
	CHECK_EQ(rig_event(s.rig.ring, bytes), 3);
	CHECK_EQ(begin(&s.rig, bytes, 20, 0, DECANT_URING_SHORT), 0);
	close(s.to);
	s.to = -1;
	CHECK_EQ(rig_event(s.rig.ring, bytes), 0);
	stream_fini(&s);
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
