/* SPDX-License-Identifier: MIT */
/* sinks.c - every sink's functions and constructors, from the registry. */
#include <endian.h>
#include <errno.h>
#include <decant/nvme.h>
#include <decant/registry.h>
#include "sglist.h"
#include "stretch.h"
#include "tables.h"
#include "util.h"

static unsigned id_of(const struct decant_sink_ops *ops);

static void begin(struct decant_sink *sink, const struct decant_sink_ops *ops,
		  void *table, size_t max)
{
	*sink = (struct decant_sink){
		.id = id_of(ops), .ops = ops, .table = table, .max = max};
}

#include <decant/sinks.def>

#define DECANT_SINK(NAME, name) &sink_##name##_ops,
static const struct decant_sink_ops *const sinks[] = {
#include <decant/sinks.def>
};
#undef DECANT_SINK

const struct decant_sink_ops *decant_sink_get(unsigned index)
{
	return index < sizeof(sinks) / sizeof(*sinks) ? sinks[index] : NULL;
}

/* The loop's copies, see stretch.h. */
#define COPY(fn, name, plain, one_owner, type)                                         \
	static __attribute__((noinline)) void fn(struct loop *l, struct stretch *at)   \
	{                                                                              \
		struct step_mode mode = {&sink_##name##_ops, plain, one_owner};        \
									               \
		stretch_run(l, mode, at, sizeof(type));                                \
	}

#define DECANT_SINK(NAME, name)                                                        \
	COPY(rules_##name, name, false, false, struct iovec)                           \
	COPY(owned_rules_##name, name, false, false, struct decant_bvec)               \
	COPY(owners_##name, name, true, false, struct iovec)                           \
	COPY(owned_owners_##name, name, true, false, struct decant_bvec)               \
	COPY(plain_##name, name, true, true, struct iovec)
#include <decant/sinks.def>
#undef DECANT_SINK

#define DECANT_SINK(NAME, name)                                                        \
	{{rules_##name, owned_rules_##name},                                           \
	 {owners_##name, owned_owners_##name},                                         \
	 plain_##name},
static const struct stretch_copies copies[] = {
#include <decant/sinks.def>
};
#undef DECANT_SINK

size_t loop_array(struct loop *l, struct decant_iter *it, size_t len, size_t element)
{
	unsigned id = l->sink->id;

	/* Somebody may have given one of our sinks other functions, or made one. */
	if (!id || sinks[id - 1] != l->sink->ops)
		return stretch(l, NULL, it, len, element);
	return stretch(l, &copies[id - 1], it, len, element);
}

static unsigned id_of(const struct decant_sink_ops *ops)
{
	unsigned i = 0;

	while (sinks[i] != ops)
		i++;
	return i + 1;
}

void decant_sink_iovec(struct decant_sink *sink, struct iovec *iov, size_t max)
{
	begin(sink, &sink_iovec_ops, iov, max);
}

void decant_sink_bvec(struct decant_sink *sink, struct decant_bvec *bvec, size_t max)
{
	begin(sink, &sink_bvec_ops, bvec, max);
}

void decant_sink_sge(struct decant_sink *sink, struct decant_sge *sge, size_t max)
{
	begin(sink, &sink_sge_ops, sge, max);
}

void decant_sink_dma(struct decant_sink *sink, struct decant_dma *dma, size_t max)
{
	begin(sink, &sink_dma_ops, dma, max);
}

void decant_sink_sglist(struct decant_sink *sink, struct decant_sglist *list)
{
	list->base = list->end;
	begin(sink, &sink_sglist_ops, list, tables_capacity(&list->tables) - list->base);
}

void decant_sink_count(struct decant_sink *sink)
{
	begin(sink, &sink_count_ops, NULL, SIZE_MAX);
}

/* The device's addresses of tables are multiples of first, and of each after that. */
static bool tables_fit(const struct decant_table *tables, size_t nr, size_t first,
		       size_t each)
{
	for (size_t i = 0; i < nr; i++)
		if (!tables[i].addr || tables[i].iova & ((i ? each : first) - 1))
			return false;
	return true;
}

int decant_sink_prp(struct decant_sink *sink, struct decant_prp *prp, size_t page_size,
		    const struct decant_table *tables, size_t nr)
{
	size_t slot = sizeof(uint64_t), first = page_size / slot;

	if (page_size < 4096 || !is_pow2_or_0(page_size) ||
	    !tables_fit(tables, nr, slot, page_size))
		return -EINVAL;
	if (nr)
		first = (page_size - (tables->iova & (page_size - 1))) / slot;
	*prp = (struct decant_prp){.page_size = page_size};
	prp->list = (struct decant_tables){tables, nr, first, page_size / slot,
					   slot,   0,  0,     NULL};
	begin(sink, &sink_prp_ops, prp, nr ? 1 + tables_capacity(&prp->list) : 2);
	return 0;
}

int decant_sink_nvme_sgl(struct decant_sink *sink, struct decant_nvme_sgl *sgl,
			 const struct decant_table *tables, size_t nr, size_t each)
{
	size_t slot = sizeof(struct decant_nvme_sgl_descriptor);

	if (nr && (each < 2 || each > UINT32_MAX / slot || !tables_fit(tables, nr, 8, 8)))
		return -EINVAL;
	*sgl = (struct decant_nvme_sgl){
		.segments = {tables, nr, each, each, slot, 0, 0, NULL}};
	begin(sink, &sink_nvme_sgl_ops, sgl, nr ? tables_capacity(&sgl->segments) : 1);
	return 0;
}

void decant_sink_reset(struct decant_sink *sink)
{
	sink->nr = 0;
	sink->bytes = 0;
	sink->merged = 0;
	sink->stop = DECANT_STOP_END;
	sink->last = (struct decant_element){0};
	if (sink->ops->cut)
		sink->ops->cut(sink);
}

struct decant_span decant_sink_span(const struct decant_sink *sink, size_t index)
{
	return index < sink->nr ? sink->ops->span(sink, index) : (struct decant_span){0};
}

const char *decant_stop_name(enum decant_stop stop)
{
	static const char *const names[] = {
		[DECANT_STOP_END] = "end",
		[DECANT_STOP_FULL] = "full",
		[DECANT_STOP_LIMIT] = "limit",
		[DECANT_STOP_HOLE] = "hole",
		[DECANT_STOP_FAULT] = "fault",
		[DECANT_STOP_UNREGISTERED] = "unregistered",
		[DECANT_STOP_ALIGNMENT] = "alignment",
		[DECANT_STOP_MEMORY] = "memory",
	};

	return (size_t)stop < sizeof(names) / sizeof(*names) ? names[stop] : "unknown";
}
