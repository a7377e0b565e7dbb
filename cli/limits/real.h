/* SPDX-License-Identifier: MIT */
#ifndef CLI_REAL_H
#define CLI_REAL_H
/*
 * real.h - what real things demand, as `decant limits` shows it and `decant explain`
 * takes it. There is a section for each sort of thing; it writes members of one JSON
 * object, or a paragraph of text.
 */
#include <stdio.h>
#include <decant/decant.h>
#include "report.h"

/* What the kernel takes in one request: MAX_RW_COUNT, see read(2). */
#define REQUEST_BYTES 0x7ffff000u

struct limits_request {
	bool json;
	bool all;	  /* one section of many: that there is none is no error */
	const char *name; /* behind the colon, or a path; NULL: all of that sort */
	FILE *out;
	struct report *report;
	unsigned found;
};

/* False with a report. */
typedef bool limits_section(struct limits_request *r);

limits_section limits_file, limits_block, limits_fabric, limits_verbs, limits_uring,
	limits_crypto;

/* What one of them demands; false with a report. */
typedef bool limits_of(const char *name, struct decant_limits *limits,
		       struct report *report);

limits_of limits_of_file, limits_of_block, limits_of_fabric, limits_of_verbs,
	limits_of_verbs_read, limits_of_uring, limits_of_nvme;

/* file:PATH, block:NAME and so on. */
bool limits_is_real(const char *arg);
bool limits_of_real(const char *arg, struct decant_limits *limits, struct report *report);

/* "limits":{...}: what explain --limits takes. */
void limits_print_json(FILE *file, const char *name, const struct decant_limits *limits);

/* What a file demands that is open for direct I/O. */
struct decant_uring_file_info;
struct decant_limits limits_of_info(const struct decant_uring_file_info *info);
#endif
