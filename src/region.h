/* SPDX-License-Identifier: MIT */
#ifndef SRC_REGION_H
#define SRC_REGION_H
/* region.h - what a region looks like to the rest of the core. */
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <decant/domain.h>

/*
 * A region's mapping in one domain. Slots are never freed before the region, so that
 * look-ups need no lock: a slot counts once its domain is set.
 */
struct map_slot {
	_Atomic(const struct decant_domain *) domain;
	struct decant_mapping mapping;
	struct decant_region *region;
	struct map_slot *next;          /* in the region; never changes once published */
	struct map_slot *prev_in_domain;
	struct map_slot *next_in_domain;
};

struct decant_region {
	unsigned char *addr;
	size_t len;
	atomic_size_t refs;
	void (*release)(void *user, void *addr, size_t len);
	void *user;
	bool temporary;                 /* made by register.c */
	pthread_mutex_t lock;           /* serialises changes to slots */
	_Atomic(struct map_slot *) slots;
	struct holder *holders;         /* with debug_holds: see holders.c */
	struct map_slot first;          /* most regions know one domain */
};

/* What a domain has of a region, or NULL. */
static inline struct map_slot *region_slot(const struct decant_region *region,
					   const struct decant_domain *domain)
{
	struct map_slot *slot =
		atomic_load_explicit(&region->slots, memory_order_acquire);

	while (slot &&
	       atomic_load_explicit(&slot->domain, memory_order_acquire) != domain)
		slot = slot->next;
	return slot;
}

/* domain.c: let go of a region that has no references left. */
void domain_forget_region(struct decant_region *region);
#endif
