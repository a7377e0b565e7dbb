/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include "trace.h"

struct trace *trace_new(uint64_t began, uint32_t most)
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (trace) {
		trace->began = began;
		trace->most = most;
	}
	return trace;
}

void trace_free(struct trace *trace)
{
	struct trace_block *next;

	if (!trace)
		return;
	for (struct trace_block *b = trace->first; b; b = next) {
		next = b->next;
		free(b);
	}
	for (uint32_t i = 0; i < trace->nr_tracks; i++)
		free(trace->tracks[i].lanes);
	free(trace);
}

uint32_t trace_track(struct trace *trace, enum trace_kind kind, uint32_t hop,
		     const char *name)
{
	struct trace_track *track = &trace->tracks[trace->nr_tracks];

	*track = (struct trace_track){.kind = kind, .hop = hop};
	snprintf(track->name, sizeof(track->name), "%s", name);
	return trace->nr_tracks++;
}

static struct trace_block *block_with_room(struct trace *trace)
{
	struct trace_block *block = trace->last;

	if (trace->nr_events >= trace->most)
		return NULL;
	if (block && block->nr < TRACE_BLOCK)
		return block;
	block = malloc(sizeof(*block));
	if (!block)
		return NULL;
	block->next = NULL;
	block->nr = 0;
	if (trace->last)
		trace->last->next = block;
	else
		trace->first = block;
	trace->last = block;
	return block;
}

void trace_add(struct trace *trace, struct trace_event event)
{
	struct trace_block *block = block_with_room(trace);

	if (!block) {
		trace->dropped++;
		return;
	}
	block->events[block->nr++] = event;
	trace->nr_events++;
}

/* lane is one of the track's; NULL: there was no memory for it. */
static void record(struct trace *trace, uint32_t track, const struct trace_lane *lane,
		   struct trace_event event)
{
	if (!lane) {
		trace->dropped++;
		return;
	}
	event.track = (uint16_t)track;
	event.lane = (uint32_t)(lane - trace->tracks[track].lanes);
	trace_add(trace, event);
}

static struct trace_lane *new_lane(struct trace_track *track)
{
	uint32_t room = track->room ? 2 * track->room : 8;
	struct trace_lane *lanes = track->lanes;

	if (track->nr_lanes == TRACE_LANES_MOST)
		return NULL;
	if (track->nr_lanes == track->room) {
		lanes = realloc(lanes, room * sizeof(*lanes));
		if (!lanes)
			return NULL;
		track->lanes = lanes;
		track->room = room;
	}
	return &track->lanes[track->nr_lanes++];
}

/* The lane that is busy with this, or the first that is idle; NULL: there is none. */
static struct trace_lane *find_lane(const struct trace_track *track, bool busy,
				    uint64_t key)
{
	for (uint32_t i = 0; i < track->nr_lanes; i++) {
		struct trace_lane *lane = &track->lanes[i];

		if (lane->busy == busy && (!busy || lane->key == key))
			return lane;
	}
	return NULL;
}

void trace_begin(struct trace *trace, uint32_t track, uint64_t number, uint64_t now)
{
	struct trace_lane *lane = find_lane(&trace->tracks[track], false, 0);

	if (!lane)
		lane = new_lane(&trace->tracks[track]);
	if (lane)
		*lane = (struct trace_lane){.key = number, .began = now, .busy = true};
}

void trace_end(struct trace *trace, uint32_t track, uint64_t number, uint64_t bytes,
	       uint64_t now)
{
	struct trace_lane *lane = find_lane(&trace->tracks[track], true, number);

	record(trace, track, lane,
	       (struct trace_event){.began = lane ? lane->began : now,
				    .ended = now,
				    .number = number,
				    .bytes = bytes});
	if (lane)
		lane->busy = false;
}

void trace_phase(struct trace *trace, const char *name, uint64_t began, uint64_t ended)
{
	uint32_t track = trace_track(trace, TRACE_PHASE, TRACE_NO_HOP, name);

	record(trace, track, new_lane(&trace->tracks[track]),
	       (struct trace_event){.began = began, .ended = ended});
}

/* A thread's lane is its own for good. */
void trace_work(struct trace *trace, uint32_t track, const struct trace_job *job,
		uint64_t number, uint64_t bytes)
{
	struct trace_lane *lane = find_lane(&trace->tracks[track], true, job->thread);

	if (!lane) {
		lane = new_lane(&trace->tracks[track]);
		if (lane)
			*lane = (struct trace_lane){.key = job->thread, .busy = true};
	}
	record(trace, track, lane,
	       (struct trace_event){.began = job->began,
				    .ended = job->ended,
				    .number = number,
				    .bytes = bytes});
}
