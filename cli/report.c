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

size_t report_plain(char *text)
{
	char *at = text;

	for (; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = '?';
	return (size_t)(at - text);
}

int report_print(const struct report *report)
{
	struct report copy = *report;

	report_plain(copy.text);
	if (copy.code)
		fprintf(stderr, "decant: %s\n", copy.text);
	return copy.code;
}
