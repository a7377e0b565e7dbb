/* SPDX-License-Identifier: MIT */
#ifndef CLI_EXPLAIN_OPTIONS_H
#define CLI_EXPLAIN_OPTIONS_H
/* explain_options.h - what `decant explain` was asked about. */
#include <print.h>
#include "report.h"

/* Pieces that somebody thought up. */
struct pattern {
	uint64_t pieces; /* PATTERN_NONE: not given */
	uint64_t size;	 /* the same */
	uint64_t misalign;
	uint64_t stride; /* 0: apart, each in pages of its own */
};

#define PATTERN_NONE UINT64_MAX

struct explain_options {
	/* One of three says what the layout is. */
	const char *text;
	const char *process;
	struct pattern pattern;
	struct explain_layout layout;
	struct explain_job job;
	uint64_t elements; /* lines of the table */
	uint64_t columns;  /* 0: the terminal's */
	bool json;
	const char *svg;
};

/* As copy_options_parse(). The layout is the caller's to free in any case. */
bool explain_options_parse(struct explain_options *options, int argc, char **argv,
			   struct report *report);

/* explain_from.c: where a layout comes from. */
bool layout_from_text(struct explain_layout *layout, const char *arg,
		      struct report *report);
bool layout_from_process(struct explain_layout *layout, const char *arg,
			 struct report *report);

bool layout_from_pattern(struct explain_layout *layout, const struct pattern *pattern,
			 struct report *report);

/* Limits as text, JSON, a file of either, or something real; as strict as both. */
bool limits_from_text(struct decant_limits *limits, const char *arg,
		      struct report *report);
#endif
