/* SPDX-License-Identifier: MIT */
/* receiver.c - chunks that come from the other side. */
#include "peer.h"

/* A slot was filled. Nothing in the note is trusted before the tag is checked. */
bool receiver_announced(struct peer *p, unsigned rail, const struct chunk_name *name)
{
	struct slot *slot = peer_slot(p, name->number);

	/* Not one that was not credited, and not twice. */
	if (p->session->sender || name->number - p->credits >= peer_depth(p) ||
	    name->number < p->next || slot->arrived ||
	    name->len > p->ep.engine->chunk_bytes)
		return peer_bad_note(p);
	*slot = (struct slot){.name = *name, .arrived = true, .rail = rail};
	return true;
}

/* The size of a chunk follows from its number; the tag has vouched for both. */
static bool plausible(const struct peer *p, const struct chunk_name *name)
{
	uint64_t size = p->session->request.meta.size, each = p->ep.engine->chunk_bytes;

	if (!name->last)
		return name->len == each;
	return size == SIZE_UNKNOWN || name->number * each + name->len == size;
}

/* What was not sealed stays where it is. */
static bool take_plain(struct peer *p, struct slot *slot, struct chunk *chunk)
{
	slot->holder = chunk;
	chunk->buffer = (struct decant_span){peer_memory(p, slot->name.number),
					     p->ep.engine->chunk_bytes,
					     decant_pool_region(p->session->rails.slots)};
	return plausible(p, &slot->name) || peer_bad_note(p);
}

static bool open_chunk(struct peer *p, struct slot *slot, struct chunk *chunk)
{
	const struct chunk_name *name = &slot->name;
	int err;

	chunk->number = name->number;
	chunk->pos = name->number * p->ep.engine->chunk_bytes;
	chunk->len = name->len;
	chunk->last = name->last;
	if (!p->crypto)
		return take_plain(p, slot, chunk);
	stage_begin(p->crypto, name->number);
	err = sealer_open(&p->sealer, name, chunk_iter(chunk, DECANT_DEST),
			  peer_memory(p, name->number));
	stage_end(p->crypto, name->number, name->len);
	if (!err && plausible(p, name))
		return true;
	return report_set(
		peer_report(p), EXIT_TAMPERED,
		"chunk %llu is not authentic: it was changed on its way; nothing of "
		"it was written",
		(unsigned long long)name->number);
}

/* Whether the chunk that is this slot has still to be emptied. */
static bool in_use(const struct slot *slot)
{
	const struct chunk *chunk = slot->holder;

	return chunk && chunk->number == slot->name.number &&
	       (chunk->at || chunk->filled);
}

/* Credit back the slots that are free, in order: one note says so for all before it. */
static bool credit(struct peer *p)
{
	uint64_t before = p->credits;

	while (p->credits < p->next && !in_use(peer_slot(p, p->credits)))
		p->credits++;
	return p->credits == before ||
	       peer_send_note(p, NOTE_CREDIT, peer_slot(p, p->credits - 1));
}

static enum start receiver_read(struct endpoint *ep, struct chunk *chunk)
{
	struct peer *p = peer_of(ep);
	struct slot *slot = peer_slot(p, p->next);

	if (!slot->arrived || slot->name.number != p->next)
		return START_NOT_NOW;
	if (!open_chunk(p, slot, chunk))
		return START_FAILED;
	slot->arrived = false;
	p->next++;
	if (!credit(p))
		return START_FAILED;
	p->moved_chunks++;
	p->moved_bytes += chunk->len;
	engine_filled(ep->engine, chunk);
	return START_DONE;
}

static bool receiver_poll(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);
	bool moved = peer_progress(p);

	if (!peer_report(p)->code)
		credit(p);
	peer_glance(p);
	return moved;
}

/* When everything was written: does the sender stand by it? */
static bool receiver_finish(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);
	struct wire wire = {.len = 0};

	p->over = true;
	if (!p->complete &&
	    (!peer_await(p, MESSAGE_COMPLETE, &wire) || !peer_heard_complete(p, &wire)))
		return report_set(peer_report(p), EXIT_PEER,
				  "%s: a message makes no sense",
				  p->session->control.host);
	if (p->complete_bytes != p->moved_bytes || p->complete_chunks != p->moved_chunks)
		return report_set(peer_report(p), EXIT_PEER,
				  "%s: it sent another number of bytes",
				  p->session->control.host);
	return true;
}

/*
 * Again, when the target is in place: that is a success, whatever happens to the other
 * side from now on.
 */
static bool receiver_confirm(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);

	if (!peer_tell_stats(p) || !peer_hear_stats(p))
		*peer_report(p) = (struct report){0};
	return true;
}

const struct endpoint_ops receiver_ops = {
	.name = "peer",
	.read = receiver_read,
	.poll = receiver_poll,
	.sleep = peer_sleep,
	.finish = receiver_finish,
	.confirm = receiver_confirm,
	.close = peer_close,
};
