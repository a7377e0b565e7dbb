/* SPDX-License-Identifier: MIT */
#ifndef DECANT_COPY_H
#define DECANT_COPY_H
#include <decant/extract.h>

DECANT_BEGIN

/**
 * decant_copy - copy bytes from one iterator into another, cut as they please
 * @dst: destination; advanced by what was copied
 * @src: source; advanced by what was copied
 * @len: most bytes
 *
 * Memory of both sides may be the same byte for byte, else it must not overlap.
 *
 * Return: bytes copied, the least of @len and what each side has, or fewer if what
 * follows can't be had; -EINVAL on a wrong direction; if nothing was copied, -ENXIO for a
 * hole in a page cache, -EFAULT, or what another process's memory gave (-ESRCH, -EPERM).
 * Since: 0.1
 */
DECANT_API ssize_t decant_copy(struct decant_iter *dst, struct decant_iter *src,
			       size_t len);

/**
 * decant_zero - write zero bytes
 * @dst: destination; advanced by what was written
 * @len: most bytes
 *
 * Return: as decant_copy().
 * Since: 0.1
 */
DECANT_API ssize_t decant_zero(struct decant_iter *dst, size_t len);

/**
 * decant_fill - write one byte over and over
 * @dst: destination; advanced by what was written
 * @byte: the byte
 * @len: most bytes
 *
 * Return: as decant_copy().
 * Since: 0.1
 */
DECANT_API ssize_t decant_fill(struct decant_iter *dst, unsigned char byte, size_t len);

/**
 * decant_equal - compare bytes of two sources
 * @a: source; not changed
 * @b: source; not changed
 * @len: bytes to compare
 *
 * Return: 1 if both have @len bytes and these are equal, 0 if not; -EINVAL on a wrong
 * direction; another negative errno if a byte that matters can't be had.
 * Since: 0.1
 */
DECANT_API int decant_equal(const struct decant_iter *a, const struct decant_iter *b,
			    size_t len);

/**
 * decant_equal_ct - the same in a time that does not depend on the bytes
 * @a: source; not changed
 * @b: source; not changed
 * @len: bytes to compare
 *
 * For tags and passwords. The cut still shows in the time.
 *
 * Return: as decant_equal().
 * Since: 0.1
 */
DECANT_API int decant_equal_ct(const struct decant_iter *a, const struct decant_iter *b,
			       size_t len);

/**
 * decant_for_each - call a function for every contiguous piece
 * @it: the iterator; advanced by what the function took
 * @len: most bytes
 * @fn: gets a span that is never empty and stays valid until it returns; returns 0 to go
 *	on, or a value that ends the walk before this span is counted as consumed
 * @user: handed to @fn
 *
 * Return: bytes walked; if @fn ended the walk at the first span, its value if negative,
 * else 0; -ENXIO or -EFAULT if the first byte can't be had or not be pointed at.
 * Since: 0.1
 */
DECANT_API ssize_t decant_for_each(struct decant_iter *it, size_t len,
				   int (*fn)(void *user, struct decant_span span),
				   void *user);

/**
 * decant_copy_to - copy from an iterator into flat memory
 * @addr: where to
 * @src: source; advanced by what was copied
 * @len: most bytes
 *
 * Return: as decant_copy(); -EFAULT also for NULL or a range that wraps.
 * Since: 0.1
 */
DECANT_API ssize_t decant_copy_to(void *addr, struct decant_iter *src, size_t len);

/**
 * decant_copy_from - copy from flat memory into an iterator
 * @dst: destination; advanced by what was copied
 * @addr: where from
 * @len: most bytes
 *
 * Return: as decant_copy(); -EFAULT also for NULL or a range that wraps.
 * Since: 0.1
 */
DECANT_API ssize_t decant_copy_from(struct decant_iter *dst, const void *addr,
				    size_t len);

/**
 * decant_iter_elements - how many elements the rest of an iterator would be
 * @it: the iterator; not changed
 * @limits: a device's limits, NULL for none
 *
 * For sizing tables.
 *
 * Return: elements; a negative errno if an extraction under these limits would not take
 * everything, as decant_extract_all().
 * Since: 0.1
 */
DECANT_API ssize_t decant_iter_elements(const struct decant_iter *it,
					const struct decant_limits *limits);

/**
 * decant_iter_alignment - how well the rest of an iterator is aligned
 * @it: the iterator; not changed
 *
 * Spans that continue one another count as one, so that the answer does not depend on the
 * cut. Of bytes that can't be pointed at only the number counts.
 *
 * Return: the largest power of two that divides every address and length; 0 if nothing is
 * left, 1 if some of it can't be had.
 * Since: 0.1
 */
DECANT_API size_t decant_iter_alignment(const struct decant_iter *it);

DECANT_END
#endif
