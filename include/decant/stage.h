/* SPDX-License-Identifier: MIT */
#ifndef DECANT_STAGE_H
#define DECANT_STAGE_H
#include <decant/iter.h>

DECANT_BEGIN

/**
 * struct decant_staged - a piece that went through the stage
 * @iter: where it belongs: at its first byte
 * @offset: where it lies in the stage
 * @at: where it lies in the request, in bytes from its beginning
 * @len: bytes
 *
 * Since: 0.1
 */
struct decant_staged {
	struct decant_iter iter;
	size_t offset;
	size_t at;
	size_t len;
};

/**
 * struct decant_stage - scratch memory for pieces that can't go to the device directly
 * @memory: the scratch memory
 * @records: room for the pieces
 * @max: how many records fit
 * @used: bytes of the scratch memory in use
 * @nr: records in use
 * @bytes: bytes of the caller's that were staged
 * @next: how the iterator stood behind the newest piece; the library's own
 *
 * Source bytes are copied in when they are taken. Destination bytes are copied out by
 * decant_stage_scatter() when the device is done; until then the lists behind the
 * iterator must stay: that is what owned iterators are for.
 *
 * Since: 0.1
 */
struct decant_stage {
	struct decant_span memory;
	struct decant_staged *records;
	size_t max;
	size_t used;
	size_t nr;
	size_t bytes;
	struct decant_iter next;
};

/**
 * decant_stage_init - begin an empty stage
 * @stage: filled
 * @memory: the scratch memory; borrowed. Align it as the device wants.
 * @records: room for the records; borrowed
 * @max: how many fit
 *
 * Since: 0.1
 */
DECANT_API void decant_stage_init(struct decant_stage *stage, struct decant_span memory,
				  struct decant_staged *records, size_t max);

/**
 * decant_stage_take - send bytes of an iterator through the stage
 * @stage: the stage
 * @it: the iterator; advanced by @len. Source bytes are copied in now.
 * @len: bytes
 * @align: a power of two: the piece starts on a multiple of it; 0 or 1 for none, right
 *	behind the one before
 * @at: where the piece lies in the request
 * @out: receives the piece of scratch memory, adjacent to the one before where possible
 *
 * Return: 0; -ENOSPC, and nothing changed, if memory or records don't suffice; -EINVAL if
 * fewer than @len bytes are left; -EFAULT or -ENXIO, and nothing changed, if a source's
 * bytes can't be read.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_stage_take(struct decant_stage *stage,
					     struct decant_iter *it, size_t len,
					     size_t align, size_t at,
					     struct decant_span *out);

/**
 * decant_stage_pad - scratch bytes that belong to nobody
 * @stage: the stage
 * @len: bytes
 * @align: as in decant_stage_take()
 * @out: receives the piece
 *
 * For what a device transfers beyond what the caller asked for: the head of a first
 * block, the tail of a last one.
 *
 * Return: 0; -ENOSPC, and nothing changed.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_stage_pad(struct decant_stage *stage, size_t len,
					    size_t align, struct decant_span *out);

/**
 * decant_stage_scatter - copy what arrived to where it belongs
 * @stage: the stage; its records are for destinations
 * @done: how many bytes of the request arrived
 *
 * Return: bytes copied out; fewer than were staged of @done if a place can't be written
 * to any more.
 * Since: 0.1
 */
DECANT_API size_t decant_stage_scatter(struct decant_stage *stage, size_t done);

/**
 * decant_stage_reset - empty a stage
 * @stage: the stage; memory and records stay
 *
 * Since: 0.1
 */
DECANT_API void decant_stage_reset(struct decant_stage *stage);

DECANT_END
#endif
