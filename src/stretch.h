/* SPDX-License-Identifier: MIT */
#ifndef SRC_STRETCH_H
#define SRC_STRETCH_H
/*
 * stretch.h - the loop over an array of elements, one copy for each sink.
 *
 * What goes on with the open element of the sink, or opens one of the same owner, needs
 * nothing but what is in registers. All else is loop_take()'s, which knows all the rules;
 * what is done here by itself comes to the same.
 */
#include <decant/kind/vector.h>
#include "loop.h"
#include "util.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What changes with every element, and what must be true of it to need no thought. */
struct stretch {
	struct decant_element open;
	size_t cap; /* most bytes that the open element may have */
	size_t nr;
	size_t merged;
	size_t last; /* the most that nr may be */
	size_t max_element;
	struct decant_region *given;
	uintptr_t hi; /* the open element's owner has the size bytes below hi */
	size_t size;
	uint64_t shift;
};

static ALWAYS_INLINE struct stretch stretch_load(const struct loop *l)
{
	return (struct stretch){.open = l->open,
				.cap = l->cap,
				.nr = l->nr,
				.merged = l->merged,
				.last = l->max - 1,
				.max_element = l->max_element,
				.given = l->given,
				.hi = l->hi,
				.size = l->hi - l->lo,
				.shift = l->shift};
}

static ALWAYS_INLINE void stretch_store(const struct stretch *s, struct loop *l)
{
	l->open = s->open;
	l->cap = s->cap;
	l->nr = s->nr;
	l->merged = s->merged;
}

/* Whether all n bytes at addr are the open element's owner's. */
static ALWAYS_INLINE bool stretch_owns(const struct stretch *s, uintptr_t addr, size_t n)
{
	size_t room = s->hi - addr;

	return room <= s->size && n <= room;
}

/* The open element is in the sink: begin the next request if that was this one's last. */
static ALWAYS_INLINE void stretch_request(const struct stretch *s, struct loop *l)
{
	struct requests *r = l->requests;

	l->room -= s->open.len;
	if (!r || (l->room && s->nr - l->first < r->elements))
		return;
	r->ends[r->nr++] = l->first = s->nr;
	l->room = r->bytes;
}

/* Whether the rules allow an element at seen next, without asking which one fails. */
static ALWAYS_INLINE bool stretch_may_open(const struct stretch *s, const struct loop *l,
					   uint64_t seen)
{
	const struct requests *r = l->requests;

	if (r && unlikely(l->gap_mask || r->nr + 1 >= r->max))
		return false;
	return !((seen & l->addr_mask) | ((seen | end_of(&s->open)) & l->gap_mask));
}

/* Close the open element and open one at addr, still empty; or leave things be. */
static ALWAYS_INLINE bool stretch_open(struct stretch *s, struct loop *l,
				       const struct decant_sink_ops *ops,
				       unsigned char *addr)
{
	uint64_t seen = (uintptr_t)addr + s->shift;

	if (unlikely(s->nr >= s->last || !stretch_may_open(s, l, seen)))
		return false;
	ops->put(l->sink, s->nr, &s->open);
	s->nr++;
	stretch_request(s, l);
	s->cap = min_size(loop_cap_at(l, seen), l->room);
	s->open.addr = addr;
	s->open.device = seen;
	return true;
}

/* Without rules: take all n bytes at addr, or none. */
static ALWAYS_INLINE size_t stretch_plain(struct stretch *s, struct loop *l,
					  const struct decant_sink_ops *ops,
					  unsigned char *addr, size_t n)
{
	uint64_t seen = (uintptr_t)addr + s->shift;

	if (end_of(&s->open) == seen) {
		if (unlikely(n > s->max_element - s->open.len))
			return 0;
		s->open.len += n;
		s->merged++;
		return n;
	}
	if (unlikely(s->nr >= s->last || n > s->max_element))
		return 0;
	ops->put(l->sink, s->nr, &s->open);
	s->nr++;
	s->open.addr = addr;
	s->open.len = n;
	s->open.device = seen;
	return n;
}

