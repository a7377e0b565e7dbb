/* SPDX-License-Identifier: MIT */
/* owner.c - whose the bytes are that come next, and where a device sees them. */
#include <decant/stage.h>
#include "loop.h"
#include "region.h"
#include "space.h"
#include "util.h"

struct decant_region *loop_look_up(struct loop *l, uintptr_t addr,
				   struct decant_region *given, uintptr_t *lo,
				   uintptr_t *hi)
{
	struct decant_space *space = l->sink->space;

	if (given || !space) {
		*lo = 0;
		*hi = UINTPTR_MAX;
		return given;
	}
	if (!l->locked)
		space_lock(space);
	l->locked = true;
	return space_look_up(space, addr, lo, hi);
}

/*
 * Addresses of a region that a device knows. What claims to lie in it and does not would
 * be somebody else's memory there.
 */
static bool translate(struct loop *l, uintptr_t addr)
{
	l->owner.lo = (uintptr_t)l->owner.region->addr;
	l->owner.hi = l->owner.lo + l->owner.region->len;
	if (l->sink->ops->device)
		l->owner.shift = l->owner.mapping->iova - l->owner.lo;
	if (addr - l->owner.lo < l->owner.hi - l->owner.lo)
		return true;
	l->stop = DECANT_STOP_FAULT;
	l->owner.lo = l->owner.hi;
	return false;
}

bool loop_find_owner(struct loop *l, uintptr_t addr, struct decant_region *given)
{
	struct decant_sink *sink = l->sink;
	struct decant_region *region =
		loop_look_up(l, addr, given, &l->owner.lo, &l->owner.hi);
	const struct decant_mapping *mapping = NULL;

	if (!region && sink->policy == DECANT_REGISTER)
		region = register_find(l, addr, &l->owner.lo, &l->owner.hi);
	if (region && sink->domain)
		mapping = decant_domain_mapping(sink->domain, region);
	l->owner.given = given;
	l->owner.region = region;
	l->owner.mapping = mapping;
	l->owner.shift = 0;
	if (mapping)
		return translate(l, addr);
	if (region ? !sink->domain : sink->policy == DECANT_TRUST)
		return true;
	l->stop = DECANT_STOP_UNREGISTERED;
	sink->error = 0;
	l->owner.lo = l->owner.hi; /* ask again next time */
	return false;
}

static bool sees_device(const struct loop *l)
{
	return l->sink->domain && l->sink->ops->device;
}

uint64_t loop_seen(struct loop *l, const struct decant_span *span, size_t *len)
{
	uintptr_t addr = (uintptr_t)span->addr;
	enum decant_stop stop = l->stop;

	if (!sees_device(l))
		return addr;
	if (!knows_owner(l, addr, span->region))
		(void)loop_find_owner(l, addr, span->region);
	l->stop = stop;
	*len = min_size(*len, l->owner.hi - addr);
	return addr + l->owner.shift;
}

uint64_t loop_stage_seen(const struct loop *l)
{
	const struct decant_span *memory = &l->sink->stage->memory;
	const struct decant_mapping *mapping = NULL;
	uintptr_t addr = (uintptr_t)memory->addr;

	if (sees_device(l) && memory->region)
		mapping = decant_domain_mapping(l->sink->domain, memory->region);
	return mapping ? mapping->iova + (addr - (uintptr_t)memory->region->addr) : addr;
}
