/* SPDX-License-Identifier: MIT */
/* nvme.c - from what the prp and nvme_sgl sinks hold to what a command takes. */
#include <endian.h>
#include <errno.h>
#include <decant/nvme.h>
#include "tables.h"
#include "util.h"

/* Entries 1, 2, ... as the list's elements 0, 1, ...: set the links that these need. */
static void finish_list(struct decant_tables *list, size_t nr)
{
	size_t used = tables_used(list, nr), i;
	uint64_t *link;

	for (i = 0; i + 1 < used; i++) {
		link = tables_link(list, i);
		*link = htole64(list->table[i + 1].iova);
	}
	link = tables_link(list, i);
	/* A link to a single entry is not needed: the entry stands there itself. */
	if (used < list->nr && tables_filled(list, nr, i) == tables_slots(list, i))
		*link = *(uint64_t *)tables_slot(list, nr - 1);
}

void decant_prp_pointers(const struct decant_sink *sink, uint64_t prp[2])
{
	struct decant_prp *state = sink->table;

	prp[0] = sink->nr ? state->direct[0] : 0;
	prp[1] = sink->nr > 1 ? state->direct[1] : 0;
	if (sink->nr <= 2)
		return;
	finish_list(&state->list, sink->nr - 1);
	prp[1] = state->list.table[0].iova;
}

/* A descriptor that leads to a table with so many descriptors. */
static struct decant_nvme_sgl_descriptor leads_to(const struct decant_table *table,
						  size_t nr, bool last)
{
	return (struct decant_nvme_sgl_descriptor){
		.address = htole64(table->iova),
		.length = htole32(
			(uint32_t)(nr * sizeof(struct decant_nvme_sgl_descriptor))),
		.type = last ? DECANT_NVME_SGL_LAST_SEGMENT : DECANT_NVME_SGL_SEGMENT,
	};
}

/* Set the links of nr descriptors, from the last segment backwards; the first one. */
static struct decant_nvme_sgl_descriptor finish_segments(struct decant_tables *segments,
							 size_t nr)
{
	size_t i = tables_used(segments, nr) - 1, here = tables_filled(segments, nr, i);
	struct decant_nvme_sgl_descriptor to = leads_to(&segments->table[i], here, true),
					  *link;

	if (i + 1 < segments->nr && here == tables_slots(segments, i)) {
		link = tables_link(segments, i);
		*link = *(struct decant_nvme_sgl_descriptor *)tables_slot(segments,
									  nr - 1);
	}
	while (i--) {
		link = tables_link(segments, i);
		*link = to;
		to = leads_to(&segments->table[i], tables_slots(segments, i), false);
	}
	return to;
}

uint32_t decant_nvme_sgl_command(const struct decant_sink *sink,
				 struct decant_nvme_sgl_descriptor *sgl1)
{
	struct decant_nvme_sgl *sgl = sink->table;

	if (!sink->nr)
		*sgl1 = (struct decant_nvme_sgl_descriptor){0};
	else if (!sgl->segments.nr)
		*sgl1 = sgl->one;
	else if (sink->nr == 1)
		*sgl1 = *(struct decant_nvme_sgl_descriptor *)tables_slot(&sgl->segments,
									  0);
	else
		*sgl1 = finish_segments(&sgl->segments, sink->nr);
	return 1u << 14;
}

int decant_nvme_sgl_limits(uint32_t sgls, struct decant_limits *limits)
{
	struct decant_limits rules = {.addr_align = 4, .len_align = 4};

	switch (sgls & 3) {
	case 1:
		return 0;
	case 2:
		decant_limits_merge(limits, &rules);
		return 0;
	}
	return -ENOTSUP;
}
