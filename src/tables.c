/* SPDX-License-Identifier: MIT */
/* tables.c - which table of a chain holds an element. */
#include "tables.h"
#include "util.h"

void decant_tables_cut(struct decant_table *table, size_t nr, void *memory, uint64_t iova,
		       size_t bytes)
{
	unsigned char *at = memory;

	for (size_t i = 0; i < nr; i++, at += bytes, iova += iova ? bytes : 0)
		table[i] = (struct decant_table){at, iova};
}

size_t tables_capacity(const struct decant_tables *t)
{
	size_t others;

	if (!t->nr)
		return 0;
	if (__builtin_mul_overflow(t->nr - 1, t->each - 1, &others) ||
	    __builtin_add_overflow(others, t->first, &others))
		return SIZE_MAX;
	return others;
}

/* Number of the first element in a table. */
static size_t begins(const struct decant_tables *t, size_t table)
{
	return table ? t->first - 1 + (table - 1) * (t->each - 1) : 0;
}

void tables_seek(struct decant_tables *t, size_t index)
{
	size_t table = 0;

	if (index >= t->first - 1)
		table = min_size(1 + (index - (t->first - 1)) / (t->each - 1), t->nr - 1);
	t->lo = begins(t, table);
	t->hi = table == t->nr - 1 ? SIZE_MAX : begins(t, table + 1);
	t->at = t->table[table].addr;
}

size_t tables_used(const struct decant_tables *t, size_t nr)
{
	if (nr <= t->first)
		return 1;
	return 1 + (nr - t->first + t->each - 2) / (t->each - 1);
}

size_t tables_slots(const struct decant_tables *t, size_t table)
{
	return table ? t->each : t->first;
}

void *tables_link(const struct decant_tables *t, size_t table)
{
	unsigned char *addr = t->table[table].addr;

	return addr + (tables_slots(t, table) - 1) * t->slot_size;
}

size_t tables_filled(const struct decant_tables *t, size_t nr, size_t table)
{
	return nr - begins(t, table);
}
