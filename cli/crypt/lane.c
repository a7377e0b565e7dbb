/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include "lane.h"

bool lane_init(struct lane *lane, unsigned depth)
{
	*lane = (struct lane){.ring = calloc(depth, sizeof(*lane->ring)), .depth = depth};
	return lane->ring;
}

void lane_fini(struct lane *lane)
{
	free(lane->ring);
}

static struct chunk *chunk_number(const struct lane *lane, unsigned i)
{
	return lane->ring[(lane->first + i) % lane->depth];
}

uint64_t lane_left(const struct lane *lane)
{
	return lane->end > lane->at ? lane->end - lane->at : 0;
}

void lane_put(struct lane *lane, struct chunk *chunk)
{
	lane->ring[(lane->first + lane->nr++) % lane->depth] = chunk;
	lane->end += chunk->len;
}

size_t lane_pieces(const struct lane *lane, uint64_t pos, uint64_t len, struct iovec *iov,
		   size_t max)
{
	uint64_t begin = lane->begin;
	size_t nr = 0;

	for (unsigned i = 0; i < lane->nr && len; i++) {
		const struct chunk *chunk = chunk_number(lane, i);
		uint64_t n = begin + chunk->len;

		if (n > pos) {
			n = n - pos < len ? n - pos : len;
			if (nr == max)
				return 0;
			iov[nr++] = (struct iovec){
				(char *)chunk->buffer.addr + (pos - begin), (size_t)n};
			pos += n;
			len -= n;
		}
		begin += chunk->len;
	}
	return nr;
}

/* The first chunk, however long; NULL if there is none. */
static struct chunk *take_any(struct lane *lane)
{
	struct chunk *chunk;

	if (!lane->nr)
		return NULL;
	chunk = chunk_number(lane, 0);
	lane->first = (lane->first + 1) % lane->depth;
	lane->nr--;
	lane->begin += chunk->len;
	return chunk;
}

struct chunk *lane_take(struct lane *lane, uint64_t pos)
{
	if (!lane->nr || lane->begin + chunk_number(lane, 0)->len > pos)
		return NULL;
	return take_any(lane);
}

void lane_give(struct lane *lane, struct engine *engine, uint64_t pos)
{
	struct chunk *chunk;

	while ((chunk = lane_take(lane, pos))) {
		chunk->last = false;
		engine_filled(engine, chunk);
	}
}

bool lane_finish(struct lane *lane, struct engine *engine, uint64_t end)
{
	size_t len = (size_t)(end - lane->begin);
	struct chunk *chunk = take_any(lane);

	if (!chunk)
		return false;
	chunk->len = len;
	chunk->last = true;
	engine_filled(engine, chunk);
	while ((chunk = take_any(lane)))
		chunk->at = NULL;
	return true;
}
