/* SPDX-License-Identifier: MIT */
/* space.c - regions sorted by address, found by bisection, under a readers' lock. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "region.h"
#include "space.h"

struct decant_space {
	pthread_rwlock_t lock;
	struct decant_region **regions;
	size_t nr;
	size_t max;
};

/* Whoever adds or removes goes first: somebody is always looking up. */
static void lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

int decant_space_new(struct decant_space **out)
{
	struct decant_space *space = calloc(1, sizeof(*space));

	if (!space)
		return -ENOMEM;
	lock_init(&space->lock);
	*out = space;
	return 0;
}

void decant_space_free(struct decant_space *space)
{
	if (!space)
		return;
	for (size_t i = 0; i < space->nr; i++)
		decant_region_put(space->regions[i]);
	pthread_rwlock_destroy(&space->lock);
	free(space->regions);
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

/* The first region that ends above addr; nr if there is none. */
static size_t first_above(const struct decant_space *space, uintptr_t addr)
{
	size_t lo = 0, hi = space->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (end_of(space->regions[mid]) > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct space_answer space_look_up(const struct decant_space *space, uintptr_t addr)
{
	struct space_answer answer = {NULL, 0, UINTPTR_MAX};
	size_t i = first_above(space, addr);

	if (i < space->nr && start_of(space->regions[i]) <= addr)
		return (struct space_answer){space->regions[i], start_of(space->regions[i]),
					     end_of(space->regions[i])};
	if (i < space->nr)
		answer.hi = start_of(space->regions[i]);
	if (i > 0)
		answer.lo = end_of(space->regions[i - 1]);
	return answer;
}

static int make_room(struct decant_space *space)
{
	size_t max = space->max ? 2 * space->max : 16;
	struct decant_region **regions;

	if (space->nr < space->max)
		return 0;
	regions = realloc(space->regions, max * sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	space->regions = regions;
	space->max = max;
	return 0;
}

static int add_locked(struct decant_space *space, struct decant_region *region)
{
	size_t i = first_above(space, start_of(region));
	int err;

	if (i < space->nr && start_of(space->regions[i]) < end_of(region))
		return -EEXIST;
	err = make_room(space);
	if (err)
		return err;
	memmove(&space->regions[i + 1], &space->regions[i],
		(space->nr - i) * sizeof(*space->regions));
	space->regions[i] = decant_region_get(region);
	space->nr++;
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

	if (i == space->nr || space->regions[i] != region)
		return false;
	space->nr--;
	memmove(&space->regions[i], &space->regions[i + 1],
		(space->nr - i) * sizeof(*space->regions));
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

	space_lock(space);
	region = space_look_up(space, (uintptr_t)addr).region;
	if (region)
		decant_region_get(region);
	space_unlock(space);
	return region;
}
