/* SPDX-License-Identifier: MIT */
#ifndef DECANT_KIND_VECTOR_H
#define DECANT_KIND_VECTOR_H
/*
 * vector.h - walking an array whose elements begin with {address, length}: what iovec and
 * bvec have in common. at.any is the current element, offset the position in it.
 *
 * While bytes are left the current element is never empty and offset lies inside it, so
 * peek needs no search. The callers have brought count up to date before they move.
 */
#include <decant/iter.h>

_Static_assert(offsetof(struct iovec, iov_len) == offsetof(struct decant_bvec, len),
	       "iovec and bvec begin alike");

static inline size_t decant_vector_len(const void *el)
{
	return *(const size_t *)((const char *)el + offsetof(struct decant_bvec, len));
}

static inline void decant_vector_advance(struct decant_iter *it, size_t n, size_t stride)
{
	const char *el = (const char *)it->at.any;
	size_t len;

	n += it->offset;
	while (n >= (len = decant_vector_len(el)) && (n > len || it->count)) {
		n -= len;
		el += stride;
	}
	it->at.any = el;
	it->offset = n;
}

static inline void decant_vector_retreat(struct decant_iter *it, size_t n, size_t stride)
{
	const char *el = (const char *)it->at.any;
	size_t offset = it->offset;

	while (n > offset) {
		n -= offset;
		el -= stride;
		offset = decant_vector_len(el);
	}
	it->at.any = el;
	it->offset = offset - n;
}

/* The cursor was put at the beginning of an element: make true what stands above. */
static inline void decant_vector_settle(struct decant_iter *it, size_t stride)
{
	const char *el = (const char *)it->at.any;

	if (it->offset)
		return;
	if (!it->count) {
		el -= stride;
		it->offset = decant_vector_len(el);
	}
	while (it->count && !decant_vector_len(el))
		el += stride;
	it->at.any = el;
}

static inline size_t decant_vector_left(const struct decant_iter *it)
{
	size_t len = decant_vector_len(it->at.any) - it->offset;

	return len < it->count ? len : it->count;
}
#endif
