/* SPDX-License-Identifier: MIT */
/* kind iovec: an array of struct iovec, as readv(2) takes it. */
#ifdef DECANT_KIND
DECANT_KIND(IOVEC, iovec)
#else
#include <decant/kind/ends.h>

static inline struct decant_span decant_iovec_peek(const struct decant_iter *it)
{
	unsigned char *base = (unsigned char *)it->at.iov->iov_base;

	return (struct decant_span){base + it->offset, decant_vector_left(it), NULL};
}

static inline void decant_iovec_advance(struct decant_iter *it, size_t n)
{
	decant_vector_advance(it, n, sizeof(struct iovec));
}

static inline void decant_iovec_retreat(struct decant_iter *it, size_t n)
{
	decant_vector_retreat(it, n, sizeof(struct iovec));
}

static inline void decant_iovec_mark(struct decant_iter *it)
{
	decant_ends_mark(it, sizeof(struct iovec));
}

static inline int decant_iovec_build(struct decant_iter *it,
				     enum decant_direction direction,
				     const struct decant_span *spans, size_t nr,
				     void *room)
{
	struct iovec *iov = (struct iovec *)room;

	for (size_t i = 0; i < nr; i++)
		iov[i] = (struct iovec){spans[i].addr, spans[i].len};
	return decant_iter_iovec(it, direction, iov, nr);
}

static const struct decant_kind decant_iovec_kind = {
	.name = "iovec",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_iovec_peek,
	.advance = decant_iovec_advance,
	.retreat = decant_iovec_retreat,
	.truncate = decant_ends_truncate,
	.mark = decant_iovec_mark,
	.end = decant_ends_go,
	.build = decant_iovec_build,
	.array = sizeof(struct iovec),
	.room_each = sizeof(struct iovec),
};
#endif
