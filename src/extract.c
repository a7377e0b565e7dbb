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
#include "space.h"
#include "stage.h"
#include "util.h"

struct loop {
	struct decant_sink *sink;
	struct decant_element open;     /* the last element; len 0: there is none */
	struct decant_element closed;   /* under limits: the one before, if put in this call */
	size_t cap;                     /* most bytes the open element may have */
	size_t nr;                      /* elements before the open one */
	size_t max;                     /* elements that fit */
	size_t merged;
	bool stored;                    /* the open element is in the table already */
	bool plain;                     /* no limits but the table and the element's size */
	bool device;                    /* addresses are judged as the device sees them */
	bool joins;                     /* an element may have several owners */
	bool locked;                    /* the space is locked for look-ups */
	enum decant_stop stop;

	/* The owner of memory in [lo, hi) that comes with the region given. */
	struct decant_region *given;
	uintptr_t lo, hi;
	struct decant_region *region;
	const struct decant_mapping *mapping;
	uint64_t shift;                 /* from an address there to the device's */
	struct decant_region *held;     /* the region that was held last */

	/* The limits, ready for use. */
	size_t max_element;
	size_t boundary;
	size_t addr_mask;
	size_t len_mask;
	size_t gap_mask;
	uint64_t end;                   /* where the last closed element ended */
};

static size_t least_element(const struct decant_sink *sink,
			    const struct decant_limits *limits)
{
	size_t max = sink->ops->max_element_bytes;

	if (limits->max_element_bytes)
		max = min_size(max, limits->max_element_bytes);
	return max;
}

/* How long an element at start may become. Depends on nothing else but the limits. */
static size_t cap_at(const struct loop *l, uint64_t start)
{
	size_t cap = l->max_element, whole;

	if (l->boundary)
		cap = min_size(cap, l->boundary - (start & (l->boundary - 1)));
	if (!l->gap_mask || cap == SIZE_MAX)
		return cap;
	/* What follows must start on a multiple of the gap, so end on one if that is ahead. */
	whole = ((start + cap) & ~(uint64_t)l->gap_mask) - start;
	return whole && whole <= cap ? whole : cap;
}

/* As the sink sees it. */
static inline uint64_t end_of(const struct decant_element *el)
{
	return el->device + el->len;
}

static void begin(struct loop *l, struct decant_sink *sink,
		  const struct decant_limits *limits)
{
	size_t align;

	*l = (struct loop){.sink = sink, .nr = sink->nr, .max = sink->max};
	l->device = sink->ops->device && sink->domain;
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
	if (limits->max_elements)
		l->max = min_size(l->max, limits->max_elements);
	if (!sink->space && sink->policy == DECANT_TRUST)
		l->hi = UINTPTR_MAX;    /* memory without a region needs no further thought */
	l->end = end_of(&sink->last);
	if (!sink->last.len)
		return;
	l->open = sink->last;
	l->stored = true;
	l->nr--;
	l->cap = cap_at(l, l->open.device);
}

static void close_open(struct loop *l)
{
	const struct decant_sink_ops *ops = l->sink->ops;

	if (!l->open.len)
		return;
	if (!l->plain)
		l->closed = l->open;
	if (l->stored)
		ops->grow(l->sink, l->nr, l->open.len);
	else
		ops->put(l->sink, l->nr, &l->open);
	l->nr++;
	l->end = end_of(&l->open);
	l->stored = false;
}

/*
 * There is no room for an element at start. An open one that must be cut back is the
 * nearer reason, and so is what keeps start from the device if a staged element could grow.
 */
static enum decant_stop full_reason(const struct loop *l, uint64_t start)
{
	if ((l->open.len & l->len_mask) || (l->sink->stage && start & l->addr_mask))
		return DECANT_STOP_ALIGNMENT;
	return l->max == l->sink->max ? DECANT_STOP_FULL : DECANT_STOP_LIMIT;
}

/* Whether the rules allow the next element to begin at start. */
static bool may_open(struct loop *l, uint64_t start)
{
	uint64_t end = l->open.len ? end_of(&l->open) : l->end;
	size_t nr = l->nr + !!l->open.len;

	if ((l->open.len & l->len_mask) || (start & l->addr_mask))
		l->stop = DECANT_STOP_ALIGNMENT;
	else if (nr && ((start | end) & l->gap_mask))
		l->stop = DECANT_STOP_LIMIT;
	else
		return true;
	return false;
}

