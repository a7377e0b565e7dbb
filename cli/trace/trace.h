/* SPDX-License-Identifier: MIT */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H
/*
 * trace.h - what a copy did when: kept in memory while it runs, written when it is done,
 * as Chrome's trace events, which Perfetto and chrome://tracing open.
 *
 * Everything is recorded by the thread of the copy; what other threads did is handed to
 * it with their jobs. Memory is bounded: what comes after so many events is counted only.
 *
 * Of a copy between hosts each side has its own, and the server's goes to the client at
 * the end (trace_wire.c, trace_session.c), where its times become the client's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TRACE_EVENTS_MOST 524288u
#define TRACE_TRACKS_MOST 16u
#define TRACE_LANES_MOST  1000u
#define TRACE_NAME_MOST	  40u
#define TRACE_LATEST	  (UINT64_MAX / 8) /* 73 years, so that nothing overflows */

/* Where a chunk came from and where it went to, as arrows between its events. */
enum { TRACE_CAME = 1, TRACE_GOES = 2 };

/* Something that took time, with the lane of its track where nothing else was then. */
struct trace_event {
	uint64_t began, ended; /* as stats_now() */
	uint64_t number;       /* of the chunk, or of the job */
	uint64_t bytes;
	uint16_t track;
	uint16_t arrows; /* set when it is written */
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

/* Chunks of one hop keep their number from stage to stage; a stage outside any hop. */
#define TRACE_NO_HOP UINT32_MAX

struct trace_track {
	enum trace_kind kind;
	uint32_t hop;
	char name[TRACE_NAME_MOST];
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
	uint32_t nr_events, most;
	uint64_t dropped;
};

/* A job of another thread: filled there, recorded when it is taken back. */
struct trace_job {
	uint64_t began, ended;
	uint64_t thread;
};

/* One process of the copy. */
struct trace_side {
	struct trace *trace;
	char name[320]; /* of the process, for people */
	uint32_t wire;	/* the hop whose chunks have the same numbers on the other side */
};

/* What the copy was. */
struct trace_about {
	const char *source;
	const char *target;
	uint64_t bytes;
	struct trace_side side[2]; /* whose chunks go to the other one first */
	unsigned sides;
	uint64_t clock_error; /* ns by which the times of the two may be apart */
	const char *missing;  /* why the other side isn't there, or NULL */
};

/* most: events, up to TRACE_EVENTS_MOST. */
struct trace *trace_new(uint64_t began, uint32_t most);
void trace_free(struct trace *trace);
uint32_t trace_track(struct trace *trace, enum trace_kind kind, uint32_t hop,
		     const char *name);
/* An event as it is; lane is one of the track's. */
void trace_add(struct trace *trace, struct trace_event event);

/* A chunk enters a stage, and leaves it. */
void trace_begin(struct trace *trace, uint32_t track, uint64_t number, uint64_t now);
void trace_end(struct trace *trace, uint32_t track, uint64_t number, uint64_t bytes,
	       uint64_t now);
void trace_phase(struct trace *trace, const char *name, uint64_t began, uint64_t ended);
void trace_work(struct trace *trace, uint32_t track, const struct trace_job *job,
		uint64_t number, uint64_t bytes);

/* trace_flow.c: find where each chunk came from and went to. False without memory. */
bool trace_flow(const struct trace_about *about);
/* What a chunk is called on all its way, on both sides. */
uint64_t trace_flow_id(const struct trace_about *about, unsigned side,
		       const struct trace_event *event);

/* trace_write.c: false without memory, or if the stream has an error. */
bool trace_write(const struct trace_about *about, FILE *out);
#endif
