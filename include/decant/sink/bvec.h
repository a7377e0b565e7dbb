/* SPDX-License-Identifier: MIT */
/* sink bvec: spans with their owners, ready for another iterator. */
#ifdef DECANT_SINK
DECANT_SINK(BVEC, bvec)
#else

static void sink_bvec_put(struct decant_sink *sink, size_t index,
			  const struct decant_element *el)
{
	((struct decant_bvec *)sink->table)[index] =
		(struct decant_bvec){el->addr, el->len, el->region};
}

static void sink_bvec_grow(struct decant_sink *sink, size_t index, size_t len)
{
	((struct decant_bvec *)sink->table)[index].len = len;
}

static struct decant_span sink_bvec_span(const struct decant_sink *sink, size_t index)
{
	const struct decant_bvec *bv = (const struct decant_bvec *)sink->table + index;

	return (struct decant_span){bv->addr, bv->len, bv->region};
}

static void sink_bvec_init(struct decant_sink *sink, void *table, size_t max)
{
	decant_sink_bvec(sink, table, max);
}

static const struct decant_sink_ops sink_bvec_ops = {
	.name = "bvec",
	.element_size = sizeof(struct decant_bvec),
	.max_element_bytes = SIZE_MAX,
	.put = sink_bvec_put,
	.grow = sink_bvec_grow,
	.span = sink_bvec_span,
	.init = sink_bvec_init,
};
#endif
