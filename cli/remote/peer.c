/* SPDX-License-Identifier: MIT */
#include "peer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS	      32
#define CONTROL_TURNS 64     /* look at the control channel every so many turns */
#define NAP_MS	      1	     /* when the fabric has nothing to sleep on */
#define END_MS	      600000 /* how long a client of a service may take at the end */
#define ORDERLY_MS    2000   /* how long to wait for the reason of a broken fabric */
#define MS	      1000000u

unsigned char *peer_memory(const struct peer *p, uint64_t number)
{
	const struct rails *rails = &p->session->rails;
	unsigned char *base = decant_region_span(decant_pool_region(rails->slots)).addr;

	return base + number % peer_depth(p) * rails->stride;
}

/* What the other side says; signs of life say no more than that. */
static int hear(struct peer *p, enum message *type, struct wire *wire, int timeout)
{
	int got = control_poll(&p->session->control, type, wire, timeout);

	p->stirred |= got > 0;
	return got > 0 && *type == MESSAGE_ALIVE ? 0 : got;
}

/* A broken fabric is mostly the end of the other side, which may say why. */
bool peer_failed(struct peer *p, unsigned rail, int err)
{
	struct control *control = &p->session->control;
	deadline_t deadline = deadline_in(ORDERLY_MS);
	enum message type = 0;
	struct wire wire = {.len = 0};
	int got = 0;

	while (!got && deadline_left(deadline))
		got = hear(p, &type, &wire, deadline_left(deadline));
	if (got < 0 || (got > 0 && type == MESSAGE_ERROR))
		control_unexpected(control, got, type, &wire, peer_report(p));
	return rails_failed(&p->session->rails, rail, control->host, err, peer_report(p));
}

/* The sender is done, perhaps before the receiver is. */
bool peer_heard_complete(struct peer *p, struct wire *wire)
{
	p->complete = true;
	p->complete_bytes = wire_get_u64(wire);
	p->complete_chunks = wire_get_u64(wire);
	return !wire->bad;
}

/*
 * Silence of the other side, where that has a limit; and of this one, which may have
 * nothing else to say for long. At the end of a copy a disk may take its time.
 */
static void check_life(struct peer *p)
{
	uint64_t limit = p->session->request.timeout * MS, now;

	if (!limit || p->over)
		return;
	now = stats_now();
	if (p->stirred || !p->heard)
		p->heard = now;
	if (!p->told)
		p->told = now;
	p->stirred = false;
	if (now - p->heard > limit)
		report_set(peer_report(p), EXIT_PEER,
			   "%s: no sign of life for %llu s (--timeout)",
			   p->session->control.host,
			   (unsigned long long)p->session->request.timeout / 1000);
	if (now - p->told < limit / 4)
		return;
	p->told = now;
	/* That it is gone is noticed by listening. */
	control_send(&p->session->control, MESSAGE_ALIVE, NULL);
}

void peer_listen(struct peer *p, int timeout)
{
	enum message type = 0;
	struct wire wire;
	int got;

	wire.len = 0;
	got = hear(p, &type, &wire, timeout);
	if (got > 0 && type == MESSAGE_COMPLETE && !p->session->sender &&
	    peer_heard_complete(p, &wire))
		return;
	if (got)
		control_unexpected(&p->session->control, got, type, &wire,
				   peer_report(p));
	check_life(p);
}

void peer_glance(struct peer *p)
{
	if (++p->turns % CONTROL_TURNS == 0)
		peer_listen(p, 0);
}

static struct note *spare_note(struct peer *p)
{
	return p->nr_free ? p->free_notes[--p->nr_free] : NULL;
}

static void keep_note(struct peer *p, struct note *note)
{
	p->free_notes[p->nr_free++] = note;
}

bool peer_send_note(struct peer *p, uint64_t type, const struct slot *slot)
{
	struct transport *t = p->session->rails.rail[slot->rail].at;
	struct note *note = spare_note(p);
	struct decant_iter it;
	int err;

	if (!note)
		return report_set(peer_report(p), EXIT_PEER, "%s: more notes than agreed",
				  p->session->control.host);
	wire_store_u64(&note->type, type);
	wire_store_u64(&note->number, slot->name.number);
	wire_store_u64(&note->len, slot->name.len);
	wire_store_u64(&note->last, slot->name.last);
	decant_iter_buf(&it, DECANT_SOURCE, note, sizeof(*note));
	err = t->ops->send(t, &it, sizeof(*note), note);
	p->flying += !err;
	return !err || peer_failed(p, slot->rail, err);
}

