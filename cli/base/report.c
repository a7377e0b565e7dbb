/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "report.h"
#include "text.h"

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

/* What a terminal takes for an order: C0, DEL, and C1, which is 0xc2 and one of these. */
static bool is_control(const unsigned char *at, size_t len)
{
	return *at < ' ' || *at == 127 || (len == 2 && *at == 0xc2 && at[1] < 0xa0);
}

size_t report_plain(char *text)
{
	char *to = text;

	for (const char *at = text; *at;) {
		size_t len = text_utf8(at), from = len ? len : 1;

		if (!len || is_control((const unsigned char *)at, len))
			*to++ = '?';
		else
			to = (char *)memmove(to, at, len) + len;
		at += from;
	}
	*to = '\0';
	return (size_t)(to - text);
}

int report_print(const struct report *report)
{
	struct report copy = *report;

	report_plain(copy.text);
	if (copy.code)
		fprintf(stderr, "decant: %s\n", copy.text);
	return copy.code;
}
