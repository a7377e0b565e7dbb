/* SPDX-License-Identifier: MIT */
/* sink sge: what ibv_post_send(3) takes, local keys filled in. */
#ifdef DECANT_SINK
DECANT_SINK(SGE, sge)
#else

/* The length field has 32 bits; a cut on a page keeps what follows aligned. */
#define SINK_SGE_MAX_BYTES 0xfffff000u

static void sink_sge_put(struct decant_sink *sink, size_t index,
			 const struct decant_element *el)
{
	((struct decant_sge *)sink->table)[index] = (struct decant_sge){
		.addr = el->device,
		.length = (uint32_t)el->len,
		.lkey = el->mapping ? el->mapping->lkey : sink->lkey,
	};
}

static void sink_sge_grow(struct decant_sink *sink, size_t index, size_t len)
{
	((struct decant_sge *)sink->table)[index].length = (uint32_t)len;
}

/* The device's addresses: pointers only where the domain maps memory one to one. */
static struct decant_span sink_sge_span(const struct decant_sink *sink, size_t index)
{
	const struct decant_sge *sge = (const struct decant_sge *)sink->table + index;

	return (struct decant_span){(void *)(uintptr_t)sge->addr, sge->length, NULL};
}

static void sink_sge_init(struct decant_sink *sink, void *table, size_t max)
{
	decant_sink_sge(sink, table, max);
}

static const struct decant_sink_ops sink_sge_ops = {
	.name = "sge",
	.element_size = sizeof(struct decant_sge),
	.max_element_bytes = SINK_SGE_MAX_BYTES,
	.device = true,
	.put = sink_sge_put,
	.grow = sink_sge_grow,
	.span = sink_sge_span,
	.init = sink_sge_init,
};
#endif