/* Take what needs no thought of the n bytes at addr; a whole span may merge. */
static ALWAYS_INLINE size_t stretch_take(struct stretch *s, struct loop *l,
					 const struct decant_sink_ops *ops,
					 unsigned char *addr, size_t n, bool whole)
{
	size_t left = n, some;

	if (end_of(&s->open) == (uintptr_t)addr + s->shift && s->open.len < s->cap) {
		some = min_size(left, s->cap - s->open.len);
		s->open.len += some;
		s->merged += whole;
		left -= some;
		addr += some;
	}
	while (left) {
		if (!stretch_open(s, l, ops, addr))
			break;
		some = min_size(left, s->cap);
		s->open.len = some;
		left -= some;
		addr += some;
	}
	return n - left;
}

/*
 * As much as needs no thought, *left bytes at most; where that ends. Empty elements are
 * left to the caller. With one_owner nobody else has any memory; with plain there are no
 * rules, and nothing is to be cut yet.
 */
static ALWAYS_INLINE const char *
stretch_run(struct loop *l, const struct decant_sink_ops *ops, const char *el,
	    size_t *offset, size_t *left, size_t element, bool one_owner, bool plain)
{
	struct stretch s = stretch_load(l);
	size_t rest = *left, skip = plain ? 0 : *offset;

	while (rest) {
		const struct decant_bvec *bv = (const void *)el;
		unsigned char *addr = (unsigned char *)bv->addr + skip;
		size_t n = bv->len - skip, got;

		if (unlikely(n - 1 >= rest))
			break;
		if (!one_owner && unlikely(!stretch_owns(&s, (uintptr_t)addr, n)))
			break;
		if (element == sizeof(*bv) && unlikely(bv->region != s.given))
			break;
		if (plain)
			got = stretch_plain(&s, l, ops, addr, n);
		else
			got = stretch_take(&s, l, ops, addr, n, !skip);
		rest -= got;
		skip += got;
		if (unlikely(got < n))
			break;
		skip = 0;
		el += element;
	}
	stretch_store(&s, l);
	*left = rest;
	*offset = skip;
	return el;
}

static ALWAYS_INLINE const char *
stretch_choose(struct loop *l, const struct decant_sink_ops *ops, const char *el,
	       size_t *offset, size_t *left, size_t element)
{
	if (!l->open.len || l->stored || l->open.region != l->region)
		return el;
	if (!l->plain || *offset)
		return stretch_run(l, ops, el, offset, left, element, false, false);
	if (l->hi - l->lo == UINTPTR_MAX)
		return stretch_run(l, ops, el, offset, left, element, true, true);
	return stretch_run(l, ops, el, offset, left, element, false, true);
}

static ALWAYS_INLINE size_t stretch(struct loop *l, const struct decant_sink_ops *ops,
				    struct decant_iter *it, size_t len, size_t element)
{
	const char *el = it->at.any, *begun = NULL;
	size_t left = len, offset = it->offset;

	while (left) {
		const struct decant_bvec *bv = (const void *)el;
		size_t n = min_size(bv->len - offset, left), got = 0, merged = l->merged;

		if (n)
			got = loop_take(l, (unsigned char *)bv->addr + offset, n,
					element == sizeof(*bv) ? bv->region : NULL);
		if (n && !got)
			break;
		/* Only what goes on with an element by its first byte has merged. */
		if (el == begun)
			l->merged = merged;
		begun = el;
		left -= got;
		offset += got;
		if (offset == bv->len) {
			el += element;
			offset = 0;
		}
		if (left && ops)
			el = stretch_choose(l, ops, el, &offset, &left, element);
		if (offset)
			begun = el;
	}
	it->at.any = el;
	it->offset = offset;
	it->count -= len - left;
	it->consumed += len - left;
	if (left < len)
		decant_vector_settle(it, element);
	return len - left;
}
#endif
