/* SPDX-License-Identifier: MIT */
/* sender.c - chunks that go to the other side. */
#include <string.h>
#include "peer.h"

#define NAP_MS 1

/* The rail with the least under way; they take turns where that is the same. */
static unsigned pick_rail(struct peer *p)
{
	unsigned nr = p->session->rails.nr, first = (unsigned)(p->moved_chunks % nr);
	unsigned best = first;

	for (unsigned i = 1; i < nr; i++)
		if (p->load[(first + i) % nr] < p->load[best])
			best = (first + i) % nr;
	return best;
}

/* What of a chunk is written: it, sealed into the slot of its number, or as it is. */
static bool sealed(struct peer *p, struct slot *slot, struct chunk *chunk,
		   struct decant_iter *it, size_t *len)
{
	unsigned char *memory = peer_memory(p, chunk->number);
	int err;

	*len = chunk->len;
	if (!p->crypto) {
		*it = chunk_iter(chunk, DECANT_SOURCE);
		slot->holder = chunk;
		return true;
	}
	stage_begin(p->crypto, chunk->number);
	err = sealer_seal(&p->sealer, &slot->name, chunk_iter(chunk, DECANT_SOURCE),
			  memory);
	stage_end(p->crypto, chunk->number, chunk->len);
	if (err)
		return report_set(peer_report(p), EXIT_RESOURCES, "sealing a chunk: %s",
				  strerror(-err));
	engine_emptied(chunk);
	*len += DECANT_AEAD_TAG_BYTES;
	decant_iter_buf(it, DECANT_SOURCE, memory, *len);
	return true;
}

/* An empty chunk has nothing to write: only its note goes. */
static bool send_chunk(struct peer *p, struct chunk *chunk)
{
	struct rails *rails = &p->session->rails;
	struct slot *slot = peer_slot(p, chunk->number);
	uint64_t offset = chunk->number % peer_depth(p) * rails->stride;
	struct rail *rail;
	struct decant_iter it;
	size_t len;
	int err = 0;

	/* Credit for what was not even written would have its slot taken from it. */
	if (slot->flying)
		return peer_bad_note(p);
	*slot = (struct slot){.name = {chunk->number, chunk->len, chunk->last},
			      .rail = pick_rail(p),
			      .flying = true};
	rail = &rails->rail[slot->rail];
	if (!sealed(p, slot, chunk, &it, &len))
		return false;
	p->moved_bytes += slot->name.len;
	p->moved_chunks++;
	p->load[slot->rail]++;
	stage_begin(p->ep.stage, slot->name.number);
	if (!len)
		return sender_written(p, slot);
	p->flying++;
	err = rail->at->ops->write(rail->at, &it, len, &rail->remote, offset, slot);
	return !err || peer_failed(p, slot->rail, err);
}

bool sender_written(struct peer *p, struct slot *slot)
{
	stage_end(p->ep.stage, slot->name.number, slot->name.len);
	p->load[slot->rail]--;
	if (slot->holder)
		engine_emptied(slot->holder);
	slot->holder = NULL;
	slot->flying = false;
	return peer_send_note(p, NOTE_CHUNK, slot);
}

static bool has_slot(const struct peer *p, const struct chunk *chunk)
{
	return chunk->number < p->credits + peer_depth(p);
}

static bool sender_write(struct endpoint *ep, struct chunk *chunk)
{
	struct peer *p = peer_of(ep);

	if (!p->nr_waiting && has_slot(p, chunk))
		return send_chunk(p, chunk);
	p->waiting[(p->first + p->nr_waiting++) % peer_depth(p)] = chunk;
	return true;
}

static void send_waiting(struct peer *p)
{
	while (p->nr_waiting && !peer_report(p)->code) {
		struct chunk *chunk = p->waiting[p->first];

		if (!has_slot(p, chunk))
			return;
		p->first = (p->first + 1) % peer_depth(p);
		p->nr_waiting--;
		send_chunk(p, chunk);
	}
}

bool sender_credited(struct peer *p, uint64_t number)
{
	if (!p->session->sender || number >= p->moved_chunks)
		return peer_bad_note(p);
	/* Notes may overtake one another. */
	if (number + 1 > p->credits)
		p->credits = number + 1;
	return true;
}

static bool sender_poll(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);
	bool moved = peer_progress(p);

	send_waiting(p);
	peer_glance(p);
	return moved;
}

/* When everything was sent and the source has not changed. */
static bool sender_finish(struct endpoint *ep)
{
	struct peer *p = peer_of(ep);
	struct wire wire = {.len = 0};

	while (p->flying && !peer_report(p)->code && !engine_interrupted(peer_report(p)))
		if (!peer_progress(p))
			peer_listen(p, NAP_MS);
	if (peer_report(p)->code)
		return false;
	wire_put_u64(&wire, p->moved_bytes);
	wire_put_u64(&wire, p->moved_chunks);
	p->over = true;
	return peer_tell(p, MESSAGE_COMPLETE, &wire) && peer_hear_stats(p) &&
	       peer_tell_stats(p);
}

const struct endpoint_ops sender_ops = {
	.name = "peer",
	.in_order = true,
	.write = sender_write,
	.poll = sender_poll,
	.sleep = peer_sleep,
	.finish = sender_finish,
	.close = peer_close,
};
