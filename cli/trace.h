/* SPDX-License-Identifier: MIT */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H
/*
 * trace.h - what a copy did when: kept in memory while it runs, written when it is done,
 * as Chrome's trace events, which Perfetto and chrome://tracing open.
 *
 * Everything is recorded by the thread of the copy; what other threads did is handed to
 * it with their jobs. Memory is bounded: what comes after so many events is counted only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TRACE_EVENTS_MOST 524288u
#define TRACE_TRACKS_MOST 16u

/* Something that took time, with the lane of its track where nothing else was then. */
struct trace_event {
	uint64_t began, ended; /* as stats_now() */
	uint64_t number;       /* of the chunk, or of the job */
	uint64_t bytes;
	uint32_t track;
	uint32_t lane;
};

enum trace_kind {
	TRACE_PHASE,  /* of the copy as a whole */
	TRACE_STAGE,  /* chunks of a stage, several at a time */
	TRACE_THREADS /* jobs of a stage, where they were done */
};

/* Where something can be under way: one thing at a time. */
struct trace_lane {
	uint64_t key; /* the chunk's number, or the thread */
	uint64_t began;
	bool busy;
};

struct trace_track {
	enum trace_kind kind;
	char name[40];
	struct trace_lane *lanes;
	uint32_t nr_lanes, room;
};

#define TRACE_BLOCK 1024u

struct trace_block {
	struct trace_block *next;
	uint32_t nr;
	struct trace_event events[TRACE_BLOCK];
};

struct trace {
	uint64_t began;
	struct trace_track tracks[TRACE_TRACKS_MOST];
	uint32_t nr_tracks;
	struct trace_block *first, *last;
	uint32_t nr_events;
	uint64_t dropped;
};

/* A job of another thread: filled there, recorded when it is taken back. */
struct trace_job {
	uint64_t began, ended;
	uint64_t thread;
};

/* What the copy was, for people. */
struct trace_about {
	const char *source;
	const char *target;
	uint64_t bytes;
};

struct trace *trace_new(uint64_t began);
void trace_free(struct trace *trace);
uint32_t trace_track(struct trace *trace, enum trace_kind kind, const char *name);

/* A chunk enters a stage, and leaves it. */
void trace_begin(struct trace *trace, uint32_t track, uint64_t number, uint64_t now);
void trace_end(struct trace *trace, uint32_t track, uint64_t number, uint64_t bytes,
	       uint64_t now);
void trace_phase(struct trace *trace, const char *name, uint64_t began, uint64_t ended);
void trace_work(struct trace *trace, uint32_t track, const struct trace_job *job,
		uint64_t number, uint64_t bytes);

/* trace_write.c: false without memory, or if the stream has an error. */
bool trace_write(const struct trace *trace, const struct trace_about *about, FILE *out);
#endif
