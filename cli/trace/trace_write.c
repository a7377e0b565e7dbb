/* SPDX-License-Identifier: MIT */
/*
 * trace_write.c - a trace as JSON: a process for each side; complete events (X) for
 * phases, chunks and jobs, each in a lane (a "thread") where nothing overlaps, those of
 * one chunk bound to one another as a flow; counters (C) for how many chunks are under
 * way in each stage; an instant (i) where a trace was full; metadata (M) for names.
 */
#include <stdlib.h>
#include <string.h>
#include "text.h"
#include "trace.h"

/*
 * Lanes of a track are numbered from a multiple of this on, in the order in which chunks
 * come through the tracks; phases share one. No two sides have a number in common, for
 * some viewers tell threads by nothing else.
 */
#define LANES TRACE_LANES_MOST
#define SIDES (LANES * (TRACE_TRACKS_MOST + 1))

/* A chunk entered a stage or left it. */
struct point {
	uint64_t when;
	int32_t step;
};

/* What is being written. */
struct page {
	FILE *out;
	const struct trace_about *about;
	const struct trace *trace;
	unsigned side;
	uint32_t order[TRACE_TRACKS_MOST]; /* from 1; 0: there is nothing in the track */
	bool begun;			   /* there is an event before the next one */
};

static const char *const categories[] = {"phase", "chunk", "job"};

static unsigned long long number(uint64_t value)
{
	return value;
}

/* Nanoseconds as microseconds. */
static void put_time(struct page *p, const char *name, uint64_t ns)
{
	fprintf(p->out, ",\"%s\":%llu.%03llu", name, number(ns / 1000),
		number(ns % 1000));
}

/* Since the copy began. */
static void put_moment(struct page *p, uint64_t when)
{
	put_time(p, "ts", when - p->trace->began);
}

static void put_event(struct page *p, const char *phase, const char *name, uint32_t tid)
{
	fprintf(p->out,
		"%s\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u,\"name\":", p->begun ? "," : "",
		phase, p->side + 1, tid);
	text_json(p->out, name);
	p->begun = true;
}

/* Qt Creator's viewer passes over what has no time. */
static void put_metadata(struct page *p, const char *what, uint32_t tid)
{
	put_event(p, "M", what, tid);
	put_time(p, "ts", 0);
}

static void put_name(struct page *p, const char *what, uint32_t tid, const char *name)
{
	put_metadata(p, what, tid);
	fputs(",\"args\":{\"name\":", p->out);
	text_json(p->out, name);
	fputs("}}", p->out);
}

static void put_order(struct page *p, const char *what, uint32_t tid, uint32_t order)
{
	put_metadata(p, what, tid);
	fprintf(p->out, ",\"args\":{\"sort_index\":%u}}", order);
}

static void put_lane_name(struct page *p, uint32_t tid, const char *name)
{
	put_name(p, "thread_name", tid, name);
	put_order(p, "thread_sort_index", tid, tid);
}

/* That of phases, counters, and of the process itself. */
static uint32_t first_lane(const struct page *p)
{
	return p->side * SIDES + 1;
}

static uint32_t lane_id(const struct page *p, uint32_t track, uint32_t lane)
{
	return p->trace->tracks[track].kind == TRACE_PHASE
		       ? first_lane(p)
		       : p->side * SIDES + p->order[track] * LANES + lane;
}

static void put_track_names(struct page *p, uint32_t track)
{
	const struct trace_track *t = &p->trace->tracks[track];
	char name[TRACE_NAME_MOST + 12];

	for (uint32_t i = 0; t->kind != TRACE_PHASE && i < t->nr_lanes; i++) {
		snprintf(name, sizeof(name), "%s %u", t->name, i + 1);
		put_lane_name(p, lane_id(p, track, i), name);
	}
}

static void put_tracks(struct page *p)
{
	uint32_t order = 0;

	memset(p->order, 0, sizeof(p->order));
	for (const struct trace_block *b = p->trace->first; b; b = b->next)
		for (uint32_t i = 0; i < b->nr; i++) {
			uint32_t track = b->events[i].track;

			if (p->order[track])
				continue;
			p->order[track] = ++order;
			put_track_names(p, track);
		}
}

static void put_names(struct page *p)
{
	put_name(p, "process_name", first_lane(p), p->about->side[p->side].name);
	put_order(p, "process_sort_index", first_lane(p), p->side);
	put_lane_name(p, first_lane(p), "copy");
	put_tracks(p);
}

