/* SPDX-License-Identifier: MIT */
#ifndef CLI_INET_H
#define CLI_INET_H
/* inet.h - TCP sockets for the control channel. */
#include "deadline.h"
#include "report.h"

struct addrinfo;

#define INET_PORT    "7326" /* unless another one is named */
#define INET_NAME    80	    /* room for an address, or one with its port */
#define INET_HOST    256
#define INET_SOCKETS 16

/* Ports to listen on; from 0 for any. */
struct inet_ports {
	unsigned low, high;
};

/* LOW-HIGH or PORT; false if it is neither. */
bool inet_ports(const char *text, struct inet_ports *ports);

/* HOST, HOST:PORT, [ADDRESS]:PORT; false if it is none of them. */
bool inet_split(const char *text, size_t len, char host[INET_HOST], char port[16]);

/* Connected and tuned, or a negative errno: -EINTR if a signal came. */
int inet_dial(const struct addrinfo *to, deadline_t deadline);
/* To the first of the host's addresses that answers; negative, and why, if none does. */
int inet_connect(const char *host, const char *port, deadline_t deadline,
		 struct report *report);
/*
 * Listen on all addresses of host, or of this machine for an empty one: added to fds, of
 * which there are *nr of INET_SOCKETS.
 */
bool inet_listen(const char *host, const char *port, int *fds, unsigned *nr,
		 struct report *report);

/* One side of a connection, numeric: its address, or address and port. */
void inet_name(int fd, bool peer, bool with_port, char name[INET_NAME]);

/* A message is sent at once, and a host that is gone is noticed some day. */
void inet_tune(int fd);
#endif