static bool receive_note(struct peer *p, unsigned rail, struct note *note)
{
	struct transport *t = p->session->rails.rail[rail].at;
	struct decant_iter it;
	int err;

	decant_iter_buf(&it, DECANT_DEST, note, sizeof(*note));
	err = t->ops->recv(t, &it, sizeof(*note), note);
	return !err || peer_failed(p, rail, err);
}

bool peer_bad_note(struct peer *p)
{
	return report_set(peer_report(p), EXIT_PEER,
			  "%s: a note over the fabric makes no sense",
			  p->session->control.host);
}

static bool note_arrived(struct peer *p, unsigned rail, struct note *note, ssize_t result)
{
	const struct chunk_name name = {wire_load_u64(&note->number),
					wire_load_u64(&note->len),
					wire_load_u64(&note->last) != 0};
	uint64_t type = wire_load_u64(&note->type);

	if (result != sizeof(*note))
		return peer_bad_note(p);
	if (!receive_note(p, rail, note))
		return false;
	if (type == NOTE_CHUNK)
		return receiver_announced(p, rail, &name);
	return type == NOTE_CREDIT ? sender_credited(p, name.number) : peer_bad_note(p);
}

static void on_event(struct peer *p, unsigned rail, const struct transport_event *event)
{
	p->stirred = true;
	if (event->result < 0) {
		/* When all is said the other side may hang up first. */
		if (!p->over)
			peer_failed(p, rail, (int)event->result);
		return;
	}
	switch (event->kind) {
	case TRANSPORT_RECEIVED:
		note_arrived(p, rail, event->user, event->result);
		break;
	case TRANSPORT_SENT:
		p->flying--;
		keep_note(p, event->user);
		break;
	default:
		p->flying--;
		sender_written(p, event->user);
	}
}

static bool rail_progress(struct peer *p, unsigned rail)
{
	struct transport *t = p->session->rails.rail[rail].at;
	struct transport_event events[EVENTS];
	int nr = t->ops->poll(t, events, EVENTS);

	if (nr < 0 && !p->over)
		peer_failed(p, rail, nr);
	for (int i = 0; i < nr && !peer_report(p)->code; i++)
		on_event(p, rail, &events[i]);
	return nr > 0;
}

bool peer_progress(struct peer *p)
{
	bool moved = false;

	for (unsigned i = 0; i < p->session->rails.nr && !peer_report(p)->code; i++)
		moved |= rail_progress(p, i);
	return moved;
}

unsigned peer_sleep(struct endpoint *ep, struct pollfd *fds, int *timeout)
{
	struct peer *p = peer_of(ep);
	unsigned nr = 0;

	peer_listen(p, 0);
	fds[nr++] = (struct pollfd){.fd = p->session->control.in, .events = POLLIN};
	for (unsigned i = 0; i < p->session->rails.nr; i++) {
		struct transport *t = p->session->rails.rail[i].at;
		bool may_sleep = false;
		int fd = t->ops->fd(t, &may_sleep);

		if (fd >= 0 && may_sleep)
			fds[nr++] = (struct pollfd){.fd = fd, .events = POLLIN};
		else if (fd >= 0 || *timeout > NAP_MS)
			*timeout = fd >= 0 ? 0 : NAP_MS;
	}
	return nr;
}

/* Wait for a message while the fabric goes on: some providers need both sides to drive
 * it. */
bool peer_await(struct peer *p, enum message wanted, struct wire *wire)
{
	/* A client's disk may take its time, but not a service's connection for ever. */
	bool service = p->session->control.tls && !p->session->client;
	deadline_t deadline = deadline_in(service ? END_MS : -1);
	enum message type = 0;
	int got = 0;

	while (!got && !peer_report(p)->code && !engine_interrupted(peer_report(p)) &&
	       deadline_left(deadline)) {
		peer_progress(p);
		got = hear(p, &type, wire, NAP_MS);
	}
	if (!got)
		report_set(peer_report(p), EXIT_PEER, "%s: did not end the copy in %d s",
			   p->session->control.host, END_MS / 1000);
	if (peer_report(p)->code)
		return false;
	if (got > 0 && type == wanted)
		return true;
	control_unexpected(&p->session->control, got, type, wire, peer_report(p));
	return false;
}

