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
 * could be taken: -ENOSPC (full, limit), -ENXIO (hole), -EFAULT, -ENOKEY (unregistered;
 * with DECANT_REGISTER what the domain said, as in @into->error), -EINVAL (alignment, or
 * limits that can't be met), -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_extract(struct decant_iter *from,
					      struct decant_sink *into, size_t len);

/**
 * decant_extract_all - the same, everything or nothing
 * @from: the iterator; unchanged on error
 * @into: the sink; on error unchanged but for @into->stop and @into->error, and so is its
 *	hold
 * @len: bytes to take, or all that is left if that is less
 *
 * Return: bytes taken, the lesser of @len and what was left; else as decant_extract().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_extract_all(struct decant_iter *from,
						  struct decant_sink *into, size_t len);

/**
 * decant_extract_requests - the same for many requests to the device, in one walk
 * @from: the iterator; advanced by exactly the bytes that were taken, also on failure
 * @into: the sink: iovec, bvec, sge, dma or count; its limits are those of one request
 * @len: most bytes to take; asking for more than there is is normal
 * @ends: filled: for each request the number of elements in the sink up to its end; the
 *	first one begins where the sink ended before
 * @max_requests: requests that fit into @ends
 *
 * What comes out is what decant_extract() gives when it is called again and again and the
 * sink's count of elements and bytes begins anew each time, for much less: a request ends
 * with limits.max_bytes, with limits.max_elements or where another rule lets it go no
 * further. No element belongs to two requests. When @ends or the table is full the last
 * request may be shorter than it could be, and @into->stop says which it was.
 *
 * Return: the number of requests. 0 only if nothing was asked for or nothing is left.
 * When nothing could be taken, an error as from decant_extract(); -ENOSPC as well if
 * @max_requests is 0, -EINVAL as well for a sink that describes a single request (prp,
 * nvme_sgl, sglist).
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_extract_requests(struct decant_iter *from,
						       struct decant_sink *into,
						       size_t len, size_t *ends,
						       size_t max_requests);

DECANT_END
#endif
