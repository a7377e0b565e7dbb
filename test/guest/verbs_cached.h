/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_CACHED_H
#define DECANT_TEST_GUEST_VERBS_CACHED_H
/* verbs_cached.h - memory in no region, registered when it is first used and kept. */
#include <decant/verbs_cache.h>
#include "verbs_moves.h"

static struct decant_verbs_cache_stats stats_of(const struct decant_verbs_cache *cache)
{
	struct decant_verbs_cache_stats stats;

	decant_verbs_cache_stats(cache, &stats);
	return stats;
}

static struct decant_verbs_cache *cache_begin(size_t regions, size_t bytes)
{
	const struct decant_verbs_cache_options options = {.size = sizeof(options),
							   .uses = RIG_USES,
							   .max_regions = regions,
							   .max_bytes = bytes};
	struct decant_verbs_cache *cache;

	REQUIRE(!decant_verbs_cache_new(&cache, rig.verbs, &options));
	rig.options = (struct decant_verbs_pair_options){
		.uses = RIG_USES,
		.inline_bytes = SIZE_MAX,
		.space = decant_verbs_cache_space(cache)};
	rig_begin(false);
	return cache;
}

static void cache_end(struct decant_verbs_cache *cache)
{
	rig_end();
	decant_verbs_cache_free(cache);
}

static bool arrived(const unsigned char *addr, size_t len)
{
	rig_arrived();
	return !memcmp(rig.there, addr, len);
}

static bool cached_write(struct decant_verbs_cache *cache, unsigned char *addr,
			 size_t len)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, addr, len);
	struct decant_verbs_event event;

	rig_fill(addr, len);
	return CHECK_EQ(decant_verbs_cache_cover(cache, &it, SIZE_MAX), 0) &&
	       CHECK_EQ(
		       decant_verbs_write(rig.pair, &it, len, &rig.remote, 1, NULL, NULL),
		       0) &&
	       rig_event(&event) && CHECK_EQ(event.result, len) &&
	       CHECK(arrived(addr, len));
}

static void cache_counts(void)
{
	struct decant_verbs_cache *cache = cache_begin(2, 65536);
	struct decant_iter it = rig_buf(DECANT_SOURCE, rig.plain, 65537);

	cached_write(cache, rig.plain + 100, 1000);
	cached_write(cache, rig.plain + 200, 3000);
	CHECK_EQ(stats_of(cache).regions, 1);
	CHECK_EQ(stats_of(cache).bytes, 4096);
	CHECK(stats_of(cache).hits == 1 && stats_of(cache).misses == 1);
	cached_write(cache, rig.plain + 3000, 5000); /* the rest of it is new */
	CHECK(stats_of(cache).hits == 2 && stats_of(cache).misses == 2);
	cached_write(cache, rig.plain + 20000, 100);
	CHECK(stats_of(cache).regions == 2 && stats_of(cache).evictions == 1);
	CHECK_EQ(decant_verbs_cache_cover(cache, &it, SIZE_MAX), 0);
	CHECK(stats_of(cache).refused >= 1);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 65537, &rig.remote, 1, NULL, NULL),
		 -ENOKEY);
	/* too many bytes for anything else */
	cached_write(cache, rig.plain + 100000, 50000);
	CHECK(stats_of(cache).bytes <= 65536);
	cache_end(cache);
}

/*
 * What was unmapped and mapped again is other memory: with a word it is registered anew.
 */
static void cache_invalidated(void)
{
	struct decant_verbs_cache *cache = cache_begin(0, 0);
	unsigned char *addr = rig_allocate(16384);

	cached_write(cache, addr, 16384);
	CHECK_EQ(decant_verbs_cache_invalidate(cache, addr + 16384, 4096), 0);
	CHECK_EQ(decant_verbs_cache_invalidate(cache, addr - 1, 1), 0);
	CHECK_EQ(decant_verbs_cache_invalidate(cache, addr + 5000, 1), 1);
	CHECK(stats_of(cache).regions == 0 && stats_of(cache).invalidations == 1);
	REQUIRE(mmap(addr, 16384, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == addr);
	cached_write(cache, addr, 16384);
	CHECK_EQ(stats_of(cache).misses, 2);
	cache_end(cache);
	munmap(addr, 16384);
}

static void cache_random(void)
{
	struct decant_verbs_cache *cache = cache_begin(64, 200000);
	struct decant_iter it;

	for (int i = 0; i < 60 && !check_failed; i++) {
		struct decant_verbs_event event;
		size_t len;

		moves_pieces(rig.plain, 100000, 1 + check_below(10));
		rig_fill(rig.plain, 100000);
		it = moves_iter(DECANT_SOURCE, MOVES_IOVEC);
		len = moves.len;
		CHECK_EQ(decant_verbs_cache_cover(cache, &it, SIZE_MAX), 0);
		if (!CHECK_EQ(decant_verbs_write(rig.pair, &it, len, &rig.remote, 1, NULL,
						 NULL),
			      0) ||
		    !rig_event(&event))
			break;
		rig_arrived();
		CHECK(event.result == (ssize_t)len && moves_equal(rig.there, len));
		if (!check_below(4))
			decant_verbs_cache_invalidate(cache,
						      rig.plain + check_below(100000),
						      check_below(50000));
		CHECK(stats_of(cache).regions <= 64 && stats_of(cache).bytes <= 200000);
	}
	CHECK(stats_of(cache).hits > 0);
	cache_end(cache);
}
#endif
