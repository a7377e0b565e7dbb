/* SPDX-License-Identifier: MIT */
/* holders.c - a list in each region of the names of the holds that keep it. */
#include <stdlib.h>
#include <string.h>
#include "holders.h"
#include "region.h"

struct holder {
	const char *name;
	struct holder *next;
};

/* A list that is not complete for want of memory is still better than none. */
void holders_add(struct decant_region *region, const char *name)
{
	struct holder *holder = malloc(sizeof(*holder));

	if (!holder)
		return;
	pthread_mutex_lock(&region->lock);
	*holder = (struct holder){name, region->holders};
	region->holders = holder;
	pthread_mutex_unlock(&region->lock);
}

static struct holder *unlink_holder(struct decant_region *region, const char *name)
{
	struct holder **at = &region->holders, *found;

	while (*at && (*at)->name != name)
		at = &(*at)->next;
	found = *at;
	if (found)
		*at = found->next;
	return found;
}

void holders_remove(struct decant_region *region, const char *name)
{
	pthread_mutex_lock(&region->lock);
	free(unlink_holder(region, name));
	pthread_mutex_unlock(&region->lock);
}

void holders_poison(void *addr, size_t len)
{
	memset(addr, 0xdb, len);
}

size_t decant_region_holders(struct decant_region *region,
			     void (*fn)(void *user, const char *name), void *user)
{
	size_t nr = 0;

	pthread_mutex_lock(&region->lock);
	for (struct holder *h = region->holders; h; h = h->next, nr++)
		fn(user, h->name ? h->name : "(a hold without a name)");
	pthread_mutex_unlock(&region->lock);
	return nr;
}
