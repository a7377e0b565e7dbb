/* SPDX-License-Identifier: MIT */
#ifndef SRC_WALK_H
#define SRC_WALK_H
/*
 * walk.h - from one span to the next. One text, one copy for each kind and sink, with the
 * functions of both inlined.
 *
 * A span that opens an element like the one before it, or goes on with that one, is dealt
 * with here: what it takes is in registers. For all others the state goes back to memory
 * and loop_take() decides.
 */
#include "kinds.h"
#include "loop.h"
#include "util.h"

/* The part of struct loop that changes with every span. */
struct front {
	struct decant_element open;
	size_t nr;
	size_t merged;
	/* Addresses in [lo, lo + size) that come with the region given need no thought. */
	struct decant_region *given;
	uintptr_t lo;
	size_t size;
};

static inline __attribute__((always_inline)) struct front front_load(const struct loop *l)
{
	struct front f = {l->open, l->nr, l->merged, l->given, l->lo, 0};

	if (l->open.len && !l->stored && l->open.region == l->region)
		f.size = l->hi - l->lo;
	return f;
}

static inline __attribute__((always_inline)) void front_store(const struct front *f,
							      struct loop *l)
{
	l->open = f->open;
	l->nr = f->nr;
	l->merged = f->merged;
}

/* Take n bytes at addr, all or none: the owner is the open element's, the rules are few. */
static inline __attribute__((always_inline)) bool
front_take(struct front *f, struct decant_sink *sink, const struct decant_sink_ops *ops,
	   unsigned char *addr, size_t n, size_t max_nr, size_t max_len)
{
	if ((uintptr_t)f->open.addr + f->open.len == (uintptr_t)addr) {
		if (unlikely(n > max_len - f->open.len))
			return false;
		f->open.len += n;
		f->merged++;
		return true;
	}
	if (unlikely(f->nr >= max_nr || n > max_len))
		return false;
	ops->put(sink, f->nr++, &f->open);
	f->open.addr = addr;
	f->open.len = n;
	return true;
}

/* The owner of all n bytes at addr is the one of the open element. */
static inline __attribute__((always_inline)) bool
front_owns(const struct front *f, uintptr_t addr, size_t n, const struct decant_region *given)
{
	size_t at = addr - f->lo;

	return given == f->given && at < f->size && n <= f->size - at;
}

/* ops is constant for the library's own sinks, NULL where every span is loop_take()'s. */
static inline __attribute__((always_inline)) size_t
walk(struct loop *l, struct decant_iter *it, size_t len, const struct decant_sink_ops *ops,
     struct decant_span (*peek)(const struct decant_iter *),
     void (*advance)(struct decant_iter *, size_t))
{
	struct decant_sink *sink = l->sink;
	struct decant_iter at = *it;
	size_t left = len, max_nr = l->max - 1, max_len = l->max_element;
	struct front f = front_load(l);

	while (left) {
		struct decant_span span = peek(&at);
		size_t n = min_size(span.len, left), got = n;

		if (unlikely(!n)) {
			l->stop = DECANT_STOP_HOLE;
			break;
		}
		if (!ops || unlikely(!front_owns(&f, (uintptr_t)span.addr, n, span.region)) ||
		    unlikely(!front_take(&f, sink, ops, span.addr, n, max_nr, max_len))) {
			front_store(&f, l);
			got = loop_take(l, span.addr, n, span.region);
			f = front_load(l);
		}
		at.count -= got;
		at.consumed += got;
		advance(&at, got);
		left -= got;
		if (unlikely(got < n))
			break;
	}
	front_store(&f, l);
	*it = at;
	return len - left;
}

#define DECANT_KIND(NAME, name)                                                              \
	case DECANT_KIND_##NAME:                                                             \
		done = walk(l, it, len, ops, decant_##name##_peek, decant_##name##_advance); \
		break;

static inline __attribute__((always_inline)) size_t
walk_kinds(struct loop *l, struct decant_iter *it, size_t len,
	   const struct decant_sink_ops *ops)
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
#endif
