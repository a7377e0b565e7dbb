/* SPDX-License-Identifier: MIT */
/*
 * kind buf: one contiguous buffer. at.addr is its first byte, offset the position in it.
 */
#ifdef DECANT_KIND
DECANT_KIND(BUF, buf)
#else

static inline struct decant_span decant_buf_peek(const struct decant_iter *it)
{
	unsigned char *base = (unsigned char *)it->at.addr;

	return (struct decant_span){base + it->offset, it->count, NULL};
}

static inline void decant_buf_advance(struct decant_iter *it, size_t n)
{
	it->offset += n;
}

static inline void decant_buf_retreat(struct decant_iter *it, size_t n)
{
	it->offset -= n;
}

/* Spans that continue one another are one buffer; anything else isn't. */
static inline int decant_buf_build(struct decant_iter *it,
				   enum decant_direction direction,
				   const struct decant_span *spans, size_t nr, void *room)
{
	unsigned char *base = NULL, *end = NULL;

	(void)room;
	for (size_t i = 0; i < nr; i++) {
		if (!spans[i].len)
			continue;
		if (base && end != spans[i].addr)
			return -ENOTSUP;
		if (!base)
			base = (unsigned char *)spans[i].addr;
		end = (unsigned char *)spans[i].addr + spans[i].len;
	}
	return decant_iter_buf(it, direction, base, (size_t)(end - base));
}

static const struct decant_kind decant_buf_kind = {
	.name = "buf",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_buf_peek,
	.advance = decant_buf_advance,
	.retreat = decant_buf_retreat,
	.build = decant_buf_build,
};
#endif
