/* SPDX-License-Identifier: MIT */
#ifndef CLI_EXPLAIN_OPTIONS_H
#define CLI_EXPLAIN_OPTIONS_H
/* explain_options.h - what `decant explain` was asked about. */
#include <print.h>
#include "report.h"

struct explain_options {
	struct explain_layout layout;
	struct explain_job job;
	size_t elements; /* lines of the table */
	size_t columns;	 /* 0: the terminal's */
	bool json;
	const char *svg;
};

/* False when that ends the command: see report, or help. The layout is the caller's to
 * free in any case. */
bool explain_options_parse(struct explain_options *options, int argc, char **argv,
			   struct report *report, bool *help);

void explain_options_help(void);

/* explain_from.c: where a layout comes from. */
bool layout_from_text(struct explain_layout *layout, const char *arg,
		      struct report *report);
bool layout_from_process(struct explain_layout *layout, const char *arg,
			 struct report *report);

/* Pieces that somebody thought up. */
struct pattern {
	uint64_t pieces;
	uint64_t size;
	uint64_t misalign;
	uint64_t stride; /* 0: apart, each in pages of its own */
};

bool layout_from_pattern(struct explain_layout *layout, const struct pattern *pattern,
			 struct report *report);

/* Limits as text, JSON, a file of either, or something real; as strict as both. */
bool limits_from_text(struct decant_limits *limits, const char *arg,
		      struct report *report);

/* A number that is all of an option's argument. */
bool number_from(const char *option, const char *arg, uint64_t *value,
		 struct report *report);
#endif
