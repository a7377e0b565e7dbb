/* SPDX-License-Identifier: MIT */
#ifndef DECANT_REGISTRY_H
#define DECANT_REGISTRY_H
#include <decant/extract.h>

DECANT_BEGIN

/**
 * enum decant_kind_bytes - what the bytes of a kind are
 * @DECANT_BYTES_MEMORY: those of the spans it was built from
 * @DECANT_BYTES_COPIED: the same, but they can't be pointed at, only copied
 * @DECANT_BYTES_ZERO: zeroes
 * @DECANT_BYTES_NONE: forgotten
 *
 * Since: 0.1
 */
enum decant_kind_bytes {
	DECANT_BYTES_MEMORY,
	DECANT_BYTES_COPIED,
	DECANT_BYTES_ZERO,
	DECANT_BYTES_NONE
};

/**
 * struct decant_kind - what a kind must know: one file, one constant
 * @name: as in the registry
 * @bytes: what its bytes are
 * @peek: the next contiguous span; only called with bytes left. An empty span says with
 *	decant_span_stop() why the next byte can't be had; one with bytes at NULL can only
 *	be copied.
 * @advance: move ahead by at most what is left; can't fail
 * @retreat: move back by at most what was consumed; can't fail
 * @put: NULL, or: a span with a region that @peek gave at this place is used no more
 * @move: NULL, or: copy bytes at the cursor that can't be pointed at into (a source) or
 *	out of (a destination) @local, without moving the cursor; at most what is left.
 *	Bytes copied, at least 1, or a negative errno.
 * @ahead: NULL, or: how many bytes are ahead now, if that changes by itself
 * @behind: NULL, or: how many bytes revert may give back, if that changes by itself
 * @truncate: NULL, or: what must be noted when at most @n bytes shall stay ahead; count
 *	is still what it was
 * @mark: NULL, or: note in words 1 and 2, which only this and @truncate change, what @end
 *	needs; may walk there
 * @end: NULL, or: stand behind the last byte, in fewer steps than a walk there takes;
 *	false, and nothing changed, if it can't. count and consumed are up to date.
 * @build: begin an iterator over the same bytes as a list of spans, with lists, where it
 *	needs any, in @room: @room_base and @nr times @room_each bytes, aligned for any
 *	type. -ENOTSUP if the kind can't describe them or has no such direction.
 * @room_base: bytes of @room in any case
 * @room_each: bytes of @room for each span
 * @array: 0, or: at.any is the current element of an array of so many bytes each, which
 *	are struct iovec or struct decant_bvec; offset counts in that element
 *
 * Of the iterator, a kind moves offset, at, word[2] and extra only; word[0] and word[1]
 * stay as they were made, and count and consumed are brought up to date before @advance
 * and
 * @retreat. So a chain can keep the cursor of the part it stands in.
 *
 * Since: 0.1
 */
struct decant_kind {
	const char *name;
	enum decant_kind_bytes bytes;
	struct decant_span (*peek)(const struct decant_iter *it);
	void (*advance)(struct decant_iter *it, size_t n);
	void (*retreat)(struct decant_iter *it, size_t n);
	void (*put)(const struct decant_iter *it, const struct decant_span *span);
	ssize_t (*move)(const struct decant_iter *it, const struct iovec *local,
			size_t nr);
	size_t (*ahead)(const struct decant_iter *it);
	size_t (*behind)(const struct decant_iter *it);
	void (*truncate)(struct decant_iter *it, size_t n);
	void (*mark)(struct decant_iter *it);
	bool (*end)(struct decant_iter *it);
	int (*build)(struct decant_iter *it, enum decant_direction direction,
		     const struct decant_span *spans, size_t nr, void *room);
	size_t room_base;
	size_t room_each;
	size_t array;
};

/**
 * decant_kind_get - a kind of the registry
 * @id: enum decant_kind_id
 *
 * Return: the kind; NULL beyond the last.
 * Since: 0.1
 */
DECANT_API const struct decant_kind *decant_kind_get(unsigned id);

/**
 * decant_sink_get - a sink of the registry
 * @index: from 0
 *
 * Return: the sink's functions; NULL beyond the last.
 * Since: 0.1
 */
DECANT_API const struct decant_sink_ops *decant_sink_get(unsigned index);

DECANT_END
#endif
