/* SPDX-License-Identifier: MIT */
#ifndef EXPLAIN_RUN_H
#define EXPLAIN_RUN_H
/* run.h - what run.c and why.c share: a made-up device, and the recording sink. */
#include "explain.h"

/* A device that knows each region as the layout says. */
struct device {
	struct decant_domain domain;
	const struct explain_layout *layout;
	struct decant_space *space;
	struct decant_region **regions;
	uint32_t next_key;
};

int device_init(struct device *device, const struct explain_layout *layout);
void device_fini(struct device *device);

/* What a region is called; NULL for none. */
const char *device_region_name(const struct device *device,
			       const struct decant_region *region);

/* A sink of the registry that records its elements instead of writing them. */
struct recorder {
	struct decant_sink sink;
	struct decant_sink_ops ops;
	void *format; /* what the sink's format needs */
	struct decant_element *list;
	size_t room;
	bool failed; /* no memory */
};

/* 0; -EINVAL: no such sink; -ENOMEM. */
int recorder_init(struct recorder *recorder, const char *name, size_t page_size);
void recorder_fini(struct recorder *recorder);

/* Answers that were given before: most elements of a layout are alike. */
#define WHY_CACHE 1024

struct why_cache {
	uint64_t start;
	size_t len;
	unsigned why;
};

struct run {
	const struct explain_job *job;
	const struct explain_out *out;
	struct explain_totals *totals;
	struct device device;
	struct recorder recorder;
	struct decant_hold hold;
	struct decant_stage stage;
	struct decant_region *stage_region;
	struct decant_iter it; /* behind what is in */
	bool direct;

	/* Behind the element that was looked at last. */
	struct decant_iter seen;
	size_t piece;
	size_t piece_offset;

	uint64_t period; /* rules look at addresses modulo this power of two */
	struct why_cache cache[WHY_CACHE];
};

/* Why an element that begins at start, as the sink sees it, is so long and no longer. */
unsigned why_ends(struct run *run, uint64_t start, size_t len);

/* Why the byte at this iterator can't go directly. */
unsigned why_staged(struct run *run, const struct decant_iter *at);

/* Why a request of so many elements and bytes ended, as its sink says. */
unsigned why_request(const struct run *run);
#endif
