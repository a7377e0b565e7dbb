/* SPDX-License-Identifier: MIT */
/*
 * kind strided: blocks of one size at one distance. at.addr is the current block, offset
 * the position in it, word[0] the size and word[1] the distance. Any movement is one
 * division at most.
 */
#ifdef DECANT_KIND
DECANT_KIND(STRIDED, strided)
#else
#include <decant/kind/runs.h>

static inline struct decant_span decant_strided_peek(const struct decant_iter *it)
{
	size_t left = it->word[0] - it->offset;

	return (struct decant_span){(unsigned char *)it->at.addr + it->offset,
				    left < it->count ? left : it->count, NULL};
}

/* As a number: behind the last block there may be no more addresses. */
static inline void decant_strided_to(struct decant_iter *it, size_t blocks, size_t offset)
{
	it->at.addr = (void *)((uintptr_t)it->at.addr + blocks * it->word[1]);
	it->offset = offset;
}

static inline void decant_strided_advance(struct decant_iter *it, size_t n)
{
	size_t block = it->word[0];

	n += it->offset;
	if (n < block)
		it->offset = n;
	else if (n < 2 * block)
		decant_strided_to(it, 1, n - block);
	else
		decant_strided_to(it, n / block, n % block);
}

static inline void decant_strided_retreat(struct decant_iter *it, size_t n)
{
	size_t block = it->word[0], blocks;

	if (n <= it->offset) {
		it->offset -= n;
		return;
	}
	n -= it->offset;
	blocks = (n - 1) / block + 1;
	decant_strided_to(it, -blocks, blocks * block - n);
}

/* Runs of one length at one distance. */
static inline int decant_strided_build(struct decant_iter *it,
				       enum decant_direction direction,
				       const struct decant_span *spans, size_t nr,
				       void *room)
{
	struct decant_span run, first = {0};
	uintptr_t before = 0, stride = 0;
	size_t at = 0, blocks = 0;

	(void)room;
	while (decant_next_run(spans, nr, &at, &run)) {
		if (!blocks)
			first = run;
		else if (blocks == 1)
			stride = (uintptr_t)run.addr - before;
		if (run.len != first.len ||
		    (blocks && (uintptr_t)run.addr - before != stride))
			return -ENOTSUP;
		before = (uintptr_t)run.addr;
		blocks++;
	}
	if (blocks > 1 && (stride < first.len || stride >> (8 * sizeof(stride) - 1)))
		return -ENOTSUP;
	return decant_iter_strided(it, direction, first.addr, first.len,
				   blocks > 1 ? stride : first.len, blocks);
}

static const struct decant_kind decant_strided_kind = {
	.name = "strided",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_strided_peek,
	.advance = decant_strided_advance,
	.retreat = decant_strided_retreat,
	.build = decant_strided_build,
};
#endif
