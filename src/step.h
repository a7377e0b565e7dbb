/* SPDX-License-Identifier: MIT */
#ifndef SRC_STEP_H
#define SRC_STEP_H
/*
 * step.h - what the loop does most: go on with the open element, or open the next one.
 * For kinds that are arrays, with the sink's functions in line.
 *
 * While a struct step is in use the open element is in the sink already, so that the next
 * bytes need nothing but what is here and in registers. Whatever takes more thought is
 * left to take() of extract.c, which knows all the rules; what is done here comes to the
 * same. Elements that may be cut back (a length alignment, a staged gap) never come here.
 */
#include "loop.h"
#include "region.h"
#include "space.h"
#include "util.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

struct step {
	uint64_t start;	  /* of the open element, as the sink sees it */
	uint64_t end;	  /* where it ends now */
	uint64_t cap_end; /* and at the latest */
	size_t nr;	  /* its index */
	size_t merged;
	struct owner owner; /* the open element's, and of the bytes looked at last */
	/*
	 * What a sink of the registry looks at to put and grow: here nobody else can
	 * change it, so that it stays in registers.
	 */
	struct decant_sink sink;
};

/* What a copy of the loop is made for: all of it known when it is compiled. */
struct step_mode {
	const struct decant_sink_ops *ops;
	bool plain; /* no rules, but for the most bytes of an element and their number */
	bool one_owner; /* nobody else has any memory */
};

/* The open element was begun with the bytes of the owner that is known, and held. */
static ALWAYS_INLINE bool step_possible(const struct loop *l)
{
	struct decant_region *region = l->owner.region;

	return l->open.len && !l->trims && l->open.region == region &&
	       (!region || region == l->held) &&
	       l->open.device == (uintptr_t)l->open.addr + l->owner.shift;
}

static ALWAYS_INLINE struct step step_load(struct loop *l, const struct step_mode *mode)
{
	if (!l->stored)
		l->sink->ops->put(l->sink, l->nr, &l->open);
	else if (l->grown)
		mode->ops->grow(l->sink, l->nr, l->open.len);
	l->stored = true;
	return (struct step){.start = l->open.device,
			     .end = end_of(&l->open),
			     .cap_end = l->open.device + l->cap,
			     .nr = l->nr,
			     .merged = l->merged,
			     .owner = l->owner,
			     .sink.table = l->sink->table,
			     .sink.lkey = l->sink->lkey};
}

static ALWAYS_INLINE void step_store(const struct step *s, struct loop *l,
				     const struct step_mode *mode)
{
	l->open.addr = (unsigned char *)(uintptr_t)(s->start - s->owner.shift);
	l->open.len = s->end - s->start;
	l->open.device = s->start;
	l->nr = s->nr;
	l->merged = s->merged;
	l->grown = false;
	l->cap = mode->plain ? l->max_element : s->cap_end - s->start;
	if (mode->one_owner)
		return;
	l->owner = s->owner;
	l->open.region = s->owner.region;
	l->open.mapping = s->owner.mapping;
}

/* Most bytes that the open element may still get. */
static ALWAYS_INLINE size_t step_room(const struct step *s, const struct loop *l,
				      const struct step_mode *mode)
{
	return (mode->plain ? s->start + l->max_element : s->cap_end) - s->end;
}

/* Whose the bytes of a step are; with one owner known when this is compiled. */
static ALWAYS_INLINE struct owner step_owner_now(const struct step *s,
						 const struct step_mode *mode)
{
	return mode->one_owner ? (struct owner){0} : s->owner;
}

/* Whether all n bytes at addr, that come with the region given, are this owner's. */
static ALWAYS_INLINE bool step_owns(const struct owner *o, uintptr_t addr, size_t n,
				    const struct decant_region *given)
{
	size_t room = o->hi - addr;

	if (unlikely(given != o->given))
		return false;
	if (unlikely(room > o->hi - o->lo))
		return false;
	return likely(n <= room);
}

/* Another owner, if it takes no search and all n bytes at addr are its. */
static ALWAYS_INLINE bool step_owner(struct owner *o, const struct loop *l,
				     const struct decant_sink_ops *ops, uintptr_t addr,
				     size_t n, struct decant_region *given)
{
	const struct decant_sink *sink = l->sink;
	const struct space_entry *entry;
	const struct map_slot *slot;

	*o = (struct owner){.given = given, .region = given, .hi = UINTPTR_MAX};
	if (!given) {
		entry = l->locked ? space_guessed(sink->space, addr) : NULL;
		if (unlikely(!entry))
			return false;
		o->region = entry->region;
		o->lo = entry->start;
		o->hi = entry->end;
	}
	if (sink->domain) {
		slot = region_slot(o->region, sink->domain);
		if (unlikely(!slot))
			return false;
		o->mapping = &slot->mapping;
		o->lo = (uintptr_t)o->region->addr;
		o->hi = o->lo + o->region->len;
		if (ops->device)
			o->shift = slot->mapping.iova - o->lo;
	}
	return step_owns(o, addr, n, given);
}

