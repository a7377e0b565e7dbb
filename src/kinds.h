/* SPDX-License-Identifier: MIT */
#ifndef SRC_KINDS_H
#define SRC_KINDS_H
/* kinds.h - every kind's functions, inlined, and the dispatch over the registry. */
#include <errno.h>
#include <decant/registry.h>
#include <decant/kinds.def>

#define DECANT_KIND(NAME, name)                                                              \
	case DECANT_KIND_##NAME:                                                             \
		span = decant_##name##_peek(it);                                             \
		break;

static inline struct decant_span kind_peek(const struct decant_iter *it)
{
	struct decant_span span = {0};

	switch (it->kind) {
#include <decant/kinds.def>
	}
	return span;
}
#undef DECANT_KIND

#define DECANT_KIND(NAME, name)                                                              \
	case DECANT_KIND_##NAME:                                                             \
		decant_##name##_advance(it, n);                                              \
		break;

/* n is at most what is left. */
static inline void kind_advance(struct decant_iter *it, size_t n)
{
	it->count -= n;
	it->consumed += n;
	switch (it->kind) {
#include <decant/kinds.def>
	}
}
#undef DECANT_KIND

#define DECANT_KIND(NAME, name)                                                              \
	case DECANT_KIND_##NAME:                                                             \
		decant_##name##_retreat(it, n);                                              \
		break;

/* n is at most what was consumed. */
static inline void kind_retreat(struct decant_iter *it, size_t n)
{
	it->count += n;
	it->consumed -= n;
	switch (it->kind) {
#include <decant/kinds.def>
	}
}
#undef DECANT_KIND
#endif
