/* SPDX-License-Identifier: MIT */
/*
 * kind custom: callbacks. word[0] is their table, word[1] their state, offset the
 * position and word[2] their word for it.
 */
#ifdef DECANT_KIND
DECANT_KIND(CUSTOM, custom)
#else
#include <decant/custom.h>

static inline const struct decant_iter_ops *
decant_custom_ops(const struct decant_iter *it)
{
	return (const struct decant_iter_ops *)it->word[0];
}

static inline struct decant_place decant_custom_place(const struct decant_iter *it)
{
	return (struct decant_place){it->offset, it->count, it->word[2]};
}

static inline struct decant_span decant_custom_peek(const struct decant_iter *it)
{
	struct decant_place place = decant_custom_place(it);
	struct decant_span span =
		decant_custom_ops(it)->peek((void *)it->word[1], &place);

	span.len = span.len < it->count ? span.len : it->count;
	return span;
}

static inline void decant_custom_advance(struct decant_iter *it, size_t n)
{
	struct decant_place place = decant_custom_place(it);

	place.left += n; /* as it still stands */
	if (decant_custom_ops(it)->advance)
		decant_custom_ops(it)->advance((void *)it->word[1], &place, n);
	it->offset += n;
	it->word[2] = place.word;
}

static inline void decant_custom_retreat(struct decant_iter *it, size_t n)
{
	struct decant_place place = decant_custom_place(it);

	place.left -= n;
	if (decant_custom_ops(it)->retreat)
		decant_custom_ops(it)->retreat((void *)it->word[1], &place, n);
	it->offset -= n;
	it->word[2] = place.word;
}

static inline void decant_custom_put(const struct decant_iter *it,
				     const struct decant_span *span)
{
	struct decant_place place = decant_custom_place(it);

	if (decant_custom_ops(it)->put)
		decant_custom_ops(it)->put((void *)it->word[1], &place, span);
}

static inline ssize_t decant_custom_move(const struct decant_iter *it,
					 const struct iovec *local, size_t nr)
{
	struct decant_place place = decant_custom_place(it);

	if (!decant_custom_ops(it)->move)
		return -EFAULT;
	return decant_custom_ops(it)->move((void *)it->word[1], &place, local, nr);
}

/* custom.c: callbacks over a table of the spans. */
struct decant_custom_entry {
	struct decant_span span;
	size_t begin;
};

struct decant_custom_table {
	size_t nr;
	struct decant_custom_entry *entries;
};

int decant_custom_build(struct decant_iter *it, enum decant_direction direction,
			const struct decant_span *spans, size_t nr, void *room);

static const struct decant_kind decant_custom_kind = {
	.name = "custom",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_custom_peek,
	.advance = decant_custom_advance,
	.retreat = decant_custom_retreat,
	.put = decant_custom_put,
	.move = decant_custom_move,
	.build = decant_custom_build,
	.room_base = sizeof(struct decant_custom_table),
	.room_each = sizeof(struct decant_custom_entry),
};
#endif
