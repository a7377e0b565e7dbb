/* SPDX-License-Identifier: MIT */
/*
 * peer.c - the other side as an end point: sealed chunks over the fabric.
 *
 * The receiver granted as many slots as the depth; chunk n goes into slot n mod depth.
 * The sender seals it into its own slot of that number, writes it into the receiver's,
 * and when the write is complete sends a note. The receiver opens chunks in order into
 * free buffers and credits each slot back. A chunk is authentic only under its number,
 * its length, the file's size, whether it is the last, and the direction.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sealer.h"
#include "session.h"

#define EVENTS	      32
#define CONTROL_TURNS 64   /* look at the control channel every so many turns */
#define NAP_MS	      1	   /* when the fabric has nothing to sleep on */
#define ORDERLY_MS    2000 /* how long to wait for the reason of a broken fabric */

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
};

struct peer {
	struct endpoint ep;
	struct session *session;
	struct sealer sealer;
	struct stage_stats *crypto;
	struct slot *slots;
	struct note **free_notes;
	unsigned nr_free;
	struct chunk *
		*waiting; /* sender: chunks without a slot; a ring of depth entries */
	unsigned first, nr_waiting;
	uint64_t credits; /* sender: chunks the receiver is done with */
	uint64_t next;	  /* receiver: the next chunk to open */
	unsigned flying;  /* writes and sends under way */
	unsigned turns;
	uint64_t moved_bytes;
	uint64_t moved_chunks;
	bool over;     /* the data is complete; the fabric may end */
	bool complete; /* receiver: the sender stands by what it sent */
	uint64_t complete_bytes;
	uint64_t complete_chunks;
};

static struct peer *peer_of(struct endpoint *ep)
{
	return (struct peer *)ep;
}

static struct report *report_of(struct peer *p)
{
	return p->ep.engine->report;
}

static unsigned depth_of(const struct peer *p)
{
	return (unsigned)p->session->request.depth;
}

static unsigned char *slot_memory(const struct peer *p, uint64_t number)
{
	unsigned char *base =
		decant_region_span(decant_pool_region(p->session->slots)).addr;

	return base + number % depth_of(p) * session_stride(p->session);
}

/* A broken fabric is mostly the end of the other side, which may say why. */
static bool fabric_failed(struct peer *p, int err)
{
	struct control *control = &p->session->control;
	enum message type = 0;
	struct wire wire = {.len = 0};
	int got = control_poll(control, &type, &wire, ORDERLY_MS);
	const char *text = decant_ofi_error(p->session->ofi);

	if (got < 0 || (got > 0 && type == MESSAGE_ERROR))
		control_unexpected(control, got, type, &wire, report_of(p));
	return report_set(report_of(p), EXIT_PEER, "%s: fabric %s: %s", control->host,
			  p->session->request.provider, *text ? text : strerror(-err));
}

/* The sender is done, perhaps before the receiver is. */
static bool heard_complete(struct peer *p, struct wire *wire)
{
	p->complete = true;
	p->complete_bytes = wire_get_u64(wire);
	p->complete_chunks = wire_get_u64(wire);
	return !wire->bad;
}

/* What the other side says, within timeout milliseconds. */
static void check_control(struct peer *p, int timeout)
{
	struct control *control = &p->session->control;
	enum message type = 0;
	struct wire wire;
	int got;

	wire.len = 0;
	got = control_poll(control, &type, &wire, timeout);
	if (got > 0 && type == MESSAGE_COMPLETE && !p->session->sender &&
	    heard_complete(p, &wire))
		return;
	if (got)
		control_unexpected(control, got, type, &wire, report_of(p));
}

static struct note *spare_note(struct peer *p)
{
	return p->nr_free ? p->free_notes[--p->nr_free] : NULL;
}

static void keep_note(struct peer *p, struct note *note)
{
	p->free_notes[p->nr_free++] = note;
}

static bool send_note(struct peer *p, uint64_t type, const struct slot *slot)
{
	struct note *note = spare_note(p);
	struct decant_iter it;
	int err;

	if (!note)
		return report_set(report_of(p), EXIT_PEER, "%s: more notes than agreed",
				  p->session->control.host);
	wire_store_u64(&note->type, type);
	wire_store_u64(&note->number, slot->name.number);
	wire_store_u64(&note->len, slot->name.len);
	wire_store_u64(&note->last, slot->name.last);
	decant_iter_buf(&it, DECANT_SOURCE, note, sizeof(*note));
	err = decant_ofi_send(p->session->ofi, &it, sizeof(*note), note);
	p->flying += !err;
	return !err || fabric_failed(p, err);
}

