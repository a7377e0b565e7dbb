/* SPDX-License-Identifier: MIT */
/*
 * json.c - layouts and limits as programs write them, read as a stream by YAJL, so that a
 * million pieces take no more memory than they need.
 *
 * A layout is an array of pieces, or an object with "pieces" and "regions". A piece is
 * [length, address], or an object with the names of the text form. Limits are the first
 * object that is called "limits", or else the outermost one: what `decant limits --json`
 * prints, and what somebody writes who has nothing but the numbers.
 */
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>
#include "input.h"

/* A number, or what stands in its place, and where. */
struct token {
	const char *text;
	size_t len;
	size_t at;
};

enum list { LIST_NONE, LIST_PIECES, LIST_REGIONS };

struct reader {
	yajl_handle yajl;
	struct explain_error *error;
	unsigned depth;
	char key[32]; /* the newest; empty behind [ */

	/* Of a layout. */
	struct explain_layout *layout;
	struct explain_item item;
	enum list list;
	unsigned list_depth;
	unsigned nth; /* values of the item so far */
	bool pair;    /* the item is an array */
	bool has_length, has_address, has_device;

	/* Of limits. */
	struct decant_limits *limits;
	struct decant_limits outermost;
	bool found;		      /* the object that is called "limits" */
	unsigned inside;	      /* its depth, or 0 */
	struct explain_error unknown; /* why the outermost one is no limits */
};

/* Where a value of so many bytes begins that was read just now. */
static size_t place(const struct reader *r, size_t len)
{
	size_t end = yajl_get_bytes_consumed(r->yajl);

	return end > len ? end - len : 0;
}

static bool read_number(const struct reader *r, struct token span, uint64_t *value,
			struct explain_error *error)
{
	struct explain_error here = {0};
	struct explain_text t = {span.text, span.text, span.text + span.len, &here};
	const char *field = *r->key ? r->key : "number";

	if (!explain_number(&t, field, value))
		return explain_fail(error, span.at + here.at, "%s", here.text);
	if (t.at == t.end)
		return true;
	return explain_fail(error, span.at, "%s: expected a whole number", field);
}

static int on_key(void *user, const unsigned char *key, size_t len)
{
	struct reader *r = user;

	if (len >= sizeof(r->key))
		len = sizeof(r->key) - 1;
	memcpy(r->key, key, len);
	r->key[len] = 0;
	return 1;
}

static int parse(struct reader *r, const yajl_callbacks *callbacks, const char *text,
		 size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	yajl_status status;

	r->yajl = yajl_alloc(callbacks, NULL, r);
	if (!r->yajl)
		return explain_fail(r->error, 0, "no memory to read JSON");
	status = yajl_parse(r->yajl, bytes, len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(r->yajl);
	if (status != yajl_status_ok)
		explain_fail(r->error, place(r, 0), "no JSON, or it ends too early");
	yajl_free(r->yajl);
	return !r->error->set;
}

/* The field of a piece or region that is called so; NULL: none. */
static uint64_t *item_field(struct reader *r)
{
	struct explain_item *item = &r->item;

	if (!strcmp(r->key, "length")) {
		r->has_length = true;
		return &item->length;
	}
	if (!strcmp(r->key, "address")) {
		r->has_address = true;
		return &item->address;
	}
	if (!strcmp(r->key, "offset"))
		return &item->offset;
	if (!strcmp(r->key, "count") && r->list == LIST_PIECES)
		return &item->count;
	if (!strcmp(r->key, "stride") && r->list == LIST_PIECES)
		return &item->stride;
	if (strcmp(r->key, "device") || r->list != LIST_REGIONS)
		return NULL;
	r->has_device = true;
	return &item->device;
}

static bool in_item(const struct reader *r)
{
	return r->list && r->depth == r->list_depth + 1;
}

/* A piece as an array is its length and its address. */
static uint64_t *pair_field(struct reader *r)
{
	if (r->nth > 1)
		return NULL;
	r->has_length = true;
	r->has_address = r->nth;
	return r->nth ? &r->item.address : &r->item.length;
}

static int layout_value(struct reader *r, struct token token)
{
	uint64_t *field = NULL, value;

	if (in_item(r))
		field = r->pair ? pair_field(r) : item_field(r);
	if (!field)
		return explain_fail(r->error, token.at, "%s: unexpected here",
				    *r->key ? r->key : "number");
	r->nth++;
	if (!read_number(r, token, &value, r->error))
		return false;
	*field = value;
	return true;
}

static int layout_number(void *user, const char *text, size_t len)
{
	return layout_value(user, (struct token){text, len, place(user, len)});
}

static int layout_string(void *user, const unsigned char *string, size_t len)
{
	struct reader *r = user;
	size_t at = place(r, len + 1);

	if (!in_item(r) || r->list != LIST_REGIONS || strcmp(r->key, "name"))
		return layout_value(r, (struct token){(const char *)string, len, at});
	if (!len || len >= sizeof(r->item.name) || memchr(string, 0, len))
		return explain_fail(r->error, at, "name: 1 to %zu bytes",
				    sizeof(r->item.name) - 1);
	memcpy(r->item.name, string, len);
	r->item.name[len] = 0;
	return true;
}

static void begin_item(struct reader *r, bool pair)
{
	r->item = (struct explain_item){.at = place(r, 1),
					.region = r->list == LIST_REGIONS,
					.count = 1,
					.name = "?"};
	r->has_length = r->has_address = r->has_device = false;
	r->pair = pair;
	r->nth = 0;
	r->key[0] = 0;
}

static int layout_begin(struct reader *r, bool array)
{
	r->depth++;
	if (in_item(r) && (!array || r->list == LIST_PIECES)) {
		begin_item(r, array);
		return true;
	}
	if (r->depth == 1 && !array)
		return true;
	if (!array || r->list || r->depth > 2)
		return explain_fail(r->error, place(r, 1), "unexpected here");
	if (r->depth == 1 || !strcmp(r->key, "pieces"))
		r->list = LIST_PIECES;
	else if (!strcmp(r->key, "regions"))
		r->list = LIST_REGIONS;
	else
		return explain_fail(r->error, place(r, 1), "%s: unexpected here", r->key);
	r->list_depth = r->depth;
	return true;
}

static int layout_begin_map(void *user)
{
	return layout_begin(user, false);
}

static int layout_begin_array(void *user)
{
	return layout_begin(user, true);
}

static int layout_end(void *user)
{
	struct reader *r = user;
	bool item = in_item(r);

	if (r->list && r->depth == r->list_depth)
		r->list = LIST_NONE;
	r->depth--;
	if (!item)
		return true;
	if (!r->has_length || !r->has_address)
		return explain_fail(r->error, r->item.at, "%s: it is missing",
				    r->has_length ? "address" : "length");
	if (!r->has_device)
		r->item.device = r->item.address + r->item.offset;
	return explain_layout_add(r->layout, &r->item, r->error);
}

static int unexpected_null(void *user)
{
	struct reader *r = user;

	return explain_fail(r->error, place(r, 0), "unexpected null");
}

static int unexpected_boolean(void *user, int value)
{
	struct reader *r = user;

	return explain_fail(r->error, place(r, 0), "unexpected %s",
			    value ? "true" : "false");
}

bool explain_layout_json(struct explain_layout *layout, const char *text, size_t len,
			 struct explain_error *error)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = unexpected_null,
		.yajl_boolean = unexpected_boolean,
		.yajl_number = layout_number,
		.yajl_string = layout_string,
		.yajl_start_map = layout_begin_map,
		.yajl_map_key = on_key,
		.yajl_end_map = layout_end,
		.yajl_start_array = layout_begin_array,
		.yajl_end_array = layout_end,
	};
	struct reader r = {.layout = layout, .error = error};

	return parse(&r, &callbacks, text, len);
}

