/* SPDX-License-Identifier: MIT */
/* input.c - numbers and words in texts that people write, and what is wrong with them. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "input.h"

bool explain_fail(struct explain_error *error, size_t at, const char *format, ...)
{
	va_list args;

	if (error->set)
		return false;
	error->set = true;
	error->at = at;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return false;
}

void explain_blanks(struct explain_text *t)
{
	while (t->at < t->end && (isspace((unsigned char)*t->at) || *t->at == '#')) {
		if (*t->at == '#')
			while (t->at < t->end && *t->at != '\n')
				t->at++;
		else
			t->at++;
	}
}

bool explain_is_json(const char *text, size_t len)
{
	struct explain_text t = {text, text, text + len, NULL};

	while (t.at < t.end && isspace((unsigned char)*t.at))
		t.at++;
	return explain_next(&t) == '{' || explain_next(&t) == '[';
}

static int digit_of(int c, unsigned base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 0 && isxdigit(c))
		return tolower(c) - 'a' + 10;
	return -1;
}

/* K, M, G, T: powers of 1024, behind decimal numbers. */
static unsigned suffix_bits(struct explain_text *t)
{
	static const char letters[] = "KMGT";
	int c = explain_next(t);
	const char *found = c > 0 ? strchr(letters, toupper(c)) : NULL;

	if (!found)
		return 0;
	t->at++;
	return 10 * (unsigned)(found - letters + 1);
}

static unsigned base_of(struct explain_text *t)
{
	if (t->end - t->at < 3 || t->at[0] != '0' || (t->at[1] | 32) != 'x' ||
	    digit_of((unsigned char)t->at[2], 16) < 0)
		return 10;
	t->at += 2;
	return 16;
}

bool explain_number(struct explain_text *t, const char *field, uint64_t *value)
{
	size_t begin = explain_pos(t);
	unsigned base = base_of(t), bits = 0;
	bool large = false;
	uint64_t n = 0;
	int digit;

	if (explain_next(t) == '-')
		return explain_fail(t->error, begin, "%s: a negative number", field);
	if (digit_of(explain_next(t), base) < 0)
		return explain_fail(t->error, begin, "%s: expected a number", field);
	while ((digit = digit_of(explain_next(t), base)) >= 0) {
		large |= __builtin_mul_overflow(n, base, &n);
		large |= __builtin_add_overflow(n, (unsigned)digit, &n);
		t->at++;
	}
	if (base == 10)
		bits = suffix_bits(t);
	if (large || (bits && n >> (64 - bits)))
		return explain_fail(t->error, begin, "%s: more than 64 bits", field);
	*value = n << bits;
	return true;
}

bool explain_word(struct explain_text *t, const char *field, char *word, size_t room)
{
	size_t begin = explain_pos(t), len = 0;
	int c;

	while ((c = explain_next(t)) > 0 && (isalnum(c) || c == '_' || c == '-')) {
		if (len + 1 == room)
			return explain_fail(t->error, begin, "%s: longer than %zu bytes",
					    field, room - 1);
		word[len++] = (char)c;
		t->at++;
	}
	word[len] = 0;
	return len || explain_fail(t->error, begin, "%s: expected a name", field);
}
