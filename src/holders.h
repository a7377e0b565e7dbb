/* SPDX-License-Identifier: MIT */
#ifndef SRC_HOLDERS_H
#define SRC_HOLDERS_H
/*
 * holders.h - who holds what, in a build with debug_holds; else nothing, at no cost.
 * holders.c or holders_none.c is built, never both.
 */
#include <decant/hold.h>

/* A hold of that name has taken, or is about to drop, a reference. */
void holders_add(struct decant_region *region, const char *name);
void holders_remove(struct decant_region *region, const char *name);

/* Memory that nobody may use any more. */
void holders_poison(void *addr, size_t len);
#endif
