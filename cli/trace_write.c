/* SPDX-License-Identifier: MIT */
/*
 * trace_write.c - a trace as JSON: complete events (X) for phases, chunks and jobs, each
 * in a lane (a "thread") where nothing overlaps; counters (C) for how many chunks are
 * under way in each stage; metadata (M) for names.
 */
#include <stdlib.h>
#include "text.h"
#include "trace.h"

/* Lanes of a track are numbered from here on; phases share one. */
#define LANES 1000u

/* A chunk entered a stage or left it. */
struct point {
	uint64_t when;
	int32_t step;
};

static const char *const categories[] = {"phase", "chunk", "job"};

/* Nanoseconds as microseconds since the copy began. */
static void put_time(FILE *out, const char *name, uint64_t ns)
{
	fprintf(out, ",\"%s\":%llu.%03llu", name, (unsigned long long)(ns / 1000),
		(unsigned long long)(ns % 1000));
}

static void put_event(FILE *out, const char *phase, const char *name, uint32_t tid)
{
	fprintf(out, ",\n{\"ph\":\"%s\",\"pid\":1,\"tid\":%u,\"name\":", phase, tid);
	text_json(out, name);
}

static uint32_t lane_id(const struct trace *trace, uint32_t track, uint32_t lane)
{
	return trace->tracks[track].kind == TRACE_PHASE ? 1 : (track + 1) * LANES + lane;
}

static void put_lane_name(FILE *out, uint32_t tid, const char *name, uint32_t number)
{
	put_event(out, "M", "thread_name", tid);
	fprintf(out, ",\"args\":{\"name\":\"%s", name);
	if (tid > 1)
		fprintf(out, " %u", number);
	fputs("\"}}", out);
	put_event(out, "M", "thread_sort_index", tid);
	fprintf(out, ",\"args\":{\"sort_index\":%u}}", tid);
}

static void put_names(FILE *out, const struct trace *trace)
{
	fputs("{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"process_name\",\"args\":"
	      "{\"name\":\"decant copy\"}}",
	      out);
	put_lane_name(out, 1, "copy", 0);
	for (uint32_t i = 0; i < trace->nr_tracks; i++) {
		const struct trace_track *track = &trace->tracks[i];

		for (uint32_t j = 0; track->kind != TRACE_PHASE && j < track->nr_lanes;
		     j++)
			put_lane_name(out, lane_id(trace, i, j), track->name, j + 1);
	}
}

static void put_span(FILE *out, const struct trace *trace, const struct trace_event *e)
{
	const struct trace_track *track = &trace->tracks[e->track];

	put_event(out, "X", track->name, lane_id(trace, e->track, e->lane));
	fprintf(out, ",\"cat\":\"%s\"", categories[track->kind]);
	put_time(out, "ts", e->began - trace->began);
	put_time(out, "dur", e->ended - e->began);
	if (track->kind != TRACE_PHASE)
		fprintf(out, ",\"args\":{\"%s\":%llu,\"bytes\":%llu}",
			categories[track->kind], (unsigned long long)e->number,
			(unsigned long long)e->bytes);
	fputc('}', out);
}

static void put_spans(FILE *out, const struct trace *trace)
{
	for (const struct trace_block *b = trace->first; b; b = b->next)
		for (uint32_t i = 0; i < b->nr; i++)
			put_span(out, trace, &b->events[i]);
}

/* Whoever leaves does so before somebody else enters at the same time. */
static int compare_points(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	return (x->step > y->step) - (x->step < y->step);
}

/* The points of a stage, in order of time; how many. */
static size_t stage_points(const struct trace *trace, uint32_t track,
			   struct point *points)
{
	size_t nr = 0;

	for (const struct trace_block *b = trace->first; b; b = b->next)
		for (uint32_t i = 0; i < b->nr; i++) {
			const struct trace_event *e = &b->events[i];

			if (e->track != track)
				continue;
			points[nr++] = (struct point){e->began, 1};
			points[nr++] = (struct point){e->ended, -1};
		}
	qsort(points, nr, sizeof(*points), compare_points);
	return nr;
}

static void put_counter(FILE *out, const struct trace *trace, uint32_t track,
			struct point *points)
{
	size_t nr = stage_points(trace, track, points);
	char name[64];
	int depth = 0;

	snprintf(name, sizeof(name), "%s: under way", trace->tracks[track].name);
	for (size_t i = 0; i < nr; i++) {
		depth += points[i].step;
		/* Of one moment only the outcome. */
		if (i + 1 < nr && points[i + 1].when == points[i].when)
			continue;
		put_event(out, "C", name, 1);
		put_time(out, "ts", points[i].when - trace->began);
		fprintf(out, ",\"args\":{\"chunks\":%d}}", depth);
	}
}

static bool put_counters(FILE *out, const struct trace *trace)
{
	struct point *points = calloc(2 * (size_t)trace->nr_events + 1, sizeof(*points));

	if (!points)
		return false;
	for (uint32_t i = 0; i < trace->nr_tracks; i++)
		if (trace->tracks[i].kind == TRACE_STAGE)
			put_counter(out, trace, i, points);
	free(points);
	return true;
}

bool trace_write(const struct trace *trace, const struct trace_about *about, FILE *out)
{
	bool good;

	fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", out);
	put_names(out, trace);
	put_spans(out, trace);
	good = put_counters(out, trace);
	fputs("\n],\"otherData\":{\"source\":", out);
	text_json(out, about->source);
	fputs(",\"target\":", out);
	text_json(out, about->target);
	fprintf(out, ",\"bytes\":%llu,\"events\":%u,\"dropped\":%llu}}\n",
		(unsigned long long)about->bytes, trace->nr_events,
		(unsigned long long)trace->dropped);
	return good && !ferror(out);
}
