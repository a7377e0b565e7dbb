/* SPDX-License-Identifier: MIT */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H
/* report.h - the one error that a command ends with: the first that happened. */
#include <stdbool.h>
#include <stddef.h>

/* Documented in `decant copy --help` and decant-copy(1). */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_USAGE = 2,
	EXIT_SOURCE = 3,
	EXIT_TARGET = 4,
	EXIT_PEER = 5,
	EXIT_TAMPERED = 6,
	EXIT_RESOURCES = 7,
	EXIT_KEY = 8,
	EXIT_TRACE = 9, /* the copy itself is done */
	EXIT_INTERRUPTED = 130,
};

/* The longest path, twice, and what is wrong with it. */
#define REPORT_BYTES 9000

struct report {
	enum exit_code code;
	char text[REPORT_BYTES];
};

/* Record an error unless there is one already. Returns false, so that callers can return
 * it. */
__attribute__((format(printf, 3, 4))) bool
report_set(struct report *report, enum exit_code code, const char *format, ...);

/* Print it in one line on stderr; returns the exit code. */
int report_print(const struct report *report);

/* Make one line of a text, whatever a file name or a peer put into it; its length. */
size_t report_plain(char *text);

#endif
