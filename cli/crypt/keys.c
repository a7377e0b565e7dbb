/* SPDX-License-Identifier: MIT */
/* keys.c - keys from the command line and from files. */
#include <errno.h>
#include <string.h>
#include "crypt.h"
#include "secret.h"

static bool need_keys(struct crypt_options *crypt, struct report *report)
{
	if (!crypt->keys && decant_age_keys_new(&crypt->keys))
		return report_set(report, EXIT_RESOURCES, "no memory for keys");
	return true;
}

bool crypt_set_way(struct crypt_options *crypt, enum crypt_way way, struct report *report)
{
	if (crypt->way && crypt->way != way)
		return report_set(report, EXIT_USAGE,
				  "a copy can encrypt or decrypt, not both");
	crypt->way = way;
	return true;
}

bool crypt_add_recipient(struct crypt_options *crypt, const char *recipient,
			 struct report *report)
{
	int err;

	if (!crypt_set_way(crypt, CRYPT_ENCRYPT, report) || !need_keys(crypt, report))
		return false;
	err = decant_age_keys_recipient(crypt->keys, recipient);
	/* It may be a secret that is in the wrong place: not into a log. */
	if (err == -EINVAL)
		return report_set(
			report, EXIT_USAGE,
			"--encrypt-to: expected a recipient, age1... (as decant "
			"keygen prints it)");
	crypt->recipients++;
	return !err ||
	       report_set(report, EXIT_RESOURCES, "--encrypt-to: %s", strerror(-err));
}

static bool fail(const char *path, int err, struct report *report)
{
	return report_set(report, EXIT_KEY, "%s: %s", path, strerror(err));
}

static bool add_lines(struct crypt_options *crypt, const char *path, char *text,
		      struct report *report)
{
	unsigned before = crypt->identities;
	char *line;

	for (unsigned nr = 1; (line = secret_line(&text)); nr++) {
		int err = *line && *line != '#'
				  ? decant_age_keys_identity(crypt->keys, line)
				  : 0;

		if (err == -EINVAL)
			return report_set(report, EXIT_KEY,
					  "%s: line %u is no identity of the form "
					  "AGE-SECRET-KEY-1...",
					  path, nr);
		if (err)
			return fail(path, -err, report);
		crypt->identities += *line && *line != '#';
	}
	return crypt->identities > before ||
	       report_set(report, EXIT_KEY, "%s: there is no identity in it", path);
}

bool crypt_add_key_file(struct crypt_options *crypt, const char *path,
			struct report *report)
{
	size_t len;
	char *text;
	bool ok;

	if (!crypt_set_way(crypt, CRYPT_DECRYPT, report) || !need_keys(crypt, report))
		return false;
	text = secret_read(path, SECRET_ANYBODY, &len, report);
	if (!text)
		return false;
	ok = add_lines(crypt, path, text, report);
	secret_free(text, len);
	return ok;
}

bool crypt_add_passphrase_file(struct crypt_options *crypt, const char *path,
			       struct report *report)
{
	char *text, *rest, *line;
	size_t len;
	int err;

	if (!need_keys(crypt, report))
		return false;
	text = rest = secret_read(path, SECRET_ANYBODY, &len, report);
	if (!text)
		return false;
	line = secret_line(&rest);
	err = decant_age_keys_passphrase(crypt->keys, line, strlen(line));
	secret_free(text, len);
	crypt->phrases++;
	if (err == -EINVAL)
		return report_set(report, EXIT_KEY, "%s: its first line is empty", path);
	return !err || fail(path, -err, report);
}

unsigned crypt_filters(const struct crypt_options *crypt)
{
	return (crypt->way != CRYPT_NONE) + crypt->armor;
}

bool crypt_check(const struct crypt_options *crypt, struct report *report)
{
	bool encrypts = crypt->way == CRYPT_ENCRYPT;

	if (crypt->armor && !encrypts)
		return report_set(report, EXIT_USAGE,
				  "--armor: only what is encrypted can get it; it is "
				  "found without being asked for");
	if (!crypt->way)
		return !crypt->phrases ||
		       report_set(report, EXIT_USAGE,
				  "--passphrase-file: say --encrypt or --decrypt, too");
	if (!crypt->keys)
		return report_set(report, EXIT_USAGE, "%s: give %s or --passphrase-file",
				  encrypts ? "--encrypt" : "--decrypt",
				  encrypts ? "--encrypt-to" : "--decrypt-with");
	if (encrypts && crypt->phrases + (crypt->recipients > 0) > 1)
		return report_set(report, EXIT_USAGE,
				  "what is encrypted with a passphrase has no other "
				  "recipient");
	return true;
}
