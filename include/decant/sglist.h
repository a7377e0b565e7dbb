/* SPDX-License-Identifier: MIT */
#ifndef DECANT_SGLIST_H
#define DECANT_SGLIST_H
/*
 * sglist.h - scatterlists: entries in chained tables of one size, whose last slots lead
 * to the next table, with room kept in front for a header.
 */
#include <decant/sink.h>
#include <decant/tables.h>

DECANT_BEGIN

/**
 * enum decant_sg_flags - what an entry is besides memory
 * @DECANT_SG_LINK: no memory: @addr is the first entry of the next table
 * @DECANT_SG_END: the last entry
 *
 * Since: 0.1
 */
enum decant_sg_flags { DECANT_SG_LINK = 1, DECANT_SG_END = 2 };

/**
 * struct decant_sg - one entry of a scatterlist
 * @addr: first byte, or the next table
 * @len: bytes
 * @region: the owner, or NULL. What keeps it alive is the sink's hold.
 * @flags: enum decant_sg_flags
 *
 * Since: 0.1
 */
struct decant_sg {
	void *addr;
	size_t len;
	struct decant_region *region;
	uint64_t flags;
};

/**
 * struct decant_sglist - a scatterlist in the caller's tables
 * @tables: where its entries lie; the library's own
 * @start: its first slot; the library's own
 * @end: the slot behind its last; the library's own
 * @base: the slot of the sink's first element; the library's own
 *
 * Consistent at any time: whoever walks it finds an end.
 *
 * Since: 0.1
 */
struct decant_sglist {
	struct decant_tables tables;
	size_t start;
	size_t end;
	size_t base;
};

/**
 * decant_sglist_init - begin an empty scatterlist
 * @list: filled; untouched on error
 * @tables: tables of @each struct decant_sg; borrowed. decant_tables_cut() makes them of
 *	one array.
 * @nr: how many tables
 * @each: entries of a table, at least 2. All tables but the last hold one entry less,
 *	for the link.
 * @reserve: entries to keep free in front for decant_sglist_prepend()
 *
 * Return: 0; -EINVAL for no table, one without memory, @each, or a reserve that is larger
 * than all of it.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_sglist_init(struct decant_sglist *list,
					      const struct decant_table *tables,
					      size_t nr, size_t each, size_t reserve);

/**
 * decant_sink_sglist - extract into a scatterlist, behind what is there
 * @sink: filled
 * @list: must stay as long as @sink is in use
 *
 * Once something was put behind the sink's elements with decant_sglist_append(), go on
 * with a new sink. Resetting the sink takes its elements from the list, no others.
 *
 * Since: 0.1
 */
DECANT_API void decant_sink_sglist(struct decant_sink *sink, struct decant_sglist *list);

/**
 * decant_sglist_prepend - put an entry before all others, a header
 * @list: the list
 * @span: what it is
 *
 * Return: 0; -ENOSPC if nothing is left of the reserve, -EINVAL for an empty span.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_sglist_prepend(struct decant_sglist *list,
						 struct decant_span span);

/**
 * decant_sglist_append - put an entry behind all others, a trailer
 * @list: the list
 * @span: what it is
 *
 * Return: 0; -ENOSPC if the tables are full, -EINVAL for an empty span.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_sglist_append(struct decant_sglist *list,
						struct decant_span span);

/**
 * decant_sglist_count - how many entries, links not counted
 * @list: the list
 *
 * Return: the number.
 * Since: 0.1
 */
DECANT_API size_t decant_sglist_count(const struct decant_sglist *list);

/**
 * decant_sglist_first - where to begin walking
 * @list: the list
 *
 * Return: the first entry; NULL if there is none.
 * Since: 0.1
 */
DECANT_API struct decant_sg *decant_sglist_first(const struct decant_sglist *list);

/**
 * decant_sglist_next - the entry behind an entry, over links
 * @sg: an entry of a list
 *
 * Return: the next entry; NULL behind the last.
 * Since: 0.1
 */
DECANT_API struct decant_sg *decant_sglist_next(const struct decant_sg *sg);

DECANT_END
#endif
