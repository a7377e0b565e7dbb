/* SPDX-License-Identifier: MIT */
#ifndef DECANT_KIND_ENDS_H
#define DECANT_KIND_ENDS_H
/*
 * ends.h - where an array of elements ends, for who comes to it from behind: word[1] is
 * the last element that has bytes of the iterator's, word[2] how many bytes of it are.
 * Without word[1] that is not known: it was truncated.
 */
#include <decant/kind/vector.h>

static inline void decant_ends_set(struct decant_iter *it, const void *el, size_t len)
{
	it->word[1] = (uintptr_t)el;
	it->word[2] = len;
}

/* Stand at the end; false if it is not known. The caller has no bytes ahead any more. */
static inline bool decant_ends_go(struct decant_iter *it)
{
	if (!it->word[1])
		return false;
	it->at.any = (const void *)it->word[1];
	it->offset = it->word[2];
	return true;
}

static inline void decant_ends_truncate(struct decant_iter *it, size_t n)
{
	if (n < it->count)
		it->word[1] = 0;
}

/* Walk there once, if it must be. */
static inline void decant_ends_mark(struct decant_iter *it, size_t stride)
{
	struct decant_iter end = *it;

	if (it->word[1] || !it->count)
		return;
	end.count = 0;
	decant_vector_advance(&end, it->count, stride);
	decant_ends_set(it, end.at.any, end.offset);
}
#endif
