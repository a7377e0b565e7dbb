/* SPDX-License-Identifier: MIT */
#include "connection.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void connection_init(struct connection *c, int timeout, int accept_timeout)
{
	*c = (struct connection){.listener = -1,
				 .fd = -1,
				 .timeout = timeout,
				 .accept_timeout = accept_timeout};
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void send_away(struct connection *c, unsigned i)
{
	close_fd(&c->strangers[i].fd);
	c->nr_strangers--;
	memmove(&c->strangers[i], &c->strangers[i + 1],
		(c->nr_strangers - i) * sizeof(c->strangers[i]));
}

void connection_shut(struct connection *c)
{
	if (c->fd >= 0)
		shutdown(c->fd, SHUT_RDWR);
}

void connection_close(struct connection *c)
{
	while (c->nr_strangers)
		send_away(c, c->nr_strangers - 1);
	close_fd(&c->listener);
	close_fd(&c->fd);
}

static int resolve(const char *node, const char *service, struct addrinfo **list)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
					     (node ? 0 : AI_PASSIVE)};

	return getaddrinfo(node, service, &hints, list) ? -EADDRNOTAVAIL : 0;
}

/*
 * A port that was given is free again as soon as nobody listens on it, whatever has a
 * connection there. One that the kernel is to choose must be nobody's: with this option
 * two may get the same, until they listen.
 */
static int listen_on(struct connection *c, const char *node, unsigned port)
{
	struct addrinfo *list;
	char service[16];
	int err, reuse = port != 0;

	snprintf(service, sizeof(service), "%u", port);
	err = resolve(node, service, &list);
	if (err)
		return err;
	c->listener =
		socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener < 0 ||
	    setsockopt(c->listener, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse)) ||
	    bind(c->listener, list->ai_addr, list->ai_addrlen) ||
	    listen(c->listener, CONNECTION_STRANGERS)) {
		err = -errno;
		close_fd(&c->listener);
	}
	freeaddrinfo(list);
	return err;
}

static int listen_at(struct connection *c, const char *node,
		     const struct inet_ports *ports)
{
	int err = -EADDRINUSE;

	for (unsigned port = ports->low; port <= ports->high && err == -EADDRINUSE;
	     port++)
		err = listen_on(c, node, port);
	return err;
}

int connection_listen(struct connection *c, const char *node,
		      const struct inet_ports *ports)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	char port[16];
	int err = meeting_token(&c->meeting);

	if (err)
		return err;
	err = listen_at(c, node, ports);
	/* Behind an address translation the node is not ours. */
	if (err == -EADDRNOTAVAIL && node)
		err = listen_at(c, NULL, ports);
	if (err)
		return err;
	if (getsockname(c->listener, (struct sockaddr *)&at, &len) ||
	    getnameinfo((struct sockaddr *)&at, len, NULL, 0, port, sizeof(port),
			NI_NUMERICSERV))
		return -EIO;
	meeting_at(&c->meeting, node, (unsigned)atoi(port));
	return 0;
}

int connection_connect(struct connection *c, const void *address, size_t len)
{
	struct addrinfo *list;
	char room[MEETING_NAME];
	const char *host, *port;
	int err;

	if (!meeting_get(&c->meeting, address, len) ||
	    !meeting_split(&c->meeting, room, &host, &port))
		return -EINVAL;
	err = resolve(host, port, &list);
	if (err)
		return err;
	c->fd = inet_dial(list, deadline_in(c->timeout));
	freeaddrinfo(list);
	if (c->fd < 0)
		return c->fd;
	/* The first bytes of a connection have room. */
	if (send(c->fd, c->meeting.token, MEETING_TOKEN, MSG_NOSIGNAL) == MEETING_TOKEN)
		return 0;
	close_fd(&c->fd);
	return -EPIPE;
}

/*
 * Those who are silent keep nobody out: the oldest goes when there are too many, or no
 * descriptors for one more.
 */
static void meet(struct connection *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	bool full = fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM);

	if (full && c->nr_strangers)
		send_away(c, 0);
	if (fd < 0)
		return;
	if (c->nr_strangers == CONNECTION_STRANGERS)
		send_away(c, 0);
	c->strangers[c->nr_strangers++] = (struct stranger){.fd = fd};
}

static void hear(struct connection *c, unsigned i)
{
	struct stranger *s = &c->strangers[i];
	ssize_t n = recv(s->fd, s->said + s->have, sizeof(s->said) - s->have, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		s->have += (size_t)n;
	if (n > 0 && s->have < sizeof(s->said))
		return;
	if (n > 0 && meeting_knows(&c->meeting, s->said, sizeof(s->said))) {
		c->fd = s->fd;
		s->fd = -1;
	}
	send_away(c, i);
}

static void turn(struct connection *c, int timeout)
{
	struct pollfd fds[CONNECTION_STRANGERS + 1];
	unsigned nr = c->nr_strangers;

	for (unsigned i = 0; i < nr; i++)
		fds[i] = (struct pollfd){.fd = c->strangers[i].fd, .events = POLLIN};
	fds[nr] = (struct pollfd){.fd = c->listener, .events = POLLIN};
	if (poll(fds, nr + 1, timeout) <= 0)
		return;
	for (unsigned i = nr; i-- > 0 && c->fd < 0;)
		if (fds[i].revents)
			hear(c, i);
	if (fds[nr].revents && c->fd < 0)
		meet(c);
}

int connection_accept(struct connection *c)
{
	deadline_t deadline = deadline_in(c->accept_timeout);
	int left;

	while (c->fd < 0 && (left = deadline_left(deadline)))
		turn(c, left);
	if (c->fd < 0)
		return -ETIMEDOUT;
	inet_tune(c->fd);
	close_fd(&c->listener);
	while (c->nr_strangers)
		send_away(c, c->nr_strangers - 1);
	return 0;
}
