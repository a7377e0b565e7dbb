/* SPDX-License-Identifier: MIT */
#ifndef DECANT_COPY_H
#define DECANT_COPY_H
#include <decant/iter.h>

DECANT_BEGIN

/**
 * decant_copy - copy bytes from one iterator into another, cut as they please
 * @dst: destination; advanced by what was copied
 * @src: source; advanced by what was copied
 * @len: most bytes
 *
 * Memory of both sides may be the same byte for byte, else it must not overlap.
 *
 * Return: bytes copied, the least of @len and what each side has; -EINVAL on a wrong
 * direction, -ENXIO if there is no memory at the cursor of either (a hole in a page cache).
 * Since: 0.1
 */
DECANT_API ssize_t decant_copy(struct decant_iter *dst, struct decant_iter *src, size_t len);

/**
 * decant_zero - write zero bytes
 * @dst: destination; advanced by what was written
 * @len: most bytes
 *
 * Return: bytes written; -EINVAL on a wrong direction.
 * Since: 0.1
 */
DECANT_API ssize_t decant_zero(struct decant_iter *dst, size_t len);

/**
 * decant_equal - compare bytes of two sources
 * @a: source; not changed
 * @b: source; not changed
 * @len: bytes to compare
 *
 * Return: 1 if both have @len bytes and these are equal, 0 if not; -EINVAL on a wrong
 * direction.
 * Since: 0.1
 */
DECANT_API int decant_equal(const struct decant_iter *a, const struct decant_iter *b, size_t len);

/**
 * decant_for_each - call a function for every contiguous piece
 * @it: the iterator; advanced by what the function took
 * @len: most bytes
 * @fn: gets a span that is never empty; returns 0 to go on, or a value that ends the walk
 *	before this span is counted as consumed
 * @user: handed to @fn
 *
 * Return: bytes walked; if @fn ended the walk at the first span, its value if negative,
 * else 0; -ENXIO if there is no memory at the cursor.
 * Since: 0.1
 */
DECANT_API ssize_t decant_for_each(struct decant_iter *it, size_t len,
				   int (*fn)(void *user, struct decant_span span), void *user);

/**
 * decant_copy_to - copy from an iterator into flat memory
 * @addr: where to
 * @src: source; advanced by what was copied
 * @len: most bytes
 *
 * Return: bytes copied; -EINVAL on a wrong direction, -EFAULT for NULL or a range that
 * wraps, else as decant_copy().
 * Since: 0.1
 */
DECANT_API ssize_t decant_copy_to(void *addr, struct decant_iter *src, size_t len);

/**
 * decant_copy_from - copy from flat memory into an iterator
 * @dst: destination; advanced by what was copied
 * @addr: where from
 * @len: most bytes
 *
 * Return: bytes copied; -EINVAL on a wrong direction, -EFAULT for NULL or a range that
 * wraps, else as decant_copy().
 * Since: 0.1
 */
DECANT_API ssize_t decant_copy_from(struct decant_iter *dst, const void *addr, size_t len);

DECANT_END
#endif
