/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_URING_SOCKETS_H
#define DECANT_TEST_URING_SOCKETS_H
/* sockets.h - two ends of a connection in one ring. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <decant/uring_socket.h>
#include "rig.h"

enum socket_kind { TCP, UNIX_STREAM, UNIX_SEQPACKET, UNIX_DGRAM, UDP };

struct ends {
	struct decant_uring *ring;
	struct decant_uring_file *from, *to;
	int fd[2]; /* what @from sends through, what @to receives from */
};

RIG_UNUSED struct sockaddr_in loopback_address(int fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	REQUIRE(bind(fd, (struct sockaddr *)&address, len) == 0);
	REQUIRE(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	return address;
}

/* Of segments as small as an Ethernet's: a large one's acknowledgement is delayed. */
RIG_UNUSED void tcp_pair(int fd[2], int flags)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), segment = 1000;
	struct sockaddr_in address = loopback_address(listener);

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	REQUIRE(!setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &segment,
			    sizeof(segment)));
	REQUIRE(!setsockopt(fd[0], IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)));
	REQUIRE(listen(listener, 1) == 0);
	REQUIRE(connect(fd[0], (struct sockaddr *)&address, sizeof(address)) == 0);
	fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | flags);
	REQUIRE(fd[1] >= 0);
	if (flags)
		REQUIRE(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
	close(listener);
}

RIG_UNUSED void udp_pair(int fd[2], int flags)
{
	struct sockaddr_in address[2];

	for (int i = 0; i < 2; i++) {
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);
		address[i] = loopback_address(fd[i]);
	}
	for (int i = 0; i < 2; i++)
		REQUIRE(!connect(fd[i], (struct sockaddr *)&address[!i],
				 sizeof(address[0])));
}

RIG_UNUSED void ends_open(struct ends *ends)
{
	REQUIRE(!decant_uring_file_open(&ends->from, ends->fd[0],
					DECANT_URING_DIRECT_AUTO));
	REQUIRE(!decant_uring_file_open(&ends->to, ends->fd[1],
					DECANT_URING_DIRECT_AUTO));
}

RIG_UNUSED void ends_init(struct ends *ends, enum socket_kind kind, int flags)
{
	static const int types[] = {[UNIX_STREAM] = SOCK_STREAM,
				    [UNIX_SEQPACKET] = SOCK_SEQPACKET,
				    [UNIX_DGRAM] = SOCK_DGRAM};

	ends->ring = rig_ring(0, NULL);
	if (kind == TCP)
		tcp_pair(ends->fd, flags);
	else if (kind == UDP)
		udp_pair(ends->fd, flags);
	else
		REQUIRE(!socketpair(AF_UNIX, types[kind] | SOCK_CLOEXEC | flags, 0,
				    ends->fd));
	ends_open(ends);
}

RIG_UNUSED void ends_fini(struct ends *ends)
{
	decant_uring_free(ends->ring);
	decant_uring_file_close(ends->from);
	decant_uring_file_close(ends->to);
	close(ends->fd[0]);
	close(ends->fd[1]);
}

/* Short transfers. A small receive buffer would make TCP wait for its timers. */
RIG_UNUSED void small_buffers(struct ends *ends)
{
	int size = 4096, one = 1;

	REQUIRE(!setsockopt(ends->fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	setsockopt(ends->fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* The results of a send and a receive that were begun with these as their names. */
RIG_UNUSED void both_events(struct decant_uring *ring, ssize_t *sent, ssize_t *received)
{
	struct decant_uring_event event;

	for (int i = 0; i < 2; i++) {
		REQUIRE(decant_uring_wait(ring, &event, 1, 60000) == 1);
		CHECK(event.user == sent || event.user == received);
		*(ssize_t *)event.user = event.result;
	}
}

RIG_UNUSED void no_event(struct decant_uring *ring)
{
	struct decant_uring_event event;

	CHECK_EQ(decant_uring_wait(ring, &event, 1, 20), 0);
}

RIG_UNUSED ssize_t send_now(struct ends *ends, struct decant_iter it,
			    struct decant_uring_message *message)
{
	int err = decant_uring_send(ends->ring, ends->from, &it, SIZE_MAX, message, ends);

	return err ? err : rig_event(ends->ring, ends);
}

RIG_UNUSED ssize_t recv_now(struct ends *ends, struct decant_iter it,
			    struct decant_uring_message *message)
{
	int err = decant_uring_recv(ends->ring, ends->to, &it, SIZE_MAX, message, ends);

	return err ? err : rig_event(ends->ring, ends);
}

/* What is in the socket, and not one byte more. */
RIG_UNUSED bool holds_exactly(int fd, const unsigned char *bytes, size_t len)
{
	unsigned char *got = malloc(len + 1);
	size_t n = 0;
	ssize_t more = 1;
	bool same;

	while (n < len && more > 0) {
		more = recv(fd, got + n, len - n, MSG_DONTWAIT);
		if (more < 0 && errno == EAGAIN) {
			struct pollfd pfd = {.fd = fd, .events = POLLIN};

			more = poll(&pfd, 1, 10000);
			continue;
		}
		n += more > 0 ? (size_t)more : 0;
	}
	same = n == len && !memcmp(got, bytes, len) && recv(fd, got, 1, MSG_DONTWAIT) < 0;
	free(got);
	return same;
}

#endif
