/* SPDX-License-Identifier: MIT */
/* socket.c - streams and messages through sockets. */
#include "sockets.h"

#define BYTES 300000u

static unsigned char bytes[BYTES], back[BYTES];

static int begin(struct ends *ends, enum decant_uring_code code, struct decant_iter *it,
		 unsigned flags, void *user)
{
	struct decant_uring_operation what = {
		.size = sizeof(what),
		.code = code,
		.flags = flags,
		.file = code == DECANT_URING_READ ? ends->to : ends->from,
		.it = it,
		.len = SIZE_MAX,
		.user = user};

	return decant_uring_begin(ends->ring, &what);
}

static void through(struct ends *ends, size_t len, unsigned flags)
{
	ssize_t sent = 0, received = 0;
	struct decant_iter in, out;
	struct cut from, to;

	rig_random(bytes, len);
	cut_init(&from, len, (enum cut_style)check_below(CUT_STYLES));
	cut_init(&to, len, (enum cut_style)check_below(CUT_STYLES));
	cut_fill(&from, bytes);
	in = cut_iter(&to, DECANT_DEST);
	out = cut_iter(&from, DECANT_SOURCE);
	REQUIRE(begin(ends, DECANT_URING_READ, &in, 0, &received) == 0);
	REQUIRE(begin(ends, DECANT_URING_WRITE, &out, flags, &sent) == 0);
	both_events(ends->ring, &sent, &received);
	CHECK_EQ(sent, len);
	CHECK_EQ(received, len);
	CHECK(cut_holds(&to, bytes, len));
	cut_fini(&from);
	cut_fini(&to);
}

static void stream(enum socket_kind kind, int flags)
{
	static const unsigned ways[] = {0, DECANT_URING_COPY, DECANT_URING_ZERO_COPY};
	struct decant_uring_stats stats;
	struct ends ends;

	ends_init(&ends, kind, flags);
	for (size_t i = 0; i < check_cases(60); i++) {
		if (i == check_cases(60) / 2)
			small_buffers(&ends);
		through(&ends, check_below(i % 4 ? 3000 : BYTES), ways[i % 3]);
	}
	decant_uring_stats(ends.ring, &stats);
	CHECK(stats.resumed > 0);
	ends_fini(&ends);
}

static void streams(void)
{
	stream(TCP, 0);
	stream(TCP, SOCK_NONBLOCK);
	stream(UNIX_STREAM, 0);
	stream(UNIX_STREAM, SOCK_NONBLOCK);
}

static void short_streams(void)
{
	struct decant_iter it = rig_buf(DECANT_DEST, back, 100);
	struct ends ends;

	ends_init(&ends, TCP, 0);
	REQUIRE(begin(&ends, DECANT_URING_READ, &it, DECANT_URING_SHORT, &it) == 0);
	no_event(ends.ring);
	REQUIRE(send(ends.fd[0], "hello", 5, 0) == 5);
	CHECK_EQ(rig_event(ends.ring, &it), 5);
	small_buffers(&ends);
	it = rig_buf(DECANT_SOURCE, bytes, BYTES);
	for (int i = 0; i < 40 && decant_iter_count(&it); i++) {
		struct decant_iter some = rig_buf(DECANT_SOURCE, bytes, BYTES);
		ssize_t n;

		if (begin(&ends, DECANT_URING_WRITE, &some, DECANT_URING_SHORT, &it))
			break;
		CHECK_EQ(decant_iter_count(&some), 0);
		while (decant_uring_wait(ends.ring, &(struct decant_uring_event){0}, 1,
					 1) == 0)
			while ((n = recv(ends.fd[1], back, BYTES, MSG_DONTWAIT)) > 0)
				;
	}
	ends_fini(&ends);
}

