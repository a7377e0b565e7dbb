/* SPDX-License-Identifier: MIT */
#ifndef CLI_CONNECTION_H
#define CLI_CONNECTION_H
/* connection.h - a TCP connection whose address travels over another channel. */
#include <sys/socket.h>
#include "inet.h"
#include "meeting.h"

#define CONNECTION_STRANGERS 32

/* Who connected, and what it has said of the token. */
struct stranger {
	int fd;
	size_t have;
	unsigned char said[MEETING_TOKEN];
};

struct connection {
	int listener;
	int fd;
	struct stranger
		strangers[CONNECTION_STRANGERS]; /* in the order of their coming */
	unsigned nr_strangers;
	int timeout;	    /* milliseconds */
	int accept_timeout; /* of one call */
	struct meeting meeting;
};

/* Times in milliseconds, to connect in and of one call to accept. */
void connection_init(struct connection *c, int timeout, int accept_timeout);
/* Stop sending and receiving, so that what is under way ends. */
void connection_shut(struct connection *c);
void connection_close(struct connection *c);

/*
 * Listen at node, or at all addresses if it is none of ours or NULL. What the other side
 * is told then is node, or an address that this machine has. -EADDRINUSE if none of the
 * ports is free now.
 */
int connection_listen(struct connection *c, const char *node,
		      const struct inet_ports *ports);
int connection_connect(struct connection *c, const void *address, size_t len);
/* -ETIMEDOUT if nobody was there who knew the token. */
int connection_accept(struct connection *c);
#endif
