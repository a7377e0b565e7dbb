/* SPDX-License-Identifier: MIT */
#ifndef DECANT_POOL_H
#define DECANT_POOL_H
#include <decant/region.h>

DECANT_BEGIN

struct decant_pool;

/**
 * enum decant_backing - what a pool's memory is made of
 * @DECANT_BACKING_HUGETLB: reserved huge pages (MAP_HUGETLB)
 * @DECANT_BACKING_THP: transparent huge pages were asked for (MADV_HUGEPAGE)
 * @DECANT_BACKING_PAGES: ordinary pages
 *
 * Since: 0.1
 */
enum decant_backing { DECANT_BACKING_HUGETLB, DECANT_BACKING_THP, DECANT_BACKING_PAGES };

/**
 * struct decant_pool_options - how a pool is made
 * @size: sizeof(struct decant_pool_options)
 * @buffer_bytes: bytes of one buffer, rounded up to a page; at least 1
 * @buffers: how many; at least 1
 * @small_pages: don't try huge pages
 *
 * Since: 0.1
 */
struct decant_pool_options {
	size_t size;
	size_t buffer_bytes;
	size_t buffers;
	bool small_pages;
};

/**
 * decant_pool_new - buffers of one size in one region
 * @out: receives the pool; untouched on error
 * @options: how
 *
 * One region over everything, so that a device registers it once. Huge pages are used
 * where they can be had; decant_pool_backing() says what it came to. The memory is
 * touched, so that it does not fault later.
 *
 * Return: 0; -EINVAL, -EOVERFLOW, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_pool_new(struct decant_pool **out,
					   const struct decant_pool_options *options);

/**
 * decant_pool_free - drop the pool's reference to its region
 * @pool: the pool, or NULL. Buffers that are held elsewhere keep the memory.
 *
 * Since: 0.1
 */
DECANT_API void decant_pool_free(struct decant_pool *pool);

/**
 * decant_pool_get - take a buffer
 * @pool: the pool; safe from any thread
 *
 * Return: the whole buffer with the pool's region as owner; an empty span if none is
 * free.
 * Since: 0.1
 */
DECANT_API struct decant_span decant_pool_get(struct decant_pool *pool);

/**
 * decant_pool_put - give a buffer back
 * @pool: the pool; safe from any thread
 * @addr: the address that decant_pool_get() gave
 *
 * Since: 0.1
 */
DECANT_API void decant_pool_put(struct decant_pool *pool, void *addr);

/**
 * decant_pool_region - the region over all buffers
 * @pool: the pool
 *
 * Return: borrowed from the pool.
 * Since: 0.1
 */
DECANT_API struct decant_region *decant_pool_region(const struct decant_pool *pool);

/**
 * decant_pool_backing - what the memory is made of
 * @pool: the pool
 *
 * Return: how it came out after all fallbacks.
 * Since: 0.1
 */
DECANT_API enum decant_backing decant_pool_backing(const struct decant_pool *pool);

/**
 * decant_backing_name - a backing in a word
 * @backing: the backing
 *
 * Return: a static string such as "hugetlb".
 * Since: 0.1
 */
DECANT_API const char *decant_backing_name(enum decant_backing backing);

DECANT_END
#endif
