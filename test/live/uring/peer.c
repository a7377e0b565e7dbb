/* SPDX-License-Identifier: MIT */
/* peer.c - peers that go, reset, read nothing or little; sends that end early. */
#include "sockets.h"

#define BYTES (1u << 20)

static unsigned char bytes[BYTES], back[BYTES];

/* No SIGPIPE: it would end the program. */
static void gone(void)
{
	struct ends ends;

	for (int kind = TCP; kind <= UNIX_SEQPACKET; kind++) {
		ends_init(&ends, (enum socket_kind)kind, 0);
		close(ends.fd[1]);
		ends.fd[1] = -1;
		if (kind == TCP) /* the first one meets the reset */
			CHECK(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL));
		usleep(1000);
		CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL),
			 -EPIPE);
		ends_fini(&ends);
	}
}

static void end_of_stream(void)
{
	struct ends ends;

	for (int kind = TCP; kind <= UNIX_STREAM; kind++) {
		ends_init(&ends, (enum socket_kind)kind, 0);
		REQUIRE(send(ends.fd[0], "hello", 5, 0) == 5);
		REQUIRE(shutdown(ends.fd[0], SHUT_WR) == 0);
		CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 10), NULL), 5);
		CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 10), NULL), 0);
		ends_fini(&ends);
	}
}

static void reset(int fd)
{
	struct linger linger = {.l_onoff = 1};

	REQUIRE(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	close(fd);
}

/* Bytes, then what came behind them; the other direction has its own. */
static void reset_after_bytes(void)
{
	struct decant_iter it = rig_buf(DECANT_DEST, back, 100);
	struct ends ends;

	ends_init(&ends, TCP, 0);
	REQUIRE(decant_uring_recv(ends.ring, ends.to, &it, 100, NULL, &ends) == 0);
	REQUIRE(send(ends.fd[0], "hello", 5, 0) == 5);
	no_event(ends.ring);
	reset(ends.fd[0]);
	ends.fd[0] = -1;
	CHECK_EQ(rig_event(ends.ring, &ends), 5);
	decant_uring_file_close(ends.from);
	REQUIRE(!decant_uring_file_open(&ends.from, dup(ends.fd[1]),
					DECANT_URING_DIRECT_AUTO));
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL), -EPIPE);
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 10), NULL), -ECONNRESET);
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 10), NULL), 0);
	ends_fini(&ends);
}

/* A send's late error is not a receive's. */
static void own_errors(void)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, BYTES);
	struct ends ends;
	ssize_t n;

	ends_init(&ends, UNIX_STREAM, 0);
	REQUIRE(send(ends.fd[1], "hello", 5, 0) == 5);
	REQUIRE(decant_uring_send(ends.ring, ends.from, &it, BYTES, NULL, &ends) == 0);
	no_event(ends.ring);
	close(ends.fd[1]);
	ends.fd[1] = -1;
	n = rig_event(ends.ring, &ends);
	CHECK(n > 0 && n < (ssize_t)BYTES);
	it = rig_buf(DECANT_DEST, back, 5);
	REQUIRE(decant_uring_recv(ends.ring, ends.from, &it, 5, NULL, &ends) == 0);
	CHECK_EQ(rig_event(ends.ring, &ends), 5);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL),
			 -EPIPE);
	ends_fini(&ends);
}

static void refused_datagram(void)
{
	struct ends ends;

	ends_init(&ends, UDP, 0);
	close(ends.fd[1]);
	ends.fd[1] = -1;
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL), 10);
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 0), NULL), -ECONNREFUSED);
	ends_fini(&ends);
}

/* How a send that can't go on is ended. */
enum ending { CANCEL, DEADLINE };

static int64_t soon(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + (int64_t)check_below(3000000);
}

