/* SPDX-License-Identifier: MIT */
/* sink prp: pages of an NVMe command's data. An entry says nothing about a length. */
#ifdef DECANT_SINK
DECANT_SINK(PRP, prp)
#else

static const struct decant_sink_ops sink_prp_ops;

static void sink_prp_put(struct decant_sink *sink, size_t index,
			 const struct decant_element *el)
{
	struct decant_prp *prp = (struct decant_prp *)sink->table;

	if (index < 2)
		prp->direct[index] = el->device;
	if (index && prp->list.nr)
		*(uint64_t *)tables_slot(&prp->list, index - 1) = htole64(el->device);
}

static void sink_prp_grow(struct decant_sink *sink, size_t index, size_t len)
{
	(void)sink;
	(void)index;
	(void)len;
}

/* All elements but the first and the last are whole pages. */
static struct decant_span sink_prp_span(const struct decant_sink *sink, size_t index)
{
	struct decant_prp *prp = (struct decant_prp *)sink->table;
	size_t page = prp->page_size, len = page - (prp->direct[0] & (page - 1));
	uint64_t addr = prp->direct[index ? 1 : 0];
	size_t before = 0;

	if (index) {
		before = len + (index - 1) * page;
		len = page;
	}
	if (index > 1)
		addr = le64toh(*(uint64_t *)tables_slot(&prp->list, index - 1));
	if (len > sink->bytes - before)
		len = sink->bytes - before;
	return (struct decant_span){(void *)(uintptr_t)addr, len, NULL};
}

/* Tiny pages, so that there are many of them and many lists. */
#define SINK_PRP_TINY 64

static void sink_prp_init(struct decant_sink *sink, void *memory, size_t max)
{
	struct decant_prp *prp = (struct decant_prp *)memory;
	struct decant_table *table = (struct decant_table *)(prp + 1);
	size_t each = SINK_PRP_TINY / sizeof(uint64_t), nr = max / (each - 1) + 1;

	decant_tables_cut(table, nr, table + nr, SINK_PRP_TINY, SINK_PRP_TINY);
	*prp = (struct decant_prp){.page_size = SINK_PRP_TINY};
	prp->list = (struct decant_tables){table, nr, each, each, sizeof(uint64_t),
					   0,	  0,  NULL};
	begin(sink, &sink_prp_ops, prp, max);
}

static void sink_prp_rules(const struct decant_sink *sink, struct decant_limits *limits)
{
	size_t page = ((const struct decant_prp *)sink->table)->page_size;
	struct decant_limits rules = {.boundary = page, .addr_align = 4, .gap = page};

	decant_limits_merge(limits, &rules);
}

static const struct decant_sink_ops sink_prp_ops = {
	.name = "prp",
	.room = sizeof(struct decant_prp) + sizeof(struct decant_table) + SINK_PRP_TINY,
	.element_size = 2 * sizeof(uint64_t),
	.max_element_bytes = SIZE_MAX,
	.device = true,
	.joins_owners = true,
	.put = sink_prp_put,
	.grow = sink_prp_grow,
	.span = sink_prp_span,
	.init = sink_prp_init,
	.rules = sink_prp_rules,
};
#endif