static bool receive_note(struct peer *p, struct note *note)
{
	struct decant_iter it;
	int err;

	decant_iter_buf(&it, DECANT_DEST, note, sizeof(*note));
	err = decant_ofi_recv(p->session->ofi, &it, sizeof(*note), note);
	return !err || fabric_failed(p, err);
}

/* Sender: seal a chunk into its slot and write it into the receiver's. */
static bool send_chunk(struct peer *p, struct chunk *chunk)
{
	uint64_t offset = chunk->number % depth_of(p) * session_stride(p->session);
	struct slot *slot = &p->slots[chunk->number % depth_of(p)];
	unsigned char *memory = slot_memory(p, chunk->number);
	size_t len = chunk->len + DECANT_AEAD_TAG_BYTES;
	struct decant_iter it;
	int err;

	*slot = (struct slot){.name = {chunk->number, chunk->len, chunk->last}};
	stage_begin(p->crypto);
	err = sealer_seal(&p->sealer, &slot->name, chunk_iter(chunk, DECANT_SOURCE),
			  memory);
	stage_end(p->crypto, chunk->len);
	if (err)
		return report_set(report_of(p), EXIT_RESOURCES, "sealing a chunk: %s",
				  strerror(-err));
	p->moved_bytes += chunk->len;
	p->moved_chunks++;
	engine_emptied(chunk);
	decant_iter_buf(&it, DECANT_SOURCE, memory, len);
	stage_begin(p->ep.stage);
	err = decant_ofi_write(p->session->ofi, &it, len, &p->session->remote, offset,
			       slot);
	p->flying += !err;
	return !err || fabric_failed(p, err);
}

static bool peer_write(struct endpoint *ep, struct chunk *chunk)
{
	struct peer *p = peer_of(ep);

	if (!p->nr_waiting && chunk->number < p->credits + depth_of(p))
		return send_chunk(p, chunk);
	p->waiting[(p->first + p->nr_waiting++) % depth_of(p)] = chunk;
	return true;
}

static void send_waiting(struct peer *p)
{
	while (p->nr_waiting && !report_of(p)->code) {
		struct chunk *chunk = p->waiting[p->first];

		if (chunk->number >= p->credits + depth_of(p))
			return;
		p->first = (p->first + 1) % depth_of(p);
		p->nr_waiting--;
		send_chunk(p, chunk);
	}
}

static bool bad_note(struct peer *p)
{
	return report_set(report_of(p), EXIT_PEER,
			  "%s: a note over the fabric makes no sense",
			  p->session->control.host);
}

/* Receiver: a slot was filled. Nothing in the note is trusted before the tag is checked.
 */
static bool chunk_arrived(struct peer *p, const struct chunk_name *name)
{
	struct slot *slot = &p->slots[name->number % depth_of(p)];

	if (p->session->sender || name->number - p->next >= depth_of(p) ||
	    slot->arrived || name->len > p->ep.engine->chunk_bytes)
		return bad_note(p);
	*slot = (struct slot){*name, true};
	return true;
}

static bool credit_arrived(struct peer *p, uint64_t number)
{
	if (!p->session->sender || number >= p->moved_chunks)
		return bad_note(p);
	/* Notes may overtake one another. */
	if (number + 1 > p->credits)
		p->credits = number + 1;
	return true;
}

static bool note_arrived(struct peer *p, struct note *note, ssize_t result)
{
	const struct chunk_name name = {wire_load_u64(&note->number),
					wire_load_u64(&note->len),
					wire_load_u64(&note->last) != 0};
	uint64_t type = wire_load_u64(&note->type);

	if (result != sizeof(*note))
		return bad_note(p);
	if (!receive_note(p, note))
		return false;
	if (type == NOTE_CHUNK)
		return chunk_arrived(p, &name);
	return type == NOTE_CREDIT ? credit_arrived(p, name.number) : bad_note(p);
}

