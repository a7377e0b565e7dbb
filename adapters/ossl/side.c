/* SPDX-License-Identifier: MIT */
/*
 * side.c - the window of a pass. What can't be pointed at (memory of another process, a
 * destination that forgets) becomes a piece of the context's scratch.
 */
#include <decant/registry.h>
#include <errno.h>
#include <string.h>
#include "side.h"

#define REST 64 /* a window that is refilled has less than this */

/* Pieces beyond this are copied by the C library. */
#define CALL 128

void side_begin(struct side *side, const struct decant_iter *it, size_t len,
		struct scratch *scratch)
{
	const struct decant_kind *kind = decant_kind_get(it->kind);

	side->it = *it;
	side->left = len;
	side->ready = side->nr = side->at = side->offset = side->bounced = 0;
	side->dest = it->direction == DECANT_DEST;
	side->used = side->dest ? &scratch->dst_used : &scratch->src_used;
	side->bounce = side->dest ? scratch->dst : scratch->src;
	side->forget = kind->bytes == DECANT_BYTES_NONE;
	side->held = kind->put != NULL;
	if (side->held)
		memset(&side->hold, 0, sizeof(side->hold));
}

void side_drop(struct side *side)
{
	if (side->held)
		decant_hold_release(&side->hold);
}

/* The bytes at a bounced destination go where they belong; the rest of it is dropped. */
static int flush(struct side *side)
{
	size_t rest = side->at < side->nr ? side->bounced - side->offset : 0;
	size_t done = side->bounced - rest;

	if (side->at + 1 < side->nr)
		rest = side->bounced, done = 0;
	side->nr--;
	side->at = least(side->at, side->nr);
	side->offset = side->at == side->nr ? 0 : side->offset;
	side->left += rest;
	side->ready -= rest;
	side->bounced = 0;
	if (side->forget)
		return decant_iter_advance(&side->it, done);
	return decant_copy_from(&side->it, side->bounce, done) == (ssize_t)done ? 0
										: -EFAULT;
}

/* The pieces that are not used up move to the front. */
static void compact(struct side *side)
{
	if (side->at < side->nr) {
		memmove(side->iov, side->iov + side->at,
			(side->nr - side->at) * sizeof(*side->iov));
		side->iov[0].iov_base = (uint8_t *)side->iov[0].iov_base + side->offset;
		side->iov[0].iov_len -= side->offset;
	} else if (side->held) {
		decant_hold_release(&side->hold);
	}
	side->nr -= side->at;
	side->at = side->offset = 0;
}

/* All that is left is one piece, whose memory stays without our help. */
static bool is_whole(struct side *side)
{
	struct decant_span span;

	if (side->held)
		return false;
	span = decant_iter_peek(&side->it);
	if (!span.addr || span.len < side->left)
		return false;
	side->iov[side->nr++] = (struct iovec){span.addr, side->left};
	return !decant_iter_advance(&side->it, side->left);
}

static ssize_t extend(struct side *side)
{
	struct decant_sink sink;
	size_t room = SIDE_PIECES - side->nr;
	ssize_t got;

	if (is_whole(side))
		return (ssize_t)side->left;
	decant_sink_iovec(&sink, side->iov + side->nr,
			  side->held ? least(room, SIDE_HELD) : room);
	sink.hold = side->held ? &side->hold : NULL;
	got = decant_extract(&side->it, &sink, side->left);
	if (got > 0)
		side->nr += sink.nr;
	return got;
}

/* All that is ready, and what follows, as one piece in the scratch. */
static ssize_t bounce_source(struct side *side)
{
	uint8_t rest[REST];
	size_t kept = side->ready, n = least(side->left, PASS_BOUNCE - kept);
	ssize_t got;

	side_gather(side, rest, kept);
	memcpy(side->bounce, rest, kept);
	got = decant_copy_to(side->bounce + kept, &side->it, n);
	explicit_bzero(rest, kept);
	side->ready = kept;
	side->iov[0] = (struct iovec){side->bounce, kept + (got > 0 ? (size_t)got : 0)};
	side->nr = side->iov[0].iov_len > 0;
	side->at = side->offset = 0;
	*side->used = most(*side->used, side->iov[0].iov_len);
	return got;
}

static ssize_t bounce_dest(struct side *side)
{
	size_t n = least(side->left, PASS_BOUNCE);

	side->iov[side->nr++] = (struct iovec){side->bounce, n};
	side->bounced = n;
	*side->used = most(*side->used, n);
	return (ssize_t)n;
}

int side_fill_more(struct side *side)
{
	ssize_t got = 0;
	int err = side->bounced ? flush(side) : 0;

	if (err)
		return err;
	compact(side);
	if (!side->forget)
		got = extend(side);
	if (got <= 0)
		got = side->dest ? bounce_dest(side) : bounce_source(side);
	if (got <= 0)
		return got ? (int)got : -EFAULT;
	side->left -= (size_t)got;
	side->ready += (size_t)got;
	return 0;
}

/* All of it was used: what was bounced goes where it belongs. */
int side_end(struct side *side)
{
	return side->bounced ? flush(side) : 0;
}

/* Both ends of a piece, which meet or overlap; a copy of each size is a move or two. */
static inline void copy_ends(uint8_t *to, const uint8_t *from, size_t len, size_t end)
{
	uint8_t first[64], last[64];

	memcpy(first, from, end);
	memcpy(last, from + len - end, end);
	memcpy(to, first, end);
	memcpy(to + len - end, last, end);
}

/* Small pieces without a call. */
static inline void copy_small(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len > CALL)
		memcpy(to, from, len);
	else if (len > 64)
		copy_ends(to, from, len, 64);
	else if (len > 32)
		copy_ends(to, from, len, 32);
	else if (len >= 16)
		copy_ends(to, from, len, 16);
	else if (len >= 8)
		copy_ends(to, from, len, 8);
	else
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
}

void side_gather(struct side *side, uint8_t *to, size_t n)
{
	while (n) {
		size_t len;
		const uint8_t *from = side_piece(side, &len);

		len = least(len, n);
		copy_small(to, from, len);
		side_skip(side, len);
		to += len;
		n -= len;
	}
}

void side_scatter(struct side *side, const uint8_t *from, size_t n)
{
	while (n) {
		size_t len;
		uint8_t *to = side_piece(side, &len);

		len = least(len, n);
		copy_small(to, from, len);
		side_skip(side, len);
		from += len;
		n -= len;
	}
}
