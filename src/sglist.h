/* SPDX-License-Identifier: MIT */
#ifndef SRC_SGLIST_H
#define SRC_SGLIST_H
/* sglist.h - adding to and cutting a scatterlist. */
#include <decant/sglist.h>
#include "tables.h"
#include "util.h"

/* There is room. */
void sglist_add(struct decant_sglist *list, struct decant_span span);

/* The same for entry number index, which ends the list. */
static inline void sglist_put(struct decant_sglist *list, size_t index,
			      struct decant_span span)
{
	struct decant_tables *t = &list->tables;
	struct decant_sg *sg;

	list->end = index;
	if (unlikely(index == list->start || index - 1 - t->lo >= t->hi - t->lo - 1)) {
		sglist_add(list, span);
		return;
	}
	/* Neither the table's first entry nor the list's. */
	list->end++;
	sg = (struct decant_sg *)t->at + (index - t->lo);
	sg[-1].flags = 0;
	sg[0] = (struct decant_sg){span.addr, span.len, span.region, DECANT_SG_END};
}

/* Let the list end before a slot. */
void sglist_truncate(struct decant_sglist *list, size_t end);
#endif
