/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <decant/limits.h>
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
	if (l->max_bytes && l->max_bytes < l->len_align)
		return -EINVAL;
	return 0;
}

/* The stricter of two rules of the kind "at most", where 0 is no rule. */
static size_t least(size_t a, size_t b)
{
	return !a || (b && b < a) ? b : a;
}

void decant_limits_merge(struct decant_limits *into, const struct decant_limits *other)
{
	into->max_elements = least(into->max_elements, other->max_elements);
	into->max_element_bytes = least(into->max_element_bytes, other->max_element_bytes);
	into->max_bytes = least(into->max_bytes, other->max_bytes);
	into->boundary = least(into->boundary, other->boundary);
	into->addr_align = max_size(into->addr_align, other->addr_align);
	into->len_align = max_size(into->len_align, other->len_align);
	into->gap = max_size(into->gap, other->gap);
}