static void on_event(struct peer *p, const struct decant_ofi_event *event)
{
	struct slot *slot = event->user;

	if (event->result < 0) {
		/* When all is said the other side may hang up first. */
		if (!p->over)
			fabric_failed(p, (int)event->result);
		return;
	}
	switch (event->kind) {
	case DECANT_OFI_RECV:
		note_arrived(p, event->user, event->result);
		break;
	case DECANT_OFI_SEND:
		p->flying--;
		keep_note(p, event->user);
		break;
	default:
		p->flying--;
		stage_end(p->ep.stage, slot->name.len);
		send_note(p, NOTE_CHUNK, slot);
	}
}

static bool poll_fabric(struct peer *p)
{
	struct decant_ofi_event events[EVENTS];
	int nr = decant_ofi_poll(p->session->ofi, events, EVENTS);

	if (nr < 0 && !p->over)
		fabric_failed(p, nr);
	for (int i = 0; i < nr && !report_of(p)->code; i++)
		on_event(p, &events[i]);
	return nr > 0;
}

static bool peer_poll(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);
	bool moved = poll_fabric(p);

	if (p->session->sender)
		send_waiting(p);
	if (++p->turns % CONTROL_TURNS == 0)
		check_control(p, 0);
	return moved;
}

static unsigned peer_sleep(struct endpoint *ep, struct pollfd *fds, int *timeout)
{
	struct peer *p = peer_of(ep);
	bool may_sleep = false;
	int fd = decant_ofi_fd(p->session->ofi, &may_sleep);
	unsigned nr = 0;

	check_control(p, 0);
	fds[nr++] = (struct pollfd){.fd = p->session->control.in, .events = POLLIN};
	if (fd >= 0 && may_sleep)
		fds[nr++] = (struct pollfd){.fd = fd, .events = POLLIN};
	else
		*timeout = fd >= 0 ? 0 : NAP_MS;
	return nr;
}

/* The size of a chunk follows from its number; the tag has vouched for both. */
static bool plausible(const struct peer *p, const struct chunk_name *name)
{
	uint64_t size = p->session->request.meta.size, each = p->ep.engine->chunk_bytes;

	if (!name->last)
		return name->len == each;
	return size == SIZE_UNKNOWN || name->number * each + name->len == size;
}

static bool open_chunk(struct peer *p, const struct chunk_name *name, struct chunk *chunk)
{
	unsigned char *memory = slot_memory(p, name->number);
	int err;

	chunk->number = name->number;
	chunk->pos = name->number * p->ep.engine->chunk_bytes;
	chunk->len = name->len;
	chunk->last = name->last;
	stage_begin(p->crypto);
	err = sealer_open(&p->sealer, name, chunk_iter(chunk, DECANT_DEST), memory);
	stage_end(p->crypto, name->len);
	if (!err && plausible(p, name))
		return true;
	return report_set(
		report_of(p), EXIT_TAMPERED,
		"chunk %llu is not authentic: it was changed on its way; nothing of "
		"it was written",
		(unsigned long long)name->number);
}

static enum start peer_read(struct endpoint *ep, struct chunk *chunk)
{
	struct peer *p = peer_of(ep);
	struct slot *slot = &p->slots[p->next % depth_of(p)];

	if (!slot->arrived)
		return START_NOT_NOW;
	if (!open_chunk(p, &slot->name, chunk))
		return START_FAILED;
	slot->arrived = false;
	p->next++;
	if (!send_note(p, NOTE_CREDIT, slot))
		return START_FAILED;
	p->moved_chunks++;
	p->moved_bytes += chunk->len;
	engine_filled(ep->engine, chunk);
	return START_DONE;
}

/* Wait for a message while the fabric goes on: some providers need both sides to drive
 * it. */
static bool await(struct peer *p, enum message wanted, struct wire *wire)
{
	struct control *control = &p->session->control;
	enum message type = 0;
	int got = 0;

	while (!got && !report_of(p)->code && !engine_interrupted(p->ep.engine)) {
		poll_fabric(p);
		got = control_poll(control, &type, wire, NAP_MS);
	}
	if (report_of(p)->code)
		return false;
	if (got > 0 && type == wanted)
		return true;
	control_unexpected(control, got, type, wire, report_of(p));
	return false;
}

static bool tell(struct peer *p, enum message type, const struct wire *wire)
{
	return control_send(&p->session->control, type, wire) || fabric_failed(p, -EPIPE);
}

static bool tell_stats(struct peer *p)
{
	struct wire wire = {.len = 0};

	engine_describe(p->ep.engine);
	session_put_stats(&wire, &p->ep.engine->stats);
	return tell(p, MESSAGE_DONE, &wire);
}

