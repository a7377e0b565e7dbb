/* SPDX-License-Identifier: MIT */
/* space.c - regions sorted by address, found by bisection, under a readers' lock. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "region.h"
#include "space.h"
#include "util.h"

/* Whoever adds or removes goes first: somebody is always looking up. */
static void lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

int decant_space_new(struct decant_space **out)
{
	struct decant_space *space = calloc(1, sizeof(*space));

	if (!space)
		return -ENOMEM;
	lock_init(&space->lock);
	space->grain = 40;
	*out = space;
	return 0;
}

void decant_space_free(struct decant_space *space)
{
	if (!space)
		return;
	for (size_t i = 0; i < space->nr; i++)
		decant_region_put(space->entries[i].region);
	pthread_rwlock_destroy(&space->lock);
	free(space->entries);
	free(space);
}

void space_lock(struct decant_space *space)
{
	pthread_rwlock_rdlock(&space->lock);
}

void space_unlock(struct decant_space *space)
{
	pthread_rwlock_unlock(&space->lock);
}

static uintptr_t start_of(const struct decant_region *region)
{
	return (uintptr_t)region->addr;
}

static uintptr_t end_of(const struct decant_region *region)
{
	return (uintptr_t)region->addr + region->len;
}

/* The first region that ends above addr; nr if there is none. No branch to mispredict. */
static size_t first_above(const struct decant_space *space, uintptr_t addr)
{
	const struct space_entry *at = space->entries;
	size_t left = space->nr;

	while (left) {
		const struct space_entry *next = at + (left + 1) / 2;

		at = next[-1].end <= addr ? next : at;
		left /= 2;
	}
	return (size_t)(at - space->entries);
}

struct decant_region *space_look_up(struct decant_space *space, uintptr_t addr,
				    uintptr_t *lo, uintptr_t *hi)
{
	const struct space_entry *entries = space->entries;
	const struct space_entry *entry = space_guessed(space, addr);
	size_t i;

	if (unlikely(!space->nr)) {
		*lo = 0;
		*hi = UINTPTR_MAX;
		return NULL;
	}
	if (unlikely(!entry)) {
		i = first_above(space, addr);
		entry = entries + i;
		atomic_store_explicit(space_guess(space, addr), (uint16_t)i,
				      memory_order_relaxed);
	}
	i = (size_t)(entry - entries);
	if (i < space->nr && entry->start <= addr) {
		*lo = entry->start;
		*hi = entry->end;
		return entry->region;
	}
	*lo = i > 0 ? entry[-1].end : 0;
	*hi = i < space->nr ? entry->start : UINTPTR_MAX;
	return NULL;
}

static int make_room(struct decant_space *space)
{
	size_t max = space->max ? 2 * space->max : 16;
	struct space_entry *entries;

	if (space->nr < space->max)
		return 0;
	entries = realloc(space->entries, max * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	space->entries = entries;
	space->max = max;
	return 0;
}

static int add_locked(struct decant_space *space, struct decant_region *region)
{
	size_t i = first_above(space, start_of(region));
	int err;

	if (i < space->nr && space->entries[i].start < end_of(region))
		return -EEXIST;
	err = make_room(space);
	if (err)
		return err;
	memmove(&space->entries[i + 1], &space->entries[i],
		(space->nr - i) * sizeof(*space->entries));
	space->entries[i] = (struct space_entry){start_of(region), end_of(region),
						 decant_region_get(region)};
	space->nr++;
	while (region->len >> space->grain == 0)
		space->grain--;
	return 0;
}

int decant_space_add(struct decant_space *space, struct decant_region *region)
{
	int err;

	pthread_rwlock_wrlock(&space->lock);
	err = add_locked(space, region);
	pthread_rwlock_unlock(&space->lock);
	return err;
}

static bool remove_locked(struct decant_space *space, const struct decant_region *region)
{
	size_t i = first_above(space, start_of(region));

	if (i == space->nr || space->entries[i].region != region)
		return false;
	space->nr--;
	memmove(&space->entries[i], &space->entries[i + 1],
		(space->nr - i) * sizeof(*space->entries));
	return true;
}

int decant_space_remove(struct decant_space *space, struct decant_region *region)
{
	bool removed;

	pthread_rwlock_wrlock(&space->lock);
	removed = remove_locked(space, region);
	pthread_rwlock_unlock(&space->lock);
	/* Outside the lock: the last reference runs the owner's callback. */
	if (removed)
		decant_region_put(region);
	return removed ? 0 : -ENOENT;
}

struct decant_region *decant_space_find(struct decant_space *space, const void *addr)
{
	struct decant_region *region;
	uintptr_t lo, hi;

	space_lock(space);
	region = space_look_up(space, (uintptr_t)addr, &lo, &hi);
	if (region)
		decant_region_get(region);
	space_unlock(space);
	return region;
}
