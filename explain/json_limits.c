/* SPDX-License-Identifier: MIT */
/*
 * json_limits.c - limits as JSON: an object that is called "limits", at any depth, or
 * else the outermost one. The first is what `decant limits --json` prints, the second
 * what somebody writes who has nothing but the numbers.
 *
 * Of several one has to be named. They are called by the texts of the object they are in,
 * wherever those stand in it: vda, tcp/msg; or as that object is, if it has none:
 * io_uring.
 */
#include <stdio.h>
#include <string.h>
#include "json.h"

#define DEPTH_MOST 32

struct rules {
	struct decant_limits limits;
	struct explain_error wrong; /* the first that can't be one */
	size_t at;
};

/* An object that has begun, or an array. */
struct open {
	bool array;
	bool nested; /* there is another one in it */
	bool has_rules;
	char key[32];
	char texts[96];
	struct rules own;   /* its numbers, if these are rules */
	struct rules rules; /* of the object in it that is called "limits" */
};

struct reader {
	struct json json;
	const char *wanted; /* NULL: there is to be one only */
	int how;	    /* the best that somebody is called so */
	unsigned found, taken;
	struct rules chosen;
	size_t second;			  /* where the second begins */
	char names[2][128];		  /* of others, and of those that were meant */
	struct open open[DEPTH_MOST + 1]; /* [0]: around all of it */
};

static struct open *current(struct reader *r)
{
	return &r->open[r->json.depth];
}

static bool are_limits(const struct open *open)
{
	return !strcmp(open->key, "limits");
}

/* Add a text to others. What does not fit ends in dots. */
static void append(char *room, size_t max, const char *between, const char *text,
		   size_t len)
{
	size_t used = strlen(room);

	if (used + strlen(between) + len + sizeof("...") <= max)
		sprintf(room + used, "%s%.*s", used ? between : "", (int)len, text);
	else if (used < 3 || strcmp(room + used - 3, "..."))
		strcat(room, "...");
}

/* A field of limits, or of the outermost object, which may be some. */
static int take_value(struct reader *r, struct json_token token)
{
	struct open *o = current(r);
	const char *name;
	unsigned index = 0;
	uint64_t value;

	if (o->array || (!are_limits(o) && r->json.depth != 1))
		return true;
	while ((name = explain_limits_name(index)) && strcmp(name, r->json.key))
		index++;
	if (!name)
		explain_fail(&o->own.wrong, token.at, "%s: no such limit", r->json.key);
	else if (json_number(&r->json, token, &value, &o->own.wrong))
		explain_limits_set(&o->own.limits, index, value, token.at, &o->own.wrong);
	return true;
}

static int on_number(void *user, const char *text, size_t len)
{
	return take_value(user, (struct json_token){text, len, json_place(user, len)});
}

static int on_string(void *user, const unsigned char *string, size_t len)
{
	struct reader *r = user;
	struct json_token token = {(const char *)string, len, json_place(user, len + 1)};
	struct open *o = current(r);

	if (!o->array && !are_limits(o) && !memchr(string, 0, len))
		append(o->texts, sizeof(o->texts), "/", token.text, len);
	return take_value(r, token);
}

static int on_boolean(void *user, int value)
{
	(void)value;
	return take_value(user, (struct json_token){"", 0, json_place(user, 0)});
}

static int on_null(void *user)
{
	return take_value(user, (struct json_token){"", 0, json_place(user, 0)});
}

static bool begin(struct reader *r, bool array)
{
	size_t at = json_place(&r->json, 1);
	struct open *o;

	if (r->json.depth == DEPTH_MOST)
		return explain_fail(r->json.error, at, "more than %u levels", DEPTH_MOST);
	current(r)->nested = true;
	r->json.depth++;
	o = current(r);
	*o = (struct open){.array = array, .own = {.at = at}};
	/* What is in an array has no name: the newest key is another's. */
	if (!o[-1].array)
		strcpy(o->key, r->json.key);
	return true;
}

static int on_begin_map(void *user)
{
	return begin(user, false);
}

static int on_begin_array(void *user)
{
	return begin(user, true);
}

/* Whether somebody calls them so: 2: by all their texts, 1: by the first of them. */
static int called(const char *name, const char *wanted)
{
	size_t len = wanted ? strlen(wanted) : 0;

	if (!wanted)
		return 1;
	if (strncmp(name, wanted, len) || (name[len] && name[len] != '/'))
		return 0;
	return name[len] ? 1 : 2;
}

/* An object has ended that has limits in it: now it is known what they are called. */
static void found(struct reader *r, const struct open *in)
{
	const char *name = *in->texts ? in->texts : *in->key ? in->key : "limits";
	int how = called(name, r->wanted);
	bool meant = how && how >= r->how;

	r->found++;
	/* Who has the whole name is meant, and not the others. */
	if (how > r->how) {
		r->how = how;
		r->taken = 0;
		*r->names[1] = '\0';
	}
	append(r->names[meant], sizeof(r->names[meant]), ", ", name, strlen(name));
	if (!meant)
		return;
	if (++r->taken == 2)
		r->second = in->rules.at;
	r->chosen = in->rules;
}

static int on_end(void *user)
{
	struct reader *r = user;
	struct open *o = current(r), *outer = o - 1;

	r->json.depth--;
	if (o->has_rules)
		found(r, o);
	if (o->array || !are_limits(o))
		return true;
	outer->has_rules = true;
	outer->rules = o->own;
	return true;
}

/* Which ones were meant. */
static bool choose(struct reader *r)
{
	const struct open *outermost = &r->open[1];
	struct explain_error *error = r->json.error;

	if (!r->found && (outermost->array || outermost->nested))
		return explain_fail(error, 0, "there are no limits in it");
	if (!r->found)
		r->chosen = outermost->own;
	if (r->wanted && !r->taken)
		return explain_fail(error, 0, "no limits are called %s%s%s", r->wanted,
				    r->found ? ", only: " : "", r->names[0]);
	if (r->taken > 1)
		return explain_fail(error, r->second,
				    "several limits, name one (#NAME): %s", r->names[1]);
	if (r->chosen.wrong.set)
		return explain_fail(error, r->chosen.wrong.at, "%s",
				    r->chosen.wrong.text);
	return true;
}

bool explain_limits_json(struct decant_limits *limits, const char *wanted,
			 const char *text, size_t len, struct explain_error *error)
{
	static const yajl_callbacks callbacks = {
		.yajl_null = on_null,
		.yajl_boolean = on_boolean,
		.yajl_number = on_number,
		.yajl_string = on_string,
		.yajl_start_map = on_begin_map,
		.yajl_map_key = json_key,
		.yajl_end_map = on_end,
		.yajl_start_array = on_begin_array,
		.yajl_end_array = on_end,
	};
	struct reader r = {.json = {.error = error}, .wanted = wanted};

	if (!json_parse(&r.json, &callbacks, text, len) || !choose(&r))
		return false;
	decant_limits_merge(limits, &r.chosen.limits);
	return true;
}
