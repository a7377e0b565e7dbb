/* SPDX-License-Identifier: MIT */
/* pool.c - buffers of one size in one region, huge pages where they can be had. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <decant/pool.h>
#include "holders.h"
#include "util.h"

#define HUGE_PAGE ((size_t)2 << 20)

struct decant_pool {
	pthread_mutex_t lock;
	struct decant_region *region;
	enum decant_backing backing;
	unsigned char *base;
	size_t each;
	size_t nr;
	size_t nr_free;
	uint32_t *free_list; /* numbers of free buffers, the newest last */
};

static void *map_pages(size_t bytes, int flags)
{
	void *addr = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return addr == MAP_FAILED ? NULL : addr;
}

/* A mapping that starts on a huge page, so that the kernel can use huge pages for it. */
static void *map_aligned(size_t bytes)
{
	unsigned char *addr = map_pages(bytes + HUGE_PAGE, 0), *start;
	size_t head;

	if (!addr)
		return NULL;
	head = -(uintptr_t)addr & (HUGE_PAGE - 1);
	start = addr + head;
	if (head)
		munmap(addr, head);
	munmap(start + bytes, HUGE_PAGE - head);
	return start;
}

/* Touch every page: MAP_POPULATE would do so before madvise could ask for huge ones. */
static void touch(unsigned char *addr, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < bytes; i += page)
		((volatile unsigned char *)addr)[i] = 0;
}

static void *map_huge(size_t bytes, enum decant_backing *backing)
{
	void *addr = map_pages(bytes, MAP_HUGETLB | MAP_POPULATE);

	if (addr) {
		*backing = DECANT_BACKING_HUGETLB;
		return addr;
	}
	addr = map_aligned(bytes);
	*backing = DECANT_BACKING_PAGES;
	if (addr && !madvise(addr, bytes, MADV_HUGEPAGE))
		*backing = DECANT_BACKING_THP;
	return addr;
}

static void pool_unmap(void *user, void *addr, size_t len)
{
	(void)user;
	munmap(addr, len);
}

/* Map bytes, rounded up, and make a region of them. */
static int pool_map(struct decant_pool *pool, size_t bytes, bool small)
{
	struct decant_region_options options = {.size = sizeof(options),
						.release = pool_unmap};
	int err;

	pool->backing = DECANT_BACKING_PAGES;
	if (!small && bytes >= HUGE_PAGE) {
		bytes = (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
		pool->base = map_huge(bytes, &pool->backing);
	} else {
		pool->base = map_pages(bytes, 0);
	}
	if (!pool->base)
		return -ENOMEM;
	touch(pool->base, bytes);
	err = decant_region_new(&pool->region, pool->base, bytes, &options);
	if (err)
		munmap(pool->base, bytes);
	return err;
}

static int pool_sizes(const struct decant_pool_options *options, size_t *each,
		      size_t *bytes)
{
	size_t mask = (size_t)sysconf(_SC_PAGESIZE) - 1;

	if (options->size != sizeof(*options) || !options->buffer_bytes ||
	    !options->buffers)
		return -EINVAL;
	if (options->buffers > UINT32_MAX ||
	    __builtin_add_overflow(options->buffer_bytes, mask, each) ||
	    __builtin_mul_overflow(*each & ~mask, options->buffers, bytes) ||
	    *bytes > SSIZE_MAX - 2 * HUGE_PAGE)
		return -EOVERFLOW;
	*each &= ~mask;
	return 0;
}

static void fill_free_list(struct decant_pool *pool)
{
	for (size_t i = 0; i < pool->nr; i++)
		pool->free_list[i] = (uint32_t)(pool->nr - 1 - i);
	pool->nr_free = pool->nr;
}

int decant_pool_new(struct decant_pool **out, const struct decant_pool_options *options)
{
	struct decant_pool *pool;
	size_t each, bytes;
	int err = pool_sizes(options, &each, &bytes);

	if (err)
		return err;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pool->each = each;
	pool->nr = options->buffers;
	pool->free_list = malloc(pool->nr * sizeof(*pool->free_list));
	err = pool->free_list ? pool_map(pool, bytes, options->small_pages) : -ENOMEM;
	if (err) {
		free(pool->free_list);
		free(pool);
		return err;
	}
	pthread_mutex_init(&pool->lock, NULL);
	fill_free_list(pool);
	*out = pool;
	return 0;
}

void decant_pool_free(struct decant_pool *pool)
{
	if (!pool)
		return;
	decant_region_put(pool->region);
	pthread_mutex_destroy(&pool->lock);
	free(pool->free_list);
	free(pool);
}

struct decant_span decant_pool_get(struct decant_pool *pool)
{
	struct decant_span span = {0};

	pthread_mutex_lock(&pool->lock);
	if (pool->nr_free) {
		size_t i = pool->free_list[--pool->nr_free];

		span = (struct decant_span){pool->base + i * pool->each, pool->each,
					    pool->region};
	}
	pthread_mutex_unlock(&pool->lock);
	return span;
}

void decant_pool_put(struct decant_pool *pool, void *addr)
{
	size_t offset = (size_t)((unsigned char *)addr - pool->base);

	assert(offset % pool->each == 0 && offset / pool->each < pool->nr);
	holders_poison(addr, pool->each);
	pthread_mutex_lock(&pool->lock);
	assert(pool->nr_free < pool->nr);
	pool->free_list[pool->nr_free++] = (uint32_t)(offset / pool->each);
	pthread_mutex_unlock(&pool->lock);
}

struct decant_region *decant_pool_region(const struct decant_pool *pool)
{
	return pool->region;
}

enum decant_backing decant_pool_backing(const struct decant_pool *pool)
{
	return pool->backing;
}

const char *decant_backing_name(enum decant_backing backing)
{
	static const char *const names[] = {"hugetlb", "thp", "pages"};

	return (size_t)backing < sizeof(names) / sizeof(*names) ? names[backing]
								: "unknown";
}
