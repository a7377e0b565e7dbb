/* SPDX-License-Identifier: MIT */
/* out.c - numbers, words and reasons on their way out. */
#include <string.h>
#include "print.h"

void out_begin(struct out *out, FILE *file)
{
	out->file = file;
	out->len = 0;
}

void out_flush(struct out *out)
{
	fwrite(out->room, 1, out->len, out->file);
	out->len = 0;
}

static void add(struct out *out, const char *text, size_t len)
{
	if (len > sizeof(out->room) - out->len)
		out_flush(out);
	memcpy(out->room + out->len, text, len);
	out->len += len;
}

void out_text(struct out *out, const char *text)
{
	add(out, text, strlen(text));
}

/* The digits of a number, which end at end; where they begin. */
static char *digits(char *end, uint64_t value, unsigned base)
{
	do {
		*--end = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	return end;
}

static void blanks(struct out *out, size_t nr)
{
	while (nr--)
		add(out, " ", 1);
}

void out_number_in(struct out *out, uint64_t value, unsigned columns)
{
	char room[24], *end = room + sizeof(room), *at = digits(end, value, 10);
	size_t len = (size_t)(end - at);

	blanks(out, columns > len ? columns - len : 0);
	add(out, at, len);
}

void out_number(struct out *out, uint64_t value)
{
	out_number_in(out, value, 0);
}

void out_hex(struct out *out, uint64_t value)
{
	char room[24], *end = room + sizeof(room), *at = digits(end, value, 16);

	*--at = 'x';
	*--at = '0';
	add(out, at, (size_t)(end - at));
}

void out_text_in(struct out *out, const char *text, unsigned columns)
{
	size_t len = strlen(text);

	add(out, text, len);
	blanks(out, columns > len ? columns - len : 0);
}

struct why_word why_word(unsigned bit)
{
	const char *text = explain_why_text(bit), *end = strchr(text, ':');
	struct why_word word = {0};

	memcpy(word.text, text, end ? (size_t)(end - text) : 1);
	return word;
}

struct element_place element_place(const struct explain_element *el)
{
	struct element_place place;

	snprintf(place.text, sizeof(place.text), "%s0x%llx", el->staged ? "stage+" : "",
		 (unsigned long long)el->addr);
	return place;
}

unsigned out_whys(struct out *out, unsigned whys, const char *between, const char *quote)
{
	unsigned len = 0;

	for (unsigned i = 0; i < EXPLAIN_WHYS; i++) {
		struct why_word word;

		if (!(whys & 1u << i))
			continue;
		word = why_word(i);
		if (len)
			out_text(out, between);
		out_text(out, quote);
		out_text(out, word.text);
		out_text(out, quote);
		len += (unsigned)strlen(word.text) + 1;
	}
	return len;
}

void limits_json(struct out *out, const struct decant_limits *limits)
{
	struct decant_limits copy = *limits;
	bool first = true;

	out_text(out, "{");
	for (unsigned i = 0; explain_limits_name(i); i++) {
		size_t value = *explain_limits_field(&copy, i);

		if (!value)
			continue;
		out_text(out, first ? "\"" : ",\"");
		out_text(out, explain_limits_name(i));
		out_text(out, "\":");
		out_number(out, value);
		first = false;
	}
	out_text(out, "}");
}
