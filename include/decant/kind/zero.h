/* SPDX-License-Identifier: MIT */
/* kind zero: a source of zero bytes. */
#ifdef DECANT_KIND
DECANT_KIND(ZERO, zero)
#else
#include <decant/kind/endless.h>

static inline int decant_zero_build(struct decant_iter *it,
				    enum decant_direction direction,
				    const struct decant_span *spans, size_t nr,
				    void *room)
{
	(void)room;
	if (direction != DECANT_SOURCE)
		return -ENOTSUP;
	return decant_iter_zero(it, decant_endless_sum(spans, nr));
}

#define decant_zero_peek    decant_endless_peek
#define decant_zero_advance decant_endless_move
#define decant_zero_retreat decant_endless_move

static const struct decant_kind decant_zero_kind = {
	.name = "zero",
	.bytes = DECANT_BYTES_ZERO,
	.peek = decant_zero_peek,
	.advance = decant_zero_advance,
	.retreat = decant_zero_retreat,
	.build = decant_zero_build,
};
#endif
