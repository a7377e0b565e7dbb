/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include "region.h"
#include "util.h"

int decant_region_new(struct decant_region **out, void *addr, size_t len,
		      const struct decant_region_options *options)
{
	struct decant_region *region;

	if (options && options->size != sizeof(*options))
		return -EINVAL;
	if (!len)
		return -EINVAL;
	if (!addr || wraps(addr, len))
		return -EFAULT;
	region = calloc(1, sizeof(*region));
	if (!region)
		return -ENOMEM;
	region->addr = addr;
	region->len = len;
	atomic_init(&region->refs, 1);
	pthread_mutex_init(&region->lock, NULL);
	if (options) {
		region->release = options->release;
		region->user = options->user;
	}
	*out = region;
	return 0;
}

struct decant_region *decant_region_get(struct decant_region *region)
{
	atomic_fetch_add_explicit(&region->refs, 1, memory_order_relaxed);
	return region;
}

static void region_free(struct decant_region *region)
{
	domain_forget_region(region);
	if (region->release)
		region->release(region->user, region->addr, region->len);
	pthread_mutex_destroy(&region->lock);
	free(region);
}

void decant_region_put(struct decant_region *region)
{
	if (region &&
	    atomic_fetch_sub_explicit(&region->refs, 1, memory_order_acq_rel) == 1)
		region_free(region);
}

struct decant_span decant_region_span(const struct decant_region *region)
{
	/* A span's owner is not const: whoever has the span may take a reference. */
	return (struct decant_span){region->addr, region->len,
				    (struct decant_region *)(uintptr_t)region};
}

size_t decant_region_refs(const struct decant_region *region)
{
	return atomic_load_explicit(&region->refs, memory_order_relaxed);
}
