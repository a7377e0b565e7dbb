/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAKE_H
#define SRC_MAKE_H
/* make.h - how iterators are made: what the constructors of the kinds check. */
#include <errno.h>
#include <decant/iter.h>
#include "util.h"

static inline int check_direction(enum decant_direction direction)
{
	return direction == DECANT_SOURCE || direction == DECANT_DEST ? 0 : -EINVAL;
}

static inline int check_range(const void *addr, size_t len)
{
	return len && (!addr || wraps(addr, len)) ? -EFAULT : 0;
}

/* Add len to *total, which stays what a ssize_t holds. */
static inline int add_len(size_t *total, size_t len)
{
	if (len > (size_t)SSIZE_MAX - *total)
		return -EOVERFLOW;
	*total += len;
	return 0;
}

/* iter.c: over a list of so many bytes that the loop made: there is nothing to check. */
void iter_over_bvec(struct decant_iter *it, enum decant_direction direction,
		    const struct decant_bvec *bvec, size_t count);
#endif
