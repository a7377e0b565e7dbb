/* SPDX-License-Identifier: MIT */
/* kind discard: a destination that forgets. */
#ifdef DECANT_KIND
DECANT_KIND(DISCARD, discard)
#else
#include <decant/kind/endless.h>

static inline int decant_discard_build(struct decant_iter *it,
				       enum decant_direction direction,
				       const struct decant_span *spans, size_t nr,
				       void *room)
{
	(void)room;
	if (direction != DECANT_DEST)
		return -ENOTSUP;
	return decant_iter_discard(it, decant_endless_sum(spans, nr));
}

#define decant_discard_peek    decant_endless_peek
#define decant_discard_advance decant_endless_move
#define decant_discard_retreat decant_endless_move

static const struct decant_kind decant_discard_kind = {
	.name = "discard",
	.bytes = DECANT_BYTES_NONE,
	.peek = decant_discard_peek,
	.advance = decant_discard_advance,
	.retreat = decant_discard_retreat,
	.build = decant_discard_build,
};
#endif