/* One operation is one message, however either side is cut. */
static void message(struct ends *ends, size_t len, size_t room)
{
	struct decant_uring_message m = {.size = sizeof(m)};
	size_t want = len < room ? len : room;
	struct cut from, to;

	rig_random(bytes, len);
	cut_init(&from, len, (enum cut_style)check_below(CUT_STYLES));
	cut_init(&to, room, (enum cut_style)check_below(CUT_STYLES));
	cut_fill(&from, bytes);
	CHECK_EQ(send_now(ends, cut_iter(&from, DECANT_SOURCE), NULL), len);
	CHECK_EQ(recv_now(ends, cut_iter(&to, DECANT_DEST), &m), want);
	CHECK_EQ(!!(m.received & MSG_TRUNC), len > room);
	CHECK(cut_holds(&to, bytes, want));
	cut_fini(&from);
	cut_fini(&to);
}

static void messages(void)
{
	static const enum socket_kind kinds[] = {UDP, UNIX_DGRAM, UNIX_SEQPACKET};
	struct ends ends;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		ends_init(&ends, kinds[k], k & 1 ? SOCK_NONBLOCK : 0);
		for (size_t i = 0; i < check_cases(80); i++)
			message(&ends, check_below(20000), check_below(20000));
		message(&ends, 65507, 65507);
		message(&ends, 5, 65507);
		message(&ends, 5, 0);
		message(&ends, 10, 10);
		if (kinds[k] != UNIX_SEQPACKET)
			message(&ends, 0, 10);
		ends_fini(&ends);
	}
}

/* Three messages wait; three receives get one each. */
static void boundaries(void)
{
	struct decant_iter it;
	struct ends ends;
	int seen[3] = {0};

	ends_init(&ends, UDP, 0);
	for (int i = 0; i < 3; i++) {
		it = rig_buf(DECANT_DEST, back + 100 * i, 100);
		REQUIRE(decant_uring_recv(ends.ring, ends.to, &it, 100, NULL,
					  back + 100 * i) == 0);
	}
	for (int i = 0; i < 3; i++)
		REQUIRE(send(ends.fd[0], "12345", (size_t)i + 1, 0) == i + 1);
	for (int i = 0; i < 3; i++) {
		struct decant_uring_event event;

		REQUIRE(decant_uring_wait(ends.ring, &event, 1, 10000) == 1);
		REQUIRE(event.result >= 1 && event.result <= 3);
		seen[event.result - 1]++;
	}
	CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
	ends_fini(&ends);
}

/* More pieces than sendmsg(2) takes are one message still. */
static void many_pieces(void)
{
	enum { NR = 3000, EACH = 20 };
	static struct iovec iov[NR];
	struct decant_iter out, in;
	struct ends ends;

	for (int i = 0; i < NR; i++)
		iov[i] = (struct iovec){bytes + 40 * i, EACH};
	rig_random(bytes, sizeof(bytes));
	REQUIRE(decant_iter_iovec(&out, DECANT_SOURCE, iov, NR) == 0);
	ends_init(&ends, UNIX_DGRAM, 0);
	CHECK_EQ(send_now(&ends, out, NULL), NR * EACH);
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, BYTES), NULL), NR * EACH);
	for (int i = 0; i < NR; i++)
		CHECK(!memcmp(back + EACH * i, bytes + 40 * i, EACH));
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, back, NR * EACH), NULL),
		 NR * EACH);
	REQUIRE(decant_iter_iovec(&in, DECANT_DEST, iov, NR) == 0);
	memset(bytes, 0, sizeof(bytes));
	CHECK_EQ(recv_now(&ends, in, NULL), NR * EACH);
	for (int i = 0; i < NR; i++)
		CHECK(!memcmp(back + EACH * i, bytes + 40 * i, EACH));
	ends_fini(&ends);
}

