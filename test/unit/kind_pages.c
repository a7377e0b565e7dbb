/* SPDX-License-Identifier: MIT */
/* kind_pages.c - a page cache: folios of many sizes, holes, references. */
#include <errno.h>
#include <decant/decant.h>
#include "check.h"

#define PAGE  64
#define PAGES 64

/* Folios of 1, 2, 4 and 8 pages, each a region of its own, somewhere in memory. */
struct cache {
	struct decant_pages pages;
	struct decant_region *folios[PAGES]; /* by index; a folio stands at each of its */
	size_t released;
	size_t finds;
	int error; /* of a hole */
	size_t last_index;
};

static void release(void *user, void *addr, size_t len)
{
	struct cache *cache = user;

	(void)len;
	cache->released++;
	free(addr);
}

static int find(void *user, uint64_t index, struct decant_span *page)
{
	struct cache *cache = user;

	cache->finds++;
	cache->last_index = (size_t)index;
	if (index >= PAGES || !cache->folios[index])
		return cache->error;
	*page = decant_region_span(cache->folios[index]);
	decant_region_get(cache->folios[index]);
	return 0;
}

static unsigned char byte_at(size_t pos)
{
	return (unsigned char)(pos * 7 + pos / 256);
}

static size_t folio_pages(size_t index)
{
	static const size_t sizes[] = {1, 1, 2, 4, 8, 16, 4, 4, 1, 1, 2, 4, 8, 8};
	size_t at = 0;

	for (size_t i = 0; i < 14; i++) {
		if (index < at + sizes[i])
			return sizes[i];
		at += sizes[i];
	}
	return 1;
}

static void cache_fill(struct cache *cache)
{
	struct decant_region_options options = {sizeof(options), release, cache};

	*cache = (struct cache){.pages = {PAGE, find, cache}, .error = -ENXIO};
	for (size_t i = 0; i < PAGES; i += folio_pages(i)) {
		size_t nr = folio_pages(i), len = nr * PAGE;
		unsigned char *memory = malloc(len);

		REQUIRE(memory && i % nr == 0);
		for (size_t j = 0; j < len; j++)
			memory[j] = byte_at(i * PAGE + j);
		REQUIRE(!decant_region_new(&cache->folios[i], memory, len, &options));
		for (size_t j = 1; j < nr; j++)
			cache->folios[i + j] = cache->folios[i];
	}
}

/* Drop what the cache has at an index; the folio's other pages go, too. */
static void cache_drop(struct cache *cache, size_t index)
{
	struct decant_region *folio = cache->folios[index];

	for (size_t i = 0; i < PAGES; i++)
		if (cache->folios[i] == folio)
			cache->folios[i] = NULL;
	decant_region_put(folio);
}

static void cache_empty(struct cache *cache)
{
	for (size_t i = 0; i < PAGES; i++)
		if (cache->folios[i])
			cache_drop(cache, i);
}

static bool all_refs_are(const struct cache *cache, size_t refs)
{
	for (size_t i = 0; i < PAGES; i++)
		if (cache->folios[i] && decant_region_refs(cache->folios[i]) != refs)
			return false;
	return true;
}

static void any_range(void)
{
	static unsigned char out[PAGES * PAGE];
	struct decant_iter it;
	struct cache cache;

	cache_fill(&cache);
	for (size_t i = 0; i < 3000 && !check_failed; i++) {
		size_t pos = check_below(PAGES * PAGE),
		       len = check_below(PAGES * PAGE - pos + 1);

		REQUIRE(!decant_iter_pages(&it, DECANT_SOURCE, &cache.pages, pos, len));
		CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX), len);
		for (size_t j = 0; j < len; j++)
			if (out[j] != byte_at(pos + j))
				check_fail(__FILE__, __LINE__, "byte %zu of %zu", j, pos);
		CHECK(!decant_iter_seek(&it, len / 2));
		CHECK_EQ(decant_copy_to(out, &it, 1), len > len / 2);
		CHECK(len == len / 2 || out[0] == byte_at(pos + len / 2));
	}
	CHECK(all_refs_are(&cache, 1));
	cache_empty(&cache);
	CHECK_EQ(cache.released, 14);
}

