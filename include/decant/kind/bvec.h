/* SPDX-License-Identifier: MIT */
/* kind bvec: an array of spans that name their owners. */
#ifdef DECANT_KIND
DECANT_KIND(BVEC, bvec)
#else
#include <decant/kind/ends.h>

static inline struct decant_span decant_bvec_peek(const struct decant_iter *it)
{
	const struct decant_bvec *bv = it->at.bvec;
	unsigned char *base = (unsigned char *)bv->addr;

	return (struct decant_span){base + it->offset, decant_vector_left(it),
				    bv->region};
}

static inline void decant_bvec_advance(struct decant_iter *it, size_t n)
{
	decant_vector_advance(it, n, sizeof(struct decant_bvec));
}

static inline void decant_bvec_retreat(struct decant_iter *it, size_t n)
{
	decant_vector_retreat(it, n, sizeof(struct decant_bvec));
}

static inline void decant_bvec_mark(struct decant_iter *it)
{
	decant_ends_mark(it, sizeof(struct decant_bvec));
}

static inline int decant_bvec_build(struct decant_iter *it,
				    enum decant_direction direction,
				    const struct decant_span *spans, size_t nr,
				    void *room)
{
	struct decant_bvec *bvec = (struct decant_bvec *)room;

	for (size_t i = 0; i < nr; i++)
		bvec[i] = (struct decant_bvec){spans[i].addr, spans[i].len,
					       spans[i].region};
	return decant_iter_bvec(it, direction, bvec, nr);
}

static const struct decant_kind decant_bvec_kind = {
	.name = "bvec",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_bvec_peek,
	.advance = decant_bvec_advance,
	.retreat = decant_bvec_retreat,
	.truncate = decant_ends_truncate,
	.mark = decant_bvec_mark,
	.end = decant_ends_go,
	.build = decant_bvec_build,
	.array = sizeof(struct decant_bvec),
	.room_each = sizeof(struct decant_bvec),
};
#endif
