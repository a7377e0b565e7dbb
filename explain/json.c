/* SPDX-License-Identifier: MIT */
/* json.c - what the readers of JSON share. */
#include <string.h>
#include "json.h"

size_t json_place(const struct json *json, size_t len)
{
	size_t end = yajl_get_bytes_consumed(json->yajl);

	return end > len ? end - len : 0;
}

bool json_number(const struct json *json, struct json_token token, uint64_t *value,
		 struct explain_error *error)
{
	struct explain_error here = {0};
	struct explain_text t = {token.text, token.text, token.text + token.len, &here};
	const char *field = *json->key ? json->key : "number";

	if (!explain_number(&t, field, value))
		return explain_fail(error, token.at + here.at, "%s", here.text);
	if (t.at == t.end)
		return true;
	return explain_fail(error, token.at, "%s: expected a whole number", field);
}

int json_key(void *user, const unsigned char *key, size_t len)
{
	struct json *json = user;

	if (len >= sizeof(json->key))
		len = sizeof(json->key) - 1;
	memcpy(json->key, key, len);
	json->key[len] = 0;
	return 1;
}

bool json_parse(struct json *json, const yajl_callbacks *callbacks, const char *text,
		size_t len)
{
	const unsigned char *bytes = (const unsigned char *)text;
	yajl_status status;

	json->yajl = yajl_alloc(callbacks, NULL, json);
	if (!json->yajl)
		return explain_fail(json->error, 0, "no memory to read JSON");
	status = yajl_parse(json->yajl, bytes, len);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(json->yajl);
	if (status != yajl_status_ok)
		explain_fail(json->error, json_place(json, 0),
			     "no JSON, or it ends too early");
	yajl_free(json->yajl);
	return !json->error->set;
}
