/* SPDX-License-Identifier: MIT */
#ifndef DECANT_SPAN_H
#define DECANT_SPAN_H
#include <decant/base.h>

DECANT_BEGIN

struct decant_region;

/**
 * struct decant_span - contiguous bytes and who owns them
 * @addr: first byte; NULL when the bytes can't be pointed at
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

DECANT_END
#endif