bool peer_tell(struct peer *p, enum message type, const struct wire *wire)
{
	return control_send(&p->session->control, type, wire) ||
	       peer_failed(p, 0, -EPIPE);
}

bool peer_tell_stats(struct peer *p)
{
	struct wire wire = {.len = 0};

	engine_describe(p->ep.engine);
	session_put_stats(&wire, &p->ep.engine->stats);
	return peer_tell(p, MESSAGE_DONE, &wire);
}

bool peer_hear_stats(struct peer *p)
{
	struct wire wire = {.len = 0};

	return peer_await(p, MESSAGE_DONE, &wire) &&
	       (session_get_stats(&wire, &p->session->other) ||
		report_set(peer_report(p), EXIT_PEER, "%s: statistics make no sense",
			   p->session->control.host));
}

void peer_close(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);

	decant_aead_free(p->sealer.aead);
	free(p->slots);
	free(p->free_notes);
	free(p->waiting);
	free(p);
}

/* Notes for receiving are posted at once; the others are for sending. */
static bool post_notes(struct peer *p)
{
	const struct rails *rails = &p->session->rails;
	unsigned receives = rails_receives(peer_depth(p));
	unsigned char *at = decant_pool_get(rails->notes).addr;

	_Static_assert(sizeof(struct note) <= RAILS_NOTE,
		       "a note is larger than its room");
	for (unsigned i = 0; i < rails->nr_notes; i++, at += RAILS_NOTE) {
		struct note *note = (struct note *)at;

		if (i >= rails->nr * receives)
			keep_note(p, note);
		else if (!receive_note(p, i / receives, note))
			return false;
	}
	return true;
}

/*
 * What is not sealed goes from and to the buffers of the copy: the fabric must know the
 * sender's, the ring the receiver's.
 */
static int share_buffers(struct peer *p)
{
	struct engine *engine = p->ep.engine;
	struct rails *rails = &p->session->rails;
	struct decant_region *region =
		decant_pool_region(engine->hops[engine->nr_hops - 1].pool);
	int err = 0;

	if (!p->session->sender)
		return decant_space_add(engine->space, decant_pool_region(rails->slots));
	for (unsigned i = 0; i < rails->nr && !err; i++)
		err = rails->rail[i].at->ops->map(rails->rail[i].at, region);
	return err ? err : decant_space_add(rails->space, region);
}

static int prepare_crypto(struct peer *p)
{
	const struct request *r = &p->session->request;

	if (r->plain)
		return share_buffers(p);
	p->crypto = engine_stage(p->ep.engine, !p->session->sender,
				 p->session->sender ? "seal" : "open");
	p->sealer.push = r->push;
	p->sealer.size = r->meta.size;
	return decant_aead_new(&p->sealer.aead, DECANT_AEAD_AES_256_GCM, r->key,
			       SESSION_KEY_BYTES);
}

static bool prepare(struct peer *p)
{
	const struct request *r = &p->session->request;
	int err = prepare_crypto(p);

	p->slots = calloc(r->depth, sizeof(*p->slots));
	p->waiting = calloc(r->depth, sizeof(*p->waiting));
	p->free_notes = calloc(p->session->rails.nr_notes, sizeof(*p->free_notes));
	if (!p->slots || !p->waiting || !p->free_notes)
		err = -ENOMEM;
	if (err)
		return report_set(peer_report(p), EXIT_RESOURCES,
				  "preparing the session: %s", strerror(-err));
	if (p->session->sender)
		p->ep.stage = engine_stage(p->ep.engine, false, "fabric write");
	/* Over iWARP a message that nobody waits for ends the connection. */
	return post_notes(p) && session_ready(p->session);
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
	if (prepare(p))
		return &p->ep;
	peer_close(&p->ep);
	return NULL;
}
