/* SPDX-License-Identifier: MIT */
#ifndef SRC_TABLES_H
#define SRC_TABLES_H
/*
 * tables.h - a chain of tables whose last slots are links.
 *
 * An element has its slot for good, whatever follows it: n slots hold n - 1 elements.
 * Only when the last element is alone in its table may it also stand where the link to
 * that table would be, which then isn't needed.
 */
#include <decant/tables.h>

/* Elements that fit. */
size_t tables_capacity(const struct decant_tables *t);

/* Make a table the one that was used last. */
void tables_seek(struct decant_tables *t, size_t index);

/* How many tables nr elements need, if a last one alone stands in the link's place. */
size_t tables_used(const struct decant_tables *t, size_t nr);

/* Slots taken in the last of these tables. */
size_t tables_filled(const struct decant_tables *t, size_t nr, size_t table);

/* Slots of a table, with the one for the link. */
size_t tables_slots(const struct decant_tables *t, size_t table);

/* The link to the next table. */
void *tables_link(const struct decant_tables *t, size_t table);

static inline void *tables_slot(struct decant_tables *t, size_t index)
{
	if (__builtin_expect(index - t->lo >= t->hi - t->lo, 0))
		tables_seek(t, index);
	return t->at + (index - t->lo) * t->slot_size;
}
#endif
