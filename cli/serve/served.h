/* SPDX-License-Identifier: MIT */
#ifndef CLI_SERVED_H
#define CLI_SERVED_H
/* served.h - one copy as its server sees it. */
#include "control.h"
#include "inet.h"
#include "root.h"

/* What clients may do. */
struct policy {
	const struct root *root; /* NULL: what the user of this process may */
	uint64_t memory;	 /* bytes for buffers; 0: half of the machine's */
	bool service;		 /* its end is not the client's doing */
	struct inet_ports ports; /* for data */
	uint64_t silence;	 /* milliseconds, of a client; 0: what it wants */
};

/* What became of it, for a log. */
struct account {
	struct report report;
	bool push;
	char path[4096];
	uint64_t bytes;
};

/*
 * Serve one copy on this channel and close that; false if it failed, and then the process
 * has to end, for requests may still be under way in its buffers.
 */
bool serve_copy(const struct control *control, const struct policy *policy,
		struct account *account);
#endif
