/* SPDX-License-Identifier: MIT */
#ifndef SRC_SGLIST_H
#define SRC_SGLIST_H
/* sglist.h - adding to and cutting a scatterlist. */
#include <decant/sglist.h>

/* There is room. */
void sglist_add(struct decant_sglist *list, struct decant_span span);

/* Let the list end before a slot. */
void sglist_truncate(struct decant_sglist *list, size_t end);
#endif
