/* SPDX-License-Identifier: MIT */
/*
 * armor.c - strict PEM (RFC 7468, figure 3) around a file, on and off, as it passes.
 *
 * Lines are gathered whatever the cut of the source, done one at a time, and handed out
 * whatever the cut of the destination.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define IN_BYTES  8192
#define OUT_BYTES 12288 /* more than IN_BYTES can become */

enum part { BEFORE, BODY, SHORT_LINE, BEHIND, OVER };

struct decant_age_armor {
	enum decant_age_armor_way way;
	enum part part;
	int error;
	size_t blanks; /* white space around, so far */
	size_t in_len, out_len, out_at;
	uint8_t in[IN_BYTES];
	uint8_t out[OUT_BYTES];
};

int decant_age_armor_new(struct decant_age_armor **out, enum decant_age_armor_way way)
{
	struct decant_age_armor *armor;

	if (way != DECANT_AGE_ARMOR_DECODE && way != DECANT_AGE_ARMOR_ENCODE)
		return -EINVAL;
	armor = calloc(1, sizeof(*armor));
	if (!armor)
		return -ENOMEM;
	armor->way = way;
	*out = armor;
	return 0;
}

void decant_age_armor_free(struct decant_age_armor *armor)
{
	free(armor);
}

static bool all_blank(struct text text)
{
	while (text.len && armor_is_blank(text.at[text.len - 1]))
		text.len--;
	return !text.len;
}

bool decant_age_is_armored(const struct decant_iter *src)
{
	struct decant_iter it = *src;
	char room[ARMOR_BLANKS_MOST + sizeof(ARMOR_BEGIN)];
	ssize_t got = decant_copy_to(room, &it, sizeof(room));
	ssize_t at = 0, len = (ssize_t)strlen(ARMOR_BEGIN);

	while (at < got && armor_is_blank(room[at]))
		at++;
	return got - at >= len && !memcmp(room + at, ARMOR_BEGIN, (size_t)len);
}

/* --- off --- */

static int blanks(struct decant_age_armor *armor, size_t len)
{
	armor->blanks += len;
	return armor->blanks > ARMOR_BLANKS_MOST ? -EILSEQ : 0;
}

/* With padding to a multiple of four characters, which says how many bytes there are. */
static int decode_line(struct decant_age_armor *armor, struct text line)
{
	size_t padding = 0;
	ssize_t n;

	if (line.len > LINE_CHARS || line.len % 4 || !line.len)
		return -EILSEQ;
	if (line.len < LINE_CHARS)
		armor->part = SHORT_LINE;
	while (padding < 2 && line.at[line.len - 1] == '=') {
		line.len--;
		padding++;
	}
	n = base64_decode(armor->out + armor->out_len, line);
	if (n < 0)
		return -EILSEQ;
	if (padding)
		armor->part = SHORT_LINE;
	armor->out_len += (size_t)n;
	return 0;
}

/* A line with its end, which is missing from the last line only. */
static int take_armored(struct decant_age_armor *armor, struct text line)
{
	struct text whole = line;

	if (line.len && line.at[line.len - 1] == '\n')
		line.len--;
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	switch (armor->part) {
	case BEFORE:
		if (all_blank(whole))
			return blanks(armor, whole.len);
		armor->part = BODY;
		armor->blanks = 0;
		return text_is(line, ARMOR_BEGIN) ? 0 : -EILSEQ;
	case BODY:
	case SHORT_LINE:
		if (text_is(line, ARMOR_END)) {
			armor->part = BEHIND;
			return 0;
		}
		return armor->part == BODY ? decode_line(armor, line) : -EILSEQ;
	default:
		return all_blank(whole) ? blanks(armor, whole.len) : -EILSEQ;
	}
}

