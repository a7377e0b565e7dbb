/* SPDX-License-Identifier: MIT */
/*
 * staging.c - what the loop does when bytes can't go directly: as many as must be, no
 * more, are taken through the sink's stage.
 */
#include <errno.h>
#include "kinds.h"
#include "loop.h"
#include "stage.h"

bool staging_helps(const struct loop *l)
{
	if (!l->sink->stage)
		return false;
	if (l->stop == DECANT_STOP_UNREGISTERED)
		return l->sink->policy == DECANT_STAGE;
	return l->stop == DECANT_STOP_ALIGNMENT || l->copied || l->gapped;
}

/* What the address of a block in the stage must be a multiple of, and so its length. */
static size_t stage_mask(const struct loop *l)
{
	return l->len_mask | (l->gapped ? l->gap_mask : 0);
}

/* How many bytes of a span, counted from its beginning, meet the obstacle. */
static size_t obstructed(struct loop *l, const struct decant_span *span)
{
	size_t len = span->len, ahead;

	if (l->stop == DECANT_STOP_UNREGISTERED)
		return span->region ? len
				    : min_size(len, l->owner.hi - (uintptr_t)span->addr);
	ahead = -loop_seen(l, span, &len) & l->addr_mask;
	if (!ahead)
		return 1; /* too short for a block, or cut by another limit */
	/* Blocks lead to an aligned address, or pass by all of them. */
	return ahead & l->len_mask ? len : min_size(len, ahead);
}

/*
 * How much to stage: all blocks that begin where this obstacle is, no more. Which these
 * are depends on addresses, so a cut elsewhere would stage the same.
 */
static size_t stage_amount(struct loop *l, const struct decant_iter *it, size_t left,
			   size_t align)
{
	struct decant_span span = kind_peek(it);
	size_t mask = stage_mask(l), amount = min_size(span.len, left);
	size_t room = stage_room(l->sink->stage, align) & ~mask;

	kind_put(it, &span);
	if (!amount)
		return 0;
	if (l->copied)
		amount = kind_copied_run(*it, min_size(left, room + 1));
	else
		amount = min_size(amount, obstructed(l, &span));
	if (amount > SIZE_MAX - mask)
		return 0;
	amount = (amount + mask) & ~mask;
	if (amount > left)
		amount = left & ~l->len_mask;
	if (!amount)
		return 0;
	if (!room)
		l->stop = DECANT_STOP_FULL;
	return min_size(amount, room);
}

/* Hold the owner of a span's first byte; how far that goes, 0 if it may not be used. */
static size_t hold_owner(struct loop *l, const struct decant_span *span)
{
	uintptr_t addr = (uintptr_t)span->addr, lo, hi;
	struct decant_sink *sink = l->sink;
	struct decant_region *region;

	if (unlikely(!span->len))
		loop_stop_at(l, span);
	if (unlikely(!span->len || !span->addr))
		return span->len;
	region = loop_look_up(l, addr, span->region, &lo, &hi);
	if (!region && sink->policy == DECANT_REFUSE) {
		l->stop = DECANT_STOP_UNREGISTERED;
		sink->error = 0;
		return 0;
	}
	if (region && sink->hold && decant_hold_add(sink->hold, region)) {
		l->stop = DECANT_STOP_MEMORY;
		return 0;
	}
	return min_size(span->len, hi - addr);
}

/*
 * The owners of bytes that go through the stage are held like any others: a destination
 * is written to later. How many of the bytes may be used.
 */
static size_t hold_staged(struct loop *l, struct decant_iter it, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct decant_span span = kind_peek(&it);
		size_t n = hold_owner(l, &span);

		kind_put(&it, &span);
		if (!n)
			break;
		n = min_size(n, len - done);
		kind_advance(&it, n);
		done += n;
	}
	return done;
}

/* Scratch memory needs no look-up; with an owner it needs a key like any other. */
static size_t take_staged(struct loop *l, const struct decant_span *piece)
{
	if (!piece->region) {
		l->owner.given = l->owner.region = NULL;
		l->owner.mapping = NULL;
		l->owner.shift = 0;
		l->owner.lo = (uintptr_t)piece->addr;
		l->owner.hi = l->owner.lo + piece->len;
	}
	return loop_take_all(l, piece->addr, piece->len, piece->region);
}

/*
 * Where in the stage the next piece may start: where the open element goes on if it lies
 * there, else on a multiple of both alignments, so that no limit cuts a block.
 */
static size_t stage_align(const struct loop *l)
{
	uint64_t next = loop_stage_seen(l) + l->sink->stage->used;

	if (l->open.len && l->open.len < l->cap && end_of(&l->open) == next)
		return 1;
	return (l->addr_mask | stage_mask(l)) + 1;
}

/*
 * Fewer bytes than were staged made it into the sink: hold only what these need. The hold
 * has had the room, so this can't fail.
 */
static void hold_again(struct loop *l, const struct decant_iter *it, size_t got,
		       size_t held)
{
	struct decant_hold *hold = l->sink->hold;

	if (!hold)
		return;
	decant_hold_truncate(hold, held);
	l->held = NULL;
	if (!got)
		return;
	(void)hold_staged(l, *it, got);
	if (l->open.region)
		(void)!decant_hold_add(hold, l->open.region);
}

/* Stage so many bytes, or the whole blocks that can be read; what the sink takes. */
static size_t stage_some(struct loop *l, struct decant_iter *it, size_t amount,
			 size_t align, size_t at)
{
	struct decant_stage *stage = l->sink->stage;
	struct decant_span piece;
	ssize_t taken = stage_take(stage, it, amount, align, at, &piece);
	size_t got = 0;

	if (taken < 0) {
		l->stop = taken == -ENOSPC ? DECANT_STOP_FULL : DECANT_STOP_FAULT;
		return 0;
	}
	piece.len = (size_t)taken & ~l->len_mask;
	if (piece.len)
		got = take_staged(l, &piece);
	else
		l->stop = DECANT_STOP_FAULT;
	stage_give_back(stage, it->direction, (size_t)taken - got);
	kind_retreat(it, (size_t)taken - got);
	return got;
}

void staging_return(struct loop *l, enum decant_direction direction, size_t excess)
{
	struct decant_stage *stage = l->sink->stage;

	if (stage && end_of(&l->open) == loop_stage_seen(l) + stage->used)
		stage_give_back(stage, direction, min_size(excess, stage->used));
}

size_t staging_next(struct loop *l, struct decant_iter *it, size_t done, size_t left)
{
	size_t held = l->sink->hold ? l->sink->hold->nr : 0, got = 0;
	size_t align = stage_align(l), amount = stage_amount(l, it, left, align), usable;
	struct decant_iter start = *it;

	usable = hold_staged(l, start, amount) & ~l->len_mask;
	if (usable)
		got = stage_some(l, it, usable, align, l->sink->bytes + done);
	if (got < amount)
		hold_again(l, &start, got, held);
	return got;
}
