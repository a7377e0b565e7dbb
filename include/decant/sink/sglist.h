/* SPDX-License-Identifier: MIT */
/* sink sglist: entries with their owners, in chained tables. */
#ifdef DECANT_SINK
DECANT_SINK(SGLIST, sglist)
#else

static const struct decant_sink_ops sink_sglist_ops;

static struct decant_sg *sink_sglist_at(const struct decant_sink *sink, size_t index)
{
	struct decant_sglist *list = (struct decant_sglist *)sink->table;

	return (struct decant_sg *)tables_slot(&list->tables, list->base + index);
}

static void sink_sglist_put(struct decant_sink *sink, size_t index,
			    const struct decant_element *el)
{
	struct decant_sglist *list = (struct decant_sglist *)sink->table;

	sglist_put(list, list->base + index,
		   (struct decant_span){el->addr, el->len, el->region});
}

static void sink_sglist_grow(struct decant_sink *sink, size_t index, size_t len)
{
	sink_sglist_at(sink, index)->len = len;
}

static struct decant_span sink_sglist_span(const struct decant_sink *sink, size_t index)
{
	const struct decant_sg *sg = sink_sglist_at(sink, index);

	return (struct decant_span){sg->addr, sg->len, sg->region};
}

static void sink_sglist_cut(struct decant_sink *sink)
{
	struct decant_sglist *list = (struct decant_sglist *)sink->table;

	sglist_truncate(list, list->base + sink->nr);
}

#define SINK_SGLIST_TINY 4

static void sink_sglist_init(struct decant_sink *sink, void *memory, size_t max)
{
	struct decant_sglist *list = (struct decant_sglist *)memory;
	struct decant_table *table = (struct decant_table *)(list + 1);
	size_t each = SINK_SGLIST_TINY, size = sizeof(struct decant_sg);
	size_t nr = max / (each - 1) + 1;

	decant_tables_cut(table, nr, table + nr, 0, each * size);
	*list = (struct decant_sglist){
		.tables = {table, nr, each, each, size, 0, 0, NULL}};
	begin(sink, &sink_sglist_ops, list, max);
}

static const struct decant_sink_ops sink_sglist_ops = {
	.name = "sglist",
	.room = sizeof(struct decant_sglist) + sizeof(struct decant_table) +
		SINK_SGLIST_TINY * sizeof(struct decant_sg),
	.element_size = sizeof(struct decant_sg) + 2 * sizeof(uint64_t),
	.max_element_bytes = SIZE_MAX,
	.put = sink_sglist_put,
	.grow = sink_sglist_grow,
	.span = sink_sglist_span,
	.init = sink_sglist_init,
	.cut = sink_sglist_cut,
};
#endif
