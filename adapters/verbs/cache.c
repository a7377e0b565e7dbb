/* SPDX-License-Identifier: MIT */
/*
 * cache.c - registrations that outlive an operation. They are regions in a space, so that
 * finding them is the core's look-up; what was not used for longest goes first.
 */
#include "internal.h"
#include <decant/verbs_cache.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REGIONS	     256
#define REGIONS_MOST 65536
#define BYTES	     ((size_t)256 << 20)

struct decant_verbs_cache {
	struct decant_space *space;
	struct decant_domain *domain;
	struct decant_verbs_cache_options options;
	struct decant_verbs_cache_stats stats;
	struct decant_region **regions; /* what was used last is last */
};

static int take_options(struct decant_verbs_cache *cache, struct decant_verbs *verbs,
			const struct decant_verbs_cache_options *given)
{
	struct decant_verbs_cache_options *o = &cache->options;

	if (given)
		*o = *given;
	if ((given && given->size != sizeof(*given)) || o->max_regions > REGIONS_MOST)
		return -EINVAL;
	if (!o->max_regions)
		o->max_regions = REGIONS;
	if (!o->max_bytes)
		o->max_bytes = BYTES;
	cache->domain = decant_verbs_domain(verbs, o->uses);
	return cache->domain ? 0 : -EINVAL;
}

int decant_verbs_cache_new(struct decant_verbs_cache **out, struct decant_verbs *verbs,
			   const struct decant_verbs_cache_options *options)
{
	struct decant_verbs_cache *cache = calloc(1, sizeof(*cache));
	int rc;

	if (!cache)
		return -ENOMEM;
	rc = take_options(cache, verbs, options);
	if (!rc)
		rc = decant_space_new(&cache->space);
	if (!rc) {
		cache->regions =
			calloc(cache->options.max_regions, sizeof(*cache->regions));
		rc = cache->regions ? 0 : -ENOMEM;
	}
	if (rc) {
		decant_verbs_cache_free(cache);
		return rc;
	}
	*out = cache;
	return 0;
}

/* Give up number i. Who holds it keeps it until then. */
static void give_up(struct decant_verbs_cache *cache, size_t i)
{
	struct decant_region *region = cache->regions[i];

	cache->stats.regions--;
	cache->stats.bytes -= decant_region_span(region).len;
	memmove(&cache->regions[i], &cache->regions[i + 1],
		(cache->stats.regions - i) * sizeof(*cache->regions));
	decant_space_remove(cache->space, region);
	decant_region_put(region);
}

void decant_verbs_cache_free(struct decant_verbs_cache *cache)
{
	if (!cache)
		return;
	while (cache->stats.regions)
		give_up(cache, cache->stats.regions - 1);
	decant_space_free(cache->space);
	free(cache->regions);
	free(cache);
}

struct decant_space *decant_verbs_cache_space(const struct decant_verbs_cache *cache)
{
	return cache->space;
}

static void make_room(struct decant_verbs_cache *cache, size_t len)
{
	while (cache->stats.regions == cache->options.max_regions ||
	       len > cache->options.max_bytes - cache->stats.bytes) {
		give_up(cache, 0);
		cache->stats.evictions++;
	}
}

/* -EEXIST: some of it lies in another region. */
static int insert(struct decant_verbs_cache *cache, uintptr_t addr, size_t len)
{
	struct decant_region *region;
	int rc = decant_region_new(&region, (void *)addr, len, NULL);

	if (rc)
		return rc;
	rc = decant_space_add(cache->space, region);
	if (!rc) {
		rc = decant_domain_map(cache->domain, region);
		if (rc)
			decant_space_remove(cache->space, region);
	}
	if (rc) {
		decant_region_put(region);
		return rc;
	}
	cache->regions[cache->stats.regions++] = region;
	cache->stats.bytes += len;
	cache->stats.misses++;
	return 0;
}

/* Whole pages around [*start, *end), but nothing that lies in another registration. */
static void widen(const struct decant_verbs_cache *cache, uintptr_t *start,
		  uintptr_t *end)
{
	uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t addr = *start;

	*start &= ~mask;
	*end = (*end + mask) & ~mask;
	for (size_t i = 0; i < cache->stats.regions; i++) {
		struct decant_span span = decant_region_span(cache->regions[i]);
		uintptr_t from = (uintptr_t)span.addr, to = from + span.len;

		if (to <= addr && to > *start)
			*start = to;
		if (from > addr && from < *end)
			*end = from;
	}
}

