/* SPDX-License-Identifier: MIT */
#ifndef DECANT_CUSTOM_H
#define DECANT_CUSTOM_H
#include <decant/iter.h>

DECANT_BEGIN

/**
 * struct decant_place - where a custom iterator stands
 * @pos: bytes from the beginning
 * @left: bytes ahead
 * @word: the callbacks' own, 0 at the beginning: a hint that makes finding @pos quick,
 *	such as an index or a pointer. It is copied with the iterator.
 *
 * Since: 0.1
 */
struct decant_place {
	size_t pos;
	size_t left;
	uintptr_t word;
};

/**
 * struct decant_iter_ops - what a custom kind can do
 * @size: sizeof(struct decant_iter_ops)
 * @peek: the next contiguous bytes at @place, of which there are some; more than
 *	@place->left is cut off. decant_span_stop() if the next byte can't be had; NULL
 *	with a length if it can only be moved.
 * @advance: NULL, or: bring @place->word up to date before the cursor moves ahead by @n
 * @retreat: NULL, or: the same before it moves back by @n
 * @put: NULL, or: @span, which names a region, was given by @peek at @place and is used
 *	no more. With it, the region's reference that @peek takes can be given back here;
 *	without it, the region is borrowed.
 * @move: NULL, or: copy bytes at @place that can't be pointed at into @local (the
 *	iterator is a source) or out of it (a destination), at most @place->left. Bytes,
 *	or a negative errno if there are none.
 *
 * An iterator is a value: many copies stand at different places at a time, and what one
 * does must not show in another. So @state describes the bytes, and the place is all that
 * moves. The callbacks run inside every verb and inside extractions: they must not change
 * a space.
 *
 * Since: 0.1
 */
struct decant_iter_ops {
	size_t size;
	struct decant_span (*peek)(void *state, const struct decant_place *place);
	void (*advance)(void *state, struct decant_place *place, size_t n);
	void (*retreat)(void *state, struct decant_place *place, size_t n);
	void (*put)(void *state, const struct decant_place *place,
		    const struct decant_span *span);
	ssize_t (*move)(void *state, const struct decant_place *place,
			const struct iovec *local, size_t nr);
};

/**
 * decant_iter_custom - iterate over what callbacks describe
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @ops: the callbacks; borrowed
 * @state: handed to them; borrowed
 * @len: bytes
 *
 * Return: 0; -EINVAL for an unknown direction, an unknown size of @ops or one without
 * peek, -EOVERFLOW for more than SSIZE_MAX bytes.
 * Since: 0.1
 */
DECANT_API int decant_iter_custom(struct decant_iter *it, enum decant_direction direction,
				  const struct decant_iter_ops *ops, void *state,
				  size_t len);

DECANT_END
#endif
