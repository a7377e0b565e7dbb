/* SPDX-License-Identifier: MIT */
#ifndef SRC_KINDS_H
#define SRC_KINDS_H
/* kinds.h - every kind's functions, inlined, and the dispatch over the registry. */
#include <errno.h>
#include <decant/registry.h>
#include <decant/kinds.def>
#include "util.h"

/*
 * iter.c: scratch that devices may write to and nobody reads; sources never point here.
 */
extern unsigned char discard_bucket[];

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		span = decant_##name##_peek(it);                                         \
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

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		decant_##name##_advance(it, n);                                          \
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

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		decant_##name##_retreat(it, n);                                          \
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

/* Go behind the last byte, without a walk if the kind knows the way. */
static inline void kind_end(struct decant_iter *it)
{
	const struct decant_kind *kind = decant_kind_get(it->kind);
	size_t left = it->count;

	it->count = 0;
	it->consumed += left;
	if (kind && !(kind->end && kind->end(it)))
		kind->advance(it, left);
}

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		if (decant_##name##_kind.put)                                            \
			decant_##name##_kind.put(it, span);                              \
		break;

/* A span that peek gave is used no more; the cursor still stands where it stood. */
static inline void kind_put(const struct decant_iter *it, const struct decant_span *span)
{
	if (!span->region)
		return;
	switch (it->kind) {
#include <decant/kinds.def>
	}
}
#undef DECANT_KIND

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		gives_back = decant_##name##_kind.put != NULL;                           \
		break;

/* Whether spans have to be put: then a look costs something. */
static inline bool kind_gives_back(const struct decant_iter *it)
{
	bool gives_back = false;

	switch (it->kind) {
#include <decant/kinds.def>
	}
	return gives_back;
}
#undef DECANT_KIND

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		if (decant_##name##_kind.ahead)                                          \
			count = decant_##name##_kind.ahead(it);                          \
		break;

/* Bytes ahead now: some kinds grow. */
static inline size_t kind_count(const struct decant_iter *it)
{
	size_t count = it->count;

	switch (it->kind) {
#include <decant/kinds.def>
	}
	return count;
}
#undef DECANT_KIND

#define DECANT_KIND(NAME, name)                                                          \
	case DECANT_KIND_##NAME:                                                         \
		size = decant_##name##_kind.array;                                       \
		break;

/* The size of what it is an array of; 0 if it is none. */
static inline size_t kind_array(const struct decant_iter *it)
{
	size_t size = 0;

	switch (it->kind) {
#include <decant/kinds.def>
	}
	return size;
}
#undef DECANT_KIND

/* What every verb begins with: the count is brought up to date and stays for the verb. */
static inline size_t kind_refresh(struct decant_iter *it)
{
	it->count = kind_count(it);
	return it->count;
}

/* Bytes from here on that can't be pointed at; no need to look further than most. */
static inline size_t kind_copied_run(struct decant_iter it, size_t most)
{
	size_t run = 0, n = most;

	for (; n && run < most; run += n) {
		struct decant_span span = kind_peek(&it);

		kind_put(&it, &span);
		n = span.addr ? 0 : min_size(span.len, most - run);
		kind_advance(&it, n);
	}
	return run;
}

/* Begin at the first element; empty ones are skipped at once, as after every movement. */
static inline void kind_begin(struct decant_iter *it, const struct decant_iter *made)
{
	*it = *made;
	if (it->count)
		kind_advance(it, 0);
}

/* Copy at the cursor what can't be pointed at: at least a byte, or an error. */
static inline ssize_t kind_move(const struct decant_iter *it, const struct iovec *local,
				size_t nr)
{
	const struct decant_kind *kind = decant_kind_get(it->kind);
	ssize_t n = kind && kind->move ? kind->move(it, local, nr) : -EFAULT;
	size_t most = 0;

	if (n < 0)
		return n;
	for (size_t i = 0; i < nr; i++)
		most += local[i].iov_len;
	return n && (size_t)n <= most && (size_t)n <= it->count ? n : -EFAULT;
}
#endif
