/* SPDX-License-Identifier: MIT */
/* limits.c - a device's rules as text: boundary=4096,max_elements=30 and so on. */
#include <stdio.h>
#include <string.h>
#include "input.h"

#define NR(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *name;
	size_t offset;
	bool power; /* a power of two */
} fields[] = {
	{"max_elements", offsetof(struct decant_limits, max_elements), false},
	{"max_element_bytes", offsetof(struct decant_limits, max_element_bytes), false},
	{"max_bytes", offsetof(struct decant_limits, max_bytes), false},
	{"boundary", offsetof(struct decant_limits, boundary), true},
	{"addr_align", offsetof(struct decant_limits, addr_align), true},
	{"len_align", offsetof(struct decant_limits, len_align), true},
	{"gap", offsetof(struct decant_limits, gap), true},
	{"block", offsetof(struct decant_limits, block), false},
};

const char *explain_limits_name(unsigned index)
{
	return index < NR(fields) ? fields[index].name : NULL;
}

size_t *explain_limits_field(struct decant_limits *limits, unsigned index)
{
	return (size_t *)(void *)((char *)limits + fields[index].offset);
}

bool explain_limits_set(struct decant_limits *limits, unsigned index, uint64_t value,
			size_t at, struct explain_error *error)
{
	struct decant_limits one = {0};

	if (!value)
		return explain_fail(error, at,
				    "%s: 0 can't hold; leave it out if there is no such "
				    "rule",
				    fields[index].name);
	if (fields[index].power && value & (value - 1))
		return explain_fail(error, at, "%s: %zu is no power of two",
				    fields[index].name, (size_t)value);
	*explain_limits_field(&one, index) = value;
	decant_limits_merge(limits, &one);
	return true;
}

static bool parse_field(struct explain_text *t, struct decant_limits *limits)
{
	size_t begin = explain_pos(t), at;
	unsigned index = 0;
	uint64_t value;
	char name[32];

	if (!explain_word(t, "limits", name, sizeof(name)))
		return false;
	while (index < NR(fields) && strcmp(fields[index].name, name))
		index++;
	if (index == NR(fields))
		return explain_fail(t->error, begin, "%s: no such limit", name);
	if (explain_next(t) != '=')
		return explain_fail(t->error, explain_pos(t), "%s: expected =", name);
	t->at++;
	at = explain_pos(t);
	return explain_number(t, name, &value) &&
	       explain_limits_set(limits, index, value, at, t->error);
}

static bool parse_text(struct explain_text *t, struct decant_limits *limits)
{
	explain_blanks(t);
	while (t->at < t->end) {
		const char *behind;

		if (!parse_field(t, limits))
			return false;
		behind = t->at;
		explain_blanks(t);
		if (explain_next(t) == ',') {
			t->at++;
			explain_blanks(t);
		}
		if (t->at == behind && t->at < t->end)
			return explain_fail(t->error, explain_pos(t),
					    "expected a comma or a blank");
	}
	return true;
}

/* Rules that are sound one by one and can't hold together: which? */
static bool check_together(const struct decant_limits *l, struct explain_error *error)
{
	size_t align = l->addr_align > l->len_align ? l->addr_align : l->len_align;
	size_t whole = l->len_align > l->block ? l->len_align : l->block;

	if (!decant_limits_check(l))
		return true;
	if (l->boundary && l->boundary < align)
		return explain_fail(error, 0,
				    "boundary: %zu is smaller than the alignment %zu",
				    l->boundary, align);
	if (l->max_element_bytes && l->max_element_bytes < align)
		return explain_fail(
			error, 0,
			"max_element_bytes: %zu is smaller than the alignment %zu",
			l->max_element_bytes, align);
	return explain_fail(error, 0, "max_bytes: %zu is smaller than %s %zu",
			    l->max_bytes, whole == l->block ? "block" : "len_align",
			    whole);
}

bool explain_limits_parse(struct decant_limits *limits, const char *wanted,
			  const char *text, size_t len, struct explain_error *error)
{
	struct explain_text t = {text, text, text + len, error};
	struct decant_limits read = *limits;
	bool good;

	if (explain_is_json(text, len))
		good = explain_limits_json(&read, wanted, text, len, error);
	else if (wanted)
		good = explain_fail(error, 0, "no JSON, where something is called %s",
				    wanted);
	else
		good = parse_text(&t, &read);
	if (!good || !check_together(&read, error))
		return false;
	*limits = read;
	return true;
}
