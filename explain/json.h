/* SPDX-License-Identifier: MIT */
#ifndef EXPLAIN_JSON_H
#define EXPLAIN_JSON_H
/*
 * json.h - layouts and limits as programs write them, read as a stream by YAJL, so that a
 * million pieces take no more memory than they need.
 */
#include <yajl/yajl_parse.h>
#include "input.h"

/* What every reader begins with: YAJL hands it to the callbacks. */
struct json {
	yajl_handle yajl;
	struct explain_error *error;
	unsigned depth;
	char key[32]; /* the newest; empty behind [ */
};

/* A number, or what stands in its place, and where. */
struct json_token {
	const char *text;
	size_t len;
	size_t at;
};

/* Where a value of so many bytes begins that was read just now. */
size_t json_place(const struct json *json, size_t len);
bool json_number(const struct json *json, struct json_token token, uint64_t *value,
		 struct explain_error *error);
/* The callback for keys. */
int json_key(void *user, const unsigned char *key, size_t len);
bool json_parse(struct json *json, const yajl_callbacks *callbacks, const char *text,
		size_t len);
#endif
