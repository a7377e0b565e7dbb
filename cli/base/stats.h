/* SPDX-License-Identifier: MIT */
#ifndef CLI_STATS_H
#define CLI_STATS_H
/* stats.h - what a copy did, stage by stage, here and on the other side. */
#include <decant/uring.h>
#include <stdio.h>
#include "options.h"
#include "trace.h"

/* A stage is busy while anything of it is under way. */
struct stage_stats {
	char name[24];
	uint64_t chunks;
	uint64_t bytes;
	uint64_t busy_ns;
	uint64_t since; /* when it became busy */
	uint32_t under_way;
	struct trace *trace; /* NULL: nobody wants one */
	uint32_t track;	     /* in it */
	uint32_t workers;    /* and the track of the threads that do the work */
};

enum { STAGES_MOST = 5 };

/* One side's account. */
struct side_stats {
	char io[64];   /* "io_uring", or "threads (why)" */
	char file[96]; /* "direct, ...", or "page cache (why)" */
	struct decant_uring_stats ring;
	struct stage_stats stages[STAGES_MOST];
	uint32_t nr;
	struct trace *trace; /* for the stages to come, or NULL */
};

struct copy_stats {
	uint64_t bytes;
	uint64_t elapsed_ns;
	uint64_t transfer_ns; /* of these, while chunks were under way */
	char fabric[256];     /* "" for a local copy */
	char why[160];	      /* it was chosen, if it was */
	uint32_t rails;
	bool plain;	  /* it was not sealed */
	char backing[16]; /* what the buffers are made of */
	struct side_stats here;
	struct side_stats there;
	bool sender; /* here is the side that reads */
};

uint64_t stats_now(void);
/* hop: whose chunks go through it, for a trace; TRACE_NO_HOP for none. */
struct stage_stats *stats_stage(struct side_stats *side, uint32_t hop, const char *name);
/* Add how a file is reached: the source's first where there are both. */
void stats_describe(struct side_stats *side, const char *text);
/* number: the chunk's or the job's; one of a number at a time. */
void stage_begin(struct stage_stats *stage, uint64_t number);
void stage_end(struct stage_stats *stage, uint64_t number, size_t bytes);
/* A phase of the copy as a whole is over; the time, for the next one. */
uint64_t stats_phase(struct side_stats *side, const char *name, uint64_t began);
/* A stage whose jobs are done by threads: where and when one of them was. */
void stage_has_workers(struct stage_stats *stage);
void stage_worked(struct stage_stats *stage, const struct trace_job *job, uint64_t number,
		  size_t bytes);
void stats_print(const struct copy_stats *stats, enum stats_format format, FILE *out);
#endif
