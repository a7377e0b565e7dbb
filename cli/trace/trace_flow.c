/* SPDX-License-Identifier: MIT */
/*
 * trace_flow.c - one chunk from stage to stage: its events in the order in which it went
 * through them, also where that goes from one side to the other.
 */
#include <stdlib.h>
#include "trace.h"

#define HOPS 16u /* flows of a side that are its own, and the one between the sides */

struct stop {
	uint64_t flow;
	unsigned side; /* whose clocks are not quite the same */
	struct trace_event *event;
};

static uint32_t hop_of(const struct trace_side *side, const struct trace_event *event)
{
	return side->trace->tracks[event->track].hop;
}

uint64_t trace_flow_id(const struct trace_about *about, unsigned side,
		       const struct trace_event *event)
{
	uint32_t hop = hop_of(&about->side[side], event);
	uint64_t way = hop == about->side[side].wire ? 0 : 1 + side * HOPS + hop % HOPS;

	return (way + 1) << 56 ^ event->number;
}

static int compare_stops(const void *a, const void *b)
{
	const struct stop *x = a, *y = b;

	if (x->flow != y->flow)
		return x->flow < y->flow ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	return (x->event->began > y->event->began) - (x->event->began < y->event->began);
}

static size_t find_stops(const struct trace_about *about, unsigned side,
			 struct stop *stops)
{
	size_t nr = 0;

	for (struct trace_block *b = about->side[side].trace->first; b; b = b->next)
		for (uint32_t i = 0; i < b->nr; i++) {
			struct trace_event *e = &b->events[i];

			if (hop_of(&about->side[side], e) != TRACE_NO_HOP)
				stops[nr++] = (struct stop){trace_flow_id(about, side, e),
							    side, e};
		}
	return nr;
}

bool trace_flow(const struct trace_about *about)
{
	struct stop *stops;
	size_t nr = 0;

	for (unsigned i = 0; i < about->sides; i++)
		nr += about->side[i].trace->nr_events;
	stops = calloc(nr + 1, sizeof(*stops));
	if (!stops)
		return false;
	nr = 0;
	for (unsigned i = 0; i < about->sides; i++)
		nr += find_stops(about, i, stops + nr);
	qsort(stops, nr, sizeof(*stops), compare_stops);
	for (size_t i = 1; i < nr; i++)
		if (stops[i].flow == stops[i - 1].flow) {
			stops[i - 1].event->arrows |= TRACE_GOES;
			stops[i].event->arrows |= TRACE_CAME;
		}
	free(stops);
	return true;
}
