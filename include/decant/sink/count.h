/* SPDX-License-Identifier: MIT */
/* sink count: how many elements it would be. */
#ifdef DECANT_SINK
DECANT_SINK(COUNT, count)
#else

static void sink_count_put(struct decant_sink *sink, size_t index,
			   const struct decant_element *el)
{
	(void)sink;
	(void)index;
	(void)el;
}

static void sink_count_grow(struct decant_sink *sink, size_t index, size_t len)
{
	(void)sink;
	(void)index;
	(void)len;
}

static struct decant_span sink_count_span(const struct decant_sink *sink, size_t index)
{
	(void)sink;
	(void)index;
	return (struct decant_span){0};
}

static void sink_count_init(struct decant_sink *sink, void *table, size_t max)
{
	(void)table;
	(void)max;
	decant_sink_count(sink);
}

static const struct decant_sink_ops sink_count_ops = {
	.name = "count",
	.max_element_bytes = SIZE_MAX,
	.device = true,
	.put = sink_count_put,
	.grow = sink_count_grow,
	.span = sink_count_span,
	.init = sink_count_init,
};
#endif
