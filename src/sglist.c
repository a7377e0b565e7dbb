/* SPDX-License-Identifier: MIT */
/* sglist.c - scatterlists in chained tables; src/tables.h says how these work. */
#include <errno.h>
#include "sglist.h"
#include "tables.h"
#include "util.h"

int decant_sglist_init(struct decant_sglist *list, const struct decant_table *tables,
		       size_t nr, size_t each, size_t reserve)
{
	struct decant_tables t = {tables, nr, each, each, sizeof(struct decant_sg),
				  0,	  0,  NULL};

	if (!nr || each < 2)
		return -EINVAL;
	for (size_t i = 0; i < nr; i++)
		if (!tables[i].addr)
			return -EINVAL;
	if (reserve > tables_capacity(&t))
		return -EINVAL;
	*list = (struct decant_sglist){t, reserve, reserve, reserve};
	return 0;
}

static struct decant_sg *slot(struct decant_sglist *list, size_t index)
{
	return tables_slot(&list->tables, index);
}

/* Write an entry; the first of a table is where the table before leads to. */
static void place(struct decant_sglist *list, size_t index, struct decant_span span,
		  uint64_t flags)
{
	struct decant_sg *sg = slot(list, index), *link;
	size_t table;

	*sg = (struct decant_sg){span.addr, span.len, span.region, flags};
	if (!index || index != list->tables.lo)
		return;
	table = index / (list->tables.each - 1);
	link = tables_link(&list->tables, table - 1);
	*link = (struct decant_sg){.addr = sg, .flags = DECANT_SG_LINK};
}

void sglist_add(struct decant_sglist *list, struct decant_span span)
{
	size_t index = list->end++;

	if (index > list->start)
		slot(list, index - 1)->flags = 0;
	place(list, index, span, DECANT_SG_END);
}

void sglist_truncate(struct decant_sglist *list, size_t end)
{
	list->end = end;
	if (end > list->start)
		slot(list, end - 1)->flags = DECANT_SG_END;
}

int decant_sglist_append(struct decant_sglist *list, struct decant_span span)
{
	if (!span.len)
		return -EINVAL;
	if (list->end == tables_capacity(&list->tables))
		return -ENOSPC;
	sglist_add(list, span);
	return 0;
}

int decant_sglist_prepend(struct decant_sglist *list, struct decant_span span)
{
	bool only = list->start == list->end;

	if (!span.len)
		return -EINVAL;
	if (!list->start)
		return -ENOSPC;
	place(list, --list->start, span, only ? DECANT_SG_END : 0);
	return 0;
}

size_t decant_sglist_count(const struct decant_sglist *list)
{
	return list->end - list->start;
}

struct decant_sg *decant_sglist_first(const struct decant_sglist *list)
{
	struct decant_tables t = list->tables;

	return list->start < list->end ? tables_slot(&t, list->start) : NULL;
}

struct decant_sg *decant_sglist_next(const struct decant_sg *sg)
{
	struct decant_sg *next = (struct decant_sg *)(uintptr_t)(sg + 1);

	if (sg->flags & DECANT_SG_END)
		return NULL;
	return next->flags & DECANT_SG_LINK ? next->addr : next;
}