/* Hold the owner of the bytes that are about to be taken. */
static bool hold_next(struct loop *l)
{
	struct decant_hold *hold = l->sink->hold;

	if (hold && decant_hold_add(hold, l->region)) {
		l->stop = DECANT_STOP_MEMORY;
		return false;
	}
	l->held = l->region;
	return true;
}

static inline bool open_next(struct loop *l, unsigned char *addr)
{
	uint64_t start = (uintptr_t)addr + l->shift;

	if (unlikely(l->nr + !!l->open.len >= l->max)) {
		l->stop = full_reason(l, start);
		return false;
	}
	if (!l->plain && !may_open(l, start))
		return false;
	if (l->region && l->region != l->held && !hold_next(l))
		return false;
	close_open(l);
	l->open = (struct decant_element){addr, 0, l->region, l->mapping, start};
	l->cap = l->plain ? l->max_element : cap_at(l, start);
	return true;
}

/* Bytes of another owner go on with the open element. */
static bool join(struct loop *l)
{
	if (l->region && l->region != l->held && !hold_next(l))
		return false;
	l->open.region = l->region;
	l->open.mapping = l->mapping;
	return true;
}

static struct space_answer look_up(struct loop *l, uintptr_t addr)
{
	if (!l->sink->space)
		return (struct space_answer){NULL, 0, UINTPTR_MAX};
	if (!l->locked)
		space_lock(l->sink->space);
	l->locked = true;
	return space_look_up(l->sink->space, addr);
}

/*
 * How the device knows the region that was found. What claims to lie in a region and does
 * not would be somebody else's memory there.
 */
static bool translate(struct loop *l, uintptr_t addr)
{
	struct decant_span all = decant_region_span(l->region);
	uintptr_t base = (uintptr_t)all.addr;

	l->lo = base;
	l->hi = base + all.len;
	if (l->device)
		l->shift = l->mapping->iova - base;
	if (addr - base < all.len)
		return true;
	l->stop = DECANT_STOP_FAULT;
	l->lo = l->hi;
	return false;
}

/* Find out who owns addr; false with a stop reason if it can't be used. */
static bool find_owner(struct loop *l, uintptr_t addr, struct decant_region *given)
{
	struct decant_sink *sink = l->sink;
	struct space_answer owner = {given, 0, UINTPTR_MAX};

	if (!given)
		owner = look_up(l, addr);
	l->given = given;
	l->region = owner.region;
	l->mapping = NULL;
	l->shift = 0;
	l->lo = owner.lo;
	l->hi = owner.hi;
	if (owner.region && sink->domain)
		l->mapping = decant_domain_mapping(sink->domain, owner.region);
	if (owner.region ? sink->domain && !l->mapping : sink->policy != DECANT_TRUST) {
		l->stop = DECANT_STOP_UNREGISTERED;
		l->lo = l->hi;          /* ask again next time */
		return false;
	}
	return !l->mapping || translate(l, addr);
}

static inline bool knows_owner(const struct loop *l, uintptr_t addr,
			       const struct decant_region *given)
{
	return given == l->given && addr - l->lo < l->hi - l->lo;
}

/* Take as much of [addr, addr + len) as the rules allow. */
static inline size_t take(struct loop *l, unsigned char *addr, size_t len,
			  struct decant_region *given)
{
	size_t left = len;

	while (left) {
		size_t n;

		if (unlikely(!knows_owner(l, (uintptr_t)addr, given)) &&
		    !find_owner(l, (uintptr_t)addr, given))
			break;
		n = min_size(left, l->hi - (uintptr_t)addr);
		if (end_of(&l->open) == (uintptr_t)addr + l->shift && l->open.len &&
		    (l->open.region == l->region || l->joins) && l->open.len < l->cap) {
			if (unlikely(l->open.region != l->region) && !join(l))
				break;
			l->merged += left == len;
		} else if (!open_next(l, addr)) {
			break;
		}
		n = min_size(n, l->cap - l->open.len);
		l->open.len += n;
		addr += n;
		left -= n;
	}
	return len - left;
}

/* One copy of this for each kind, with the kind's two functions inlined. */
static inline __attribute__((always_inline)) size_t
walk(struct loop *l, struct decant_iter *it, size_t len,
     struct decant_span (*peek)(const struct decant_iter *),
     void (*advance)(struct decant_iter *, size_t))
{
	size_t done = 0;

	while (done < len) {
		struct decant_span span = peek(it);
		size_t n = min_size(span.len, len - done), got;

		if (unlikely(!n)) {
			l->stop = DECANT_STOP_HOLE;
			break;
		}
		got = take(l, span.addr, n, span.region);
		it->count -= got;
		it->consumed += got;
		advance(it, got);
		done += got;
		if (got < n)
			break;
	}
	return done;
}

