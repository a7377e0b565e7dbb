/* SPDX-License-Identifier: MIT */
/*
 * domain.c - which region is mapped in which domain.
 *
 * Lock order: the domain's lock, then the region's. Look-ups take neither.
 */
#include <errno.h>
#include <stdlib.h>
#include "region.h"

void decant_domain_init(struct decant_domain *domain, const struct decant_domain_ops *ops)
{
	domain->ops = ops;
	domain->regions = NULL;
	pthread_mutex_init(&domain->lock, NULL);
}

const struct decant_mapping *decant_domain_mapping(const struct decant_domain *domain,
						   const struct decant_region *region)
{
	struct map_slot *slot = region_slot(region, domain);

	return slot ? &slot->mapping : NULL;
}

/* A slot nobody uses, on the region's list already or not. Under the region's lock. */
static struct map_slot *spare_slot(struct decant_region *region)
{
	struct map_slot *slot = region_slot(region, NULL);

	if (slot)
		return slot;
	if (!atomic_load_explicit(&region->slots, memory_order_relaxed))
		return &region->first;
	return calloc(1, sizeof(*slot));
}

static void publish(struct decant_region *region, struct map_slot *slot,
		    const struct decant_domain *domain)
{
	struct map_slot *head =
		atomic_load_explicit(&region->slots, memory_order_relaxed);

	atomic_store_explicit(&slot->domain, domain, memory_order_release);
	if (slot->region)
		return; /* on the list since an earlier mapping */
	slot->region = region;
	slot->next = head;
	atomic_store_explicit(&region->slots, slot, memory_order_release);
}

static void link_slot(struct decant_domain *domain, struct map_slot *slot)
{
	slot->prev_in_domain = NULL;
	slot->next_in_domain = domain->regions;
	if (slot->next_in_domain)
		slot->next_in_domain->prev_in_domain = slot;
	domain->regions = slot;
}

static void unlink_slot(struct decant_domain *domain, struct map_slot *slot)
{
	if (slot->next_in_domain)
		slot->next_in_domain->prev_in_domain = slot->prev_in_domain;
	if (slot->prev_in_domain)
		slot->prev_in_domain->next_in_domain = slot->next_in_domain;
	else
		domain->regions = slot->next_in_domain;
}

static int map_locked(struct decant_domain *domain, struct decant_region *region)
{
	struct decant_span span = decant_region_span(region);
	struct map_slot *slot;
	int err;

	if (region_slot(region, domain))
		return 0;
	slot = spare_slot(region);
	if (!slot)
		return -ENOMEM;
	slot->mapping = (struct decant_mapping){0};
	err = domain->ops->map(domain, &span, &slot->mapping);
	if (err) {
		if (!slot->region && slot != &region->first)
			free(slot);
		return err;
	}
	publish(region, slot, domain);
	link_slot(domain, slot);
	return 0;
}

int decant_domain_map(struct decant_domain *domain, struct decant_region *region)
{
	int err;

	pthread_mutex_lock(&domain->lock);
	pthread_mutex_lock(&region->lock);
	err = map_locked(domain, region);
	pthread_mutex_unlock(&region->lock);
	pthread_mutex_unlock(&domain->lock);
	return err;
}

/* Under the domain's lock. */
static void unmap_slot(struct decant_domain *domain, struct map_slot *slot)
{
	struct decant_region *region = slot->region;

	pthread_mutex_lock(&region->lock);
	unlink_slot(domain, slot);
	domain->ops->unmap(domain, &slot->mapping);
	atomic_store_explicit(&slot->domain, NULL, memory_order_release);
	pthread_mutex_unlock(&region->lock);
}

int decant_domain_unmap(struct decant_domain *domain, struct decant_region *region)
{
	struct map_slot *slot;

	pthread_mutex_lock(&domain->lock);
	slot = region_slot(region, domain);
	if (slot)
		unmap_slot(domain, slot);
	pthread_mutex_unlock(&domain->lock);
	return slot ? 0 : -ENOENT;
}

void decant_domain_clear(struct decant_domain *domain)
{
	pthread_mutex_lock(&domain->lock);
	while (domain->regions)
		unmap_slot(domain, domain->regions);
	pthread_mutex_unlock(&domain->lock);
}

void decant_domain_fini(struct decant_domain *domain)
{
	decant_domain_clear(domain);
	pthread_mutex_destroy(&domain->lock);
}

/* The domain of any mapping that is left. */
static struct decant_domain *any_domain(struct decant_region *region)
{
	struct map_slot *slot =
		atomic_load_explicit(&region->slots, memory_order_acquire);
	const struct decant_domain *domain = NULL;

	for (; slot && !domain; slot = slot->next)
		domain = atomic_load_explicit(&slot->domain, memory_order_acquire);
	return (struct decant_domain *)(uintptr_t)domain;
}

void domain_forget_region(struct decant_region *region)
{
	struct map_slot *slot, *next;
	struct decant_domain *domain;

	while ((domain = any_domain(region)))
		decant_domain_unmap(domain, region);
	for (slot = atomic_load(&region->slots); slot; slot = next) {
		next = slot->next;
		if (slot != &region->first)
			free(slot);
	}
}
