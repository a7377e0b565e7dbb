/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

/* The power of 1024 that a suffix stands for; -1 for none that is known. */
static int suffix_power(const char *suffix)
{
	static const char letters[] = "KMGTPE";
	const char *at;

	if (!*suffix)
		return 0;
	at = strchr(letters, toupper((unsigned char)*suffix));
	suffix++;
	if (!at || (*suffix && strcmp(suffix, "iB") && strcmp(suffix, "B")))
		return -1;
	return (int)(at - letters) + 1;
}

bool text_to_size(const char *text, uint64_t *size)
{
	unsigned long long number;
	char *end;
	int power;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	power = suffix_power(end);
	if (errno || power < 0)
		return false;
	*size = number;
	while (power--)
		if (__builtin_mul_overflow(*size, (uint64_t)1024, size))
			return false;
	return true;
}

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
