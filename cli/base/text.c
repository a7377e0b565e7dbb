/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
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

bool text_write(int fd, const void *text, size_t len)
{
	const char *at = text;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

size_t text_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	/* Of the second byte: nothing that is shorter, a surrogate, or too large. */
	unsigned low = *at == 0xe0 ? 0xa0 : *at == 0xf0 ? 0x90 : 0x80;
	unsigned high = *at == 0xed ? 0x9f : *at == 0xf4 ? 0x8f : 0xbf;

	if (len > 1 && (*at < 0xc2 || *at > 0xf4 || at[1] < low || at[1] > high))
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

void text_json(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text) {
		size_t len = text_utf8(text);

		if (!len)
			fputs("\\ufffd", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(out, "\\u%04x", *text);
		else
			fwrite(text, 1, len, out);
		text += len ? len : 1;
	}
	fputc('"', out);
}
