/* SPDX-License-Identifier: MIT */
#ifndef BENCH_CRYPTO_H
#define BENCH_CRYPTO_H
/* crypto.h - a text in pieces on both sides, cut differently, for the benchmarks. */
#include <string.h>
#include <decant/decant.h>
#include "bench.h"

/* Pieces lie in no order, none beside its neighbour in the text. */
struct pieces {
	struct iovec *iov;
	size_t nr, bytes;
};

static inline uint8_t *bench_memory(size_t len)
{
	uint8_t *memory = aligned_alloc(4096, (len + 4095) & ~(size_t)4095);

	bench_need(memory, "memory");
	memset(memory, 0x5a, len);
	return memory;
}

/*
 * nr pieces of len bytes; with shift, the first one is so much longer and the last one
 * shorter: two lists of different shift are cut differently all along.
 */
static inline struct pieces bench_pieces(size_t nr, size_t len, size_t shift)
{
	struct pieces p = {calloc(nr, sizeof(struct iovec)), nr, nr * len};
	uint8_t *memory = bench_memory(2 * (nr + 1) * (len + shift));

	bench_need(p.iov, "memory");
	for (size_t i = 0; i < nr; i++) {
		size_t n = i == 0 ? len + shift : i == nr - 1 ? len - shift : len;

		p.iov[i] =
			(struct iovec){memory + 2 * (len + shift) * (i * 7919 % nr), n};
	}
	return p;
}

static inline struct decant_iter bench_view(const struct pieces *p,
					    enum decant_direction direction)
{
	struct decant_iter it;

	bench_need(!decant_iter_iovec(&it, direction, p->iov, p->nr), "iovec");
	return it;
}
#endif