static void put_flow(struct page *p, const struct trace_event *e)
{
	if (e->arrows)
		fprintf(p->out, ",\"bind_id\":\"0x%llx\"",
			number(trace_flow_id(p->about, p->side, e)));
	if (e->arrows & TRACE_CAME)
		fputs(",\"flow_in\":true", p->out);
	if (e->arrows & TRACE_GOES)
		fputs(",\"flow_out\":true", p->out);
}

static void put_span(struct page *p, const struct trace_event *e)
{
	const struct trace_track *track = &p->trace->tracks[e->track];

	put_event(p, "X", track->name, lane_id(p, e->track, e->lane));
	fprintf(p->out, ",\"cat\":\"%s\"", categories[track->kind]);
	put_moment(p, e->began);
	put_time(p, "dur", e->ended - e->began);
	put_flow(p, e);
	if (track->kind != TRACE_PHASE)
		fprintf(p->out, ",\"args\":{\"%s\":%llu,\"bytes\":%llu}",
			categories[track->kind], number(e->number), number(e->bytes));
	fputc('}', p->out);
}

static void put_spans(struct page *p)
{
	for (const struct trace_block *b = p->trace->first; b; b = b->next)
		for (uint32_t i = 0; i < b->nr; i++)
			put_span(p, &b->events[i]);
}

/* From where on there is nothing, for who looks at the picture. */
static void put_end(struct page *p)
{
	const struct trace_block *last = p->trace->last;
	char text[96];

	if (!p->trace->dropped)
		return;
	snprintf(text, sizeof(text), "the trace is full: %llu events are left out",
		 number(p->trace->dropped));
	put_event(p, "i", text, first_lane(p));
	put_moment(p, last ? last->events[last->nr - 1].ended : p->trace->began);
	fputs(",\"s\":\"p\"}", p->out);
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

static void put_counter(struct page *p, uint32_t track, struct point *points)
{
	size_t nr = stage_points(p->trace, track, points);
	char name[TRACE_NAME_MOST + 16];
	int depth = 0;

	snprintf(name, sizeof(name), "%s: under way", p->trace->tracks[track].name);
	for (size_t i = 0; i < nr; i++) {
		depth += points[i].step;
		/* Of one moment only the outcome. */
		if (i + 1 < nr && points[i + 1].when == points[i].when)
			continue;
		put_event(p, "C", name, first_lane(p));
		put_moment(p, points[i].when);
		fprintf(p->out, ",\"args\":{\"chunks\":%d}}", depth);
	}
}

static bool put_counters(struct page *p)
{
	struct point *points =
		calloc(2 * (size_t)p->trace->nr_events + 1, sizeof(*points));

	if (!points)
		return false;
	for (uint32_t i = 0; i < p->trace->nr_tracks; i++)
		if (p->trace->tracks[i].kind == TRACE_STAGE)
			put_counter(p, i, points);
	free(points);
	return true;
}

static bool put_side(struct page *p)
{
	put_names(p);
	put_spans(p);
	put_end(p);
	return put_counters(p);
}

static void put_text(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	text_json(out, text);
}

/* What the copy was, and how far the trace is to be believed. */
static void put_about(struct page *p)
{
	const struct trace_about *a = p->about;
	uint64_t events = 0, dropped = 0;

	for (unsigned i = 0; i < a->sides; i++) {
		events += a->side[i].trace->nr_events;
		dropped += a->side[i].trace->dropped;
	}
	fprintf(p->out, "\"otherData\":{\"bytes\":%llu", number(a->bytes));
	put_text(p->out, "source", a->source);
	put_text(p->out, "target", a->target);
	if (a->sides > 1)
		put_time(p, "clocks_apart_us", a->clock_error);
	if (a->missing)
		put_text(p->out, "missing", a->missing);
	fprintf(p->out, ",\"events\":%llu,\"dropped\":%llu}", number(events),
		number(dropped));
}

bool trace_write(const struct trace_about *about, FILE *out)
{
	struct page p = {.out = out, .about = about};
	bool good = trace_flow(about);

	fputs("{\"displayTimeUnit\":\"ms\",", out);
	put_about(&p);
	fputs(",\"traceEvents\":[", out);
	for (; p.side < about->sides && good; p.side++) {
		p.trace = about->side[p.side].trace;
		good = put_side(&p);
	}
	fputs("\n]}\n", out);
	return good && !ferror(out);
}
