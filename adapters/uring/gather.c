/* SPDX-License-Identifier: MIT */
/*
 * gather.c - small pieces as one: where copying them costs less than the kernel's and the
 * device's work on each, an operation has one piece of the ring's memory instead, filled
 * when it begins or emptied when it is done, and is as plain as any of one piece.
 *
 * Each operation has its own place, so that none waits for another's. What is larger, or
 * off a block, goes through scratch memory request by request (plan.c).
 */
#include "internal.h"

#define GATHER_BYTES  16384u
#define GATHER_PLACES 1024u /* memory for no more operations than that */

/*
 * Pieces that are shorter on average are gathered (bench/uring). A disk that reads minds
 * them; one that writes does not, and where the memory is registered neither does the
 * kernel.
 */
#define SMALL_PIECE	  512u
#define SMALL_PIECE_READ  4096u /* directly */
#define SMALL_PIECE_WRITE 2048u

/* @region has some of them, if it is known. 1: none are small. */
static size_t small_piece(const struct operation *op, bool direct,
			  struct decant_region *region)
{
	if (op->ring->small_piece)
		return op->ring->small_piece;
	if (!direct)
		return SMALL_PIECE;
	if (op->code == REQUEST_READ)
		return SMALL_PIECE_READ;
	return uring_fixed_vectors(op->ring, region) ? 1 : SMALL_PIECE_WRITE;
}

bool uring_is_fine(const struct operation *op, size_t len, size_t nr, bool direct,
		   struct decant_region *region)
{
	unsigned few = direct ? 1 : REQUEST_ELEMENTS_FEW;

	return nr > few && len / nr < small_piece(op, direct, region);
}

static int gather_pool(struct decant_uring *ring)
{
	struct decant_pool_options options = {.size = sizeof(options),
					      .buffer_bytes = GATHER_BYTES};
	int err;

	options.buffers = ring->depth < GATHER_PLACES ? ring->depth : GATHER_PLACES;
	err = decant_pool_new(&ring->gather, &options);
	/* Best in a registered buffer, but it does without. */
	if (!err && ring->fixed.possible)
		(void)!decant_domain_map(&ring->fixed.domain,
					 decant_pool_region(ring->gather));
	return err;
}

/* The operation's place in the ring's memory; empty if it has none. */
static struct decant_span place_of(const struct operation *op)
{
	struct decant_uring *ring = op->ring;
	size_t at = (size_t)(op - ring->operations) * GATHER_BYTES;
	struct decant_span all;

	if (at >= (size_t)GATHER_BYTES * GATHER_PLACES ||
	    (!ring->gather && gather_pool(ring)))
		return (struct decant_span){0};
	all = decant_region_span(decant_pool_region(ring->gather));
	return (struct decant_span){(char *)all.addr + at, GATHER_BYTES, all.region};
}

/* How many pieces there are once those that are adjacent are one; 0: it can't be said. */
static size_t count_pieces(struct decant_iter it, size_t len)
{
	struct decant_sink sink;

	decant_sink_count(&sink);
	return decant_extract(&it, &sink, len) == (ssize_t)len ? sink.nr : 0;
}

/* The region of what comes next, with a reference. */
static struct decant_region *region_of(const struct operation *op,
				       const struct decant_iter *it)
{
	struct decant_span span = decant_iter_peek(it);

	if (span.region)
		return decant_region_get(span.region);
	if (!span.addr || !op->ring->space)
		return NULL;
	return decant_space_find(op->ring->space, span.addr);
}

/* Few pieces are listed in the operation itself; false: they are more, or not here. */
static bool list_pieces(struct operation *op, struct decant_iter it, size_t len)
{
	struct decant_sink *sink = &op->sink;

	decant_sink_iovec(sink, op->pieces, REQUEST_ELEMENTS_FEW);
	sink->space = op->ring->space;
	sink->hold = &op->hold;
	if (decant_extract(&it, sink, len) == (ssize_t)len &&
	    !decant_iter_iovec(&op->into, DECANT_DEST, op->pieces, sink->nr))
		return true;
	decant_hold_truncate(&op->hold, 0);
	return false;
}

/* Where they are is kept for what is read. */
static bool keep_pieces(struct operation *op, struct decant_iter it, size_t len)
{
	if (list_pieces(op, it, len))
		return true;
	if (!uring_own(op, &it, len)) {
		op->into = decant_owned_iter(op->owned);
		return true;
	}
	uring_disown(op);
	return false;
}

static bool are_small(const struct operation *op, const struct decant_iter *it,
		      size_t len)
{
	bool direct = op->file->info.direct;
	struct decant_region *region = NULL;
	bool small;

	if (direct && op->code == REQUEST_WRITE)
		region = region_of(op, it);
	small = uring_is_fine(op, len, count_pieces(*it, len), direct, region);
	decant_region_put(region);
	return small;
}

bool uring_gather(struct operation *op, const struct decant_iter *it, size_t len,
		  size_t first)
{
	struct decant_iter pieces = *it;
	struct decant_span place;

	/* A first piece that is large says enough, mostly. */
	if (len > GATHER_BYTES || first >= small_piece(op, op->file->info.direct, NULL) ||
	    !are_small(op, it, len))
		return false;
	place = place_of(op);
	if (!place.len)
		return false;
	op->one = (struct decant_bvec){place.addr, len, place.region};
	if (op->code == REQUEST_WRITE)
		op->gathered = decant_copy_to(place.addr, &pieces, len) == (ssize_t)len;
	else
		op->gathered = keep_pieces(op, pieces, len);
	return op->gathered;
}