#define DECANT_KIND(NAME, name)                                                              \
	case DECANT_KIND_##NAME:                                                             \
		return walk(l, it, len, decant_##name##_peek, decant_##name##_advance);

static size_t walk_kind(struct loop *l, struct decant_iter *it, size_t len)
{
	switch (it->kind) {
#include <decant/kinds.def>
	}
	l->stop = DECANT_STOP_FAULT;
	return 0;
}
#undef DECANT_KIND

/*
 * The open element can't grow any more here: cut it back to the length alignment, and the
 * one before is the last again if nothing is left of it. The bytes to cut off are those
 * that this call took, unless somebody changed the limits between two calls.
 */
static size_t trim(struct loop *l, struct decant_iter *it, size_t done)
{
	size_t excess = l->open.len & l->len_mask;

	if (!excess)
		return 0;
	l->stop = DECANT_STOP_ALIGNMENT;
	if (excess > done)
		return 0;
	kind_retreat(it, excess);
	l->open.len -= excess;
	if (l->open.len || !l->closed.len)
		return excess;
	l->open = l->closed;
	l->closed.len = 0;
	l->cap = cap_at(l, l->open.device);
	l->stored = true;
	l->nr--;
	return excess;
}

static bool stage_helps(const struct loop *l)
{
	if (!l->sink->stage)
		return false;
	if (l->stop == DECANT_STOP_UNREGISTERED)
		return l->sink->policy == DECANT_STAGE;
	return l->stop == DECANT_STOP_ALIGNMENT;
}

/* A span's address as the sink sees it; *len becomes how far that holds. */
static uint64_t seen(struct loop *l, const struct decant_span *span, size_t *len)
{
	uintptr_t addr = (uintptr_t)span->addr;
	enum decant_stop stop = l->stop;

	if (!l->device)
		return addr;
	if (!knows_owner(l, addr, span->region))
		(void)find_owner(l, addr, span->region);
	l->stop = stop;
	*len = min_size(*len, l->hi - addr);
	return addr + l->shift;
}

/* How many bytes of a span, counted from its beginning, meet the obstacle. */
static size_t obstructed(struct loop *l, const struct decant_span *span)
{
	size_t len = span->len, ahead;

	if (l->stop == DECANT_STOP_UNREGISTERED)
		return span->region ? len : min_size(len, l->hi - (uintptr_t)span->addr);
	ahead = -seen(l, span, &len) & l->addr_mask;
	if (!ahead)
		return 1;       /* too short for a block, or cut by another limit */
	/* Blocks lead to an aligned address, or pass by all of them. */
	return ahead & l->len_mask ? len : min_size(len, ahead);
}

/*
 * How much to stage: all blocks that begin where this obstacle is, and no more. Which these
 * are depends on addresses, so a cut elsewhere would stage the same.
 */
static size_t stage_amount(struct loop *l, const struct decant_iter *it, size_t left,
			   size_t align)
{
	struct decant_span span = kind_peek(it);
	size_t amount = min_size(span.len, left), room;

	if (!amount)
		return 0;
	amount = min_size(amount, obstructed(l, &span));
	if (amount > SIZE_MAX - l->len_mask)
		return 0;
	amount = min_size(amount + l->len_mask, left) & ~l->len_mask;
	if (!amount)
		return 0;
	room = stage_room(l->sink->stage, align) & ~l->len_mask;
	if (!room)
		l->stop = DECANT_STOP_FULL;
	return min_size(amount, room);
}

/* Hold the owner of a span's first byte; how far that goes, 0 if it may not be used. */
static size_t hold_owner(struct loop *l, const struct decant_span *span)
{
	struct space_answer owner = {span->region, 0, UINTPTR_MAX};
	struct decant_sink *sink = l->sink;

	if (!owner.region)
		owner = look_up(l, (uintptr_t)span->addr);
	if (!owner.region && sink->policy == DECANT_REFUSE) {
		l->stop = DECANT_STOP_UNREGISTERED;
		return 0;
	}
	if (owner.region && sink->hold && decant_hold_add(sink->hold, owner.region)) {
		l->stop = DECANT_STOP_MEMORY;
		return 0;
	}
	return min_size(span->len, owner.hi - (uintptr_t)span->addr);
}

/*
 * The owners of bytes that go through the stage are held like any others: a destination is
 * written to later. How many of the bytes may be used.
 */
static size_t hold_staged(struct loop *l, struct decant_iter it, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct decant_span span = kind_peek(&it);
		size_t n = hold_owner(l, &span);

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
		l->given = l->region = NULL;
		l->mapping = NULL;
		l->shift = 0;
		l->lo = (uintptr_t)piece->addr;
		l->hi = l->lo + piece->len;
	}
	return take(l, piece->addr, piece->len, piece->region);
}