static ALWAYS_INLINE bool step_hold(struct loop *l, struct decant_region *region)
{
	struct decant_hold *hold = l->sink->hold;

	if (region == l->held)
		return true;
	if (hold && decant_hold_add(hold, region))
		return false;
	l->held = region;
	return true;
}

/* Whether the open element is the last that its request may have. */
static ALWAYS_INLINE bool step_ends_request(const struct step *s, const struct loop *l)
{
	return l->room == s->end - s->start ||
	       s->nr + 1 - l->first >= l->requests->elements;
}

/* Whether the rules allow an element at seen next, without asking which one fails. */
static ALWAYS_INLINE bool step_may_open(const struct step *s, const struct loop *l,
					uint64_t seen)
{
	const struct requests *r = l->requests;

	if (r && unlikely(l->gap_mask))
		return false;
	if (r && unlikely(r->nr + 1 >= r->max) && step_ends_request(s, l))
		return false;
	return !((seen & l->addr_mask) | ((seen | s->end) & l->gap_mask));
}

/* The open element is complete: begin the next request if that was this one's last. */
static ALWAYS_INLINE void step_request(const struct step *s, struct loop *l)
{
	struct requests *r = l->requests;

	if (likely(!r))
		return;
	if (!step_ends_request(s, l)) {
		l->room -= s->end - s->start;
		return;
	}
	r->ends[r->nr++] = l->first = s->nr + 1;
	l->room = r->bytes;
}

/* Whether the next element may begin at seen, with n bytes if there are no rules. */
static ALWAYS_INLINE bool step_allowed(const struct step *s, const struct loop *l,
				       const struct step_mode *mode, uint64_t seen,
				       size_t n)
{
	if (unlikely(s->nr + 1 >= l->max))
		return false;
	return mode->plain ? likely(n <= l->max_element) : step_may_open(s, l, seen);
}

/* Open the next element with as much of the n bytes at addr as it may have. */
static ALWAYS_INLINE size_t step_put(struct step *s, struct loop *l,
				     const struct step_mode *mode, const struct owner *o,
				     unsigned char *addr, size_t n)
{
	uint64_t seen = (uintptr_t)addr + o->shift;
	size_t cap = l->max_element;

	if (!mode->plain) {
		step_request(s, l);
		cap = loop_cap_at(l, seen);
		if (unlikely(l->requests))
			cap = min_size(cap, l->room);
		n = min_size(n, cap);
	}
	mode->ops->put(&s->sink, ++s->nr,
		       &(struct decant_element){addr, n, o->region, o->mapping, seen});
	s->start = seen;
	s->end = seen + n;
	s->cap_end = seen + cap;
	return n;
}

static ALWAYS_INLINE size_t step_open(struct step *s, struct loop *l,
				      const struct step_mode *mode, const struct owner *o,
				      unsigned char *addr, size_t n)
{
	if (!step_allowed(s, l, mode, (uintptr_t)addr + o->shift, n))
		return 0;
	return step_put(s, l, mode, o, addr, n);
}

/* Go on with the open element, as far as it may; without rules with all n or none. */
static ALWAYS_INLINE size_t step_grow(struct step *s, struct loop *l,
				      const struct step_mode *mode, size_t n, bool whole)
{
	size_t room = step_room(s, l, mode);

	if (unlikely(n > room))
		n = mode->plain ? 0 : room;
	if (unlikely(!n))
		return 0;
	s->end += n;
	s->merged += whole;
	mode->ops->grow(&s->sink, s->nr, s->end - s->start);
	return n;
}

/*
 * All n bytes at addr are the open element's owner's, the beginning of a span if whole is
 * set: go on with the element or open the next one. How many it got; 0: think.
 */
static ALWAYS_INLINE size_t step(struct step *s, struct loop *l,
				 const struct step_mode *mode, unsigned char *addr,
				 size_t n, bool whole)
{
	const struct owner o = step_owner_now(s, mode);
	size_t got;

	if (unlikely((uintptr_t)addr + o.shift == s->end)) {
		got = step_grow(s, l, mode, n, whole);
		if (got || mode->plain)
			return got;
	}
	return step_open(s, l, mode, &o, addr, n);
}

/*
 * The bytes are another's: open an element of its own with them, if the owner is found
 * and the element allowed at once.
 */
static ALWAYS_INLINE size_t step_change(struct step *s, struct loop *l,
					const struct step_mode *mode, unsigned char *addr,
					size_t n, struct decant_region *given)
{
	const struct decant_sink_ops *ops = mode->ops;
	struct owner o;

	uint64_t seen;

	if (unlikely(!step_owner(&o, l, ops, (uintptr_t)addr, n, given)))
		return 0;
	seen = (uintptr_t)addr + o.shift;
	if (unlikely(o.region == s->owner.region ||
		     (ops->joins_owners && seen == s->end)))
		return 0;
	if (!step_allowed(s, l, mode, seen, n) || !step_hold(l, o.region))
		return 0;
	s->owner = o;
	return step_put(s, l, mode, &o, addr, n);
}
#endif
