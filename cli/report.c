/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include "report.h"

bool report_set(struct report *report, enum exit_code code, const char *format, ...)
{
	va_list args;

	if (report->code)
		return false;
	report->code = code;
	va_start(args, format);
	vsnprintf(report->text, sizeof(report->text), format, args);
	va_end(args);
	return false;
}

/* One line, whatever a file name or a peer put into it. */
static void print_line(const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, stderr);
	fputc('\n', stderr);
}

int report_print(const struct report *report)
{
	if (report->code) {
		fputs("decant: ", stderr);
		print_line(report->text);
	}
	return report->code;
}
