/* SPDX-License-Identifier: MIT */
#ifndef DECANT_PAGES_H
#define DECANT_PAGES_H
#include <decant/iter.h>

DECANT_BEGIN

/**
 * struct decant_pages - a page cache
 * @page_bytes: what one index stands for; a power of two
 * @find: give the page that holds index @index, with a reference to its region. Pages are
 *	a power of two long, at least @page_bytes, and begin at a multiple of their own
 *	length; they may differ in size. Without a region, the page must stay by itself.
 *	0, -ENXIO for a hole, or another negative errno.
 * @user: handed to @find
 *
 * The library gives the reference back with decant_region_put() as soon as it does not
 * need the page any more; what an extraction took is referenced by the sink's hold from
 * then on. Without a hold, nothing but the cache itself keeps the pages that were
 * extracted.
 * @find runs inside every verb and inside extractions: it must not change a space.
 *
 * Since: 0.1
 */
struct decant_pages {
	size_t page_bytes;
	int (*find)(void *user, uint64_t index, struct decant_span *page);
	void *user;
};

/**
 * decant_iter_pages - iterate over a range of a page cache
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @pages: the cache; borrowed
 * @pos: first byte, counted from the cache's beginning
 * @len: bytes
 *
 * No page is looked up before it is needed. A hole stops a walk before it, and nothing
 * from behind it is given: seek across it to go on.
 *
 * Return: 0; -EINVAL for an unknown direction or a bad @pages, -EOVERFLOW if the range
 * wraps or is longer than SSIZE_MAX.
 * Since: 0.1
 */
DECANT_API int decant_iter_pages(struct decant_iter *it, enum decant_direction direction,
				 const struct decant_pages *pages, uint64_t pos,
				 size_t len);

DECANT_END
#endif
