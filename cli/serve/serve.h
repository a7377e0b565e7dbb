/* SPDX-License-Identifier: MIT */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H
/* serve.h - `decant serve`: its options, and the service that listens. */
#include "inet.h"
#include "psk.h"
#include "served.h"

struct serve_options {
	bool stdio;
	const char *listen[INET_SOCKETS];
	unsigned nr_listen;
	const char *key_file;
	const char *root;
	bool read_only;
	struct inet_ports ports; /* for data; from 0 for any */
	uint64_t max_connections;
	uint64_t max_memory; /* bytes of buffers, of all connections */
	uint64_t grace;	     /* seconds to finish in when asked to end */
	uint64_t handshake;  /* seconds a client has to prove its key */
	uint64_t timeout;    /* seconds a client may be silent; 0: as it wants */
};

/* As copy_options_parse(). */
bool serve_options_parse(struct serve_options *options, int argc, char **argv,
			 struct report *report);

/* What all connections have in common. */
struct service {
	const struct serve_options *options;
	struct psk_list keys;
	struct root root;
	struct policy policy;
	int listeners[INET_SOCKETS];
	unsigned nr_listeners;
};

/* daemon.c: serve until a signal says otherwise; the exit code. */
int service_run(struct service *service, struct report *report);

/*
 * guest.c: one client, in a process of its own. Over the line to the service goes a
 * byte when the client has proved its key, and one back that says whether there is room.
 * Never returns.
 */
__attribute__((noreturn)) void guest_run(const struct service *service, int fd, int line);

enum { LINE_PROVED = 'p', LINE_WELCOME = 'w', LINE_FULL = 'f' };
#endif