/* Register memory from addr on, as far as it is nobody's. */
static int add(struct decant_verbs_cache *cache, uintptr_t addr, size_t len)
{
	size_t most = 2 * (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = addr, end = addr + len;
	int rc = -E2BIG;

	if (len <= cache->options.max_bytes && most <= cache->options.max_bytes - len) {
		make_room(cache, len + most);
		widen(cache, &start, &end);
		rc = insert(cache, start, end - start);
		/* the caller's own regions need not begin with a page */
		if (rc == -EEXIST)
			rc = insert(cache, addr, end < addr + len ? end - addr : len);
	}
	if (!rc || rc == -ENOMEM)
		return rc;
	cache->stats.refused++;
	return 0;
}

/* It was used: others go before it. */
static void touch(struct decant_verbs_cache *cache, struct decant_region *region)
{
	size_t last = cache->stats.regions - 1, i = cache->stats.regions;

	while (i-- > 0 && cache->regions[i] != region)
		;
	if (i >= last)
		return; /* the last already, or the caller's own */
	memmove(&cache->regions[i], &cache->regions[i + 1],
		(last - i) * sizeof(*cache->regions));
	cache->regions[last] = region;
}

/* Bytes from addr on that lie in one region of the space; 0 if the first one does not. */
static size_t found(struct decant_verbs_cache *cache, uintptr_t addr)
{
	struct decant_region *region = decant_space_find(cache->space, (void *)addr);
	struct decant_span span;

	if (!region)
		return 0;
	span = decant_region_span(region);
	touch(cache, region);
	decant_region_put(region);
	return span.len - (addr - (uintptr_t)span.addr);
}

/* A run that may lie in several regions and in none in between. */
static int cover_run(struct decant_verbs_cache *cache, uintptr_t addr, size_t len)
{
	int rc = 0;

	for (size_t n; len && !rc; addr += n, len -= n) {
		n = found(cache, addr);
		cache->stats.hits += n != 0;
		if (n > len)
			n = len;
		if (n)
			continue;
		rc = add(cache, addr, len);
		n = found(cache, addr);
		if (!n || n > len)
			n = len;
	}
	return rc;
}

/*
 * The next bytes that can be pointed at and are nobody's, with what follows on in memory.
 */
static struct decant_span next_run(struct decant_iter *it, size_t *left)
{
	struct decant_span run = {0};

	while (*left) {
		struct decant_span span = decant_iter_get(it);
		size_t n = span.len < *left ? span.len : *left;
		bool owned = span.region;

		decant_region_put(span.region);
		if (!n) {
			*left = 0; /* a hole or a fault: the operation will say so */
			break;
		}
		if (run.len && (owned || (char *)run.addr + run.len != span.addr))
			break;
		if (!owned && span.addr && !run.len)
			run.addr = span.addr;
		if (!owned && span.addr)
			run.len += n;
		if (decant_iter_advance(it, n))
			*left = n;
		*left -= n;
	}
	return run;
}

int decant_verbs_cache_cover(struct decant_verbs_cache *cache,
			     const struct decant_iter *it, size_t len)
{
	size_t left = decant_iter_count(it);
	struct decant_iter at = *it;
	int rc = 0;

	if (len < left)
		left = len;
	while (left && !rc) {
		struct decant_span run = next_run(&at, &left);

		rc = cover_run(cache, (uintptr_t)run.addr, run.len);
	}
	return rc;
}

size_t decant_verbs_cache_invalidate(struct decant_verbs_cache *cache, const void *addr,
				     size_t len)
{
	uintptr_t start = (uintptr_t)addr;
	size_t nr = 0;

	for (size_t i = cache->stats.regions; len && i-- > 0;) {
		struct decant_span span = decant_region_span(cache->regions[i]);
		uintptr_t at = (uintptr_t)span.addr;

		/* either one begins in the other */
		if (at - start >= len && start - at >= span.len)
			continue;
		give_up(cache, i);
		nr++;
	}
	cache->stats.invalidations += nr;
	return nr;
}

void decant_verbs_cache_stats(const struct decant_verbs_cache *cache,
			      struct decant_verbs_cache_stats *stats)
{
	*stats = cache->stats;
}
