/* SPDX-License-Identifier: MIT */
#ifndef DECANT_KIND_ENDLESS_H
#define DECANT_KIND_ENDLESS_H
/*
 * endless.h - kinds whose bytes are the same few over and over: every span starts at
 * at.addr again, so that moving the cursor is counting, which the callers do.
 */
#include <decant/iter.h>

#define DECANT_ENDLESS_BYTES 65536

static inline struct decant_span decant_endless_peek(const struct decant_iter *it)
{
	size_t len = it->count < DECANT_ENDLESS_BYTES ? it->count : DECANT_ENDLESS_BYTES;

	return (struct decant_span){it->at.addr, len, NULL};
}

static inline void decant_endless_move(struct decant_iter *it, size_t n)
{
	(void)it;
	(void)n;
}

/* Bytes that a list of spans describes; SIZE_MAX if that is too many. */
static inline size_t decant_endless_sum(const struct decant_span *spans, size_t nr)
{
	size_t sum = 0;

	for (size_t i = 0; i < nr; i++)
		if (__builtin_add_overflow(sum, spans[i].len, &sum))
			return SIZE_MAX;
	return sum;
}
#endif
