/* SPDX-License-Identifier: MIT */
#ifndef DECANT_VERBS_CACHE_H
#define DECANT_VERBS_CACHE_H
#include <decant/verbs_device.h>

DECANT_BEGIN

/*
 * A registration cache, for programs that transfer from and into the same memory again
 * and again and can't make regions of it. Nothing is hooked: who frees or unmaps memory
 * that may be in it says so with decant_verbs_cache_invalidate() before. It belongs to
 * the thread of the queue pairs that use it.
 */

struct decant_verbs_cache;

/**
 * struct decant_verbs_cache_options - how a registration cache is made
 * @size: sizeof(struct decant_verbs_cache_options)
 * @uses: in which decant_verbs_domain() memory is registered: that of the queue pairs
 * @max_regions: most registrations it keeps, up to 65536; 0 for 256
 * @max_bytes: most bytes of them; 0 for 256 MiB. One registration has at most two pages
 *	less.
 *
 * Since: 0.1
 */
struct decant_verbs_cache_options {
	size_t size;
	unsigned uses;
	size_t max_regions;
	size_t max_bytes;
};

/**
 * struct decant_verbs_cache_stats - what a registration cache did
 * @regions: registrations that it keeps now
 * @bytes: of them
 * @hits: runs of memory that were there
 * @misses: runs that were not, and were registered
 * @evictions: registrations given up for others, first those that were not used for
 *	longest
 * @invalidations: registrations given up by decant_verbs_cache_invalidate()
 * @refused: runs that were too large for it, or that the device refused: what then
 *	happens to them is the queue pair's policy
 *
 * Since: 0.1
 */
struct decant_verbs_cache_stats {
	size_t regions;
	size_t bytes;
	uint64_t hits;
	uint64_t misses;
	uint64_t evictions;
	uint64_t invalidations;
	uint64_t refused;
};

/**
 * decant_verbs_cache_new - begin an empty registration cache
 * @out: receives the cache; untouched on error
 * @verbs: the device; it outlives the cache
 * @options: NULL for defaults; copied
 *
 * Return: 0; -EINVAL for an unknown size, a value out of range or uses that the device
 * does not offer, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_verbs_cache_new(struct decant_verbs_cache **out, struct decant_verbs *verbs,
		       const struct decant_verbs_cache_options *options);

/**
 * decant_verbs_cache_free - give up all registrations
 * @cache: the cache, or NULL. No queue pair uses its space any more.
 *
 * Since: 0.1
 */
DECANT_API void decant_verbs_cache_free(struct decant_verbs_cache *cache);

/**
 * decant_verbs_cache_space - where its registrations are found
 * @cache: the cache
 *
 * To be given to queue pairs as their space. Regions of the caller's may be added, too;
 * they are left alone.
 *
 * Return: the space, borrowed from the cache.
 * Since: 0.1
 */
DECANT_API struct decant_space *
decant_verbs_cache_space(const struct decant_verbs_cache *cache);

/**
 * decant_verbs_cache_cover - have the memory of an operation registered before it begins
 * @cache: the cache
 * @it: the memory; not changed
 * @len: bytes, or all that is left if that is less
 *
 * Each run of adjacent bytes that lies in no region is registered, in whole pages where
 * it can be. What can't be pointed at, or not be registered, is passed by: the queue
 * pair's policy decides about it.
 *
 * Return: 0; -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_cache_cover(struct decant_verbs_cache *cache,
						    const struct decant_iter *it,
						    size_t len);

/**
 * decant_verbs_cache_invalidate - forget memory that is about to go, or to change
 * @cache: the cache
 * @addr: the first byte
 * @len: bytes
 *
 * Every registration that has a byte of it is given up. Operations under way keep theirs,
 * and so their memory must stay until their events.
 *
 * Return: how many registrations these were.
 * Since: 0.1
 */
DECANT_API size_t decant_verbs_cache_invalidate(struct decant_verbs_cache *cache,
						const void *addr, size_t len);

/**
 * decant_verbs_cache_stats - what a registration cache did
 * @cache: the cache
 * @stats: filled
 *
 * Since: 0.1
 */
DECANT_API void decant_verbs_cache_stats(const struct decant_verbs_cache *cache,
					 struct decant_verbs_cache_stats *stats);

DECANT_END
#endif
