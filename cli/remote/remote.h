/* SPDX-License-Identifier: MIT */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H
/* remote.h - SRC or DST on another host. */
#include "control.h"
#include "inet.h"
#include "options.h"

struct remote {
	bool listens; /* decant://, not by way of a remote shell */
	char host[INET_HOST];
	char port[16]; /* where it listens */
	char path[4096];
};

/*
 * [user@]host:path, with a colon before any slash, or decant://host[:port]/path. False if
 * arg is neither; if it is wrong, that is in report.
 */
bool remote_parse(struct remote *remote, const char *arg, struct report *report);

/* Open the control channel: start the other side there, or connect and prove the key. */
bool remote_reach(const struct remote *remote, struct control *control,
		  const struct copy_options *options, struct report *report);
#endif