/*
 * A field of the limits, or of the outermost object, which may be the limits: then it
 * also matters what is wrong there.
 */
static int limits_value(struct reader *r, struct token token)
{
	struct explain_error *error = r->inside ? r->error : &r->unknown;
	struct decant_limits *into = r->inside ? r->limits : &r->outermost;
	const char *name;
	unsigned index = 0;
	uint64_t value;

	if (r->depth != (r->inside ? r->inside : 1))
		return true;
	while ((name = explain_limits_name(index)) && strcmp(name, r->key))
		index++;
	if (!name)
		explain_fail(error, token.at, "%s: no such limit", r->key);
	else if (read_number(r, token, &value, error))
		explain_limits_set(into, index, value, token.at, error);
	return !r->error->set;
}

static int limits_number(void *user, const char *text, size_t len)
{
	return limits_value(user, (struct token){text, len, place(user, len)});
}

static int limits_string(void *user, const unsigned char *string, size_t len)
{
	const char *text = (const char *)string;

	return limits_value(user, (struct token){text, len, place(user, len + 1)});
}

static int limits_boolean(void *user, int value)
{
	(void)value;
	return limits_value(user, (struct token){"", 0, place(user, 0)});
}

static int limits_null(void *user)
{
	return limits_value(user, (struct token){"", 0, place(user, 0)});
}

static int limits_begin(void *user)
{
	struct reader *r = user;

	r->depth++;
	if (r->found || strcmp(r->key, "limits"))
		return true;
	r->found = true;
	r->inside = r->depth;
	return true;
}

static int limits_end(void *user)
{
	struct reader *r = user;

	if (r->depth == r->inside)
		r->inside = 0;
	r->depth--;
	return true;
}

static int limits_begin_array(void *user)
{
	struct reader *r = user;

	r->depth++;
	r->key[0] = 0;
	return true;
}

bool explain_limits_json(struct decant_limits *limits, const char *text, size_t len,
			 struct explain_error *error)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = limits_null,
		.yajl_boolean = limits_boolean,
		.yajl_number = limits_number,
		.yajl_string = limits_string,
		.yajl_start_map = limits_begin,
		.yajl_map_key = on_key,
		.yajl_end_map = limits_end,
		.yajl_start_array = limits_begin_array,
		.yajl_end_array = limits_end,
	};
	struct reader r = {.limits = limits, .error = error, .outermost = *limits};

	if (!parse(&r, &callbacks, text, len))
		return false;
	if (r.found)
		return true;
	if (r.unknown.set)
		return explain_fail(error, r.unknown.at, "%s", r.unknown.text);
	*limits = r.outermost;
	return true;
}