/* A hole in each place: bytes up to it, the reason, and nothing from behind it. */
static void holes_at_every_place(void)
{
	static unsigned char out[PAGES * PAGE];
	struct decant_bvec table[PAGES];
	struct decant_hold hold = {0};
	struct decant_sink sink;
	struct decant_iter it;
	struct cache cache;

	for (size_t hole = 0; hole < PAGES && !check_failed; hole++) {
		size_t nr, first, from;

		cache_fill(&cache);
		nr = folio_pages(hole);
		first = hole / nr * nr;
		cache_drop(&cache, hole);
		from = first ? PAGE / 2 : 0;
		REQUIRE(!decant_iter_pages(&it, DECANT_SOURCE, &cache.pages, from,
					   PAGES * PAGE - from));
		CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX),
			 first ? (ssize_t)(first * PAGE - from) : -ENXIO);
		CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX), -ENXIO);
		CHECK_EQ(decant_fill(&it, 0, 1), -EINVAL);
		CHECK(!decant_iter_seek(&it, 0));
		decant_sink_bvec(&sink, table, PAGES);
		sink.hold = &hold;
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX),
			 first ? (ssize_t)(first * PAGE - from) : -ENXIO);
		CHECK_EQ(sink.stop, DECANT_STOP_HOLE);
		CHECK_EQ(hold.nr, sink.nr);
		CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), -ENXIO);
		CHECK_EQ(decant_iter_peek(&it).len, 0);
		/* Across it, and on. */
		CHECK(!decant_iter_seek(&it, (first + nr) * PAGE - from));
		CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX), (PAGES - first - nr) * PAGE);
		CHECK(first + nr == PAGES || out[0] == byte_at((first + nr) * PAGE));
		decant_hold_release(&hold);
		CHECK(all_refs_are(&cache, 1));
		cache_empty(&cache);
	}
}

/* The cache lets go of everything while an extraction's pages are in flight. */
static void the_hold_keeps_pages(void)
{
	struct decant_bvec table[PAGES];
	struct decant_hold hold = {0};
	struct decant_owned *owned;
	struct decant_sink sink;
	struct decant_iter it, flat;
	struct cache cache;
	size_t pos = 0;

	cache_fill(&cache);
	REQUIRE(!decant_iter_pages(&it, DECANT_SOURCE, &cache.pages, 0, PAGES * PAGE));
	decant_sink_bvec(&sink, table, PAGES);
	sink.hold = &hold;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), PAGES * PAGE);
	CHECK_EQ(sink.nr, 14);
	CHECK(all_refs_are(&cache, 2));
	CHECK(!decant_iter_seek(&it, 100));
	owned = decant_iter_own(&it, 1000, NULL);
	REQUIRE(owned);
	cache_empty(&cache);
	CHECK_EQ(cache.released, 0);
	for (size_t i = 0; i < sink.nr; i++)
		for (size_t j = 0; j < table[i].len; j++, pos++)
			if (((unsigned char *)table[i].addr)[j] != byte_at(pos))
				check_fail(__FILE__, __LINE__, "byte %zu", pos);
	decant_hold_release(&hold);
	CHECK(cache.released > 0 && cache.released < 14);
	flat = decant_owned_iter(owned);
	CHECK(*(unsigned char *)decant_iter_peek(&flat).addr == byte_at(100));
	decant_owned_put(owned);
	CHECK_EQ(cache.released, 14);
}

static int drop_while_seen(void *user, struct decant_span span)
{
	struct cache *cache = user;

	cache_drop(cache, cache->last_index);
	CHECK_EQ(*(unsigned char *)span.addr, byte_at(cache->last_index * PAGE));
	return 0;
}

/* A page goes away while it is looked at: it stays until the look is over, once. */
static void used_means_referenced(void)
{
	struct decant_span span;
	struct decant_iter it;
	struct cache cache;

	cache_fill(&cache);
	REQUIRE(!decant_iter_pages(&it, DECANT_SOURCE, &cache.pages, 0, PAGES * PAGE));
	CHECK_EQ(decant_for_each(&it, 4 * PAGE, drop_while_seen, &cache), 4 * PAGE);
	CHECK_EQ(cache.released, 3);
	span = decant_iter_get(&it);
	CHECK_EQ(span.len, 4 * PAGE);
	cache_drop(&cache, 4);
	CHECK_EQ(cache.released, 3);
	CHECK_EQ(*(unsigned char *)span.addr, byte_at(4 * PAGE));
	decant_region_put(span.region);
	CHECK_EQ(cache.released, 4);
	CHECK_EQ(decant_iter_peek(&it).len, 0);
	cache_empty(&cache);
	CHECK_EQ(cache.released, 14);
}

static void staged_pages(void)
{
	static unsigned char scratch[PAGES * PAGE] __attribute__((aligned(4096)));
	struct decant_staged records[PAGES];
	struct decant_bvec table[PAGES];
	struct decant_hold hold = {0};
	struct decant_stage stage;
	struct decant_sink sink;
	struct decant_iter it;
	struct cache cache;

	cache_fill(&cache);
	cache_drop(&cache, 40);
	REQUIRE(!decant_iter_pages(&it, DECANT_SOURCE, &cache.pages, 1,
				   PAGES * PAGE - 1));
	decant_sink_bvec(&sink, table, PAGES);
	decant_stage_init(&stage, (struct decant_span){scratch, sizeof(scratch), NULL},
			  records, PAGES);
	sink.stage = &stage;
	sink.hold = &hold;
	sink.limits = (struct decant_limits){.addr_align = 512, .len_align = 512};
	/*
	 * 40 pages of 64 but for one byte: four blocks; the rest of a block ends in the
	 * hole.
	 */
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 4 * 512);
	CHECK_EQ(sink.stop, DECANT_STOP_HOLE);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENXIO);
	for (size_t i = 0; i < 2048; i++)
		if (scratch[i] != byte_at(i + 1))
			check_fail(__FILE__, __LINE__, "byte %zu", i);
	decant_hold_release(&hold);
	CHECK(all_refs_are(&cache, 1));
	cache_empty(&cache);
}

