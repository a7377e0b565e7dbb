/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H
/* progress.h - rate, done and time left on a terminal, at most ten times a second. */
#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on;
	bool shown;
	uint64_t began;
	uint64_t next;
	uint64_t total; /* UINT64_MAX: not known */
};

void progress_begin(struct progress *progress, bool quiet, uint64_t total);
void progress_show(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);
#endif
