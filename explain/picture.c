/* SPDX-License-Identifier: MIT */
/*
 * picture.c - source above result, in the terminal. What lies between two borders, of
 * whichever side, is a segment; a byte stands below itself. Widths grow with the
 * logarithm of the bytes, so that a header and its payload are both seen.
 */
#include <stdlib.h>
#include <string.h>
#include "print.h"

void picture_add(struct picture *picture, const struct explain_element *el)
{
	struct explain_element *els = picture->els;
	size_t nr = picture->nr;

	if (nr == picture->max || picture->failed)
		return;
	/* A power of two: there is no more room. */
	if (!(nr & (nr - 1)) || !nr)
		els = realloc(els, (nr ? 2 * nr : 1) * sizeof(*els));
	picture->failed = !els;
	if (!els)
		return;
	picture->els = els;
	els[picture->nr++] = *el;
}

void picture_fini(struct picture *picture)
{
	free(picture->els);
}

unsigned segment_scale(const struct segment *segment)
{
	return segment->bytes ? 63 - (unsigned)__builtin_clzll(segment->bytes) : 0;
}

struct list {
	struct segment *at;
	size_t nr, room;
};

static bool add(struct list *list, const struct segment *segment)
{
	if (list->nr == PICTURE_SEGMENTS)
		return true;
	if (list->nr == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		void *at = realloc(list->at, room * sizeof(*list->at));

		if (!at)
			return false;
		list->at = at;
		list->room = room;
	}
	list->at[list->nr++] = *segment;
	return true;
}

static bool add_pad(struct list *list, size_t bytes, size_t el, bool begins)
{
	struct segment segment = {
		.bytes = bytes, .el = el, .el_begins = begins, .pad = true};

	return !bytes || add(list, &segment);
}

/* The segments of one element: one for each piece it has a part of. */
static bool add_element(struct list *list, const struct picture *picture, size_t i)
{
	const struct explain_element *el = &picture->els[i];
	size_t left = el->len - el->front - el->back, piece = el->piece;
	size_t offset = el->piece_offset;
	bool begins = !el->front;

	if (!add_pad(list, el->front, i, true))
		return false;
	for (; left && list->nr < PICTURE_SEGMENTS; piece++, offset = 0) {
		size_t n = picture->layout->pieces[piece].iov_len - offset;
		struct segment segment = {.bytes = n < left ? n : left,
					  .piece = piece,
					  .el = i,
					  .piece_begins = !offset,
					  .el_begins = begins};

		if (!n)
			continue;
		if (!add(list, &segment))
			return false;
		left -= segment.bytes;
		begins = false;
	}
	return add_pad(list, el->back, i, false);
}

size_t picture_segments(const struct picture *picture, struct segment **segments)
{
	struct list list = {0};

	for (size_t i = 0; i < picture->nr; i++)
		if (!add_element(&list, picture, i)) {
			free(list.at);
			return 0;
		}
	*segments = list.at;
	return list.nr;
}

/* Columns of a terminal's line, and what comes before them. */
#define MOST_COLUMNS 1000
#define MARGIN	     8

struct line {
	char text[MOST_COLUMNS + 1];
	unsigned end; /* columns in use */
};

/* A label at a column, up to the next border at most. */
static void label(struct line *line, unsigned at, unsigned room, const char *text)
{
	size_t len = strlen(text);

	if (len > room)
		len = room;
	memcpy(line->text + at, text, len);
}

/* Columns up to where the piece, or the element, ends in this row. */
static unsigned run_of(const struct segment *s, const struct segment *end, bool piece)
{
	const struct segment *at = s;
	unsigned width = 0;

	do {
		width += at->width;
		at++;
	} while (at < end &&
		 (piece ? !at->piece_begins && !at->pad && !s->pad : !at->el_begins));
	return width;
}

static void fill(struct line *line, unsigned at, unsigned width, char c)
{
	memset(line->text + at, c, width);
}

static void draw_piece(struct line *line, unsigned at, const struct segment *s,
		       const struct segment *end, const struct picture *picture)
{
	unsigned room = run_of(s, end, true) - 1;
	char text[64];

	line->text[at] = '|';
	if (s->pad)
		fill(line, at + 1, room, ' ');
	snprintf(text, sizeof(text), s->pad ? "padding" : "%zu: %zu", s->piece,
		 picture->layout->pieces[s->piece].iov_len);
	label(line, at + 1, room, text);
}

static void draw_element(struct line *lines, unsigned at, const struct segment *s,
			 const struct segment *end, const struct picture *picture)
{
	const struct explain_element *el = &picture->els[s->el];
	unsigned room = run_of(s, end, false) - 1;
	char text[64];

	lines[1].text[at] = el->index || !s->el_begins ? '|' : '[';
	if (el->staged)
		fill(&lines[1], at + 1, room, '~');
	snprintf(text, sizeof(text), "%zu: %zu%s", el->index, el->len,
		 el->staged ? " " : "");
	label(&lines[1], at + 1, room, text);
	text[0] = 0;
	for (unsigned i = EXPLAIN_WHYS; i-- > 0;)
		if (s->el_begins && (el->index || el->request) &&
		    (el->begins | el->stages) & 1u << i)
			snprintf(text, sizeof(text), "%s", why_word(i).text);
	label(&lines[2], at + 1, room, text);
}

static void show(struct out *out, const char *name, struct line *line, bool border)
{
	size_t len = line->end;

	line->text[len] = border ? '|' : 0;
	line->text[len + 1] = 0;
	while (!border && len && line->text[len - 1] == ' ')
		line->text[--len] = 0;
	if (!border && !len)
		return;
	out_text_in(out, name, MARGIN);
	out_text(out, line->text);
	out_text(out, "\n");
}

/* The segments of one row. */
static void draw_row(const struct picture *picture, struct out *out,
		     const struct segment *s, const struct segment *end)
{
	static struct line lines[3];
	const struct segment *at;
	unsigned column = 0;

	for (unsigned i = 0; i < 3; i++)
		memset(lines[i].text, ' ', sizeof(lines[i].text) - 1);
	for (at = s; at < end; column += at->width, at++) {
		bool new_pad = at->pad && (at == s || !at[-1].pad);

		if (at->piece_begins || new_pad || at == s || at[-1].pad)
			draw_piece(&lines[0], column, at, end, picture);
		if (at->el_begins || at == s)
			draw_element(lines, column, at, end, picture);
	}
	for (unsigned i = 0; i < 3; i++)
		lines[i].end = column;
	out_text(out, "\n");
	show(out, "source", &lines[0], true);
	show(out, "result", &lines[1], true);
	show(out, "", &lines[2], false);
}

void picture_text(const struct picture *picture, struct out *out, unsigned columns,
		  size_t els)
{
	struct picture part = *picture;
	struct segment *segments = NULL;
	size_t nr, begin = 0;

	if (columns > MOST_COLUMNS - 64)
		columns = MOST_COLUMNS - 64;
	part.nr = part.nr < els ? part.nr : els;
	nr = picture_segments(&part, &segments);
	if (nr)
		out_text(out, "\npicture  number: bytes; [ begins a request, ~ is "
			      "scratch memory\n");
	while (begin < nr) {
		size_t end = begin;
		unsigned used = MARGIN + 1;

		do {
			segments[end].width = 5 + segment_scale(&segments[end]) * 3 / 4;
			used += segments[end++].width;
		} while (end < nr &&
			 used + 5 + segment_scale(&segments[end]) * 3 / 4 <= columns);
		draw_row(&part, out, segments + begin, segments + end);
		begin = end;
	}
	free(segments);
}