/* One look-up for each folio, however the other side is cut. */
static void looked_up_once(void)
{
	static unsigned char flat[PAGES * PAGE];
	static struct iovec iov[PAGES * PAGE / 5 + 1];
	struct decant_iter pages, cut;
	struct decant_hold hold = {0};
	struct decant_sink sink;
	struct cache cache;
	size_t nr = 0;

	cache_fill(&cache);
	for (size_t at = 0; at < sizeof(flat); at += 5)
		iov[nr++] = (struct iovec){flat + at,
					   sizeof(flat) - at < 5 ? sizeof(flat) - at : 5};
	REQUIRE(!decant_iter_pages(&pages, DECANT_SOURCE, &cache.pages, 0, PAGES * PAGE));
	REQUIRE(!decant_iter_iovec(&cut, DECANT_DEST, iov, nr));
	CHECK_EQ(decant_copy(&cut, &pages, SIZE_MAX), PAGES * PAGE);
	CHECK_EQ(cache.finds, 14);
	CHECK(!decant_iter_seek(&pages, 0));
	REQUIRE(!decant_iter_iovec(&cut, DECANT_SOURCE, iov, nr));
	cache.finds = 0;
	CHECK_EQ(decant_equal(&cut, &pages, PAGES * PAGE), 1);
	CHECK_EQ(decant_equal(&pages, &cut, PAGES * PAGE), 1);
	CHECK_EQ(cache.finds, 28);
	cache.finds = 0;
	decant_sink_count(&sink);
	sink.hold = &hold;
	sink.limits.max_element_bytes = 7;
	CHECK_EQ(decant_extract(&pages, &sink, SIZE_MAX), PAGES * PAGE);
	CHECK_EQ(cache.finds, 14);
	decant_hold_release(&hold);
	CHECK(all_refs_are(&cache, 1));
	cache_empty(&cache);
}

/* What a cache may say, and what is made of it. */
static int bad_find(void *user, uint64_t index, struct decant_span *page)
{
	*page = *(struct decant_span *)user;
	if (page->region)
		decant_region_get(page->region);
	return index > 1 ? -EIO : index ? 5 : 0;
}

static void what_is_refused(void)
{
	unsigned char memory[256];
	struct decant_span said = {NULL, 64, NULL};
	struct decant_pages pages = {48, bad_find, &said};
	struct decant_iter it, zero = {0};
	struct decant_span span;

	it = zero;
	CHECK_EQ(decant_iter_pages(&it, DECANT_SOURCE, NULL, 0, 1), -EINVAL);
	CHECK_EQ(decant_iter_pages(&it, DECANT_SOURCE, &pages, 0, 1), -EINVAL);
	pages.page_bytes = 64;
	CHECK_EQ(decant_iter_pages(&it, (enum decant_direction)3, &pages, 0, 1), -EINVAL);
	CHECK_EQ(decant_iter_pages(&it, DECANT_SOURCE, &pages, UINT64_MAX, 1),
		 -EOVERFLOW);
	CHECK_EQ(decant_iter_pages(&it, DECANT_SOURCE, &pages, 0, SIZE_MAX), -EOVERFLOW);
	CHECK(!memcmp(&it, &zero, sizeof(it)));
	REQUIRE(!decant_iter_pages(&it, DECANT_SOURCE, &pages, 0, 256));
	span = decant_iter_peek(&it);
	CHECK_EQ(decant_span_error(&span), -EFAULT);
	REQUIRE(!decant_region_new(&said.region, memory, 256, NULL));
	said.addr = memory;
	said.len = 32;
	span = decant_iter_peek(&it);
	CHECK_EQ(decant_span_error(&span), -EFAULT);
	said.len = 192;
	span = decant_iter_peek(&it);
	CHECK_EQ(decant_span_error(&span), -EFAULT);
	CHECK_EQ(decant_region_refs(said.region), 1);
	decant_region_put(said.region);
	said.region = NULL;
	CHECK(!decant_iter_advance(&it, 64));
	span = decant_iter_peek(&it);
	CHECK_EQ(decant_span_error(&span), -EFAULT);
	CHECK(!decant_iter_advance(&it, 64));
	CHECK_EQ(decant_copy_to(memory, &it, 1), -EIO);
	CHECK_EQ(decant_iter_alignment(&it), 1);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"any range over folios of mixed sizes", any_range},
		{"holes at every place", holes_at_every_place},
		{"a hold keeps pages that the cache drops", the_hold_keeps_pages},
		{"a page is referenced while it is used, and let go once",
		 used_means_referenced},
		{"pages through a stage, up to a hole", staged_pages},
		{"a page is looked up once, however the other side is cut",
		 looked_up_once},
		{"bad pages are faults", what_is_refused},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
