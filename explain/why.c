/* SPDX-License-Identifier: MIT */
/*
 * why.c - which rule it was. Not by knowing the rules, but by asking the library: the
 * same bytes are extracted once more under some of the rules, and the fewest that bring
 * about the same are the reason.
 */
#include <decant/registry.h>
#include "run.h"

/* Rules that can end an element. */
static const unsigned enders[] = {
	WHY_MAX_ELEMENT_BYTES, WHY_BOUNDARY, WHY_GAP, WHY_FORMAT,
	WHY_ADDR_ALIGN,	       WHY_LEN_ALIGN};

#define NR_ENDERS (sizeof(enders) / sizeof(*enders))
#define ALL_ENDERS                                                                       \
	(WHY_MAX_ELEMENT_BYTES | WHY_BOUNDARY | WHY_GAP | WHY_FORMAT | WHY_ADDR_ALIGN |  \
	 WHY_LEN_ALIGN)

struct probe {
	struct decant_sink sink;
	struct decant_sink_ops ops;
};

const char *explain_why_text(unsigned bit)
{
	static const char *const texts[EXPLAIN_WHYS] = {
		"max_elements: a request has no more elements",
		"max_element_bytes: the element before is as long as it may be",
		"max_bytes: a request has no more bytes",
		"boundary: no element crosses a multiple of it",
		"addr_align: the address is no multiple of it",
		"len_align: too few bytes in a row for a multiple of it",
		"gap: elements meet on multiples of it only",
		"block: a request is whole blocks",
		"format: the sink's own rule",
		"apart: not adjacent to the bytes before",
		"device: adjacent here, not for the device",
		"owner: adjacent, but another region's",
		"stage: between scratch memory and the rest",
		"end: everything is in",
		"full: the scratch memory is used up",
		"edge: part of a block of the file",
		"rules: several together",
	};

	return bit < EXPLAIN_WHYS ? texts[bit] : "?";
}

/* A sink that counts and knows these rules of the job's and the format's, no others. */
static void begin_probe(const struct run *run, unsigned rules, struct probe *probe)
{
	const struct decant_sink_ops *format = &run->recorder.ops;
	struct decant_limits limits = run->job->limits;

	decant_sink_count(&probe->sink);
	probe->ops = *probe->sink.ops;
	probe->ops.device = format->device;
	probe->ops.joins_owners = format->joins_owners;
	if (rules & WHY_FORMAT) {
		probe->ops.rules = format->rules;
		probe->ops.max_element_bytes = format->max_element_bytes;
	}
	for (unsigned i = 0; explain_limits_name(i); i++)
		if (!(rules & 1u << i))
			*explain_limits_field(&limits, i) = 0;
	probe->sink.limits = limits;
	probe->sink.ops = &probe->ops;
	probe->sink.table = run->recorder.format;
}

/* How long an element would be under these rules alone, if memory went on for ever. */
static size_t length_under(const struct run *run, unsigned rules, uint64_t start,
			   size_t len)
{
	size_t more = run->period > SIZE_MAX / 8 ? len : 2 * run->period;
	struct decant_iter it;
	struct probe probe;
	ssize_t got;

	if (start > UINT64_MAX / 4)
		start &= run->period - 1;
	if (!start)
		start = run->period;
	begin_probe(run, rules, &probe);
	probe.sink.max = 1;
	if (decant_iter_buf(&it, DECANT_DEST, (void *)(uintptr_t)start, len + more))
		return 0;
	got = decant_extract(&it, &probe.sink, SIZE_MAX);
	return got < 0 ? 0 : (size_t)got;
}

/* Of all sets of so many rules, those that end it there. */
static unsigned ask_sets(const struct run *run, unsigned size, uint64_t start, size_t len)
{
	unsigned found = 0;

	for (size_t i = 0; i < NR_ENDERS; i++) {
		if (size == 1 && length_under(run, enders[i], start, len) == len)
			found |= enders[i];
		for (size_t j = i + 1; size == 2 && j < NR_ENDERS; j++)
			if (length_under(run, enders[i] | enders[j], start, len) == len)
				found |= enders[i] | enders[j];
	}
	return found;
}

static unsigned ask(const struct run *run, uint64_t start, size_t len)
{
	unsigned found = ask_sets(run, 1, start, len);

	if (!found)
		found = ask_sets(run, 2, start, len);
	if (!found && length_under(run, ALL_ENDERS, start, len) == len)
		found = WHY_RULES;
	return found ? found : WHY_RULES;
}

unsigned why_ends(struct run *run, uint64_t start, size_t len)
{
	struct why_cache *known;

	start &= run->period - 1;
	known = &run->cache[((start + 31 * len) * 0x9e3779b97f4a7c15 >> 32) % WHY_CACHE];
	if (known->why && known->start == start && known->len == len)
		return known->why;
	*known = (struct why_cache){start, len, ask(run, start, len)};
	return known->why;
}

/* Whether the bytes ahead are refused under these rules alone, without scratch memory. */
static bool refused(struct run *run, const struct decant_iter *at, unsigned rules,
		    enum decant_policy policy)
{
	const struct decant_limits *limits = &run->job->limits;
	size_t len = limits->addr_align > limits->len_align ? limits->addr_align
							    : limits->len_align;
	struct decant_iter it = *at;
	struct probe probe;

	begin_probe(run, rules, &probe);
	if (run->device.layout->nr_regions) {
		probe.sink.space = run->device.space;
		probe.sink.domain = &run->device.domain;
	}
	probe.sink.policy = policy;
	return decant_extract(&it, &probe.sink, len > 4 ? len : 4) < 0;
}

unsigned why_staged(struct run *run, const struct decant_iter *at)
{
	if (run->job->policy == DECANT_STAGE && refused(run, at, 0, DECANT_REFUSE))
		return WHY_OWNER;
	if (refused(run, at, WHY_ADDR_ALIGN, DECANT_TRUST))
		return WHY_ADDR_ALIGN;
	if (refused(run, at, WHY_LEN_ALIGN, DECANT_TRUST))
		return WHY_LEN_ALIGN;
	if (refused(run, at, WHY_FORMAT, DECANT_TRUST))
		return WHY_FORMAT;
	return run->job->stage_gaps ? WHY_GAP : WHY_RULES;
}

unsigned why_request(const struct run *run)
{
	const struct decant_limits *limits = &run->job->limits;
	const struct decant_sink *sink = &run->recorder.sink;
	size_t left = limits->max_bytes - sink->bytes;

	switch (sink->stop) {
	case DECANT_STOP_END:
		return WHY_END;
	case DECANT_STOP_FULL:
		return WHY_FULL;
	case DECANT_STOP_UNREGISTERED:
		return WHY_OWNER;
	case DECANT_STOP_LIMIT:
		break;
	default:
		return limits->block ? WHY_BLOCK : WHY_RULES;
	}
	if (limits->max_elements && sink->nr >= limits->max_elements)
		return WHY_MAX_ELEMENTS;
	if (limits->max_bytes && left < (limits->len_align ? limits->len_align : 1))
		return WHY_MAX_BYTES;
	return limits->gap ? WHY_GAP : WHY_FORMAT;
}
