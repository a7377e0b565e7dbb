/* SPDX-License-Identifier: MIT */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H
/*
 * control.h - messages over a pair of descriptors: standard input and output of `decant
 * serve --stdio`, carried by ssh or the like, or a connection to `decant serve --listen`
 * with TLS on it. A message is its type and its length, eight bytes each, and the data.
 */
#include <sys/types.h>
#include "report.h"
#include "tls.h"
#include "wire.h"

enum message {
	MESSAGE_HELLO = 1,
	MESSAGE_REQUEST,
	MESSAGE_OFFER,
	MESSAGE_ACCEPT,
	MESSAGE_READY,
	MESSAGE_COMPLETE,
	MESSAGE_DONE,
	MESSAGE_ALIVE,
	MESSAGE_ERROR,
	MESSAGE_CLOCK,
	MESSAGE_TRACE,
	MESSAGE_LAST = MESSAGE_TRACE
};

struct control {
	int in;
	int out;
	struct tls *tls; /* what carries it; NULL: the descriptors as they are */
	int patience_ms; /* for the other side to answer or to read; 0: for ever */
	pid_t child;	 /* the process behind it; 0 for none */
	char host[256];	 /* what to call the other side */
	unsigned char buffer[16 + WIRE_MOST];
	size_t have; /* bytes in buffer */
};

/*
 * Start COMMAND HOST REMOTE serve --stdio, where COMMAND may have arguments, split at
 * blanks, as rsync's -e does.
 */
bool control_start(struct control *control, const char *command, const char *host,
		   const char *remote, struct report *report);

/* False if the other side is gone. */
bool control_send(struct control *control, enum message type, const struct wire *wire);

/*
 * Look for a message: 1 with *type and *wire, 0 if there is none within timeout
 * milliseconds (-1: for ever), -1 if the other side is gone. An interrupted wait counts
 * as none.
 */
int control_poll(struct control *control, enum message *type, struct wire *wire,
		 int timeout);

/*
 * Wait for a message of this type. Anything else is an error: what the other side
 * reported, or that it is gone.
 */
bool control_expect(struct control *control, enum message type, struct wire *wire,
		    struct report *report);

/* What a message that was not expected means. */
void control_unexpected(struct control *control, int got, enum message type,
			struct wire *wire, struct report *report);

/* Tell the other side why it ends here. */
void control_report(struct control *control, const struct report *report);

void control_close(struct control *control);
#endif
