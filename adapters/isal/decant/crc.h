/* SPDX-License-Identifier: MIT */
#ifndef DECANT_CRC_H
#define DECANT_CRC_H
/*
 * crc.h - CRC-32C (RFC 3720, appendix B.4: iSCSI, NVMe, ext4, SCTP) over iterators, by
 * ISA-L, which takes the CPU's instructions where there are any.
 */
#include <decant/decant.h>

DECANT_BEGIN

/**
 * decant_crc32c - checksum of the next bytes of an iterator
 * @it: a source; advanced by exactly the bytes that went into @crc
 * @len: most bytes; any number of them
 * @crc: 0 to begin with, or the CRC of what came before; receives the CRC of that and of
 *	these bytes
 *
 * The result does not depend on how the bytes are cut. It is the finished CRC, with the
 * inversions that RFC 3720 wants at both ends already made: one call over two halves
 * after the other gives the same as one over the whole. Pieces below 768 bytes that are
 * no neighbours are gathered on the stack first: a call of ISA-L costs as much as several
 * hundred bytes.
 *
 * Return: bytes, the lesser of @len and what is left, or fewer if what follows can't be
 * had. -EINVAL, and nothing changed, for a destination; if not even the first byte could
 * be had, the error that decant_copy() returns then.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_crc32c(struct decant_iter *it, size_t len,
					     uint32_t *crc);

/**
 * decant_digest_crc32c - CRC-32C as a digest
 * @digest: filled; decant_digest_fini() is not needed
 *
 * For decant_digest_copy(), say. The result is a uint32_t.
 *
 * Since: 0.1
 */
DECANT_API void decant_digest_crc32c(struct decant_digest *digest);

DECANT_END
#endif
