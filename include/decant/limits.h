/* SPDX-License-Identifier: MIT */
#ifndef DECANT_LIMITS_H
#define DECANT_LIMITS_H
#include <decant/base.h>

DECANT_BEGIN

/**
 * struct decant_limits - a device's rules as data; zero means no such rule
 * @max_elements: most elements in all
 * @max_element_bytes: most bytes in one element
 * @max_bytes: most bytes in all
 * @boundary: no element crosses a multiple of this address (a power of two)
 * @addr_align: every element starts on a multiple of this (a power of two)
 * @len_align: every element is a multiple of this long (a power of two)
 * @gap: the gap rule: all elements but the first start, and all but the last end, on a
 *	multiple of this (a power of two); the block layer's virt_boundary_mask + 1
 * @block: the bytes in all are a multiple of this (any number): a device's logical block.
 *	An extraction that would end inside a block ends before it.
 *
 * Where a rule forces a cut, the place depends on the addresses and the rule alone, never
 * on how the iterator was cut.
 *
 * Since: 0.1
 */
struct decant_limits {
	size_t max_elements;
	size_t max_element_bytes;
	size_t max_bytes;
	size_t boundary;
	size_t addr_align;
	size_t len_align;
	size_t gap;
	size_t block;
};

/**
 * decant_limits_check - whether a set of limits can be met at all
 * @limits: the limits
 *
 * Return: 0; -EINVAL if an alignment, the boundary or the gap is no power of two, if the
 * boundary or the largest element is smaller than the alignments, or if the most bytes in
 * all are fewer than the length alignment or the block.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_limits_check(const struct decant_limits *limits);

/**
 * decant_limits_merge - the limits that satisfy two devices
 * @into: one device's limits; becomes the stricter of both, field by field
 * @other: the other's
 *
 * Since: 0.1
 */
DECANT_API void decant_limits_merge(struct decant_limits *into,
				    const struct decant_limits *other);

DECANT_END
#endif
