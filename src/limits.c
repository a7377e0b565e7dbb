/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include "extract.h"
#include "util.h"

int decant_limits_check(const struct decant_limits *l)
{
	size_t align = max_size(l->addr_align, l->len_align);

	if (!is_pow2_or_0(l->boundary) || !is_pow2_or_0(l->addr_align) ||
	    !is_pow2_or_0(l->len_align) || !is_pow2_or_0(l->gap))
		return -EINVAL;
	if (l->boundary && l->boundary < align)
		return -EINVAL;
	if (l->max_element_bytes && l->max_element_bytes < align)
		return -EINVAL;
	if (l->max_bytes && l->max_bytes < max_size(l->len_align, l->block))
		return -EINVAL;
	return 0;
}

/* The stricter of two rules of the kind "at most", where 0 is no rule. */
static size_t least(size_t a, size_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* What both divide; the largest number if that is too large, as then nothing will do. */
size_t common_multiple(size_t a, size_t b)
{
	size_t x = a, y = b, product;

	if (!a || !b)
		return max_size(a, b);
	while (y) {
		size_t rest = x % y;

		x = y;
		y = rest;
	}
	return __builtin_mul_overflow(a / x, b, &product) ? SIZE_MAX : product;
}

void decant_limits_merge(struct decant_limits *into, const struct decant_limits *other)
{
	into->max_elements = least(into->max_elements, other->max_elements);
	into->max_element_bytes =
		least(into->max_element_bytes, other->max_element_bytes);
	into->max_bytes = least(into->max_bytes, other->max_bytes);
	into->boundary = least(into->boundary, other->boundary);
	into->addr_align = max_size(into->addr_align, other->addr_align);
	into->len_align = max_size(into->len_align, other->len_align);
	into->gap = max_size(into->gap, other->gap);
	into->block = common_multiple(into->block, other->block);
}

size_t limits_clip(const struct decant_limits *l, size_t done, size_t len)
{
	size_t max = l->max_bytes;

	if (!max)
		return len;
	max = max > done ? max - done : 0;
	return min_size(len, max & ~low_mask(l->len_align));
}
