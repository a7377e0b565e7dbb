/* SPDX-License-Identifier: MIT */
/*
 * register.c - memory in no region, made known to the domain for as long as it is held.
 *
 * What is registered is the whole run of adjacent unowned bytes that the request asks
 * for, so that one element may cover it however it was cut. The hold has the only
 * reference.
 */
#include "kinds.h"
#include "loop.h"
#include "region.h"
#include "util.h"

/* How far back in the hold a run is looked for: pieces of a few runs alternate. */
#define RUNS_LOOKED_AT 16

static struct decant_region *held_region(const struct decant_hold *hold, size_t i)
{
	return hold->more ? hold->more[i] : hold->inlined[i];
}

struct decant_region *register_find(const struct loop *l, uintptr_t addr, uintptr_t *lo,
				    uintptr_t *hi)
{
	const struct decant_hold *hold = l->sink->hold;
	size_t nr = hold ? hold->nr : 0;

	for (size_t i = nr; i-- > 0 && nr - i <= RUNS_LOOKED_AT;) {
		struct decant_region *region = held_region(hold, i);
		uintptr_t start = (uintptr_t)region->addr;

		if (!region->temporary || addr - start >= region->len)
			continue;
		*lo = start;
		*hi = start + region->len;
		return region;
	}
	return NULL;
}

/* Bytes from the cursor on that lie in a row and are nobody's. */
static size_t unowned_run(struct loop *l, struct decant_iter it, size_t most)
{
	unsigned char *end = NULL;
	uintptr_t lo, hi;
	size_t run = 0;

	while (run < most) {
		struct decant_span span = kind_peek(&it);
		size_t n = min_size(span.len, most - run);

		kind_put(&it, &span);
		if (!n || !span.addr || span.region || (end && span.addr != end) ||
		    loop_look_up(l, (uintptr_t)span.addr, NULL, &lo, &hi))
			break;
		n = min_size(n, hi - (uintptr_t)span.addr);
		run += n;
		end = (unsigned char *)span.addr + n;
		kind_advance(&it, n);
	}
	return run;
}

static int hold_new(struct loop *l, void *addr, size_t len)
{
	struct decant_region *region;
	int err = decant_region_new(&region, addr, len, NULL);

	if (err)
		return err;
	region->temporary = true;
	err = decant_domain_map(l->sink->domain, region);
	if (!err)
		err = decant_hold_add(l->sink->hold, region);
	decant_region_put(region);
	return err;
}

bool register_next(struct loop *l, const struct decant_iter *it, size_t left)
{
	struct decant_span span;
	size_t run;

	if (l->stop != DECANT_STOP_UNREGISTERED || l->sink->policy != DECANT_REGISTER ||
	    !l->sink->domain || !l->sink->hold)
		return false;
	run = unowned_run(l, *it, left);
	if (!run)
		return false;
	span = kind_peek(it);
	kind_put(it, &span);
	l->sink->error = hold_new(l, span.addr, run);
	return !l->sink->error;
}