/* And of a stream, some requests. */
static void many_pieces_of_stream(void)
{
	enum { NR = 5000, EACH = 600 };
	unsigned char *memory = malloc(2 * NR * (EACH + 1));
	struct iovec *iov = calloc(2 * NR, sizeof(*iov));
	ssize_t sent = 0, received = 0;
	struct decant_iter in, out;
	bool same = true;
	struct ends ends;

	REQUIRE(memory && iov);
	for (size_t i = 0; i < 2 * NR; i++)
		iov[i] = (struct iovec){memory + i * (EACH + 1), EACH};
	rig_random(memory, NR * (EACH + 1));
	ends_init(&ends, TCP, 0);
	REQUIRE(decant_iter_iovec(&out, DECANT_SOURCE, iov, NR) == 0);
	REQUIRE(decant_iter_iovec(&in, DECANT_DEST, iov + NR, NR) == 0);
	REQUIRE(begin(&ends, DECANT_URING_READ, &in, 0, &received) == 0);
	REQUIRE(begin(&ends, DECANT_URING_WRITE, &out, DECANT_URING_COPY, &sent) == 0);
	both_events(ends.ring, &sent, &received);
	CHECK_EQ(sent, NR * EACH);
	CHECK_EQ(received, NR * EACH);
	for (size_t i = 0; i < NR; i++)
		same &= !memcmp(iov[i].iov_base, iov[NR + i].iov_base, EACH);
	CHECK(same);
	ends_fini(&ends);
	free(iov);
	free(memory);
}

/* 2000 pieces that scratch memory has no room for, and a datagram no network takes. */
static void too_long(void)
{
	enum { NR = 2000 };
	static struct iovec iov[NR];
	unsigned char *large = calloc(NR, 1024);
	struct decant_iter it;
	struct ends ends;

	for (int i = 0; i < NR; i++)
		iov[i] = (struct iovec){large + 1024 * i, 1000};
	REQUIRE(decant_iter_iovec(&it, DECANT_SOURCE, iov, NR) == 0);
	ends_init(&ends, UDP, 0);
	CHECK_EQ(send_now(&ends, it, NULL), -EMSGSIZE);
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, large, 70000), NULL), -EMSGSIZE);
	ends_fini(&ends);
	free(large);
}

/* Sockets that are not connected: to and from an address. */
static void addresses(void)
{
	struct sockaddr_in address[2], from = {0};
	struct decant_uring_message m = {.size = sizeof(m)};
	struct ends ends = {.ring = rig_ring(0, NULL)};
	struct decant_iter it;

	for (int i = 0; i < 2; i++) {
		ends.fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		address[i] = loopback_address(ends.fd[i]);
	}
	ends_open(&ends);
	m.name = &address[1];
	m.name_len = sizeof(address[1]);
	it = rig_buf(DECANT_SOURCE, bytes, 1000);
	REQUIRE(decant_uring_send(ends.ring, ends.from, &it, 1000, &m, &ends) == 0);
	memset(&address[1], 0xff, sizeof(address[1]));
	memset(&m, 0xff, sizeof(m));
	CHECK_EQ(rig_event(ends.ring, &ends), 1000);
	m = (struct decant_uring_message){
		.size = sizeof(m), .name = &from, .name_len = sizeof(from)};
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 2000), &m), 1000);
	CHECK_EQ(m.name_len, sizeof(from));
	CHECK(from.sin_port == address[0].sin_port && from.sin_family == AF_INET);
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL), -EDESTADDRREQ);
	ends_fini(&ends);
}

static void set_rights(struct msghdr *header, int fd)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(header);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
}

