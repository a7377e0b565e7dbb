/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "text.h"

struct text_size text_of_size(uint64_t size)
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	struct text_size room;
	double value = (double)size;
	int unit = 0;

	while (value >= 1024 && unit < 6) {
		value /= 1024;
		unit++;
	}
	snprintf(room.text, sizeof(room.text), unit ? "%.1f %s" : "%.0f %s", value,
		 units[unit]);
	return room;
}

void text_json(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ')
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}
