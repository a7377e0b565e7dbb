/* SPDX-License-Identifier: MIT */
#ifndef DECANT_EXTRACT_H
#define DECANT_EXTRACT_H
#include <decant/sink.h>

DECANT_BEGIN

/**
 * decant_extract - turn what an iterator describes into what a device takes
 * @from: the iterator; advanced by exactly the bytes that were taken, also on failure
 * @into: the sink; elements are added behind what is there
 * @len: most bytes to take; asking for more than there is is normal
 *
 * The common core: limits are obeyed, adjacent spans of one owner merge, owners are
 * looked up and held. @into->stop says why it went no further.
 *
 * Return: bytes taken. 0 only if nothing was asked for or nothing is left. When nothing
 * could be taken: -ENOSPC (full, limit), -ENXIO (hole), -EFAULT, -ENOKEY (unregistered),
 * -EINVAL (alignment, or limits that can't be met), -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_extract(struct decant_iter *from,
					      struct decant_sink *into, size_t len);

/**
 * decant_extract_all - the same, everything or nothing
 * @from: the iterator; unchanged on error
 * @into: the sink; on error unchanged but for @into->stop, and so is its hold
 * @len: bytes to take, or all that is left if that is less
 *
 * Return: bytes taken, the lesser of @len and what was left; else as decant_extract().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_extract_all(struct decant_iter *from,
						  struct decant_sink *into, size_t len);

DECANT_END
#endif
