/* SPDX-License-Identifier: MIT */
/*
 * kind chain: iterators in a row. word[0] is the current part, word[1] how much of it is
 * consumed; the fields that a part's kind moves (offset, at, word[2], extra) are those of
 * that part's cursor. The parts themselves are never written to.
 */
#ifdef DECANT_KIND
DECANT_KIND(CHAIN, chain)
#else
#include <decant/iter.h>

/* chain.c */
struct decant_span decant_chain_peek(const struct decant_iter *it);
void decant_chain_advance(struct decant_iter *it, size_t n);
void decant_chain_retreat(struct decant_iter *it, size_t n);
void decant_chain_put(const struct decant_iter *it, const struct decant_span *span);
ssize_t decant_chain_move(const struct decant_iter *it, const struct iovec *local,
			  size_t nr);
int decant_chain_build(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_span *spans, size_t nr, void *room);

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
