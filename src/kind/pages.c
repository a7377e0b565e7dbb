/* SPDX-License-Identifier: MIT */
#include "../kinds.h"
#include "../make.h"

int decant_iter_pages(struct decant_iter *it, enum decant_direction direction,
		      const struct decant_pages *pages, uint64_t pos, size_t len)
{
	size_t total = 0;
	int err = check_direction(direction);

	if (!err && (!pages || !pages->find || !pages->page_bytes ||
		     !is_pow2_or_0(pages->page_bytes)))
		err = -EINVAL;
	if (!err && (pos > SIZE_MAX || len > SIZE_MAX - (size_t)pos))
		err = -EOVERFLOW;
	if (!err)
		err = add_len(&total, len);
	if (err)
		return err;
	*it = (struct decant_iter){
		.kind = DECANT_KIND_PAGES,
		.direction = (uint8_t)direction,
		.count = total,
		.offset = (size_t)pos,
		.word = {(uintptr_t)pages, (uintptr_t)__builtin_ctzl(pages->page_bytes)},
	};
	return 0;
}

/* The entry that an index lies in; the entries have no empty spans. */
static const struct decant_pages_entry *entry_at(const struct decant_pages_table *table,
						 size_t index)
{
	size_t lo = 0, hi = table->nr;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (table->entries[mid].begin <= index)
			lo = mid;
		else
			hi = mid;
	}
	return &table->entries[lo];
}

/* The largest page around an index that the span allows. */
static int table_find(void *user, uint64_t index, struct decant_span *page)
{
	const struct decant_pages_table *table = user;
	const struct decant_pages_entry *entry = entry_at(table, (size_t)index);
	size_t end = entry->begin + entry->span.len, len = 1, first = (size_t)index;

	for (;;) {
		size_t wider = first & ~(2 * len - 1);

		if (wider < entry->begin || wider + 2 * len > end)
			break;
		first = wider;
		len *= 2;
	}
	page->addr = (unsigned char *)entry->span.addr + (first - entry->begin);
	page->len = len;
	page->region = entry->span.region;
	if (page->region)
		decant_region_get(page->region);
	return 0;
}

int decant_pages_build(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_span *spans, size_t nr, void *room)
{
	struct decant_pages_table *table = room;
	size_t pos = 0;

	*table = (struct decant_pages_table){{1, table_find, table}, 0, NULL};
	table->entries = (struct decant_pages_entry *)(table + 1);
	for (size_t i = 0; i < nr; i++) {
		if (!spans[i].len)
			continue;
		table->entries[table->nr++] = (struct decant_pages_entry){spans[i], pos};
		pos += spans[i].len;
	}
	return decant_iter_pages(it, direction, &table->pages, 0, pos);
}
