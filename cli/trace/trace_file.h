/* SPDX-License-Identifier: MIT */
#ifndef CLI_TRACE_FILE_H
#define CLI_TRACE_FILE_H
/* trace_file.h - the file of --trace: it appears when the copy is done. */
#include "file.h"
#include "trace.h"

struct trace_file {
	struct trace *trace; /* NULL: none is wanted */
	struct draft draft;
};

/*
 * Before the copy, so that a name that can't be written ends it before it begins. began:
 * when the copy did. False on error.
 */
bool trace_file_open(struct trace_file *file, const struct copy_options *options,
		     uint64_t began, struct report *report);
/* When the copy is done; an error, or a side that is missing, is EXIT_TRACE. */
bool trace_file_write(struct trace_file *file, const struct trace_about *about,
		      struct report *report);
/* Leave nothing behind that was not written. */
void trace_file_abandon(struct trace_file *file);
void trace_file_close(struct trace_file *file);
#endif
