/* SPDX-License-Identifier: MIT */
/* sink nvme_sgl: data block descriptors in segments. */
#ifdef DECANT_SINK
DECANT_SINK(NVME_SGL, nvme_sgl)
#else

static const struct decant_sink_ops sink_nvme_sgl_ops;

/* The length field has 32 bits; a cut on a page keeps what follows aligned. */
#define SINK_NVME_SGL_MAX_BYTES 0xfffff000u

static struct decant_nvme_sgl_descriptor *sink_nvme_sgl_at(const struct decant_sink *sink,
							   size_t index)
{
	struct decant_nvme_sgl *sgl = (struct decant_nvme_sgl *)sink->table;

	if (!sgl->segments.nr)
		return &sgl->one;
	return (struct decant_nvme_sgl_descriptor *)tables_slot(&sgl->segments, index);
}

static void sink_nvme_sgl_put(struct decant_sink *sink, size_t index,
			      const struct decant_element *el)
{
	*sink_nvme_sgl_at(sink, index) = (struct decant_nvme_sgl_descriptor){
		.address = htole64(el->device),
		.length = htole32((uint32_t)el->len),
		.type = DECANT_NVME_SGL_DATA_BLOCK,
	};
}

static void sink_nvme_sgl_grow(struct decant_sink *sink, size_t index, size_t len)
{
	sink_nvme_sgl_at(sink, index)->length = htole32((uint32_t)len);
}

static struct decant_span sink_nvme_sgl_span(const struct decant_sink *sink, size_t index)
{
	const struct decant_nvme_sgl_descriptor *desc = sink_nvme_sgl_at(sink, index);

	return (struct decant_span){(void *)(uintptr_t)le64toh(desc->address),
				    le32toh(desc->length), NULL};
}

#define SINK_NVME_SGL_TINY 4

static void sink_nvme_sgl_init(struct decant_sink *sink, void *memory, size_t max)
{
	struct decant_nvme_sgl *sgl = (struct decant_nvme_sgl *)memory;
	struct decant_table *table = (struct decant_table *)(sgl + 1);
	size_t each = SINK_NVME_SGL_TINY,
	       size = sizeof(struct decant_nvme_sgl_descriptor);
	size_t nr = max / (each - 1) + 1;

	decant_tables_cut(table, nr, table + nr, 0, each * size);
	*sgl = (struct decant_nvme_sgl){
		.segments = {table, nr, each, each, size, 0, 0, NULL}};
	begin(sink, &sink_nvme_sgl_ops, sgl, max);
}

static const struct decant_sink_ops sink_nvme_sgl_ops = {
	.name = "nvme_sgl",
	.room = sizeof(struct decant_nvme_sgl) + sizeof(struct decant_table) +
		SINK_NVME_SGL_TINY * sizeof(struct decant_nvme_sgl_descriptor),
	.element_size = 2 * sizeof(struct decant_nvme_sgl_descriptor),
	.max_element_bytes = SINK_NVME_SGL_MAX_BYTES,
	.device = true,
	.joins_owners = true,
	.put = sink_nvme_sgl_put,
	.grow = sink_nvme_sgl_grow,
	.span = sink_nvme_sgl_span,
	.init = sink_nvme_sgl_init,
};
#endif
