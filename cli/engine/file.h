/* SPDX-License-Identifier: MIT */
#ifndef CLI_FILE_H
#define CLI_FILE_H
/* file.h - end points on this machine; with a root, only regular files below it. */
#include "engine.h"
#include "root.h"

/*
 * Open a source: a regular file or block device read directly, anything else as a pipe.
 * "-" is standard input. NULL on error; see engine->report.
 */
struct endpoint *source_open(struct engine *engine, const struct root *root,
			     const char *path, enum decant_uring_direct direct);

/*
 * Open a target: a file beside its final name, a block device in place, anything else as
 * a pipe; a directory gets a file of the source's name. "-" is standard output.
 */
struct endpoint *target_open(struct engine *engine, const struct root *root,
			     const char *path, const char *source_name,
			     const struct file_meta *meta,
			     enum decant_uring_direct direct);

/* pipe.c: from or to a descriptor without positions; closes it at the end if owned. */
struct endpoint *pipe_open(struct engine *engine, int fd, bool owned, bool source,
			   const char *path);

/* draft.c: a file that appears under its name only when it is complete. */
struct draft {
	int fd;
	int dir;	/* the directory it will appear in */
	char *name;	/* its final name there */
	char *path;	/* the same as the user knows it */
	char temp[300]; /* the name it has meanwhile; "" for none */
	bool masked;	/* its mode is a client's, and umask has the last word */
};

bool draft_open(struct draft *draft, const struct root *root, const char *path,
		struct report *report);
bool draft_publish(struct draft *draft, const struct file_meta *meta,
		   struct report *report);
/* Take the draft's name away, if it has one. */
void draft_abandon(struct draft *draft);
void draft_close(struct draft *draft);
#endif
