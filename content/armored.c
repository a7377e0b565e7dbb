/* SPDX-License-Identifier: MIT */
/*
 * armored.c - the bytes under an armor at any position: an iterator over them.
 *
 * Lines are all of one length and end alike, so that a position says which line it is in;
 * each is checked when it is read.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

#define LINES	   64 /* decoded at a time */
#define MOST_LINE  (LINE_CHARS + 2)
#define MOST_FRAME (ARMOR_BLANKS_MOST + sizeof(ARMOR_BEGIN) + 2)

/* --- text at a position --- */

static int fetch(struct armored *a, size_t pos, char *to, size_t len)
{
	ssize_t got = decant_iter_seek(&a->cursor, a->start + pos);

	if (!got)
		got = decant_copy_to(to, &a->cursor, len);
	if (got == (ssize_t)len)
		return 0;
	return got < 0 ? (int)got : -EFAULT;
}

static bool stands_at(struct text text, size_t at, const char *word)
{
	size_t len = strlen(word);

	return text.len - at >= len && !memcmp(text.at + at, word, len);
}

/* --- the frame --- */

/* Blank lines and the first one, which shows how lines end here. */
static int find_body(struct armored *a, size_t len)
{
	char room[MOST_FRAME];
	struct text text = {room, len < sizeof(room) ? len : sizeof(room)};
	size_t at = 0;
	int err = fetch(a, 0, room, text.len);

	if (err)
		return err;
	while (at < text.len && armor_is_blank(room[at]))
		at++;
	if (at > ARMOR_BLANKS_MOST || (at && room[at - 1] != '\n') ||
	    !stands_at(text, at, ARMOR_BEGIN))
		return -EILSEQ;
	at += strlen(ARMOR_BEGIN);
	a->line_end = stands_at(text, at, "\r\n") ? "\r\n" : "\n";
	if (!stands_at(text, at, a->line_end))
		return at < text.len ? -EILSEQ : -ENODATA;
	a->body = at + strlen(a->line_end);
	a->stride = LINE_CHARS + strlen(a->line_end);
	return 0;
}

/* The last line, and blanks behind it; where the body ends. */
static int find_end(struct armored *a, size_t len, size_t *end)
{
	char room[MOST_FRAME];
	size_t n = len - a->body < sizeof(room) ? len - a->body : sizeof(room);
	size_t at = n, line = strlen(ARMOR_END);
	int err = fetch(a, len - n, room, n);

	if (err)
		return err;
	while (at && armor_is_blank(room[at - 1]))
		at--;
	if (n - at > ARMOR_BLANKS_MOST || at < line ||
	    memcmp(room + at - line, ARMOR_END, line))
		return -ENODATA;
	if (at < n && room[at] != '\n' && !stands_at((struct text){room, n}, at, "\r\n"))
		return -EILSEQ;
	*end = len - n + at - line;
	return 0;
}

/* How many bytes there are: padding says that they end within a group of four. */
static int measure(struct armored *a, size_t end)
{
	size_t text = end - a->body, rest = text % a->stride, chars, padding = 0;
	char last[2];
	int err;

	a->len = text / a->stride * LINE_BYTES;
	if (!text)
		return 0;
	a->lines = (text + a->stride - 1) / a->stride;
	chars = rest ? rest - strlen(a->line_end) : LINE_CHARS;
	if (chars > LINE_CHARS || !chars || chars % 4)
		return -EILSEQ;
	err = fetch(a, end - strlen(a->line_end) - 2, last, 2);
	while (!err && padding < 2 && last[1 - padding] == '=')
		padding++;
	a->len += rest ? chars / 4 * 3 : 0;
	a->len -= padding;
	a->last_chars = chars - padding;
	a->padding = padding;
	return err;
}

/* --- the bytes --- */

static bool is_end(const struct armored *a, const char *at, size_t padding)
{
	for (size_t i = 0; i < padding; i++)
		if (at[i] != '=')
			return false;
	return !memcmp(at + padding, a->line_end, strlen(a->line_end));
}

/* Bytes of a line that has been read; -EILSEQ if it is not as it should be. */
static ssize_t decode(const struct armored *a, size_t line, const char *at, uint8_t *out)
{
	bool last = line == a->lines - 1;
	size_t chars = last ? a->last_chars : LINE_CHARS;
	ssize_t n = base64_decode(out, (struct text){at, chars});

	if (n < 0 || !is_end(a, at + chars, last ? a->padding : 0))
		return -EILSEQ;
	return n;
}

/* Bytes from a line on, of at most so many lines. */
static ssize_t decode_lines(struct armored *a, size_t line, size_t nr, uint8_t *out)
{
	char text[LINES * MOST_LINE];
	size_t last = a->last_chars + a->padding + strlen(a->line_end);
	ssize_t n, done = 0;
	int err;

	nr = nr < a->lines - line ? nr : a->lines - line;
	nr = nr < LINES ? nr : LINES;
	err = fetch(a, a->body + line * a->stride, text,
		    line + nr == a->lines ? (nr - 1) * a->stride + last : nr * a->stride);
	if (err)
		return err;
	for (size_t i = 0; i < nr; i++, done += n) {
		n = decode(a, line + i, text + i * a->stride, out + done);
		if (n < 0)
			return n;
	}
	return done;
}

static struct decant_span peek(void *state, const struct decant_place *place)
{
	(void)state;
	return (struct decant_span){NULL, place->left, NULL};
}

static ssize_t move(void *state, const struct decant_place *place,
		    const struct iovec *local, size_t nr)
{
	struct armored *a = state;
	uint8_t bytes[LINES * LINE_BYTES];
	struct decant_iter to;
	size_t done = 0, want;
	ssize_t got = decant_iter_iovec(&to, DECANT_DEST, local, nr);

	if (got)
		return got;
	want = decant_iter_count(&to) < place->left ? decant_iter_count(&to)
						    : place->left;
	while (done < want) {
		size_t at = (place->pos + done) % LINE_BYTES, n;

		got = decode_lines(a, (place->pos + done) / LINE_BYTES,
				   (at + want - done + LINE_BYTES - 1) / LINE_BYTES,
				   bytes);
		if (got <= (ssize_t)at)
			break;
		n = (size_t)got - at < want - done ? (size_t)got - at : want - done;
		got = decant_copy_from(&to, bytes + at, n);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done ? (ssize_t)done : got < 0 ? got : -EFAULT;
}

static const struct decant_iter_ops ops = {
	.size = sizeof(ops), .peek = peek, .move = move};

int armored_view(struct armored *a, struct decant_iter *out,
		 const struct decant_iter *src)
{
	size_t len = decant_iter_count(src), end = 0;
	int err;

	*a = (struct armored){.cursor = *src, .start = decant_iter_consumed(src)};
	err = find_body(a, len);
	if (!err)
		err = find_end(a, len, &end);
	if (!err)
		err = measure(a, end);
	return err ? err : decant_iter_custom(out, DECANT_SOURCE, &ops, a, a->len);
}
