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
