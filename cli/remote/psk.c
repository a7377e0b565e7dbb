/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "psk.h"
#include "secret.h"

#define KEYS_MOST 4096

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._-@";

bool psk_name_ok(const char *name)
{
	size_t len = strspn(name, name_letters);

	return len && len <= PSK_NAME_MOST && !name[len];
}

/* NAME:KEY into psk; false if it is something else. */
static bool parse_line(struct psk *psk, char *line)
{
	char *hex = strchr(line, ':');
	size_t len = 0;

	if (!hex)
		return false;
	*hex++ = '\0';
	if (!psk_name_ok(line) ||
	    strspn(hex, "0123456789abcdefABCDEF") != 2 * PSK_BYTES || hex[2 * PSK_BYTES])
		return false;
	strcpy(psk->name, line);
	return OPENSSL_hexstr2buf_ex(psk->key, sizeof(psk->key), &len, hex, '\0') == 1;
}

const struct psk *psk_find(const struct psk_list *list, const void *name, size_t len)
{
	for (size_t i = 0; i < list->nr; i++)
		if (strlen(list->keys[i].name) == len &&
		    !memcmp(list->keys[i].name, name, len))
			return &list->keys[i];
	return NULL;
}

static bool add_line(struct psk_list *list, const char *path, unsigned nr, char *line,
		     struct report *report)
{
	struct psk *psk = &list->keys[list->nr];

	if (list->nr == KEYS_MOST)
		return report_set(report, EXIT_KEY, "%s: has more than %u keys", path,
				  KEYS_MOST);
	if (!parse_line(psk, line))
		return report_set(report, EXIT_KEY,
				  "%s: line %u is no key of the form NAME:KEY with %u "
				  "hexadecimal digits; decant keygen --psk makes one",
				  path, nr, 2 * PSK_BYTES);
	if (psk_find(list, psk->name, strlen(psk->name)))
		return report_set(report, EXIT_KEY, "%s: line %u: there are two keys %s",
				  path, nr, psk->name);
	list->nr++;
	return true;
}

static bool add_lines(struct psk_list *list, const char *path, char *text,
		      struct report *report)
{
	char *line;
	bool ok = true;

	for (unsigned nr = 1; ok && (line = secret_line(&text)); nr++)
		if (*line && *line != '#')
			ok = add_line(list, path, nr, line, report);
	return ok && (list->nr ||
		      report_set(report, EXIT_KEY, "%s: there is no key in it", path));
}

bool psk_load(struct psk_list *list, const char *path, struct report *report)
{
	size_t len;
	char *text = secret_read(path, SECRET_NOBODY_ELSE, &len, report);
	bool ok;

	*list = (struct psk_list){0};
	if (!text)
		return false;
	list->keys = calloc(KEYS_MOST, sizeof(*list->keys));
	if (!list->keys)
		ok = report_set(report, EXIT_RESOURCES, "no memory for keys");
	else
		ok = add_lines(list, path, text, report);
	secret_free(text, len);
	if (!ok)
		psk_free(list);
	return ok;
}

void psk_free(struct psk_list *list)
{
	if (list->keys)
		explicit_bzero(list->keys, KEYS_MOST * sizeof(*list->keys));
	free(list->keys);
	*list = (struct psk_list){0};
}

static void hex_of(const unsigned char *bytes, size_t nr, char *room)
{
	for (size_t i = 0; i < nr; i++)
		sprintf(room + 2 * i, "%02x", bytes[i]);
}

bool psk_new(struct psk *psk, const char *name, struct report *report)
{
	unsigned char made_up[8];

	if (RAND_bytes(made_up, sizeof(made_up)) != 1 ||
	    RAND_priv_bytes(psk->key, sizeof(psk->key)) != 1)
		return report_set(report, EXIT_RESOURCES, "OpenSSL has no random bytes");
	if (name)
		snprintf(psk->name, sizeof(psk->name), "%s", name);
	else
		hex_of(made_up, sizeof(made_up), psk->name);
	return true;
}

void psk_line(const struct psk *psk, char *room)
{
	size_t len = (size_t)sprintf(room, "%s:", psk->name);

	hex_of(psk->key, sizeof(psk->key), room + len);
}