static bool hear_stats(struct peer *p)
{
	struct wire wire = {.len = 0};

	return await(p, MESSAGE_DONE, &wire) &&
	       (session_get_stats(&wire, &p->session->other) ||
		report_set(report_of(p), EXIT_PEER, "%s: statistics make no sense",
			   p->session->control.host));
}

/* The sender, when everything was sent and the source has not changed. */
static bool sender_finish(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);
	struct wire wire = {.len = 0};

	while (p->flying && !report_of(p)->code && !engine_interrupted(ep->engine))
		if (!poll_fabric(p))
			check_control(p, NAP_MS);
	if (report_of(p)->code)
		return false;
	wire_put_u64(&wire, p->moved_bytes);
	wire_put_u64(&wire, p->moved_chunks);
	p->over = true;
	return tell(p, MESSAGE_COMPLETE, &wire) && hear_stats(p) && tell_stats(p);
}

/* The receiver, when everything was written: does the sender stand by it? */
static bool receiver_finish(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);
	struct wire wire = {.len = 0};

	p->over = true;
	if (!p->complete &&
	    (!await(p, MESSAGE_COMPLETE, &wire) || !heard_complete(p, &wire)))
		return report_set(report_of(p), EXIT_PEER, "%s: a message makes no sense",
				  p->session->control.host);
	if (p->complete_bytes != p->moved_bytes || p->complete_chunks != p->moved_chunks)
		return report_set(report_of(p), EXIT_PEER,
				  "%s: it sent another number of bytes",
				  p->session->control.host);
	return true;
}

/*
 * The receiver again, when the target is in place: that is a success, whatever happens to
 * the other side from now on.
 */
static bool receiver_confirm(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);

	if (!tell_stats(p) || !hear_stats(p))
		*report_of(p) = (struct report){0};
	return true;
}

static void peer_close(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);

	decant_aead_free(p->sealer.aead);
	free(p->slots);
	free(p->free_notes);
	free(p->waiting);
	free(p);
}

static const struct endpoint_ops sender_ops = {
	.name = "peer",
	.in_order = true,
	.write = peer_write,
	.poll = peer_poll,
	.sleep = peer_sleep,
	.finish = sender_finish,
	.close = peer_close,
};

static const struct endpoint_ops receiver_ops = {
	.name = "peer",
	.read = peer_read,
	.poll = peer_poll,
	.sleep = peer_sleep,
	.finish = receiver_finish,
	.confirm = receiver_confirm,
	.close = peer_close,
};

/* Notes for receiving are posted at once; the others are for sending. */
static bool post_notes(struct peer *p)
{
	unsigned receives = 2 * depth_of(p) + 4, all = session_notes(p->session);

	for (unsigned i = 0; i < all; i++) {
		struct note *note = decant_pool_get(p->session->notes).addr;

		if (i >= receives)
			keep_note(p, note);
		else if (!receive_note(p, note))
			return false;
	}
	return true;
}

static bool prepare(struct peer *p)
{
	const struct request *r = &p->session->request;
	int err = decant_aead_new(&p->sealer.aead, DECANT_AEAD_AES_256_GCM, r->key,
				  SESSION_KEY_BYTES);

	p->sealer.push = r->push;
	p->sealer.size = r->meta.size;
	p->slots = calloc(r->depth, sizeof(*p->slots));
	p->waiting = calloc(r->depth, sizeof(*p->waiting));
	p->free_notes = calloc(session_notes(p->session), sizeof(*p->free_notes));
	if (!p->slots || !p->waiting || !p->free_notes)
		err = -ENOMEM;
	if (err)
		return report_set(report_of(p), EXIT_RESOURCES,
				  "preparing the session: %s", strerror(-err));
	return post_notes(p);
}

struct endpoint *peer_open(struct engine *engine, struct session *session)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p) {
		report_set(engine->report, EXIT_RESOURCES, "no memory");
		return NULL;
	}
	p->ep.ops = session->sender ? &sender_ops : &receiver_ops;
	p->ep.engine = engine;
	p->ep.meta = session->request.meta;
	p->session = session;
	if (session->sender) {
		p->crypto = stats_stage(&engine->stats, "seal");
		p->ep.stage = stats_stage(&engine->stats, "fabric write");
	} else {
		p->crypto = stats_stage(&engine->stats, "open");
	}
	if (prepare(p))
		return &p->ep;
	peer_close(&p->ep);
	return NULL;
}
