/* SPDX-License-Identifier: MIT */
/*
 * extract.c - the one loop that turns an iterator into elements.
 *
 * Spans come from the kind; pieces of them either continue the open element or open the
 * next one, which closes it and puts it into the sink. Where an element must end follows
 * from its first address and the limits alone (its cap), so the result does not depend on
 * how the iterator was cut. What can't be placed sets a stop reason; a stage may help.
 */
#include <errno.h>
#include "extract.h"
#include "kinds.h"
#include "probes.h"
#include "loop.h"
#include "space.h"
#include "step.h"
#include "stage.h"
#include "stop.h"
#include "util.h"

static size_t least_element(const struct decant_sink *sink,
			    const struct decant_limits *limits)
{
	size_t max = sink->ops->max_element_bytes;

	if (limits->max_element_bytes)
		max = min_size(max, limits->max_element_bytes);
	return max;
}

static void begin_requests(struct loop *l)
{
	l->plain = false;
	l->first = l->nr;
	l->room = l->requests->bytes;
}

static void begin(struct loop *l, struct decant_sink *sink,
		  const struct decant_limits *limits, struct requests *requests)
{
	size_t align;

	loop_clear(l, sink);
	l->requests = requests;
	l->joins = sink->ops->joins_owners;
	l->addr_mask = low_mask(limits->addr_align);
	l->len_mask = low_mask(limits->len_align);
	l->gap_mask = low_mask(limits->gap);
	l->boundary = limits->boundary;
	l->plain = !(l->addr_mask | l->len_mask | l->gap_mask | l->boundary);
	align = l->addr_mask | l->len_mask;
	l->max_element = least_element(sink, limits);
	if (l->max_element != SIZE_MAX)
		l->max_element &= ~align;
	l->trims = l->len_mask || (sink->stage && sink->stage_gaps && l->gap_mask);
	/* An element that the boundary ends, ends on a multiple of the gap. */
	if (l->boundary <= l->gap_mask || l->max_element < l->boundary)
		l->whole_mask = l->gap_mask;
	if (limits->max_elements)
		l->max = min_size(l->max, limits->max_elements);
	if (!sink->space && sink->policy == DECANT_TRUST)
		l->owner.hi = UINTPTR_MAX; /* memory in no region needs no more thought */
	l->end = end_of(&sink->last);
	if (unlikely(requests))
		begin_requests(l);
	if (!sink->last.len)
		return;
	l->open = sink->last;
	l->stored = true;
	l->nr--;
	l->cap = loop_cap_at(l, l->open.device);
}

static void close_open(struct loop *l)
{
	const struct decant_sink_ops *ops = l->sink->ops;

	if (!l->open.len)
		return;
	if (l->trims)
		l->closed = l->open;
	if (l->grown)
		ops->grow(l->sink, l->nr, l->open.len);
	else if (!l->stored)
		ops->put(l->sink, l->nr, &l->open);
	l->nr++;
	l->room -= l->open.len;
	l->end = end_of(&l->open);
	l->stored = l->grown = false;
}

/*
 * There is no room for an element at start. An open one that must be cut back is the
 * nearer reason, and so is what keeps start from the device if a staged element could
 * still grow.
 */
static enum decant_stop full_reason(const struct loop *l, uint64_t start)
{
	bool staged = l->sink->stage && (start & l->addr_mask);

	if (staged || (l->open.len & l->len_mask))
		return DECANT_STOP_ALIGNMENT;
	return l->max == l->sink->max ? DECANT_STOP_FULL : DECANT_STOP_LIMIT;
}

/* Begin the next request if this one has all it may have; false if there are too many. */
static bool next_request(struct loop *l)
{
	struct requests *r = l->requests;
	size_t nr = l->nr - l->first + !!l->open.len;

	if (l->open.len < l->room && nr < r->elements)
		return true;
	if (r->nr + 1 >= r->max) {
		l->stop = DECANT_STOP_LIMIT;
		return false;
	}
	close_open(l);
	l->open.len = 0;
	r->ends[r->nr++] = l->first = l->nr;
	l->room = r->bytes;
	return true;
}

/* Whether the rules allow the next element to begin at start. */
static bool may_open(struct loop *l, uint64_t start)
{
	uint64_t end = l->open.len ? end_of(&l->open) : l->end;
	size_t nr = l->nr - l->first + !!l->open.len;

	if ((l->open.len & l->len_mask) || (start & l->addr_mask)) {
		l->stop = DECANT_STOP_ALIGNMENT;
	} else if (nr && ((start | end) & l->gap_mask)) {
		l->stop = DECANT_STOP_LIMIT;
		l->gapped = l->trims && l->sink->stage_gaps;
	} else {
		return true;
	}
	return false;
}

