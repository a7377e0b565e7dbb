/* SPDX-License-Identifier: MIT */
#include "trace_wire.h"

#define EVENT_BYTES 40 /* of an event in a message */

_Static_assert(TRACE_BLOCK *EVENT_BYTES <= WIRE_MOST, "a block fits into a message");

void trace_put_head(struct wire *w, const struct trace *trace)
{
	wire_put_u64(w, trace->nr_events);
	wire_put_u64(w, trace->dropped);
	wire_put_u64(w, trace->nr_tracks);
	for (uint32_t i = 0; i < trace->nr_tracks; i++) {
		const struct trace_track *track = &trace->tracks[i];

		wire_put_u64(w, track->kind);
		wire_put_u64(w, track->hop);
		wire_put_u64(w, track->nr_lanes);
		wire_put_text(w, track->name);
	}
}

void trace_put_block(struct wire *w, const struct trace_block *block)
{
	for (uint32_t i = 0; i < block->nr; i++) {
		const struct trace_event *e = &block->events[i];

		wire_put_u64(w, e->began);
		wire_put_u64(w, e->ended);
		wire_put_u64(w, e->number);
		wire_put_u64(w, e->bytes);
		wire_put_u64(w, (uint64_t)e->track << 32 | e->lane);
	}
}

static bool get_track(struct wire *w, struct trace *trace)
{
	uint64_t kind = wire_get_u64(w), hop = wire_get_u64(w), lanes = wire_get_u64(w);
	char name[TRACE_NAME_MOST];
	uint32_t track;

	wire_get_text(w, name, sizeof(name));
	if (w->bad || kind > TRACE_THREADS || hop > TRACE_NO_HOP ||
	    lanes > TRACE_LANES_MOST)
		return false;
	track = trace_track(trace, (enum trace_kind)kind, (uint32_t)hop, name);
	trace->tracks[track].nr_lanes = (uint32_t)lanes;
	return true;
}

bool trace_get_head(struct wire *w, struct trace *trace, uint32_t *left)
{
	uint64_t nr = wire_get_u64(w), tracks;

	trace->dropped = wire_get_u64(w);
	tracks = wire_get_u64(w);
	if (nr > trace->most || tracks > TRACE_TRACKS_MOST)
		return false;
	*left = (uint32_t)nr;
	for (uint64_t i = 0; i < tracks; i++)
		if (!get_track(w, trace))
			return false;
	return !w->bad && w->at == w->len && trace->dropped <= TRACE_LATEST;
}

static bool get_event(struct wire *w, struct trace_event *e, const struct trace *trace)
{
	uint64_t place;

	e->began = wire_get_u64(w);
	e->ended = wire_get_u64(w);
	e->number = wire_get_u64(w);
	e->bytes = wire_get_u64(w);
	place = wire_get_u64(w);
	e->track = (uint16_t)(place >> 32);
	e->lane = (uint32_t)place;
	e->arrows = 0;
	return !w->bad && place >> 32 < trace->nr_tracks &&
	       e->lane < trace->tracks[e->track].nr_lanes && e->began <= e->ended &&
	       e->ended <= TRACE_LATEST;
}

bool trace_get_block(struct wire *w, struct trace *trace, uint32_t *left)
{
	uint32_t nr = *left < TRACE_BLOCK ? *left : TRACE_BLOCK;
	struct trace_event event;

	*left -= nr;
	for (uint32_t i = 0; i < nr; i++) {
		if (!get_event(w, &event, trace))
			return false;
		trace_add(trace, event);
	}
	return w->at == w->len;
}
