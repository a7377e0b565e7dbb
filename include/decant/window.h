/* SPDX-License-Identifier: MIT */
#ifndef DECANT_WINDOW_H
#define DECANT_WINDOW_H
#include <decant/iter.h>

DECANT_BEGIN

/**
 * struct decant_window_range - a piece of another address space and where it is here
 * @base: its first address there
 * @len: bytes, at least 1; the last byte may be the address space's last
 * @addr: where it is mapped here
 * @region: the region that owns it here, or NULL
 *
 * Since: 0.1
 */
struct decant_window_range {
	uint64_t base;
	size_t len;
	void *addr;
	struct decant_region *region;
};

/**
 * struct decant_window - what can be reached of another address space
 * @ranges: sorted by base, without overlaps; borrowed
 * @nr: how many
 *
 * A virtual machine's memory as its monitor has it mapped, or memory that a client
 * shares.
 *
 * Since: 0.1
 */
struct decant_window {
	const struct decant_window_range *ranges;
	size_t nr;
};

/**
 * decant_window_init - check a table of ranges once and for all
 * @window: filled; untouched on error
 * @ranges: the table; borrowed, and not changed while @window is in use
 * @nr: how many
 *
 * Return: 0; -EINVAL if a range is empty, wraps, overlaps the one before or stands before
 * it; -EFAULT if it is not wholly here: NULL, wrapping, or leaving the region it names.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_window_init(struct decant_window *window,
					      const struct decant_window_range *ranges,
					      size_t nr);

/**
 * decant_window_find - translate an address
 * @window: the table
 * @addr: an address of the other address space
 *
 * Return: from there to the end of its range; empty, with -EFAULT for
 * decant_span_error(), if it lies in none.
 * Since: 0.1
 */
DECANT_API struct decant_span decant_window_find(const struct decant_window *window,
						 uint64_t addr);

/**
 * decant_iter_remote - iterate over addresses of another address space
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @window: how addresses translate; borrowed, from decant_window_init()
 * @iov: descriptors: addresses there, and lengths; borrowed. It may lie in memory that
 *	others can change at any time.
 * @nr: descriptors, up to 2^26 - 1 (2^15 - 1 where addresses have 32 bits)
 *
 * Whoever owns the descriptors may be hostile. The lengths are added up once, here; that
 * sum bounds the iterator for good. Later each descriptor is read once, into the
 * iterator, when the cursor comes to it (again, if it is moved back and comes to it
 * anew); what was read is then checked and used, never the list. An address outside the
 * table is a fault when the cursor is there, and so is a list that turns out shorter than
 * its sum. An element may span adjacent ranges.
 *
 * Return: 0; -EINVAL for an unknown direction or no table, -EFAULT for no list,
 * -EOVERFLOW for too many descriptors or lengths that add up to more than SSIZE_MAX.
 * Since: 0.1
 */
DECANT_API int decant_iter_remote(struct decant_iter *it, enum decant_direction direction,
				  const struct decant_window *window,
				  const struct iovec *iov, size_t nr);

DECANT_END
#endif
