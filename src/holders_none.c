/* SPDX-License-Identifier: MIT */
#include "holders.h"

void holders_add(struct decant_region *region, const char *name)
{
	(void)region;
	(void)name;
}

void holders_remove(struct decant_region *region, const char *name)
{
	(void)region;
	(void)name;
}

void holders_poison(void *addr, size_t len)
{
	(void)addr;
	(void)len;
}

size_t decant_region_holders(struct decant_region *region,
			     void (*fn)(void *user, const char *name), void *user)
{
	(void)region;
	(void)fn;
	(void)user;
	return 0;
}
