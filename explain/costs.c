/* SPDX-License-Identifier: MIT */
/* costs.c - what an explained layout costs, reckoned from what was measured. */
#include <string.h>
#include "print.h"
#include "costs.h"

#define NR(array) (sizeof(array) / sizeof(*(array)))

const char *costs_measured_on(void)
{
	return costs_where;
}

/* A copy of so many bytes in a piece: between two sizes in a straight line. */
static double copy_ns(double bytes, unsigned which)
{
	const struct costs_copy *hi = costs_copies + 1, *lo;
	double step;

	while (hi < costs_copies + NR(costs_copies) - 1 && bytes > (double)hi->bytes)
		hi++;
	lo = hi - 1;
	step = (hi->ns[which] - lo->ns[which]) / (double)(hi->bytes - lo->bytes);
	if (bytes < (double)lo->bytes)
		return lo->ns[which];
	return lo->ns[which] + (bytes - (double)lo->bytes) * step;
}

/* NULL: not measured. */
static const struct costs_sink *find_sink(const char *sink)
{
	for (size_t i = 0; i < NR(costs_sinks); i++)
		if (!strcmp(costs_sinks[i].name, sink))
			return costs_sinks[i].ns[1] > 0 ? &costs_sinks[i] : NULL;
	return NULL;
}

static bool has_rules(const struct decant_limits *limits)
{
	return limits->boundary || limits->addr_align > 1 || limits->len_align > 1 ||
	       limits->gap;
}

bool costs_reckon(const struct explain_job *job, const struct explain_totals *totals,
		  struct costs *costs)
{
	const struct costs_sink *sink =
		find_sink(strcmp(job->sink, "direct") ? job->sink : "iovec");
	double fragments = (double)(totals->pieces + totals->splits);
	double staged = (double)totals->staged_pieces, each = 0, all;

	if (!sink || !totals->pieces)
		return false;
	if (staged > 0)
		each = (double)totals->staged_bytes / staged;
	all = (double)totals->bytes / (double)totals->pieces;
	for (unsigned i = 0; i < 3; i++) {
		double fragment = sink->ns[i];

		fragment += has_rules(&job->limits) ? costs_rules[i] : 0;
		fragment += job->layout->nr_regions && !sink->owned ? costs_owners[i] : 0;
		costs->extract[i] =
			fragments * fragment + (double)totals->requests * costs_call[i];
		costs->stage[i] = staged > 0 ? staged * copy_ns(each, i) : 0;
		costs->bounce[i] = (double)totals->pieces * copy_ns(all, i);
	}
	return true;
}
