/* SPDX-License-Identifier: MIT */
#ifndef SRC_STRETCH_H
#define SRC_STRETCH_H
/*
 * stretch.h - the loop over an array of elements, one copy for each sink.
 *
 * A whole element that opens an element of the sink like the one before, or goes on with
 * that one, needs nothing but what is in registers. All others are loop_take()'s, which
 * knows all the rules; what is done here by itself comes to the same.
 */
#include <decant/kind/vector.h>
#include "loop.h"
#include "util.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* What changes with every element, and what must be true of it to need no thought. */
struct stretch {
	struct decant_element open;
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
	l->nr = s->nr;
	l->merged = s->merged;
}

/* Whether all n bytes at addr are the open element's owner's. */
static ALWAYS_INLINE bool stretch_owns(const struct stretch *s, uintptr_t addr, size_t n)
{
	size_t room = s->hi - addr;

	return room <= s->size && n <= room;
}

/* Take all n bytes at addr, or none. */
static ALWAYS_INLINE bool stretch_take(struct stretch *s, struct decant_sink *sink,
				       const struct decant_sink_ops *ops,
				       unsigned char *addr, size_t n)
{
	uint64_t seen = (uintptr_t)addr + s->shift;

	if (s->open.device + s->open.len == seen) {
		if (unlikely(n > s->max_element - s->open.len))
			return false;
		s->open.len += n;
		s->merged++;
		return true;
	}
	if (unlikely(s->nr >= s->last || n > s->max_element))
		return false;
	ops->put(sink, s->nr, &s->open);
	s->nr++;
	s->open.addr = addr;
	s->open.len = n;
	s->open.device = seen;
	return true;
}

/*
 * As many whole elements as need no thought, *left bytes of them at most; where the next
 * one is. Empty ones are left to the caller. With one_owner nobody else has any memory.
 */
static ALWAYS_INLINE const char *stretch_run(struct loop *l,
					     const struct decant_sink_ops *ops,
					     const char *el, size_t *left, size_t element,
					     bool one_owner)
{
	struct stretch s = stretch_load(l);
	struct decant_sink *sink = l->sink;
	size_t rest = *left;

	while (rest) {
		const struct decant_bvec *bv = (const void *)el;
		size_t n = bv->len;

		if (unlikely(n - 1 >= rest))
			break;
		if (!one_owner && unlikely(!stretch_owns(&s, (uintptr_t)bv->addr, n)))
			break;
		if (element == sizeof(*bv) && unlikely(bv->region != s.given))
			break;
		if (unlikely(!stretch_take(&s, sink, ops, bv->addr, n)))
			break;
		rest -= n;
		el += element;
	}
	stretch_store(&s, l);
	*left = rest;
	return el;
}

static ALWAYS_INLINE const char *stretch_choose(struct loop *l,
						const struct decant_sink_ops *ops,
						const char *el, size_t *left,
						size_t element)
{
	if (!l->open.len || l->stored || l->open.region != l->region)
		return el;
	if (l->hi - l->lo == UINTPTR_MAX)
		return stretch_run(l, ops, el, left, element, true);
	return stretch_run(l, ops, el, left, element, false);
}

static ALWAYS_INLINE size_t stretch(struct loop *l, const struct decant_sink_ops *ops,
				    struct decant_iter *it, size_t len, size_t element)
{
	const char *el = it->at.any;
	size_t left = len, offset = it->offset;

	while (left) {
		const struct decant_bvec *bv = (const void *)el;
		size_t n = min_size(bv->len - offset, left), got = 0;

		if (n)
			got = loop_take(l, (unsigned char *)bv->addr + offset, n,
					element == sizeof(*bv) ? bv->region : NULL);
		left -= got;
		offset += got;
		if (got < n || (!left && offset < bv->len))
			break;
		el += element;
		offset = 0;
		if (left && ops)
			el = stretch_choose(l, ops, el, &left, element);
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
