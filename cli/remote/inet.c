/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "inet.h"

#define BACKLOG 64

/* Seconds without a word until the kernel asks, between questions, and how many. */
#define KEEP_IDLE     60
#define KEEP_INTERVAL 10
#define KEEP_COUNT    6

bool inet_split(const char *text, size_t len, char host[INET_HOST], char port[16])
{
	const char *end = text + len, *colon;
	size_t host_len, port_len;
	bool brackets = len && *text == '[';

	if (brackets) {
		text++;
		colon = memchr(text, ']', (size_t)(end - text));
		if (!colon || (colon + 1 < end && colon[1] != ':'))
			return false;
		host_len = (size_t)(colon - text);
		colon = colon + 1 < end ? colon + 1 : NULL;
	} else {
		colon = memchr(text, ':', len);
		host_len = colon ? (size_t)(colon - text) : len;
	}
	port_len = colon ? (size_t)(end - colon - 1) : 0;
	if (host_len >= INET_HOST || port_len >= 16 || (colon && !port_len) ||
	    (brackets && !host_len))
		return false;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	snprintf(port, 16, "%.*s", (int)port_len, colon ? colon + 1 : "");
	if (!colon)
		strcpy(port, INET_PORT);
	return true;
}

bool inet_ports(const char *text, struct inet_ports *ports)
{
	int len = 0;
	int nr = sscanf(text, "%5u%n-%5u%n", &ports->low, &len, &ports->high, &len);

	if (nr == 1)
		ports->high = ports->low;
	return nr > 0 && !text[len] && !text[strspn(text, "0123456789-")] && ports->low &&
	       ports->low <= ports->high && ports->high <= UINT16_MAX;
}

void inet_tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(int)))
			return; /* not a TCP socket: nothing depends on it */
}

static struct addrinfo *look_up(const char *host, const char *port, int flags,
				enum exit_code code, struct report *report)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags},
			*list = NULL;
	int err = getaddrinfo(*host ? host : NULL, port, &hints, &list);

	if (!err)
		return list;
	report_set(report, code, "%s%s%s: %s", host, *host ? " port " : "port ", port,
		   err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
	return NULL;
}

static int finish_connect(int fd, deadline_t deadline)
{
	struct pollfd poller = {.fd = fd, .events = POLLOUT};
	int err = 0, got = poll(&poller, 1, deadline_left(deadline));
	socklen_t len = sizeof(err);

	if (got < 0)
		return -errno;
	if (!got)
		return -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -errno : -err;
}

int inet_dial(const struct addrinfo *to, deadline_t deadline)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, to->ai_addr, to->ai_addrlen))
		err = errno == EINPROGRESS ? finish_connect(fd, deadline) : -errno;
	if (!err) {
		inet_tune(fd);
		return fd;
	}
	close(fd);
	return err;
}

int inet_connect(const char *host, const char *port, deadline_t deadline,
		 struct report *report)
{
	struct addrinfo *list = look_up(host, port, 0, EXIT_PEER, report);
	int fd = -1;

	for (struct addrinfo *to = list; to && fd < 0 && fd != -EINTR; to = to->ai_next)
		fd = inet_dial(to, deadline);
	if (list && fd < 0)
		report_set(report, fd == -EINTR ? EXIT_INTERRUPTED : EXIT_PEER,
			   "%s port %s: %s", host, port, strerror(-fd));
	if (list)
		freeaddrinfo(list);
	return fd;
}

/* Its own socket for each family, so that addresses are what they look like. */
static int listen_one(const struct addrinfo *on)
{
	int fd = socket(on->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1, err;

	if (fd < 0)
		return -1;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) &&
	    (on->ai_family != AF_INET6 ||
	     !setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes))) &&
	    !bind(fd, on->ai_addr, on->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

bool inet_listen(const char *host, const char *port, int *fds, unsigned *nr,
		 struct report *report)
{
	struct addrinfo *list = look_up(host, port, AI_PASSIVE, EXIT_USAGE, report);
	unsigned before = *nr;
	int err = 0;

	for (struct addrinfo *on = list; on && *nr < INET_SOCKETS; on = on->ai_next) {
		int fd = listen_one(on);

		if (fd >= 0)
			fds[(*nr)++] = fd;
		else if (errno != EAFNOSUPPORT)
			err = errno;
	}
	if (list)
		freeaddrinfo(list);
	if (!list)
		return false;
	if (!err && *nr > before)
		return true;
	return report_set(report, EXIT_RESOURCES, "--listen %s%s%s: %s", host,
			  *host ? " port " : "", port,
			  err ? strerror(err) : "no address");
}

/* An IPv4 address in an IPv6 one, from a socket of both, as what it is. */
static void unmap(struct sockaddr_storage *address, socklen_t *len)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four = {.sin_family = AF_INET};

	memcpy(&six, address, sizeof(six));
	if (address->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		return;
	four.sin_port = six.sin6_port;
	memcpy(&four.sin_addr, six.sin6_addr.s6_addr + 12, 4);
	memcpy(address, &four, sizeof(four));
	*len = sizeof(four);
}

void inet_name(int fd, bool peer, bool with_port, char name[INET_NAME])
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	char host[64], port[8];
	int err = peer ? getpeername(fd, (struct sockaddr *)&address, &len)
		       : getsockname(fd, (struct sockaddr *)&address, &len);

	*name = '\0';
	if (err)
		return;
	unmap(&address, &len);
	if (getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	if (!with_port)
		snprintf(name, INET_NAME, "%s", host);
	else
		snprintf(name, INET_NAME, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
			 port);
}
