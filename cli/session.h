/* SPDX-License-Identifier: MIT */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H
/*
 * session.h - two sides agree on a copy between them.
 *
 *	client                          server
 *	HELLO           ------------->
 *	                <-------------  HELLO
 *	REQUEST         ------------->                  what, how, key, fabric address
 *	                <-------------  OFFER           file, fabric address, granted
 *memory ACCEPT          ------------->                  granted memory READY
 *<------------>  READY           the fabric is connected (chunks go over the fabric, see
 *peer.c) COMPLETE        sender -> receiver              how much it was; the source did
 *not change DONE            receiver -> sender -> receiver  the target is in place;
 *statistics
 *
 * ERROR may come at any time and ends the session.
 */
#include <decant/ofi.h>
#include "engine.h"
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
	char provider[64];
	char node[128]; /* the address by which the client reaches the server */
	unsigned char key[SESSION_KEY_BYTES];
	size_t key_len; /* on the wire: nothing if TLS gives it */
	struct file_meta meta;
	unsigned char address[DECANT_OFI_ADDRESS_MAX];
	size_t address_len;
};

struct session {
	struct control control;
	struct report *report;
	struct request request;
	bool client;
	bool sender;
	struct decant_ofi *ofi;
	struct decant_space *space;	 /* the two pools' regions */
	struct decant_pool *slots;	 /* sealed chunks: the receiver's are granted */
	struct decant_pool *notes;	 /* small messages over the fabric */
	struct decant_ofi_remote remote; /* the slots of the other side */
	struct side_stats other;
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

void session_close(struct session *session);
/* After an error: leave nothing behind. The control channel is the caller's. */
void session_abandon(struct session *session);

/* Bytes between the beginnings of two slots. */
size_t session_stride(const struct session *session);
unsigned session_notes(const struct session *session);

void session_put_stats(struct wire *wire, const struct side_stats *stats);
bool session_get_stats(struct wire *wire, struct side_stats *stats);

/* peer.c: the other side as an end point. */
struct endpoint *peer_open(struct engine *engine, struct session *session);
#endif
