/* SPDX-License-Identifier: MIT */
/* owned.c - an iterator decanted into a fragment list that outlives it. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <decant/owned.h>
#include <decant/stage.h>
#include "make.h"
#include "util.h"

#define OWNED_INLINE 8
#define CHUNK_FIRST  4096u
#define CHUNK_MOST   (1u << 20)

struct chunk {
	struct chunk *next;
	size_t len;
	unsigned char bytes[];
};

struct decant_owned {
	atomic_size_t refs;
	struct decant_owned *whole; /* of a slice: what it is a part of */
	struct decant_iter iter;
	struct decant_bvec *list;
	size_t nr;
	size_t max;
	struct chunk *copied; /* source bytes that were in no region */
	struct decant_hold hold;
	struct decant_bvec inlined[OWNED_INLINE];
};

static struct decant_owned *owned_new(void)
{
	struct decant_owned *owned = malloc(sizeof(*owned));

	if (!owned)
		return NULL;
	memset(owned, 0, offsetof(struct decant_owned, inlined));
	atomic_init(&owned->refs, 1);
	owned->hold.name = "decant_owned";
	owned->list = owned->inlined;
	owned->max = OWNED_INLINE;
	return owned;
}

static void chunks_free(struct chunk *chunk)
{
	struct chunk *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
}

static void owned_free(struct decant_owned *owned)
{
	decant_hold_release(&owned->hold);
	if (owned->list != owned->inlined)
		free(owned->list);
	chunks_free(owned->copied);
	decant_owned_put(owned->whole);
	free(owned);
}

/* Room for more elements; what is there moves along. */
static int owned_grow(struct decant_owned *owned, size_t max)
{
	struct decant_bvec *old = owned->list == owned->inlined ? NULL : owned->list;
	struct decant_bvec *list = realloc(old, max * sizeof(*list));

	if (!list)
		return -ENOMEM;
	if (!old)
		memcpy(list, owned->inlined, sizeof(owned->inlined));
	owned->list = list;
	owned->max = max;
	return 0;
}

/* More memory for copies: nobody knows how much of the rest is in no region. */
static int owned_chunk(struct decant_owned *owned, struct decant_stage *stage,
		       size_t left)
{
	size_t len = owned->copied ? 2 * owned->copied->len : CHUNK_FIRST;
	struct chunk *chunk;

	len = min_size(min_size(len, CHUNK_MOST), left);
	chunk = malloc(sizeof(*chunk) + len);
	if (!chunk)
		return -ENOMEM;
	chunk->next = owned->copied;
	chunk->len = len;
	owned->copied = chunk;
	decant_stage_init(stage, (struct decant_span){chunk->bytes, len, NULL}, NULL, 0);
	return 0;
}

/* The list is full, or what is to be copied has no room. */
static int owned_room(struct decant_owned *owned, struct decant_sink *sink, size_t left)
{
	int err;

	if (sink->nr < sink->max)
		return owned_chunk(owned, sink->stage, left);
	err = owned_grow(owned, 4 * owned->max);
	sink->table = owned->list;
	sink->max = owned->max;
	return err;
}

static int owned_fill(struct decant_owned *owned, struct decant_sink *sink,
		      struct decant_iter *it, size_t len)
{
	ssize_t got;
	int err;

	while (len) {
		got = decant_extract(it, sink, len);
		len -= got > 0 ? (size_t)got : 0;
		if (!len || (got < 0 && sink->stop != DECANT_STOP_FULL))
			return got < 0 ? (int)got : 0;
		if (sink->stop != DECANT_STOP_FULL)
			continue;
		err = owned_room(owned, sink, len);
		if (err)
			return err;
	}
	return 0;
}

/* A source's memory in no region is copied if the policy is to stage it. */
static void owned_stage(struct decant_sink *sink, struct decant_stage *stage,
			enum decant_direction direction)
{
	if (sink->policy != DECANT_STAGE)
		return;
	if (direction != DECANT_SOURCE) {
		sink->policy = DECANT_REFUSE;
		return;
	}
	decant_stage_init(stage, (struct decant_span){NULL, 0, NULL}, NULL, 0);
	sink->stage = stage;
}

static int own(struct decant_owned *owned, struct decant_iter *it, size_t len,
	       const struct decant_own_options *options)
{
	struct decant_stage stage;
	struct decant_sink sink;
	int err;

	decant_sink_bvec(&sink, owned->list, owned->max);
	sink.hold = &owned->hold;
	if (options) {
		sink.space = options->space;
		sink.policy = options->policy;
	}
	owned_stage(&sink, &stage, it->direction);
	err = owned_fill(owned, &sink, it, len);
	if (err)
		return err;
	owned->nr = sink.nr;
	iter_over_bvec(&owned->iter, it->direction, owned->list, sink.bytes);
	return 0;
}

static int check_options(const struct decant_own_options *options)
{
	if (!options)
		return 0;
	if (options->size != sizeof(*options) || options->policy < DECANT_TRUST ||
	    options->policy > DECANT_STAGE)
		return -EINVAL;
	return 0;
}

struct decant_owned *decant_iter_own(struct decant_iter *it, size_t len,
				     struct decant_own_options *options)
{
	struct decant_owned *owned = NULL;
	struct decant_iter before = *it;
	int err = check_options(options);

	if (!err) {
		owned = owned_new();
		err = owned ? own(owned, it, min_size(len, decant_iter_count(it)),
				  options)
			    : -ENOMEM;
	}
	if (options)
		options->error = err;
	if (err) {
		*it = before;
		decant_owned_put(owned);
		return NULL;
	}
	return owned;
}

struct decant_iter decant_owned_iter(const struct decant_owned *owned)
{
	return owned->iter;
}

/* Whether it was made by decant_owned_iter() and only moved and truncated since. */
static bool belongs_to(const struct decant_iter *view, const struct decant_owned *owned)
{
	const struct decant_owned *whole = owned->whole ? owned->whole : owned;
	const struct decant_iter *start = &owned->iter;

	if (view->kind != DECANT_KIND_BVEC || view->at.bvec < start->at.bvec ||
	    view->at.bvec > whole->list + whole->nr)
		return false;
	if (view->at.bvec == start->at.bvec && view->offset < start->offset)
		return false;
	return view->consumed <= start->count &&
	       view->count <= start->count - view->consumed;
}

struct decant_owned *decant_owned_slice(struct decant_owned *owned,
					const struct decant_iter *view, size_t len)
{
	struct decant_owned *slice;

	if (!belongs_to(view, owned))
		return NULL;
	slice = owned_new();
	if (!slice)
		return NULL;
	slice->whole = decant_owned_get(owned->whole ? owned->whole : owned);
	slice->iter = *view;
	slice->iter.consumed = 0;
	decant_iter_truncate(&slice->iter, len);
	return slice;
}

struct decant_owned *decant_owned_get(struct decant_owned *owned)
{
	atomic_fetch_add_explicit(&owned->refs, 1, memory_order_relaxed);
	return owned;
}

void decant_owned_put(struct decant_owned *owned)
{
	if (owned &&
	    atomic_fetch_sub_explicit(&owned->refs, 1, memory_order_acq_rel) == 1)
		owned_free(owned);
}

size_t decant_owned_elements(const struct decant_owned *owned)
{
	struct decant_iter it = owned->iter;
	struct decant_sink sink;

	if (!owned->whole)
		return owned->nr;
	decant_sink_count(&sink);
	return decant_extract(&it, &sink, SIZE_MAX) > 0 ? sink.nr : 0;
}
