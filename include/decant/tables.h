/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TABLES_H
#define DECANT_TABLES_H
#include <decant/base.h>

DECANT_BEGIN

/**
 * struct decant_table - one table of a chain
 * @addr: its memory; the caller's
 * @iova: the address by which the device knows it; 0 where no device reads it
 *
 * Since: 0.1
 */
struct decant_table {
	void *addr;
	uint64_t iova;
};

/**
 * struct decant_tables - elements in a chain of tables, and where the last one was
 * @table: the tables, in their order
 * @nr: how many there are
 * @first: slots in the first table
 * @each: slots in each of the others
 * @slot_size: bytes of a slot
 * @lo: number of the first element in the table that was used last; the library's own
 * @hi: number of the element behind it; the library's own
 * @at: that table's memory; the library's own
 *
 * The last slot of a table is for the link to the next one, but for that of the very last
 * table. What @lo, @hi and @at say only saves looking it up.
 *
 * Since: 0.1
 */
struct decant_tables {
	const struct decant_table *table;
	size_t nr;
	size_t first;
	size_t each;
	size_t slot_size;
	size_t lo;
	size_t hi;
	unsigned char *at;
};

/**
 * decant_tables_cut - cut one piece of memory into tables
 * @table: filled
 * @nr: how many
 * @memory: @nr times @bytes
 * @iova: the address by which the device knows @memory; 0 where no device reads it
 * @bytes: bytes of each table
 *
 * Since: 0.1
 */
DECANT_API void decant_tables_cut(struct decant_table *table, size_t nr, void *memory,
				  uint64_t iova, size_t bytes);

DECANT_END
#endif
