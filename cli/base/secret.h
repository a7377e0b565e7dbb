/* SPDX-License-Identifier: MIT */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H
/* secret.h - small files with keys in them, read and wiped. */
#include <stddef.h>
#include "report.h"

/* Who else may be able to read the file. */
enum secret_readers { SECRET_ANYBODY, SECRET_NOBODY_ELSE };

/*
 * All of the file, a text of len bytes, terminated; secret_free() it. NULL if it can't be
 * read, has a NUL in it, is too large, or may be read by more than it should: see report.
 */
char *secret_read(const char *path, enum secret_readers readers, size_t *len,
		  struct report *report);
void secret_free(char *text, size_t len);

/* Cut off the first line, and what a line may end with; NULL behind the last. */
char *secret_line(char **rest);
#endif
