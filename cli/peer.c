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
#include <decant/aead.h>
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

/* Memory for a note and who is using it. */
struct note_buffer {
	struct note *note;
	bool receives;
};

struct slot {
	struct peer *peer;
	uint64_t number;
	size_t len;
	bool last;
	bool arrived; /* receiver: written and announced */
};

struct peer {
	struct endpoint ep;
	struct session *session;
	struct decant_aead *aead;
	struct stage_stats *crypto;
	struct slot *slots;
	struct note_buffer *notes;
	unsigned nr_notes;
	struct note_buffer **free_notes;
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

static void check_control(struct peer *p)
{
	struct control *control = &p->session->control;
	enum message type = 0;
	struct wire wire;
	int got;

	wire.len = 0;
	got = control_poll(control, &type, &wire, 0);
	if (got > 0 && type == MESSAGE_COMPLETE && !p->session->sender &&
	    heard_complete(p, &wire))
		return;
	if (got)
		control_unexpected(control, got, type, &wire, report_of(p));
}

static void put_number(unsigned char *at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

struct context {
	unsigned char aad[48];
	unsigned char nonce[DECANT_AEAD_NONCE_BYTES];
	struct decant_iter iter;
};

/* What a chunk is bound to. The key is fresh for each session, so number and direction
 * do. */
static void bind_chunk(const struct peer *p, const struct slot *slot, struct context *c)
{
	const struct request *r = &p->session->request;

	memcpy(c->aad, "decant/1", 8);
	put_number(c->aad + 8, r->push);
	put_number(c->aad + 16, slot->number);
	put_number(c->aad + 24, slot->len);
	put_number(c->aad + 32, r->meta.size);
	put_number(c->aad + 40, slot->last);
	put_number(c->nonce, slot->number);
	memset(c->nonce + 8, r->push ? 0x01 : 0x02, 4);
	decant_iter_buf(&c->iter, DECANT_SOURCE, c->aad, sizeof(c->aad));
}

static struct note_buffer *spare_note(struct peer *p)
{
	return p->nr_free ? p->free_notes[--p->nr_free] : NULL;
}

static void keep_note(struct peer *p, struct note_buffer *buffer)
{
	p->free_notes[p->nr_free++] = buffer;
}

static bool send_note(struct peer *p, uint64_t type, const struct slot *slot)
{
	struct note_buffer *buffer = spare_note(p);
	struct decant_iter it;
	int err;

	if (!buffer)
		return report_set(report_of(p), EXIT_PEER, "%s: more notes than agreed",
				  p->session->control.host);
	put_number((unsigned char *)&buffer->note->type, type);
	put_number((unsigned char *)&buffer->note->number, slot->number);
	put_number((unsigned char *)&buffer->note->len, slot->len);
	put_number((unsigned char *)&buffer->note->last, slot->last);
	buffer->receives = false;
	decant_iter_buf(&it, DECANT_SOURCE, buffer->note, sizeof(*buffer->note));
	err = decant_ofi_send(p->session->ofi, &it, sizeof(*buffer->note), buffer);
	p->flying += !err;
	return !err || fabric_failed(p, err);
}

static bool receive_note(struct peer *p, struct note_buffer *buffer)
{
	struct decant_iter it;
	int err;

	buffer->receives = true;
	decant_iter_buf(&it, DECANT_DEST, buffer->note, sizeof(*buffer->note));
	err = decant_ofi_recv(p->session->ofi, &it, sizeof(*buffer->note), buffer);
	return !err || fabric_failed(p, err);
}

/* Sender: seal a chunk into its slot and write it into the receiver's. */
static bool send_chunk(struct peer *p, struct chunk *chunk)
{
	struct slot *slot = &p->slots[chunk->number % depth_of(p)];
	unsigned char *memory = slot_memory(p, chunk->number);
	struct decant_iter src = chunk_iter(chunk, DECANT_SOURCE), dst, it;
	struct context c;
	ssize_t sealed;
	int err;

	*slot = (struct slot){.peer = p,
			      .number = chunk->number,
			      .len = chunk->len,
			      .last = chunk->last};
	bind_chunk(p, slot, &c);
	decant_iter_buf(&dst, DECANT_DEST, memory, chunk->len);
	stage_begin(p->crypto);
	sealed = decant_aead_seal(p->aead, &dst, &src, chunk->len, &c.iter, c.nonce,
				  memory + chunk->len);
	stage_end(p->crypto, chunk->len);
	if (sealed < 0)
		return report_set(report_of(p), EXIT_RESOURCES, "sealing a chunk: %s",
				  strerror((int)-sealed));
	p->moved_bytes += chunk->len;
	p->moved_chunks++;
	engine_emptied(p->ep.engine, chunk);
	decant_iter_buf(&it, DECANT_SOURCE, memory, slot->len + DECANT_AEAD_TAG_BYTES);
	stage_begin(p->ep.stage);
	err = decant_ofi_write(p->session->ofi, &it, slot->len + DECANT_AEAD_TAG_BYTES,
			       &p->session->remote,
			       slot->number % depth_of(p) * session_stride(p->session),
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

static uint64_t get_number(const void *at)
{
	const unsigned char *bytes = at;
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static bool bad_note(struct peer *p)
{
	return report_set(report_of(p), EXIT_PEER,
			  "%s: a note over the fabric makes no sense",
			  p->session->control.host);
}

/* Receiver: a slot was filled. Nothing in the note is trusted before the tag is checked.
 */
static bool chunk_arrived(struct peer *p, uint64_t number, uint64_t len, bool last)
{
	struct slot *slot = &p->slots[number % depth_of(p)];

	if (p->session->sender || number - p->next >= depth_of(p) || slot->arrived ||
	    len > p->ep.engine->chunk_bytes)
		return bad_note(p);
	*slot = (struct slot){p, number, len, last, true};
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

static bool note_arrived(struct peer *p, struct note_buffer *buffer, ssize_t result)
{
	const struct note note = {
		get_number(&buffer->note->type), get_number(&buffer->note->number),
		get_number(&buffer->note->len), get_number(&buffer->note->last)};

	if (result != sizeof(note))
		return bad_note(p);
	if (!receive_note(p, buffer))
		return false;
	if (note.type == NOTE_CHUNK)
		return chunk_arrived(p, note.number, note.len, note.last != 0);
	return note.type == NOTE_CREDIT ? credit_arrived(p, note.number) : bad_note(p);
}

static void on_event(struct peer *p, const struct decant_ofi_event *event)
{
	struct slot *slot = event->user;

	if (event->result < 0) {
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
		stage_end(p->ep.stage, slot->len);
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
		check_control(p);
	return moved;
}

static unsigned peer_sleep(struct endpoint *ep, struct pollfd *fds, int *timeout)
{
	struct peer *p = peer_of(ep);
	bool may_sleep = false;
	int fd = decant_ofi_fd(p->session->ofi, &may_sleep);
	unsigned nr = 0;

	check_control(p);
	fds[nr++] = (struct pollfd){.fd = p->session->control.in, .events = POLLIN};
	if (fd >= 0 && may_sleep)
		fds[nr++] = (struct pollfd){.fd = fd, .events = POLLIN};
	else
		*timeout = fd >= 0 ? 0 : NAP_MS;
	return nr;
}

/* The position and size of a chunk follow from its number; the tag has vouched for it. */
static bool plausible(const struct peer *p, const struct slot *slot)
{
	uint64_t pos = slot->number * p->ep.engine->chunk_bytes,
		 size = p->session->request.meta.size;

	if (!slot->last)
		return slot->len == p->ep.engine->chunk_bytes;
	return size == SIZE_UNKNOWN || pos + slot->len == size;
}

static bool open_chunk(struct peer *p, struct slot *slot, struct chunk *chunk)
{
	unsigned char *memory = slot_memory(p, slot->number);
	struct decant_iter src, dst;
	struct context c;
	ssize_t opened;

	chunk->number = slot->number;
	chunk->pos = slot->number * p->ep.engine->chunk_bytes;
	chunk->len = slot->len;
	chunk->last = slot->last;
	bind_chunk(p, slot, &c);
	decant_iter_buf(&src, DECANT_SOURCE, memory, slot->len);
	dst = chunk_iter(chunk, DECANT_DEST);
	stage_begin(p->crypto);
	opened = decant_aead_open(p->aead, &dst, &src, slot->len, &c.iter, c.nonce,
				  memory + slot->len);
	stage_end(p->crypto, slot->len);
	if (opened >= 0 && plausible(p, slot))
		return true;
	return report_set(
		report_of(p), EXIT_TAMPERED,
		"chunk %llu is not authentic: it was changed on its way; nothing of it "
		"was written",
		(unsigned long long)slot->number);
}

static enum start peer_read(struct endpoint *ep, struct chunk *chunk)
{
	struct peer *p = peer_of(ep);
	struct slot *slot = &p->slots[p->next % depth_of(p)];

	if (!slot->arrived)
		return START_NOT_NOW;
	if (!open_chunk(p, slot, chunk))
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
		poll_fabric(p);
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

/* The receiver again, when the target is in place. */
static bool receiver_confirm(struct endpoint *ep)
{
	return tell_stats(peer_of(ep)) && hear_stats(peer_of(ep));
}

static void peer_close(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);

	decant_aead_free(p->aead);
	free(p->slots);
	free(p->notes);
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
	unsigned receives = 2 * depth_of(p) + 4;

	for (unsigned i = 0; i < p->nr_notes; i++) {
		p->notes[i].note = decant_pool_get(p->session->notes).addr;
		if (i >= receives)
			keep_note(p, &p->notes[i]);
		else if (!receive_note(p, &p->notes[i]))
			return false;
	}
	return true;
}

static bool prepare(struct peer *p)
{
	int err = decant_aead_new(&p->aead, DECANT_AEAD_AES_256_GCM,
				  p->session->request.key, SESSION_KEY_BYTES);

	p->nr_notes = session_notes(p->session);
	p->slots = calloc(depth_of(p), sizeof(*p->slots));
	p->waiting = calloc(depth_of(p), sizeof(*p->waiting));
	p->notes = calloc(p->nr_notes, sizeof(*p->notes));
	p->free_notes = calloc(p->nr_notes, sizeof(*p->free_notes));
	if (!p->slots || !p->waiting || !p->notes || !p->free_notes)
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
