/* SPDX-License-Identifier: MIT */
/*
 * layout.c - where the bytes of a layout lie, written by hand:
 *
 *	layout = [ item { separator item } ]
 *	item   = piece | region
 *	piece  = [ count "x" ] length "@" address [ "+" offset ] [ "/" stride ]
 *	region = name "=" length "@" address [ "+" offset ] [ ">" device ]
 *
 * A separator is a comma or white space, or both; # begins a comment. count pieces lie
 * stride bytes apart, or one behind the other. A region is memory with one owner; the
 * device knows its first byte as the address device, or as its own.
 */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "input.h"

void explain_layout_free(struct explain_layout *layout)
{
	free(layout->pieces);
	free(layout->regions);
	*layout = (struct explain_layout){0};
}

static bool make_room(struct explain_layout *layout, uint64_t more,
		      const struct explain_item *item, struct explain_error *error)
{
	size_t room = layout->room ? layout->room : 64;
	struct iovec *pieces;

	if (more > EXPLAIN_PIECES - layout->nr)
		return explain_fail(error, item->at, "count: more than %u pieces",
				    EXPLAIN_PIECES);
	while (room < layout->nr + more)
		room *= 2;
	if (room == layout->room)
		return true;
	pieces = realloc(layout->pieces, room * sizeof(*pieces));
	if (!pieces)
		return explain_fail(error, item->at, "count: no memory for so many");
	layout->pieces = pieces;
	layout->room = room;
	return true;
}

/* The first and the last byte of all that an item stands for can be counted. */
static bool check_range(const struct explain_item *item, uint64_t *first,
			struct explain_error *error)
{
	uint64_t last, step = item->stride ? item->stride : item->length;
	size_t at = item->at;

	if (item->length > SSIZE_MAX)
		return explain_fail(error, at, "length: %#zx bytes are too many",
				    (size_t)item->length);
	if (__builtin_add_overflow(item->address, item->offset, first))
		return explain_fail(error, at, "offset: the address wraps");
	if (__builtin_mul_overflow(step, item->count - 1, &last) ||
	    __builtin_add_overflow(last, *first, &last))
		return explain_fail(error, at, "count: the last address wraps");
	if (__builtin_add_overflow(last, item->length, &last))
		return explain_fail(error, at, "length: the piece wraps");
	if (!*first && item->length)
		return explain_fail(error, at, "address: there is no memory at 0");
	return true;
}

/* Names are printed, and drawn: no blanks, no brackets, nothing a terminal obeys. */
static bool good_name(const char *name)
{
	struct explain_error ignored = {0};
	struct explain_text t = {name, name, name + strlen(name), &ignored};
	char word[sizeof(((struct explain_region *)0)->name)];

	return explain_word(&t, "name", word, sizeof(word)) && t.at == t.end;
}

static bool add_region(struct explain_layout *layout, const struct explain_item *item,
		       uint64_t first, struct explain_error *error)
{
	struct explain_region *list = layout->regions, *region;
	uint64_t last;

	if (!good_name(item->name))
		return explain_fail(error, item->at,
				    "name: letters, digits, _ and - only");
	if (!item->length)
		return explain_fail(error, item->at, "length: an empty region");
	if (__builtin_add_overflow(item->device, item->length - 1, &last))
		return explain_fail(error, item->at, "device: the address wraps");
	if (layout->nr_regions == EXPLAIN_REGIONS)
		return explain_fail(error, item->at, "more than %u regions",
				    EXPLAIN_REGIONS);
	for (size_t i = 0; i < layout->nr_regions; i++)
		if (first < list[i].addr + list[i].len &&
		    list[i].addr < first + item->length)
			return explain_fail(error, item->at, "region %s overlaps %s",
					    item->name, list[i].name);
	list = realloc(list, (layout->nr_regions + 1) * sizeof(*list));
	if (!list)
		return explain_fail(error, item->at, "no memory for the regions");
	layout->regions = list;
	region = &list[layout->nr_regions++];
	*region = (struct explain_region){
		.addr = first, .len = item->length, .device = item->device};
	memcpy(region->name, item->name, sizeof(region->name));
	return true;
}

