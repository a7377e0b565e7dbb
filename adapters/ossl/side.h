/* SPDX-License-Identifier: MIT */
#ifndef OSSL_SIDE_H
#define OSSL_SIDE_H
/*
 * side.h - one side of a pass: a window of pieces that can be pointed at, and a cursor in
 * it.
 */
#include "pass.h"

#define SIDE_PIECES 256
/* Of a kind whose memory must be held: what a hold takes without an allocation. */
#define SIDE_HELD 6

/**
 * struct side - a window over an iterator
 * @it: behind the window; with a bounced destination, where the bounced piece belongs
 * @left: bytes that are not in the window yet
 * @ready: bytes of the window ahead of the cursor
 * @nr: pieces in @iov
 * @at: the piece the cursor is in
 * @offset: the cursor's place in it
 * @bounced: bytes of the last piece if that is in @bounce; else 0
 * @used: where the scratch notes how much of @bounce is to be wiped
 * @bounce: memory for bytes that can't be pointed at
 * @dest: these are written to
 * @forget: what is written is not wanted: it stays in @bounce
 * @held: the kind's memory is to be held while it is used
 */
struct side {
	struct decant_iter it;
	size_t left, ready;
	size_t nr, at, offset;
	size_t bounced;
	size_t *used;
	uint8_t *bounce;
	bool dest, forget, held;
	struct decant_hold hold;
	struct iovec iov[SIDE_PIECES];
};

void side_begin(struct side *side, const struct decant_iter *it, size_t len,
		struct scratch *scratch);
int side_fill_more(struct side *side);
int side_end(struct side *side);
void side_drop(struct side *side);
void side_gather(struct side *side, uint8_t *to, size_t n);
void side_scatter(struct side *side, const uint8_t *from, size_t n);

/* Make sure of least bytes in the window, if there are as many. */
static inline int side_fill(struct side *side, size_t least)
{
	return side->ready >= least || !side->left ? 0 : side_fill_more(side);
}

static inline uint8_t *side_piece(const struct side *side, size_t *len)
{
	const struct iovec *iov = &side->iov[side->at];

	*len = iov->iov_len - side->offset;
	return (uint8_t *)iov->iov_base + side->offset;
}

/* Move on within the piece. */
static inline void side_skip(struct side *side, size_t n)
{
	side->ready -= n;
	side->offset += n;
	if (side->offset == side->iov[side->at].iov_len) {
		side->at++;
		side->offset = 0;
	}
}
#endif