/* Hold the owner of the bytes that are about to be taken. */
static bool hold_next(struct loop *l)
{
	struct decant_hold *hold = l->sink->hold;

	if (hold && decant_hold_add(hold, l->owner.region)) {
		l->stop = DECANT_STOP_MEMORY;
		return false;
	}
	l->held = l->owner.region;
	return true;
}

static inline struct decant_element element_at(const struct loop *l, unsigned char *addr,
					       size_t len)
{
	return (struct decant_element){.addr = addr,
				       .len = len,
				       .region = l->owner.region,
				       .mapping = l->owner.mapping,
				       .device = (uintptr_t)addr + l->owner.shift};
}

static inline bool open_next(struct loop *l, unsigned char *addr)
{
	uint64_t start = (uintptr_t)addr + l->owner.shift;

	if (unlikely(l->requests) && !next_request(l))
		return false;
	if (unlikely(l->nr + !!l->open.len >= l->max)) {
		l->stop = full_reason(l, start);
		return false;
	}
	if (!l->plain && !may_open(l, start))
		return false;
	if (l->owner.region && l->owner.region != l->held && !hold_next(l))
		return false;
	close_open(l);
	l->open = element_at(l, addr, 0);
	l->cap = l->plain ? l->max_element : min_size(loop_cap_at(l, start), l->room);
	return true;
}

/* Bytes of another owner go on with the open element. */
static bool join(struct loop *l)
{
	if (l->owner.region && l->owner.region != l->held && !hold_next(l))
		return false;
	l->open.region = l->owner.region;
	l->open.mapping = l->owner.mapping;
	return true;
}

/* Take as much of [addr, addr + len) as the rules, or one element of it, allow. */
static inline size_t take(struct loop *l, unsigned char *addr, size_t len,
			  struct decant_region *given, bool one)
{
	size_t left = len;

	while (left) {
		size_t n;

		if (unlikely(!knows_owner(l, (uintptr_t)addr, given)) &&
		    !loop_find_owner(l, (uintptr_t)addr, given))
			break;
		n = min_size(left, l->owner.hi - (uintptr_t)addr);
		if (end_of(&l->open) == (uintptr_t)addr + l->owner.shift && l->open.len &&
		    (l->open.region == l->owner.region || l->joins) &&
		    l->open.len < l->cap) {
			if (unlikely(l->open.region != l->owner.region) && !join(l))
				break;
			l->merged += left == len;
		} else if (!open_next(l, addr)) {
			break;
		}
		n = min_size(n, l->cap - l->open.len);
		l->open.len += n;
		l->grown = l->stored;
		addr += n;
		left -= n;
		if (one)
			break;
	}
	return len - left;
}

size_t loop_take(struct loop *l, unsigned char *addr, size_t len,
		 struct decant_region *given)
{
	return take(l, addr, len, given, true);
}

size_t loop_take_all(struct loop *l, unsigned char *addr, size_t len,
		     struct decant_region *given)
{
	return take(l, addr, len, given, false);
}

/*
 * The commonest case, in line: without rules, a span of the owner that is known, and
 * held, becomes an element of its own. Nothing here that take() would do otherwise.
 */
static inline __attribute__((always_inline)) bool
take_plain(struct loop *l, unsigned char *addr, size_t len, struct decant_region *given)
{
	if (!l->plain || l->stored || !l->open.len || l->nr + 1 >= l->max ||
	    len > l->max_element || !knows_owner(l, (uintptr_t)addr, given) ||
	    len > l->owner.hi - (uintptr_t)addr ||
	    end_of(&l->open) == (uintptr_t)addr + l->owner.shift ||
	    (l->owner.region && l->owner.region != l->held))
		return false;
	l->sink->ops->put(l->sink, l->nr++, &l->open);
	l->open = element_at(l, addr, len);
	return true;
}

