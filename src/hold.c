/* SPDX-License-Identifier: MIT */
/*
 * hold.c - a set of regions in the order they came, each held once.
 *
 * Small sets are searched from the newest; larger ones have a hash index (slot + 1, 0 for
 * free) beside the list, twice as large as the list and never full.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <decant/hold.h>
#include "holders.h"
#include "probes.h"
#include "region.h"
#include "util.h"

static struct decant_region **list_of(struct decant_hold *hold)
{
	return hold->more ? hold->more : hold->inlined;
}

static size_t room_of(const struct decant_hold *hold)
{
	return hold->more ? hold->max : DECANT_HOLD_INLINE;
}

static size_t hash(const struct decant_region *region, size_t max)
{
	return (size_t)(((uintptr_t)region >> 4) * 0x9e3779b97f4a7c15ull >> 20) &
	       (2 * max - 1);
}

/* Where region is in the index, or the free place it would go to. */
static size_t probe(const struct decant_hold *hold, const struct decant_region *region)
{
	size_t at = hash(region, hold->max);

	while (hold->index[at] && hold->more[hold->index[at] - 1] != region)
		at = (at + 1) & (2 * hold->max - 1);
	return at;
}

static bool holds(struct decant_hold *hold, const struct decant_region *region)
{
	struct decant_region **list = list_of(hold);

	if (hold->nr && list[hold->nr - 1] == region)
		return true;
	if (hold->more)
		return hold->index[probe(hold, region)] != 0;
	for (size_t i = 0; i < hold->nr; i++)
		if (list[i] == region)
			return true;
	return false;
}

static void build_index(struct decant_hold *hold)
{
	memset(hold->index, 0, 2 * hold->max * sizeof(*hold->index));
	for (size_t i = 0; i < hold->nr; i++)
		hold->index[probe(hold, hold->more[i])] = (uint32_t)i + 1;
}

int decant_hold_reserve(struct decant_hold *hold, size_t nr)
{
	size_t max;
	struct decant_region **more;
	uint32_t *index;

	if (nr <= room_of(hold))
		return 0;
	if (nr > (size_t)1 << 31)
		return -EINVAL;
	for (max = 32; max < nr; max *= 2)
		;
	more = malloc(max * sizeof(*more));
	index = malloc(2 * max * sizeof(*index));
	if (!more || !index) {
		free(more);
		free(index);
		return -ENOMEM;
	}
	memcpy(more, list_of(hold), hold->nr * sizeof(*more));
	free(hold->more);
	free(hold->index);
	hold->more = more;
	hold->index = index;
	hold->max = max;
	build_index(hold);
	return 0;
}

int decant_hold_add(struct decant_hold *hold, struct decant_region *region)
{
	int err;

	if (holds(hold, region))
		return 0;
	err = decant_hold_reserve(hold, hold->nr + 1);
	if (err)
		return err;
	list_of(hold)[hold->nr++] = decant_region_get(region);
	holders_add(region, hold->name);
	probe_hold(hold, region, region->addr, region->len);
	if (hold->more)
		hold->index[probe(hold, region)] = (uint32_t)hold->nr;
	return 0;
}

static void drop_newest(struct decant_hold *hold)
{
	struct decant_region *region = list_of(hold)[--hold->nr];

	holders_remove(region, hold->name);
	probe_release(hold, region);
	decant_region_put(region);
}

void decant_hold_truncate(struct decant_hold *hold, size_t nr)
{
	if (nr >= hold->nr)
		return;
	while (hold->nr > nr)
		drop_newest(hold);
	if (hold->more)
		build_index(hold);
}

void decant_hold_release(struct decant_hold *hold)
{
	while (hold->nr)
		drop_newest(hold);
	free(hold->more);
	free(hold->index);
	*hold = (struct decant_hold){.name = hold->name};
}