/* What it says it sent is what the peer gets. */
static void ended_send(enum socket_kind kind, enum ending ending, unsigned flags)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, BYTES);
	struct decant_uring_operation what = {.size = sizeof(what),
					      .code = DECANT_URING_WRITE,
					      .flags = flags,
					      .it = &it,
					      .len = BYTES};
	struct decant_uring_event event;
	size_t taken = 0, wanted = check_below(BYTES / 2);
	struct ends ends;
	ssize_t n;
	int nr = 0;

	ends_init(&ends, kind, 0);
	if (check_below(2))
		small_buffers(&ends);
	what.file = ends.from;
	what.deadline = ending == DEADLINE ? soon() : 0;
	REQUIRE(decant_uring_begin(ends.ring, &what) == 0);
	while (taken < wanted && !nr) {
		nr = decant_uring_wait(ends.ring, &event, 1, 0);
		n = recv(ends.fd[1], back + taken, wanted - taken, MSG_DONTWAIT);
		taken += n > 0 ? (size_t)n : 0;
	}
	/* 0: all is sent, but not all of it received. */
	if (ending == CANCEL && !nr)
		CHECK(decant_uring_cancel_all(ends.ring) <= 1);
	/* Without a copy, the kernel needs the memory until all of it is received. */
	while (!nr) {
		nr = decant_uring_wait(ends.ring, &event, 1, 1);
		n = recv(ends.fd[1], back + taken, BYTES - taken, MSG_DONTWAIT);
		taken += n > 0 ? (size_t)n : 0;
	}
	CHECK(event.result >= 0 || event.result == -ECANCELED ||
	      event.result == -ETIMEDOUT);
	CHECK(event.result < 0 || (size_t)event.result >= taken);
	CHECK(!memcmp(bytes, back, taken));
	if (event.result > 0)
		CHECK(holds_exactly(ends.fd[1], bytes + taken,
				    (size_t)event.result - taken));
	else
		CHECK_EQ(taken, 0);
	ends_fini(&ends);
}

static void ended_sends(void)
{
	rig_random(bytes, BYTES);
	for (size_t i = 0; i < check_cases(40); i++) {
		ended_send(TCP, CANCEL, DECANT_URING_COPY);
		ended_send(TCP, CANCEL, DECANT_URING_ZERO_COPY);
		ended_send(UNIX_STREAM, CANCEL, 0);
		ended_send(TCP, DEADLINE, 0);
		ended_send(UNIX_STREAM, DEADLINE, 0);
	}
}

static void ended_receive(void)
{
	struct decant_uring_message m = {.size = sizeof(m)};
	struct decant_iter it;
	struct ends ends;

	for (int kind = TCP; kind <= UDP; kind++) {
		ends_init(&ends, (enum socket_kind)kind, 0);
		it = rig_buf(DECANT_DEST, back, 100);
		REQUIRE(!decant_uring_recv(ends.ring, ends.to, &it, 100, &m, &ends));
		if (kind != UNIX_SEQPACKET)
			no_event(ends.ring);
		CHECK_EQ(decant_uring_cancel(ends.ring, &ends), 1);
		CHECK_EQ(rig_event(ends.ring, &ends), -ECANCELED);
		REQUIRE(send(ends.fd[0], "hello", 5, 0) == 5);
		CHECK(holds_exactly(ends.fd[1], (const unsigned char *)"hello", 5));
		ends_fini(&ends);
	}
}

/* Both directions under way, and nobody there. */
static void torn_down(void)
{
	struct decant_iter it;
	struct decant_uring_operation what = {.size = sizeof(what),
					      .code = DECANT_URING_WRITE,
					      .flags = DECANT_URING_COPY,
					      .it = &it,
					      .len = BYTES};
	struct ends ends;

	for (int kind = TCP; kind <= UDP; kind++) {
		ends_init(&ends, (enum socket_kind)kind, 0);
		it = rig_buf(DECANT_DEST, back, 100);
		REQUIRE(!decant_uring_recv(ends.ring, ends.to, &it, 100, NULL, &ends));
		it = rig_buf(DECANT_SOURCE, bytes, kind <= UNIX_STREAM ? BYTES : 1000);
		what.file = ends.from;
		REQUIRE(!decant_uring_begin(ends.ring, &what));
		if (kind & 1)
			REQUIRE(decant_uring_submit(ends.ring) == 0);
		ends_fini(&ends);
	}
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"the peer is gone", gone},
		{"end of a stream", end_of_stream},
		{"reset after bytes", reset_after_bytes},
		{"each direction has its errors", own_errors},
		{"a datagram is refused", refused_datagram},
		{"sends that end early", ended_sends},
		{"receives that end early", ended_receive},
		{"a ring is torn down", torn_down},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