bool explain_layout_add(struct explain_layout *layout, const struct explain_item *item,
			struct explain_error *error)
{
	uint64_t step = item->stride ? item->stride : item->length, addr = 0, sum;

	if (!item->count)
		return explain_fail(error, item->at, "count: 0 of something");
	if (!check_range(item, &addr, error))
		return false;
	if (item->region)
		return add_region(layout, item, addr, error);
	if (!make_room(layout, item->count, item, error))
		return false;
	if (__builtin_mul_overflow(item->length, item->count, &sum) ||
	    __builtin_add_overflow(sum, layout->bytes, &sum) || sum > SSIZE_MAX)
		return explain_fail(error, item->at,
				    "length: the lengths add up to more than 63 bits");
	layout->bytes = sum;
	for (uint64_t i = 0; i < item->count; i++, addr += step)
		layout->pieces[layout->nr++] =
			(struct iovec){(void *)(uintptr_t)addr, item->length};
	return true;
}

static bool expect(struct explain_text *t, char c, const char *what)
{
	if (explain_next(t) == c) {
		t->at++;
		return true;
	}
	return explain_fail(t->error, explain_pos(t), "expected %c %s", c, what);
}

/* The part of a piece or region behind its @. */
static bool parse_place(struct explain_text *t, struct explain_item *item)
{
	if (!expect(t, '@', "and an address") ||
	    !explain_number(t, "address", &item->address))
		return false;
	item->device = item->address;
	if (explain_next(t) != '+')
		return true;
	t->at++;
	if (!explain_number(t, "offset", &item->offset))
		return false;
	item->device += item->offset;
	return true;
}

static bool parse_region(struct explain_text *t, struct explain_item *item)
{
	item->region = true;
	if (!explain_word(t, "region", item->name, sizeof(item->name)) ||
	    !expect(t, '=', "and a length") ||
	    !explain_number(t, "length", &item->length) || !parse_place(t, item))
		return false;
	if (explain_next(t) != '>')
		return true;
	t->at++;
	return explain_number(t, "device", &item->device);
}

static bool parse_stride(struct explain_text *t, struct explain_item *item)
{
	size_t at;

	if (explain_next(t) != '/')
		return true;
	at = ++t->at - t->begin;
	if (!explain_number(t, "stride", &item->stride))
		return false;
	return item->stride ||
	       explain_fail(t->error, at, "stride: 0 puts all pieces in one place");
}

static bool parse_piece(struct explain_text *t, struct explain_item *item)
{
	if (!explain_number(t, "length", &item->length))
		return false;
	if (explain_next(t) == 'x') {
		item->count = item->length;
		t->at++;
		if (!explain_number(t, "length", &item->length))
			return false;
	}
	return parse_place(t, item) && parse_stride(t, item);
}

static bool parse_item(struct explain_text *t, struct explain_layout *layout)
{
	struct explain_item item = {.at = explain_pos(t), .count = 1};
	int c = explain_next(t);
	bool good = c > 0 && isalpha(c) ? parse_region(t, &item) : parse_piece(t, &item);

	return good && explain_layout_add(layout, &item, t->error);
}

/* What is between two items; false if there is nothing. */
static bool parse_separator(struct explain_text *t)
{
	const char *before = t->at;

	explain_blanks(t);
	if (explain_next(t) == ',') {
		t->at++;
		explain_blanks(t);
	}
	return t->at > before || t->at == t->end ||
	       explain_fail(t->error, explain_pos(t), "expected a comma or a blank");
}

static bool parse_text(struct explain_text *t, struct explain_layout *layout)
{
	explain_blanks(t);
	while (t->at < t->end)
		if (!parse_item(t, layout) || !parse_separator(t))
			return false;
	return true;
}

bool explain_layout_parse(struct explain_layout *layout, const char *text, size_t len,
			  struct explain_error *error)
{
	struct explain_text t = {text, text, text + len, error};
	bool good = explain_is_json(text, len)
			    ? explain_layout_json(layout, text, len, error)
			    : parse_text(&t, layout);

	if (good && !layout->nr)
		good = explain_fail(error, 0, "there are no pieces in it");
	if (!good)
		explain_layout_free(layout);
	return good;
}