/* One copy of this for each kind, with the kind's functions inlined. */
static inline __attribute__((always_inline)) size_t
walk(struct loop *l, struct decant_iter *it, size_t len, const struct decant_kind *kind)
{
	struct decant_iter at = *it; /* in registers, which nobody else can see */
	size_t done = 0;

	while (done < len) {
		struct decant_span span = kind->peek(&at);
		size_t n = min_size(span.len, len - done), got;

		if (unlikely(!n || !span.addr)) {
			loop_stop_at(l, &span);
			break;
		}
		got = take_plain(l, span.addr, n, span.region)
			      ? n
			      : take(l, span.addr, n, span.region, false);
		if (kind->put && span.region)
			kind->put(&at, &span);
		at.count -= got;
		at.consumed += got;
		kind->advance(&at, got);
		done += got;
		if (got < n)
			break;
	}
	*it = at;
	return done;
}

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		done = walk(l, it, len, &decant_##name##_kind);                          \
		break;

static __attribute__((noinline)) size_t walk_kind(struct loop *l, struct decant_iter *it,
						  size_t len)
{
	size_t done = 0;

	switch (it->kind) {
#include <decant/kinds.def>
	default:
		l->stop = DECANT_STOP_FAULT;
	}
	return done;
}
#undef DECANT_KIND

/* What is in an array goes a faster way unless elements may be cut back. */
static size_t walk_on(struct loop *l, struct decant_iter *it, size_t len)
{
	size_t element = kind_array(it);

	if (element && !l->trims)
		return loop_array(l, it, len, element);
	return walk_kind(l, it, len);
}

/* What the open element must be shorter by, now that it can't grow here. */
static size_t trim_by(const struct loop *l)
{
	size_t gap = l->gapped ? end_of(&l->open) & l->gap_mask : 0, len = l->open.len;

	if (gap >= len || ((len - gap) & l->len_mask && gap))
		return len;
	return gap + ((len - gap) & l->len_mask);
}

/*
 * Cut the open element back to the length alignment, or to the gap, and the one before is
 * the last again if nothing is left of it. The bytes to cut off are those that this call
 * took, unless somebody changed the limits between two calls or the gap rule stops the
 * second one. For the gap's sake it goes back to a place once: what was staged there was
 * as many bytes as could be, and staging them once more would come to the same.
 */
static size_t trim(struct loop *l, struct decant_iter *it, size_t done)
{
	size_t excess = trim_by(l);

	if (!excess)
		return 0;
	if (!l->gapped)
		l->stop = DECANT_STOP_ALIGNMENT;
	if (excess > done || (l->gapped && done - excess < l->trimmed_to)) {
		l->gapped = false;
		return 0;
	}
	if (l->gapped)
		l->trimmed_to = done - excess + 1;
	l->copied = false;
	staging_return(l, it->direction, excess);
	kind_retreat(it, excess);
	l->open.len -= excess;
	if (l->open.len || !l->closed.len)
		return excess;
	l->open = l->closed;
	l->closed.len = 0;
	l->cap = loop_cap_at(l, l->open.device);
	l->stored = true;
	l->nr--;
	return excess;
}

static size_t run(struct loop *l, struct decant_iter *it, size_t len)
{
	size_t done = 0, staged;

	for (;;) {
		l->stop = DECANT_STOP_END;
		l->copied = l->gapped = false;
		done += walk_on(l, it, len - done);
		done -= trim(l, it, done);
		if (likely(l->stop == DECANT_STOP_END && done == len))
			break;
		if (register_next(l, it, len - done))
			continue;
		if (!staging_helps(l))
			break;
		staged = staging_next(l, it, done, len - done);
		done += staged;
		if (!staged)
			break;
	}
	return done;
}

static void finish(struct loop *l, size_t done)
{
	struct decant_sink *sink = l->sink;

	close_open(l);
	/* Not before: putting an element looks at its region. */
	if (l->locked)
		space_unlock(sink->space);
	sink->nr = l->nr;
	sink->bytes += done;
	sink->merged += l->merged;
	sink->stop = l->stop;
	sink->last = l->open;
	/* Without an open element the gap rule still asks where the last one ended. */
	if (!l->open.len)
		sink->last = (struct decant_element){.device = l->end};
}

static ssize_t report(const struct decant_iter *from, const struct decant_sink *into,
		      size_t wanted, size_t done)
{
	probe_extract(from->kind, into->ops->name, wanted, done, into->nr, into->stop);
	return done ? (ssize_t)done : stop_error(into);
}

ssize_t extract(struct decant_iter *from, struct decant_sink *into,
		const struct decant_limits *limits, size_t len, struct requests *requests)
{
	size_t wanted = min_size(len, kind_refresh(from)), done;
	size_t want = limits_clip(limits, into->bytes, wanted);
	size_t held = into->hold ? into->hold->nr : 0;
	struct loop l;

	begin(&l, into, limits, requests);
	/* Without alignments and the like there is nothing to contradict itself. */
	if (unlikely(((limits->block || !l.plain) && decant_limits_check(limits)) ||
		     !l.max_element)) {
		into->stop = DECANT_STOP_LIMIT;
		probe_extract(from->kind, into->ops->name, wanted, 0, into->nr,
			      into->stop);
		return -EINVAL;
	}
	done = run(&l, from, want);
	if (unlikely(!done && into->hold))
		decant_hold_truncate(into->hold, held);
	if (l.stop == DECANT_STOP_END && want < wanted)
		l.stop = DECANT_STOP_LIMIT;
	finish(&l, done);
	return report(from, into, wanted, done);
}
