/* SPDX-License-Identifier: MIT */
#ifndef CLI_LANE_H
#define CLI_LANE_H
/*
 * lane.h - chunks in a row as one stretch of bytes. Positions count from the first byte
 * that ever was in it.
 */
#include "engine.h"

struct lane {
	struct chunk **ring;
	unsigned depth, first, nr;
	uint64_t begin; /* of the first chunk */
	uint64_t at;	/* up to where its bytes are given to jobs; the owner's */
	uint64_t end;	/* of the last chunk */
};

bool lane_init(struct lane *lane, unsigned depth);
void lane_fini(struct lane *lane);
/* Bytes from at on: none, if at is ahead of what has come. */
uint64_t lane_left(const struct lane *lane);
void lane_put(struct lane *lane, struct chunk *chunk);

/* The pieces that len bytes from pos on lie in; 0 if they are more than max. */
size_t lane_pieces(const struct lane *lane, uint64_t pos, uint64_t len, struct iovec *iov,
		   size_t max);

/* The first chunk if it ends at pos or before; NULL if there is none. */
struct chunk *lane_take(struct lane *lane, uint64_t pos);
/* Give the engine the chunks that end at pos or before, as filled. */
void lane_give(struct lane *lane, struct engine *engine, uint64_t pos);
/*
 * Nothing comes after end: the first chunk is given to the engine with what is before it,
 * as the last one, and the others go back unused. False: there is no chunk.
 */
bool lane_finish(struct lane *lane, struct engine *engine, uint64_t end);
#endif