/* All whole lines in the buffer, and with nothing to follow also the rest. */
static int decode(struct decant_age_armor *armor, bool last)
{
	struct text rest = {(char *)armor->in, armor->in_len};
	int err = 0;

	while (rest.len && !err) {
		const char *end = memchr(rest.at, '\n', rest.len);
		size_t len = end ? (size_t)(end - rest.at) + 1 : rest.len;

		if (!end && !last)
			break;
		err = take_armored(armor, (struct text){rest.at, len});
		rest.at += len;
		rest.len -= len;
	}
	if (!err && rest.len == IN_BYTES)
		err = -EILSEQ;
	memmove(armor->in, rest.at, rest.len);
	armor->in_len = rest.len;
	if (!err && last && armor->part != BEHIND)
		err = -ENODATA;
	return err;
}

/* --- on --- */

static void put(struct decant_age_armor *armor, const char *text)
{
	size_t len = strlen(text);

	memcpy(armor->out + armor->out_len, text, len);
	armor->out_len += len;
}

static void encode_line(struct decant_age_armor *armor, size_t at, size_t len)
{
	armor->out_len +=
		base64_encode((char *)armor->out + armor->out_len, armor->in + at, len);
	put(armor, len % 3 == 1 ? "==\n" : len % 3 ? "=\n" : "\n");
}

static int encode(struct decant_age_armor *armor, bool last)
{
	size_t at = 0;

	if (armor->part == BEFORE)
		put(armor, ARMOR_BEGIN "\n");
	armor->part = BODY;
	for (; armor->in_len - at >= LINE_BYTES; at += LINE_BYTES)
		encode_line(armor, at, LINE_BYTES);
	if (last && armor->in_len > at) {
		encode_line(armor, at, armor->in_len - at);
		at = armor->in_len;
	}
	memmove(armor->in, armor->in + at, armor->in_len - at);
	armor->in_len -= at;
	if (last) {
		put(armor, ARMOR_END "\n");
		armor->part = OVER;
	}
	return 0;
}

/* --- both --- */

static int fill(struct decant_age_armor *armor, struct decant_iter *src)
{
	size_t room = IN_BYTES - armor->in_len;
	ssize_t got = decant_copy_to(armor->in + armor->in_len, src, room);

	if (got < 0)
		return (int)got;
	if (!got && decant_iter_count(src) && room)
		return -EFAULT;
	armor->in_len += (size_t)got;
	return 0;
}

/* The next of what comes out into the buffer; whether there is anything to do at all. */
static bool work(struct decant_age_armor *armor, struct decant_iter *src, bool last)
{
	bool encodes = armor->way == DECANT_AGE_ARMOR_ENCODE;

	if (armor->error || armor->part == OVER || (!decant_iter_count(src) && !last))
		return false;
	armor->out_len = armor->out_at = 0;
	armor->error = fill(armor, src);
	last = last && !decant_iter_count(src);
	if (!armor->error)
		armor->error = encodes ? encode(armor, last) : decode(armor, last);
	if (last)
		armor->part = OVER;
	return true;
}

static ssize_t hand_out(struct decant_age_armor *armor, struct decant_iter *dst)
{
	ssize_t got = decant_copy_from(dst, armor->out + armor->out_at,
				       armor->out_len - armor->out_at);

	if (got > 0)
		armor->out_at += (size_t)got;
	return got;
}

ssize_t decant_age_armor_run(struct decant_age_armor *armor, struct decant_iter *dst,
			     struct decant_iter *src, bool last)
{
	size_t taken = decant_iter_count(src), done = 0;
	ssize_t got;

	if (dst->direction != DECANT_DEST || src->direction != DECANT_SOURCE)
		return -EINVAL;
	do {
		got = 0;
		while (armor->out_at < armor->out_len && decant_iter_count(dst)) {
			got = hand_out(armor, dst);
			if (got <= 0)
				break;
			done += (size_t)got;
		}
	} while (armor->out_at == armor->out_len && work(armor, src, last));
	taken -= decant_iter_count(src);
	if (got < 0 && !done && !taken)
		return got;
	if (!done && !taken)
		return armor->error;
	return (ssize_t)(done > taken ? done : taken);
}
