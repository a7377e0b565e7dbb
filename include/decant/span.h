/* SPDX-License-Identifier: MIT */
#ifndef DECANT_SPAN_H
#define DECANT_SPAN_H
#include <decant/base.h>

DECANT_BEGIN

struct decant_region;

/**
 * struct decant_span - contiguous bytes and who owns them
 * @addr: first byte; NULL when there are bytes that can't be pointed at, only copied
 * @len: how many bytes
 * @region: the region that owns them, or NULL: the caller vouches for them
 *
 * Since: 0.1
 */
struct decant_span {
	void *addr;
	size_t len;
	struct decant_region *region;
};

/**
 * struct decant_bvec - one element of a bvec iterator: a span as it lies in a list
 * @addr: first byte
 * @len: how many bytes; 0 is allowed and skipped
 * @region: the region that owns them, or NULL: the caller vouches for them
 *
 * The layout is that of struct decant_span. A bvec list borrows its regions: what keeps
 * them alive is a hold or the caller.
 *
 * Since: 0.1
 */
struct decant_bvec {
	void *addr;
	size_t len;
	struct decant_region *region;
};

/**
 * decant_span_stop - an empty span that says why there is nothing to point at
 * @error: a negative errno; -ENXIO is a hole, anything else a fault
 *
 * What a kind's peek gives when bytes are left and the next one can't be had.
 *
 * Return: the span.
 * Since: 0.1
 */
DECANT_API struct decant_span decant_span_stop(int error);

/**
 * decant_span_error - why a span is empty
 * @span: the span
 *
 * Return: the negative errno of decant_span_stop(); -ENXIO for another empty span; 0 if
 * it has bytes.
 * Since: 0.1
 */
DECANT_API int decant_span_error(const struct decant_span *span);

DECANT_END
#endif