/* Where the stage's memory begins as the sink sees it. */
static uint64_t stage_seen(const struct loop *l, const struct decant_stage *stage)
{
	const struct decant_region *region = stage->memory.region;
	uintptr_t addr = (uintptr_t)stage->memory.addr;
	const struct decant_mapping *mapping = NULL;

	if (l->device && region)
		mapping = decant_domain_mapping(l->sink->domain, region);
	if (!mapping)
		return addr;
	return mapping->iova + (addr - (uintptr_t)decant_region_span(region).addr);
}

/*
 * Where in the stage the next piece may start: where the open element goes on if that lies
 * there, else on a multiple of both alignments, so that no limit cuts a block.
 */
static size_t stage_align(const struct loop *l)
{
	const struct decant_stage *stage = l->sink->stage;
	uint64_t next = stage_seen(l, stage) + stage->used;

	if (l->open.len && l->open.len < l->cap && end_of(&l->open) == next)
		return 1;
	return (l->addr_mask | l->len_mask) + 1;
}

/*
 * Fewer bytes than were staged made it into the sink: hold only what these need. The hold
 * has had the room, so this can't fail.
 */
static void hold_again(struct loop *l, const struct decant_iter *it, size_t got, size_t held)
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

/* Send what comes next through the stage; bytes that made it into the sink. */
static size_t stage_next(struct loop *l, struct decant_iter *it, size_t done, size_t left)
{
	struct decant_stage *stage = l->sink->stage;
	size_t held = l->sink->hold ? l->sink->hold->nr : 0;
	size_t align = stage_align(l), amount = stage_amount(l, it, left, align), got;
	struct decant_iter start = *it;
	struct decant_span piece;

	amount = hold_staged(l, start, amount) & ~l->len_mask;
	if (!amount)
		return 0;
	if (decant_stage_take(stage, it, amount, align, l->sink->bytes + done, &piece)) {
		l->stop = DECANT_STOP_FULL;
		got = 0;
	} else {
		got = take_staged(l, &piece);
		stage_give_back(stage, it->direction, amount - got);
		kind_retreat(it, amount - got);
	}
	if (got < amount)
		hold_again(l, &start, got, held);
	return got;
}

static size_t run(struct loop *l, struct decant_iter *it, size_t len)
{
	size_t done = 0, staged;

	for (;;) {
		l->stop = DECANT_STOP_END;
		done += walk_kind(l, it, len - done);
		done -= trim(l, it, done);
		if (!stage_helps(l))
			break;
		staged = stage_next(l, it, done, len - done);
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
	/* Without an open element the gap rule still needs to know where the last one ended. */
	sink->last = l->open.len ? l->open : (struct decant_element){.device = l->end};
}

ssize_t extract(struct decant_iter *from, struct decant_sink *into, size_t len)
{
	size_t wanted = min_size(len, from->count), want, done;
	size_t held = into->hold ? into->hold->nr : 0;
	const struct decant_limits *limits = &into->limits;
	struct decant_limits ruled;
	struct loop l;

	if (into->ops->rules) {
		ruled = into->limits;
		into->ops->rules(into, &ruled);
		limits = &ruled;
	}
	want = limits_clip(limits, into->bytes, wanted);
	begin(&l, into, limits);
	if (unlikely(decant_limits_check(limits) || !l.max_element)) {
		into->stop = DECANT_STOP_LIMIT;
		return -EINVAL;
	}
	done = run(&l, from, want);
	if (unlikely(!done && into->hold))
		decant_hold_truncate(into->hold, held);
	if (l.stop == DECANT_STOP_END && want < wanted)
		l.stop = DECANT_STOP_LIMIT;
	finish(&l, done);
	return done ? (ssize_t)done : extract_error(l.stop);
}
