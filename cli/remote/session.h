/* SPDX-License-Identifier: MIT */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H
/*
 * session.h - two sides agree on a copy between them.
 *
 *	client                     server
 *	HELLO       ---------->
 *	            <----------    HELLO
 *	REQUEST     ---------->                what, how, key, which fabrics there are
 *	            <----------    OFFER       file, timeout, fabric, addresses, memory
 *	ACCEPT      ---------->                addresses, granted memory
 *	READY       <--------->    READY       connected, and receives are posted
 *	CLOCK       <--------->    CLOCK       some times, if both sides' trace is wanted
 *	      (chunks go over the fabric, see peer.c)
 *	ALIVE       <--------->    ALIVE       now and then, if a timeout was asked for
 *	COMPLETE    sender -> receiver         how much; the source did not change
 *	DONE        receiver -> sender         the target is in place; statistics
 *	            -> receiver
 *	CLOCK       <--------->    CLOCK       some times again
 *	            <----------    TRACE       what the server did; as many as it takes
 *
 * ERROR may come at any time and ends the session.
 */
#include "choose.h"
#include "clocks.h"
#include "engine.h"
#include "rails.h"
#include "remote.h"

#define SESSION_KEY_BYTES 32

struct request {
	bool push; /* the client sends */
	char path[4096];
	char name[256]; /* of the source, for a target that is a directory */
	uint64_t chunk;
	uint64_t depth;
	uint64_t direct;
	uint64_t io;
	char fabric[RAILS_NAMES];
	char offer[CHOOSE_OFFER]; /* what the client has, if the server is to choose */
	uint64_t rails;
	uint64_t timeout; /* milliseconds without a sign of life; 0: for ever */
	bool plain;	  /* not sealed on its way */
	bool trace;	  /* the client wants to hear what the server did when */
	char node[128];	  /* the address by which the client reaches the server */
	unsigned char key[SESSION_KEY_BYTES];
	size_t key_len; /* on the wire: nothing if TLS gives it */
	struct file_meta meta;
};

struct session {
	struct control control;
	struct report *report;
	struct request request;
	bool client;
	bool sender;
	struct rails rails;
	bool ready; /* the client said so before the rails were connected */
	/* For a server to set: */
	struct inet_ports ports; /* to accept on */
	uint64_t silence;	 /* milliseconds that a client may ask for; 0: any */
	char node[128]; /* the client's own address on the way to the server, or "" */
	char why[CHOOSE_WHY]; /* this fabric, if it was chosen; "" */
	struct side_stats other;
	struct clock_reading clock; /* the server's, if there is a trace */
};

/* The client: reach the host and agree. */
bool session_call(struct session *session, const struct remote *remote,
		  const struct copy_options *options, struct report *report);
/* The client again, when its own end of the file is open: *meta in for a push, out else.
 */
bool session_agree(struct session *session, struct file_meta *meta);

/* The server: wait for a request on this channel, which becomes the session's. */
bool session_listen(struct session *session, const struct control *control,
		    struct report *report);
/* The server again, when its end of the file is open. */
bool session_answer(struct session *session, const struct file_meta *meta);

/* Either side, when the other may send over the fabric. */
bool session_ready(struct session *session);

void session_close(struct session *session);
/* After an error: leave nothing behind. The control channel is the caller's. */
void session_abandon(struct session *session);

void session_put_stats(struct wire *wire, const struct side_stats *stats);
bool session_get_stats(struct wire *wire, struct side_stats *stats);

/*
 * trace_session.c, after the copy. The client: what the server did, in times of this
 * side's clock, which may be wrong by *error nanoseconds; NULL on error.
 */
struct trace *session_hear_trace(struct session *session, const struct trace *here,
				 uint64_t *error, struct report *report);
/* The server: whether it was heard is the client's business. */
void session_tell_trace(struct session *session, const struct trace *trace);

/* peer.c: the other side as an end point. */
struct endpoint *peer_open(struct engine *engine, struct session *session);
#endif