/* A descriptor goes along, and ends a receive that wants more bytes. */
static void control(enum socket_kind kind)
{
	_Alignas(struct cmsghdr) unsigned char room[64] = {0};
	struct decant_uring_message m = {.size = sizeof(m), .control = room};
	struct msghdr header = {.msg_control = room,
				.msg_controllen = CMSG_SPACE(sizeof(int))};
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, 1000);
	struct ends ends;
	int fds[2], got;

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
	ends_init(&ends, kind, 0);
	set_rights(&header, fds[1]);
	m.control_len = header.msg_controllen;
	REQUIRE(decant_uring_send(ends.ring, ends.from, &it, 1000, &m, &ends) == 0);
	memset(room, 0xff, sizeof(room));
	CHECK_EQ(rig_event(ends.ring, &ends), 1000);
	m = (struct decant_uring_message){.size = sizeof(m),
					  .flags = MSG_CMSG_CLOEXEC,
					  .control = room,
					  .control_len = sizeof(room)};
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 2000), &m), 1000);
	CHECK_EQ(m.control_len, CMSG_SPACE(sizeof(int)));
	header.msg_controllen = m.control_len;
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(got));
	CHECK(fcntl(got, F_GETFD) == FD_CLOEXEC);
	CHECK(write(got, "x", 1) == 1 && read(fds[0], room, 1) == 1);
	close(got);
	close(fds[0]);
	close(fds[1]);
	ends_fini(&ends);
}

static void control_data(void)
{
	control(UNIX_STREAM);
	control(UNIX_DGRAM);
	control(UNIX_SEQPACKET);
}

static void flags(void)
{
	struct decant_uring_message peek = {.size = sizeof(peek), .flags = MSG_PEEK};
	struct decant_uring_message more = {.size = sizeof(more), .flags = MSG_MORE};
	struct ends ends;

	ends_init(&ends, UDP, 0);
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), &more), 10);
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL), 10);
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 100), &peek), 20);
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 100), NULL), 20);
	ends_fini(&ends);
	ends_init(&ends, TCP, 0);
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, bytes, 10), NULL), 10);
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 100), &peek), 10);
	CHECK_EQ(recv_now(&ends, rig_buf(DECANT_DEST, back, 10), NULL), 10);
	ends_fini(&ends);
}

static void refused(void)
{
	struct decant_uring_message m = {.size = sizeof(m)};
	struct decant_iter it = rig_buf(DECANT_DEST, back, 10);
	struct decant_iter out = rig_buf(DECANT_SOURCE, back, 10);
	struct decant_uring_operation what = {
		.size = sizeof(what), .code = DECANT_URING_FSYNC, .message = &m};
	struct ends ends;
	struct rig rig;

	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	CHECK_EQ(decant_uring_recv(rig.ring, rig.file, &it, 10, NULL, NULL), -ENOTSOCK);
	CHECK_EQ(decant_uring_send(rig.ring, rig.file, &it, 10, &m, NULL), -ENOTSOCK);
	rig_fini(&rig);
	ends_init(&ends, TCP, 0);
	CHECK_EQ(decant_uring_send(ends.ring, ends.from, &it, 10, NULL, NULL), -EINVAL);
	CHECK_EQ(decant_uring_recv(ends.ring, ends.to, &out, 10, NULL, NULL), -EINVAL);
	m.flags = MSG_DONTWAIT;
	CHECK_EQ(decant_uring_recv(ends.ring, ends.to, &it, 10, &m, NULL), -EINVAL);
	m = (struct decant_uring_message){.size = 3};
	CHECK_EQ(decant_uring_recv(ends.ring, ends.to, &it, 10, &m, NULL), -EINVAL);
	m = (struct decant_uring_message){.size = sizeof(m), .name_len = 1000};
	CHECK_EQ(decant_uring_recv(ends.ring, ends.to, &it, 10, &m, NULL), -EINVAL);
	m.name_len = 0;
	what.file = ends.to;
	CHECK_EQ(decant_uring_begin(ends.ring, &what), -EINVAL);
	CHECK_EQ(decant_iter_count(&it), 10);
	no_event(ends.ring);
	ends_fini(&ends);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"streams", streams},
		{"streams, short on request", short_streams},
		{"messages", messages},
		{"boundaries of messages", boundaries},
		{"a message in many pieces", many_pieces},
		{"a stream in many pieces", many_pieces_of_stream},
		{"messages that are too long", too_long},
		{"addresses", addresses},
		{"control data", control_data},
		{"flags", flags},
		{"refused", refused},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
