/* SPDX-License-Identifier: MIT */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H
/*
 * memory.h - registered memory: regions in a space and mapped in a domain, with gaps of
 * their own size between them, so that no two of them touch.
 */
#include <decant/decant.h>
#include "bench.h"

#define BENCH_PAGE 4096

struct bench_memory {
	unsigned char *at;
	struct decant_space *space;
	struct decant_domain domain;
};

/* What a region's mapping says is the caller's. */
typedef int (*bench_map)(struct decant_domain *domain, const struct decant_span *span,
			 struct decant_mapping *mapping);

static inline void bench_unmap(struct decant_domain *domain,
			       struct decant_mapping *mapping)
{
	(void)domain;
	(void)mapping;
}

/* The device sees the memory where we do; keys are numbers like any. */
static inline int bench_map_same(struct decant_domain *domain,
				 const struct decant_span *span,
				 struct decant_mapping *mapping)
{
	(void)domain;
	mapping->iova = (uintptr_t)span->addr;
	mapping->lkey = (uint32_t)((uintptr_t)span->addr >> 20);
	return 0;
}

/* @regions: receives the @nr regions of @each bytes, or NULL */
static inline void bench_memory_init(struct bench_memory *memory, size_t nr, size_t each,
				     struct decant_region **regions, bench_map map)
{
	static struct decant_domain_ops ops = {.name = "bench", .unmap = bench_unmap};

	ops.map = map;
	memory->at = aligned_alloc(BENCH_PAGE, 2 * nr * each);
	bench_need(memory->at, "memory");
	decant_domain_init(&memory->domain, &ops);
	bench_need(!decant_space_new(&memory->space), "space");
	for (size_t i = 0; i < nr; i++) {
		unsigned char *at = memory->at + 2 * i * each;
		struct decant_region *region;

		bench_need(!decant_region_new(&region, at, each, NULL), "region");
		bench_need(!decant_space_add(memory->space, region), "add");
		bench_need(!decant_domain_map(&memory->domain, region), "map");
		if (regions)
			regions[i] = region;
	}
}

/* Which of @nr regions of @each bytes addr would lie in, as anybody may find it. */
static inline size_t bench_region_at(const struct bench_memory *memory, uintptr_t addr,
				     size_t nr, size_t each)
{
	size_t lo = 0, hi = nr;

	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;

		if ((uintptr_t)memory->at + 2 * mid * each <= addr)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* The same numbers in every run. */
static inline uint64_t bench_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}
#endif
