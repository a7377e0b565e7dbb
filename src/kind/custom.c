/* SPDX-License-Identifier: MIT */
#include "../kinds.h"
#include "../make.h"

int decant_iter_custom(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_iter_ops *ops, void *state, size_t len)
{
	size_t total = 0;
	int err = check_direction(direction);

	if (!err && (!ops || ops->size != sizeof(*ops) || !ops->peek))
		err = -EINVAL;
	if (!err)
		err = add_len(&total, len);
	if (err)
		return err;
	*it = (struct decant_iter){.kind = DECANT_KIND_CUSTOM,
				   .direction = (uint8_t)direction,
				   .count = total,
				   .word = {(uintptr_t)ops, (uintptr_t)state}};
	return 0;
}

static struct decant_span table_peek(void *state, const struct decant_place *place)
{
	const struct decant_custom_table *table = state;
	const struct decant_custom_entry *entry = &table->entries[place->word];
	struct decant_span span = entry->span;
	size_t skip = place->pos - entry->begin;

	span.addr = (unsigned char *)span.addr + skip;
	span.len -= skip;
	if (span.region)
		decant_region_get(span.region);
	return span;
}

static void table_put(void *state, const struct decant_place *place,
		      const struct decant_span *span)
{
	(void)state;
	(void)place;
	decant_region_put(span->region);
}

/* The table has no empty spans: the index moves to the one that pos lies in. */
static size_t table_index(const struct decant_custom_table *table, size_t pos)
{
	size_t lo = 0, nr = table->nr;

	while (nr > 1) {
		size_t half = nr / 2;

		if (table->entries[lo + half].begin <= pos)
			lo += half;
		nr -= half;
	}
	return lo;
}

/* The next one, most of the time. */
static void table_advance(void *state, struct decant_place *place, size_t n)
{
	const struct decant_custom_table *table = state;
	const struct decant_custom_entry *entry = &table->entries[place->word];
	size_t pos = place->pos + n, into = pos - entry->begin;

	if (into < entry->span.len)
		return;
	if (place->word + 1 < table->nr && into - entry->span.len < entry[1].span.len)
		place->word++;
	else
		place->word = table_index(table, pos);
}

static void table_retreat(void *state, struct decant_place *place, size_t n)
{
	place->word = table_index(state, place->pos - n);
}

static const struct decant_iter_ops table_ops = {.size = sizeof(table_ops),
						 .peek = table_peek,
						 .advance = table_advance,
						 .retreat = table_retreat,
						 .put = table_put};

int decant_custom_build(struct decant_iter *it, enum decant_direction direction,
			const struct decant_span *spans, size_t nr, void *room)
{
	struct decant_custom_table *table = room;
	size_t pos = 0;

	table->nr = 0;
	table->entries = (struct decant_custom_entry *)(table + 1);
	for (size_t i = 0; i < nr; i++) {
		if (!spans[i].len)
			continue;
		table->entries[table->nr++] = (struct decant_custom_entry){spans[i], pos};
		pos += spans[i].len;
	}
	return decant_iter_custom(it, direction, &table_ops, table, pos);
}
