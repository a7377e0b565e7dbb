/* SPDX-License-Identifier: MIT */
/*
 * kind chain: iterators in a row. word[0] is the current part, word[1] how much of it is
 * consumed; the fields that a part's kind moves (offset, at, word[2], extra) are those of
 * that part's cursor. The parts themselves are never written to.
 *
 * Most parts are arrays, which need no more than what is here; chain.c has the others.
 */
#ifdef DECANT_KIND
DECANT_KIND(CHAIN, chain)
#else
#include <decant/kind/vector.h>

/* chain.c */
struct decant_span decant_chain_peek_any(const struct decant_iter *it);
void decant_chain_advance_any(struct decant_iter *it, size_t n);
void decant_chain_put_any(const struct decant_iter *it, const struct decant_span *span);
void decant_chain_retreat(struct decant_iter *it, size_t n);
ssize_t decant_chain_move(const struct decant_iter *it, const struct iovec *local,
			  size_t nr);
int decant_chain_build(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_span *spans, size_t nr, void *room);

static inline const struct decant_iter *decant_chain_part(const struct decant_iter *it)
{
	return (const struct decant_iter *)it->word[0];
}

/* Bytes of the current part that are not consumed. */
static inline size_t decant_chain_left(const struct decant_iter *it)
{
	return decant_chain_part(it)->count - it->word[1];
}

static inline bool decant_chain_in_array(const struct decant_iter *it)
{
	unsigned kind = decant_chain_part(it)->kind;

	return kind == DECANT_KIND_IOVEC || kind == DECANT_KIND_BVEC;
}

/* What an array's functions want to know of the cursor in one. */
static inline struct decant_iter decant_chain_array(const struct decant_iter *it,
						    size_t left)
{
	return (struct decant_iter){
		.count = left, .offset = it->offset, .at.any = it->at.any};
}

static inline struct decant_span decant_chain_peek(const struct decant_iter *it)
{
	size_t left = decant_chain_left(it);
	struct decant_iter array =
		decant_chain_array(it, left < it->count ? left : it->count);
	const struct decant_bvec *bv = it->at.bvec;
	bool owned = decant_chain_part(it)->kind == DECANT_KIND_BVEC;

	if (!decant_chain_in_array(it))
		return decant_chain_peek_any(it);
	return (struct decant_span){(unsigned char *)bv->addr + it->offset,
				    decant_vector_left(&array),
				    owned ? bv->region : NULL};
}

static inline void decant_chain_advance(struct decant_iter *it, size_t n)
{
	size_t left = decant_chain_left(it);
	struct decant_iter array = decant_chain_array(it, left - n);

	if (n >= left || !decant_chain_in_array(it)) {
		decant_chain_advance_any(it, n);
		return;
	}
	if (decant_chain_part(it)->kind == DECANT_KIND_IOVEC)
		decant_vector_advance(&array, n, sizeof(struct iovec));
	else
		decant_vector_advance(&array, n, sizeof(struct decant_bvec));
	it->at = array.at;
	it->offset = array.offset;
	it->word[1] += n;
}

static inline void decant_chain_put(const struct decant_iter *it,
				    const struct decant_span *span)
{
	if (!decant_chain_in_array(it))
		decant_chain_put_any(it, span);
}

/* Room for a part and an element of its list. */
struct decant_chain_room {
	struct decant_iter part;
	struct decant_bvec bvec;
};

static const struct decant_kind decant_chain_kind = {
	.name = "chain",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_chain_peek,
	.advance = decant_chain_advance,
	.retreat = decant_chain_retreat,
	.put = decant_chain_put,
	.move = decant_chain_move,
	.build = decant_chain_build,
	.room_each = sizeof(struct decant_chain_room),
};
#endif
