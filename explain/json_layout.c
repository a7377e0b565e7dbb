/* SPDX-License-Identifier: MIT */
/*
 * json_layout.c - a layout as JSON: an array of pieces, or an object with "pieces" and
 * "regions". A piece is [length, address], or an object with the names of the text form.
 */
#include <stdio.h>
#include <string.h>
#include "json.h"

enum list { LIST_NONE, LIST_PIECES, LIST_REGIONS };

struct reader {
	struct json json;
	struct explain_layout *layout;
	struct explain_item item;
	enum list list;
	unsigned list_depth;
	unsigned nth; /* values of the item so far */
	bool pair;    /* the item is an array */
	bool has_length, has_address, has_device;
};

/* The field of a piece or region that is called so; NULL: none. */
static uint64_t *item_field(struct reader *r)
{
	struct explain_item *item = &r->item;

	if (!strcmp(r->json.key, "length")) {
		r->has_length = true;
		return &item->length;
	}
	if (!strcmp(r->json.key, "address")) {
		r->has_address = true;
		return &item->address;
	}
	if (!strcmp(r->json.key, "offset"))
		return &item->offset;
	if (!strcmp(r->json.key, "count") && r->list == LIST_PIECES)
		return &item->count;
	if (!strcmp(r->json.key, "stride") && r->list == LIST_PIECES)
		return &item->stride;
	if (strcmp(r->json.key, "device") || r->list != LIST_REGIONS)
		return NULL;
	r->has_device = true;
	return &item->device;
}

static bool in_item(const struct reader *r)
{
	return r->list && r->json.depth == r->list_depth + 1;
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

static int layout_value(struct reader *r, struct json_token token)
{
	uint64_t *field = NULL, value;

	if (in_item(r))
		field = r->pair ? pair_field(r) : item_field(r);
	if (!field)
		return explain_fail(r->json.error, token.at, "%s: unexpected here",
				    *r->json.key ? r->json.key : "number");
	r->nth++;
	if (!json_number(&r->json, token, &value, r->json.error))
		return false;
	*field = value;
	return true;
}

static int layout_number(void *user, const char *text, size_t len)
{
	return layout_value(user, (struct json_token){text, len, json_place(user, len)});
}

static int layout_string(void *user, const unsigned char *string, size_t len)
{
	struct reader *r = user;
	size_t at = json_place(&r->json, len + 1);

	if (!in_item(r) || r->list != LIST_REGIONS || strcmp(r->json.key, "name"))
		return layout_value(r,
				    (struct json_token){(const char *)string, len, at});
	if (!len || len >= sizeof(r->item.name) || memchr(string, 0, len))
		return explain_fail(r->json.error, at, "name: 1 to %zu bytes",
				    sizeof(r->item.name) - 1);
	memcpy(r->item.name, string, len);
	r->item.name[len] = 0;
	return true;
}

static void begin_item(struct reader *r, bool pair)
{
	r->item = (struct explain_item){.at = json_place(&r->json, 1),
					.region = r->list == LIST_REGIONS,
					.count = 1,
					.name = "?"};
	r->has_length = r->has_address = r->has_device = false;
	r->pair = pair;
	r->nth = 0;
	r->json.key[0] = 0;
}

static int layout_begin(struct reader *r, bool array)
{
	r->json.depth++;
	if (in_item(r) && (!array || r->list == LIST_PIECES)) {
		begin_item(r, array);
		return true;
	}
	if (r->json.depth == 1 && !array)
		return true;
	if (!array || r->list || r->json.depth > 2)
		return explain_fail(r->json.error, json_place(&r->json, 1),
				    "unexpected here");
	if (r->json.depth == 1 || !strcmp(r->json.key, "pieces"))
		r->list = LIST_PIECES;
	else if (!strcmp(r->json.key, "regions"))
		r->list = LIST_REGIONS;
	else
		return explain_fail(r->json.error, json_place(&r->json, 1),
				    "%s: unexpected here", r->json.key);
	r->list_depth = r->json.depth;
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

	if (r->list && r->json.depth == r->list_depth)
		r->list = LIST_NONE;
	r->json.depth--;
	if (!item)
		return true;
	if (!r->has_length || !r->has_address)
		return explain_fail(r->json.error, r->item.at, "%s: it is missing",
				    r->has_length ? "address" : "length");
	if (!r->has_device)
		r->item.device = r->item.address + r->item.offset;
	return explain_layout_add(r->layout, &r->item, r->json.error);
}

static int unexpected_null(void *user)
{
	struct reader *r = user;

	return explain_fail(r->json.error, json_place(&r->json, 0), "unexpected null");
}

static int unexpected_boolean(void *user, int value)
{
	struct reader *r = user;

	return explain_fail(r->json.error, json_place(&r->json, 0), "unexpected %s",
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
		.yajl_map_key = json_key,
		.yajl_end_map = layout_end,
		.yajl_start_array = layout_begin_array,
		.yajl_end_array = layout_end,
	};
	struct reader r = {.json = {.error = error}, .layout = layout};

	return json_parse(&r.json, &callbacks, text, len);
}
