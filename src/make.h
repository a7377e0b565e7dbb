/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAKE_H
#define SRC_MAKE_H
/* make.h - how iterators are made: what the constructors of the kinds check. */
#include <errno.h>
#include <decant/iter.h>
#include <decant/kind/ends.h>
#include "kinds.h"
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

static inline int add_element(size_t *total, const void *addr, size_t len)
{
	int err = check_range(addr, len);

	return err ? err : add_len(total, len);
}

/* Note where an array ends, and begin at its first element. */
static inline void begin_array(struct decant_iter *it, struct decant_iter *made,
			       size_t nr, size_t stride)
{
	const char *el = (const char *)made->at.any;

	while (nr && !decant_vector_len(el + (nr - 1) * stride))
		nr--;
	if (nr) {
		el += (nr - 1) * stride;
		decant_ends_set(made, el, decant_vector_len(el));
	}
	kind_begin(it, made);
}
#endif
