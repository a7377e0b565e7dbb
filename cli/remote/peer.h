/* SPDX-License-Identifier: MIT */
#ifndef CLI_PEER_H
#define CLI_PEER_H
/*
 * peer.h - the other side as an end point: sealed chunks over the fabric.
 *
 * The receiver granted as many slots as the depth; chunk n goes into slot n mod depth.
 * The sender seals it into its own slot of that number, writes it into the receiver's
 * over the rail with the least under way, and when the write is complete sends a note the
 * same way. The receiver opens chunks in order into free buffers and credits the slots
 * back. A chunk is authentic only under its number, its length, the file's size, whether
 * it is the last, and the direction.
 *
 * Where nothing is sealed nothing is copied either: the sender writes from the chunk's
 * buffer, and the receiver's chunk is the slot until it was emptied.
 *
 *	sender.c	chunks that go out
 *	receiver.c	chunks that come in
 *	peer.c		notes, rails, control channel
 */
#include "sealer.h"
#include "session.h"

enum { NOTE_CHUNK = 1, NOTE_CREDIT = 2 };

/* What travels over the fabric beside the chunks; little endian, as all of decant's. */
struct note {
	uint64_t type;
	uint64_t number;
	uint64_t len;
	uint64_t last;
};

struct slot {
	struct chunk_name name;
	bool arrived; /* receiver: written and announced */
	unsigned rail;
	struct chunk *holder; /* whose memory this is, or that is this memory; or NULL */
	bool flying;	      /* the sender's: its bytes are under way */
};

struct peer {
	struct endpoint ep;
	struct session *session;
	struct sealer sealer;
	struct stage_stats *crypto; /* NULL: nothing is sealed */
	struct slot *slots;
	struct note **free_notes;
	unsigned nr_free;
	struct chunk **waiting; /* sender: without a slot; a ring of depth entries */
	unsigned first, nr_waiting;
	uint64_t credits;	   /* chunks the receiver is done with */
	uint64_t next;		   /* receiver: the next chunk to open */
	unsigned load[RAILS_MOST]; /* sender: writes under way on each */
	unsigned flying;	   /* writes and sends under way */
	unsigned turns;
	uint64_t heard, told; /* when there was a sign of life, ns */
	bool stirred;	      /* since it was last looked at */
	uint64_t moved_bytes;
	uint64_t moved_chunks;
	bool over;     /* the data is complete; the fabric may end */
	bool complete; /* receiver: the sender stands by what it sent */
	uint64_t complete_bytes;
	uint64_t complete_chunks;
};

static inline struct peer *peer_of(struct endpoint *ep)
{
	return (struct peer *)ep;
}

static inline struct report *peer_report(struct peer *p)
{
	return p->ep.engine->report;
}

static inline unsigned peer_depth(const struct peer *p)
{
	return (unsigned)p->session->request.depth;
}

static inline struct slot *peer_slot(struct peer *p, uint64_t number)
{
	return &p->slots[number % peer_depth(p)];
}

unsigned char *peer_memory(const struct peer *p, uint64_t number);

/* Always false, for what failed. */
bool peer_failed(struct peer *p, unsigned rail, int err);
bool peer_bad_note(struct peer *p);

bool peer_send_note(struct peer *p, uint64_t type, const struct slot *slot);

/* Events of the fabric; whether there were any. */
bool peer_progress(struct peer *p);
/* The control channel, now and then, or waiting for up to timeout milliseconds. */
void peer_glance(struct peer *p);
void peer_listen(struct peer *p, int timeout);
unsigned peer_sleep(struct endpoint *ep, struct pollfd *fds, int *timeout);

/* The messages of the end. */
bool peer_await(struct peer *p, enum message wanted, struct wire *wire);
bool peer_tell(struct peer *p, enum message type, const struct wire *wire);
bool peer_heard_complete(struct peer *p, struct wire *wire);
bool peer_tell_stats(struct peer *p);
bool peer_hear_stats(struct peer *p);

void peer_close(struct endpoint *ep);

/* What the roles do with notes. */
bool sender_written(struct peer *p, struct slot *slot);
bool sender_credited(struct peer *p, uint64_t number);
bool receiver_announced(struct peer *p, unsigned rail, const struct chunk_name *name);

extern const struct endpoint_ops sender_ops, receiver_ops;
#endif
