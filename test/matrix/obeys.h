/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OBEYS_H
#define DECANT_TEST_OBEYS_H
/* obeys.h - whether what is in a sink keeps to the sink's limits. */
#include <decant/decant.h>

/* The caller's limits and what the sink's format demands. */
static struct decant_limits all_limits(const struct decant_sink *sink)
{
	struct decant_limits limits = sink->limits;

	if (sink->ops->rules)
		sink->ops->rules(sink, &limits);
	return limits;
}

static bool element_obeys(const struct decant_limits *l, struct decant_span el)
{
	uintptr_t first = (uintptr_t)el.addr, last = first + el.len - 1;

	if (l->max_element_bytes && el.len > l->max_element_bytes)
		return false;
	if (l->boundary && first / l->boundary != last / l->boundary)
		return false;
	if (l->addr_align && first % l->addr_align)
		return false;
	return !l->len_align || el.len % l->len_align == 0;
}

static bool gaps_obey(const struct decant_sink *sink, size_t gap)
{
	for (size_t i = 0; gap && i + 1 < sink->nr; i++) {
		struct decant_span a = decant_sink_span(sink, i);
		struct decant_span b = decant_sink_span(sink, i + 1);

		if (((uintptr_t)a.addr + a.len) % gap || (uintptr_t)b.addr % gap)
			return false;
	}
	return true;
}

static bool obeys(const struct decant_sink *sink)
{
	const struct decant_limits all = all_limits(sink), *l = &all;

	for (size_t i = 0; i < sink->nr; i++)
		if (!element_obeys(l, decant_sink_span(sink, i)))
			return false;
	if (l->max_elements && sink->nr > l->max_elements)
		return false;
	if (l->max_bytes && sink->bytes > l->max_bytes)
		return false;
	if (l->block && sink->bytes % l->block)
		return false;
	return gaps_obey(sink, l->gap);
}
#endif
