/* SPDX-License-Identifier: MIT */
/* sink dma: tuples of an address that a device knows and a length. */
#ifdef DECANT_SINK
DECANT_SINK(DMA, dma)
#else

static void sink_dma_put(struct decant_sink *sink, size_t index,
			 const struct decant_element *el)
{
	((struct decant_dma *)sink->table)[index] =
		(struct decant_dma){el->device, el->len};
}

static void sink_dma_grow(struct decant_sink *sink, size_t index, size_t len)
{
	((struct decant_dma *)sink->table)[index].length = len;
}

static struct decant_span sink_dma_span(const struct decant_sink *sink, size_t index)
{
	const struct decant_dma *dma = (const struct decant_dma *)sink->table + index;

	return (struct decant_span){(void *)(uintptr_t)dma->addr, dma->length, NULL};
}

static void sink_dma_init(struct decant_sink *sink, void *table, size_t max)
{
	decant_sink_dma(sink, table, max);
}

static const struct decant_sink_ops sink_dma_ops = {
	.name = "dma",
	.element_size = sizeof(struct decant_dma),
	.max_element_bytes = SIZE_MAX,
	.device = true,
	.joins_owners = true,
	.put = sink_dma_put,
	.grow = sink_dma_grow,
	.span = sink_dma_span,
	.init = sink_dma_init,
};
#endif
