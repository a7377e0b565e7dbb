/* SPDX-License-Identifier: MIT */
#ifndef SRC_LOOP_H
#define SRC_LOOP_H
/* loop.h - what the parts of the one loop share: extract.c, step.h, stretch.h. */
#include <errno.h>
#include <decant/extract.h>
#include "util.h"

/* What decant_extract_requests() cuts its elements into. */
struct requests {
	size_t *ends; /* of those that were followed by another in this walk */
	size_t nr;
	size_t max;
	size_t bytes;	 /* most in one */
	size_t elements; /* most in one */
};

/* Whose the bytes in [lo, hi) are that come with the region given. */
struct owner {
	struct decant_region *given;
	uintptr_t lo, hi;
	struct decant_region *region;
	const struct decant_mapping *mapping;
	uint64_t shift; /* from an address to what the sink makes of it */
};

struct loop {
	struct decant_sink *sink;
	struct requests *requests;    /* NULL: all elements are one request's */
	size_t first;		      /* elements before the request's */
	size_t room;		      /* its bytes but for those of closed elements */
	struct decant_element open;   /* the last element; len 0: there is none */
	struct decant_element closed; /* the one before, if put in this call */
	size_t cap;		      /* most bytes the open element may have */
	size_t nr;		      /* elements before the open one */
	size_t max;		      /* elements that fit */
	size_t merged;
	bool stored;	   /* the open element is in the table already */
	bool grown;	   /* and longer now */
	bool plain;	   /* no limits but the sizes of table and element */
	bool joins;	   /* an element may have several owners */
	bool locked;	   /* the space is locked for look-ups */
	bool copied;	   /* the next bytes can't be pointed at */
	bool gapped;	   /* the gap rule is what stopped, and a stage may help */
	size_t trimmed_to; /* bytes done, plus 1, when the gap rule cut back; 0: never */
	bool trims;	   /* an element may be cut back when it can't grow any more */
	enum decant_stop stop;

	struct owner owner;	    /* of the bytes taken or looked at last */
	struct decant_region *held; /* the region that was held last */

	/* The limits, ready for use. */
	size_t max_element;
	size_t boundary;
	size_t addr_mask;
	size_t len_mask;
	size_t gap_mask;
	size_t whole_mask; /* gap_mask, unless the boundary sees to it */
	uint64_t end;	   /* where the last closed element ended */
};

/* One by one: clearing all of it at once takes longer than a short extraction. */
static inline void loop_clear(struct loop *l, struct decant_sink *sink)
{
	l->sink = sink;
	l->first = 0;
	l->room = SIZE_MAX;
	l->open = l->closed = (struct decant_element){0};
	l->cap = l->merged = l->whole_mask = 0;
	l->trimmed_to = 0;
	l->nr = sink->nr;
	l->max = sink->max;
	l->stored = l->grown = l->locked = l->copied = l->gapped = false;
	l->stop = DECANT_STOP_END;
	l->owner = (struct owner){0};
	l->held = NULL;
}

/*
 * extract.c: go on with the open element or open the next one, with as much of [addr,
 * addr + len) as it may have; 0 with a stop reason if the rules allow neither.
 */
size_t loop_take(struct loop *l, unsigned char *addr, size_t len,
		 struct decant_region *given);

/* The same with all of it, in as many elements as that takes. */
size_t loop_take_all(struct loop *l, unsigned char *addr, size_t len,
		     struct decant_region *given);

/* Nothing to point at: a hole, a fault, or bytes that only a stage can carry. */
static inline void loop_stop_at(struct loop *l, const struct decant_span *span)
{
	l->copied = span->len;
	l->stop = span_error(span) == -ENXIO ? DECANT_STOP_HOLE : DECANT_STOP_FAULT;
}

/* staging.c: whether the sink's stage helps against what stopped the loop. */
bool staging_helps(const struct loop *l);

/* staging.c: the open element is cut back by so many bytes: those of them that the stage
 * gave are the stage's again. */
void staging_return(struct loop *l, enum decant_direction direction, size_t excess);

/* staging.c: send what comes next through the stage; bytes that made it into the sink. */
size_t staging_next(struct loop *l, struct decant_iter *it, size_t done, size_t left);

/* sinks.c: what the loop does for a kind that is an array of elements of this size. */
size_t loop_array(struct loop *l, struct decant_iter *it, size_t len, size_t element);

/* As the sink sees it. */
static inline uint64_t end_of(const struct decant_element *el)
{
	return el->device + el->len;
}

/* How long an element at start may become. Depends on nothing else but the limits. */
static inline size_t loop_cap_at(const struct loop *l, uint64_t start)
{
	size_t cap = l->max_element, whole;

	if (l->boundary)
		cap = min_size(cap, l->boundary - (start & (l->boundary - 1)));
	if (!l->whole_mask || cap == SIZE_MAX)
		return cap;
	/* What follows must start on a multiple of the gap: end on one if it is ahead. */
	whole = ((start + cap) & ~(uint64_t)l->whole_mask) - start;
	return whole && whole <= cap ? whole : cap;
}

static inline bool knows_owner(const struct loop *l, uintptr_t addr,
			       const struct decant_region *given)
{
	return given == l->owner.given && addr - l->owner.lo < l->owner.hi - l->owner.lo;
}

/* The owner of addr, given or found, and the range for which that holds. */
struct decant_region *loop_look_up(struct loop *l, uintptr_t addr,
				   struct decant_region *given, uintptr_t *lo,
				   uintptr_t *hi);

/* Find out who owns addr; false with a stop reason if it can't be used. */
bool loop_find_owner(struct loop *l, uintptr_t addr, struct decant_region *given);

/* register.c: the region that holds addr because this policy registered it. */
struct decant_region *register_find(const struct loop *l, uintptr_t addr, uintptr_t *lo,
				    uintptr_t *hi);

/* Register what stopped the loop, if that is the policy; whether to go on. */
bool register_next(struct loop *l, const struct decant_iter *it, size_t left);

/* A span's address as the sink sees it; *len becomes how far that holds. */
uint64_t loop_seen(struct loop *l, const struct decant_span *span, size_t *len);

/* Where the stage's memory begins as the sink sees it. */
uint64_t loop_stage_seen(const struct loop *l);
#endif
