/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_RSP_H
#define DECANT_TEST_OSSL_RSP_H
/*
 * rsp.h - test vectors as NIST publishes them: groups of "name = value" with blank lines
 * between. A group without a result, and what stands in brackets, is true for all that
 * follows. Values are hexadecimal, or text in quotes.
 *
 * Debian's package python3-cryptography-vectors has the files.
 */
#include <ctype.h>
#include <strings.h>
#include <unistd.h>
#include "check.h"

#define RSP_FIELDS 24

struct rsp_field {
	const char *name, *value;
};

struct rsp {
	struct rsp_field fields[RSP_FIELDS];
	size_t nr, common; /* of these, how many are true for all that follows */
	bool decrypts;	   /* the last one of [ENCRYPT] and [DECRYPT] */
	size_t entries;
};

typedef void rsp_entry(struct rsp *rsp);

/* NULL if there is none. */
__attribute__((unused)) static const char *rsp_text(const struct rsp *rsp,
						    const char *name)
{
	for (size_t i = rsp->nr; i--;)
		if (!strcasecmp(rsp->fields[i].name, name))
			return rsp->fields[i].value;
	return NULL;
}

/* The first of several names, with bars between, that is there. */
static const char *rsp_any(const struct rsp *rsp, const char *names)
{
	char copy[100], *rest = copy, *name;
	const char *value = NULL;

	snprintf(copy, sizeof(copy), "%s", names);
	while (!value && (name = strsep(&rest, "|")))
		value = rsp_text(rsp, name);
	return value;
}

__attribute__((unused)) static long rsp_number(const struct rsp *rsp, const char *name)
{
	const char *text = rsp_text(rsp, name);

	return text ? strtol(text, NULL, 10) : -1;
}

/* Its bytes; none if there is no such field. */
__attribute__((unused)) static size_t rsp_bytes(const struct rsp *rsp, const char *names,
						uint8_t *out, size_t most)
{
	const char *text = rsp_any(rsp, names);
	size_t len = text ? strlen(text) : 0;

	if (len && *text == '"') {
		REQUIRE(len - 2 <= most);
		memcpy(out, text + 1, len - 2);
		return len - 2;
	}
	REQUIRE(len % 2 == 0 && len / 2 <= most);
	for (size_t i = 0; i < len / 2; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *high = strchr(digits, tolower(text[2 * i])),
			   *low = strchr(digits, tolower(text[2 * i + 1]));

		REQUIRE(high && low);
		out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return len / 2;
}

static void rsp_set(struct rsp *rsp, char *name)
{
	char *value = strchr(name, '='), *end;

	if (!value) {
		rsp->decrypts = !strcmp(name, "DECRYPT");
		return;
	}
	end = value;
	*value++ = '\0';
	while (end > name && end[-1] == ' ')
		*--end = '\0';
	value += strspn(value, " ");
	REQUIRE(rsp->nr < RSP_FIELDS);
	rsp->fields[rsp->nr++] = (struct rsp_field){name, value};
}

/* What is new becomes true for all that follows, in place of what had its name. */
static void rsp_keep(struct rsp *rsp)
{
	for (size_t i = rsp->common; i < rsp->nr; i++) {
		size_t at = 0;

		while (at < rsp->common &&
		       strcasecmp(rsp->fields[at].name, rsp->fields[i].name))
			at++;
		rsp->fields[at] = rsp->fields[i];
		rsp->common += at == rsp->common;
	}
	rsp->nr = rsp->common;
}

static void rsp_group_ends(struct rsp *rsp, rsp_entry *entry)
{
	struct rsp group = {.nr = rsp->nr - rsp->common};

	memcpy(group.fields, rsp->fields + rsp->common, group.nr * sizeof(*group.fields));
	if (!rsp_any(&group, "ct|ciphertext|md|okm|tag")) {
		rsp_keep(rsp);
		return;
	}
	rsp->entries++;
	entry(rsp);
	rsp->nr = rsp->common;
}

static void rsp_line(struct rsp *rsp, char *line, rsp_entry *entry)
{
	char *end = line + strlen(line), *rest, *part;

	while (end > line && (end[-1] == '\r' || end[-1] == ' '))
		*--end = '\0';
	if (*line == '#')
		return;
	if (!*line || *line == '[')
		rsp_group_ends(rsp, entry);
	if (*line == '[') {
		end[-1] = '\0';
		for (rest = line + 1; (part = strsep(&rest, ","));)
			rsp_set(rsp, part + strspn(part, " "));
		rsp_keep(rsp);
	} else if (!strcmp(line, "FAIL")) {
		REQUIRE(rsp->nr < RSP_FIELDS);
		rsp->fields[rsp->nr++] = (struct rsp_field){"result", "fail"};
	} else if (*line) {
		rsp_set(rsp, line);
	}
}

static char *rsp_load(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t most = 8 << 20, len;
	char *text = malloc(most);

	REQUIRE(f && text);
	len = fread(text, 1, most - 1, f);
	REQUIRE(len < most - 1);
	text[len] = '\0';
	fclose(f);
	return text;
}

/* Each entry of a file; how many there were. */
__attribute__((unused)) static size_t rsp_each(const char *path, rsp_entry *entry)
{
	struct rsp rsp = {.nr = 0};
	char *text = rsp_load(path), *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		rsp_line(&rsp, line, entry);
	rsp_group_ends(&rsp, entry);
	free(text);
	return rsp.entries;
}

/*
 * Where a file is: beside the test if its name begins with a plus, else where Debian's
 * package or DECANT_TEST_VECTORS has it. False, and the case is skipped, if there is no
 * such package.
 */
__attribute__((unused)) static bool rsp_path(char *path, size_t size, const char *file)
{
	const char *dir = getenv("DECANT_TEST_VECTORS");

	if (*file == '+') {
		snprintf(path, size, "%s/%s", OWN_VECTORS, file + 1);
		return true;
	}
	if (!dir)
		dir = "/usr/lib/python3/dist-packages/cryptography_vectors";
	snprintf(path, size, "%s/%s", dir, file);
	if (!access(dir, R_OK))
		return true;
	check_skip("python3-cryptography-vectors is not installed");
	return false;
}

/* All of a file, if it can be had. */
__attribute__((unused)) static void rsp_file(const char *file, rsp_entry *entry)
{
	char path[4096];

	if (rsp_path(path, sizeof(path), file))
		CHECK(rsp_each(path, entry) > 0);
	if (check_failed)
		printf("# of %s\n", file);
}
#endif
