/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdlib.h>
#include "iova.h"

#define TRIES 1000

static uint64_t draw(struct iova *iova, uint64_t below)
{
	iova->seed ^= iova->seed >> 12;
	iova->seed ^= iova->seed << 25;
	iova->seed ^= iova->seed >> 27;
	return iova->seed * 0x2545f4914f6cdd1dull % below;
}

static bool is_free(const struct iova *iova, uint64_t addr, uint64_t len, uint64_t guard)
{
	const struct iova_taken *taken;

	for (taken = iova->taken; taken; taken = taken->next)
		if (addr < taken->addr + taken->len + guard &&
		    taken->addr < addr + len + guard)
			return false;
	return true;
}

/* A page-aligned address in a range; 0, which is never handed out, if it does not fit. */
static uint64_t candidate(struct iova *iova, uint64_t len)
{
	const struct iova_range *range = &iova->ranges[draw(iova, iova->nr)];
	uint64_t first = (range->first + IOVA_PAGE - 1) / IOVA_PAGE;
	uint64_t end = (range->last - IOVA_PAGE + 2) / IOVA_PAGE;

	if (first + len / IOVA_PAGE >= end)
		return 0;
	return (first + draw(iova, end - first - len / IOVA_PAGE)) * IOVA_PAGE;
}

static uint64_t choose(struct iova *iova, uint64_t len)
{
	uint64_t addr = iova->next;

	iova->next = 0;
	if (addr)
		return is_free(iova, addr, len, 0) ? addr : 0;
	for (int i = 0; i < TRIES; i++) {
		addr = candidate(iova, len);
		if (addr && is_free(iova, addr, len, IOVA_PAGE))
			return addr;
	}
	return 0;
}

struct iova_taken *iova_take(struct iova *iova, uint64_t len)
{
	struct iova_taken *taken = malloc(sizeof(*taken));

	if (!taken)
		return NULL;
	taken->addr = choose(iova, len);
	taken->len = len;
	if (!taken->addr) {
		free(taken);
		return NULL;
	}
	taken->next = iova->taken;
	iova->taken = taken;
	return taken;
}

void iova_give(struct iova *iova, struct iova_taken *taken)
{
	struct iova_taken **at = &iova->taken;

	while (*at && *at != taken)
		at = &(*at)->next;
	if (*at)
		*at = taken->next;
	free(taken);
}
