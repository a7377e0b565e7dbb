/* SPDX-License-Identifier: MIT */
#ifndef CLI_ROOT_H
#define CLI_ROOT_H
/*
 * root.h - a directory that nothing leaves: each path is looked up by the kernel below it
 * (openat2(2), RESOLVE_BENEATH), so that no `..`, no absolute path, no symbolic link and
 * no link of /proc leads out, also if somebody changes the tree meanwhile. A NULL root is
 * the whole machine.
 */
#include <sys/stat.h>
#include "report.h"

struct root {
	int fd;
	bool read_only;
};

bool root_init(struct root *root, const char *path, bool read_only,
	       struct report *report);
void root_close(struct root *root);

/* open(2) below root, with O_CLOEXEC; -1 and errno, EXDEV if the path leads out of it. */
int root_open(const struct root *root, const char *path, int flags);
/* stat(2) below root. */
int root_stat(const struct root *root, const char *path, struct stat *st);

/* What errno means for somebody who gave a path. */
const char *root_strerror(int err);

/*
 * The directory in which path's file is or shall be, open, and the file's name there,
 * behind all symbolic links; *name is the caller's to free. -1 and errno.
 */
int root_directory(const struct root *root, const char *path, char **name);
#endif
