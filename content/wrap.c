/* SPDX-License-Identifier: MIT */
/* wrap.c - the file's key in and out of the stanzas that are known here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

#define X25519_TYPE "X25519"
#define X25519_INFO "age-encryption.org/v1/X25519"
#define SCRYPT_TYPE "scrypt"

/* What the file's key is sealed under, from what both sides know. */
static int x25519_wrap_key(uint8_t key[KEY_BYTES], const uint8_t shared[KEY_BYTES],
			   const uint8_t share[KEY_BYTES],
			   const uint8_t recipient[KEY_BYTES])
{
	uint8_t salt[2 * KEY_BYTES];

	memcpy(salt, share, KEY_BYTES);
	memcpy(salt + KEY_BYTES, recipient, KEY_BYTES);
	return hkdf_sha256(key, shared, KEY_BYTES, salt, sizeof(salt), X25519_INFO);
}

/* "-> TYPE ARG[ MORE]" and the body in a line of its own. */
static ssize_t print(char *out, const char *type, const uint8_t *arg, size_t arg_len,
		     const char *more, const uint8_t body[WRAPPED_BYTES])
{
	int len = sprintf(out, "-> %s ", type);

	len += (int)base64_encode(out + len, arg, arg_len);
	len += sprintf(out + len, "%s\n", more);
	len += (int)base64_encode(out + len, body, WRAPPED_BYTES);
	out[len++] = '\n';
	return len;
}

ssize_t wrap_recipient(char *out, const uint8_t recipient[KEY_BYTES],
		       const uint8_t file_key[FILE_KEY_BYTES])
{
	struct {
		uint8_t secret[KEY_BYTES], shared[KEY_BYTES], key[KEY_BYTES];
	} s;
	uint8_t share[KEY_BYTES], body[WRAPPED_BYTES];
	int err = random_bytes(s.secret, KEY_BYTES);

	if (!err)
		err = x25519(share, s.secret, NULL);
	if (!err)
		err = x25519(s.shared, s.secret, recipient);
	if (!err)
		err = x25519_wrap_key(s.key, s.shared, share, recipient);
	if (!err)
		err = wrap_seal(body, s.key, file_key);
	wipe(&s, sizeof(s));
	return err ? err : print(out, X25519_TYPE, share, KEY_BYTES, "", body);
}

ssize_t wrap_phrase(char *out, const struct phrase *phrase, unsigned work_factor,
		    const uint8_t file_key[FILE_KEY_BYTES])
{
	uint8_t salt[SALT_BYTES], key[KEY_BYTES], body[WRAPPED_BYTES];
	char factor[16];
	int err = random_bytes(salt, sizeof(salt));

	if (!err)
		err = scrypt_key(key, phrase->bytes, phrase->len, salt, work_factor);
	if (!err)
		err = wrap_seal(body, key, file_key);
	wipe(key, sizeof(key));
	snprintf(factor, sizeof(factor), " %u", work_factor);
	return err ? err : print(out, SCRYPT_TYPE, salt, SALT_BYTES, factor, body);
}

/* --- the other way --- */

static int x25519_open(uint8_t file_key[FILE_KEY_BYTES], const struct stanza *stanza,
		       const uint8_t share[KEY_BYTES], const struct identity *id)
{
	uint8_t shared[KEY_BYTES], key[KEY_BYTES];
	int err = x25519(shared, id->secret, share);

	/* A share of low order: nobody makes one by accident. */
	if (err == -EINVAL)
		return -EILSEQ;
	if (!err)
		err = x25519_wrap_key(key, shared, share, id->point);
	if (!err)
		err = wrap_open(file_key, key, stanza->body);
	wipe(shared, sizeof(shared));
	wipe(key, sizeof(key));
	return err == -EBADMSG ? -ENOKEY : err;
}

static int x25519_unwrap(uint8_t file_key[FILE_KEY_BYTES], const struct stanza *stanza,
			 const struct decant_age_keys *keys)
{
	struct text arg = stanza_arg(stanza, 1);
	uint8_t share[KEY_BYTES];
	int err = -ENOKEY;

	if (stanza->nr_args != 2 || arg.len != BASE64_CHARS(KEY_BYTES) ||
	    base64_decode(share, arg) != KEY_BYTES || stanza->body_len != WRAPPED_BYTES)
		return -EILSEQ;
	for (size_t i = 0; i < keys->nr_identities && err == -ENOKEY; i++)
		err = x25519_open(file_key, stanza, share, &keys->identities[i]);
	return err;
}

/* Decimal digits, the first of them no 0. 0 if it is anything else; large is large. */
static unsigned parse_factor(struct text text)
{
	unsigned factor = 0;

	if (!text.len || *text.at == '0')
		return 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)text.at[i] - '0';

		if (digit > 9)
			return 0;
		if (factor < 1000)
			factor = 10 * factor + digit;
	}
	return factor;
}

static int scrypt_open(uint8_t file_key[FILE_KEY_BYTES], const struct stanza *stanza,
		       const uint8_t salt[SALT_BYTES], unsigned factor,
		       const struct phrase *phrase)
{
	uint8_t key[KEY_BYTES];
	int err = scrypt_key(key, phrase->bytes, phrase->len, salt, factor);

	if (!err)
		err = wrap_open(file_key, key, stanza->body);
	wipe(key, sizeof(key));
	return err == -EBADMSG ? -ENOKEY : err;
}

static int scrypt_unwrap(uint8_t file_key[FILE_KEY_BYTES], const struct stanza *stanza,
			 const struct decant_age_keys *keys)
{
	struct text arg = stanza_arg(stanza, 1);
	unsigned factor = parse_factor(stanza_arg(stanza, 2));
	uint8_t salt[SALT_BYTES + 1];
	int err = -ENOKEY;

	if (stanza->nr_args != 3 || !factor || arg.len != BASE64_CHARS(SALT_BYTES) ||
	    base64_decode(salt, arg) != SALT_BYTES || stanza->body_len != WRAPPED_BYTES)
		return -EILSEQ;
	if (keys->nr_phrases && factor > DECANT_AGE_WORK_FACTOR_MOST)
		return -ERANGE;
	for (size_t i = 0; i < keys->nr_phrases && err == -ENOKEY; i++)
		err = scrypt_open(file_key, stanza, salt, factor, &keys->phrases[i]);
	return err;
}

static int unwrap_one(uint8_t file_key[FILE_KEY_BYTES], const struct header *header,
		      const struct stanza *stanza, const struct decant_age_keys *keys)
{
	struct text type = stanza_arg(stanza, 0);

	if (text_is(type, X25519_TYPE))
		return x25519_unwrap(file_key, stanza, keys);
	if (!text_is(type, SCRYPT_TYPE))
		return -ENOKEY;
	/* Who can open it must have made it: that holds for a passphrase alone. */
	return header->nr_stanzas == 1 ? scrypt_unwrap(file_key, stanza, keys) : -EILSEQ;
}

/* All of them are looked at, since a malformed one is an error wherever it stands. */
int unwrap(uint8_t file_key[FILE_KEY_BYTES], const struct header *header,
	   const struct decant_age_keys *keys)
{
	static const struct decant_age_keys none;
	struct text rest = header->stanzas;
	struct stanza stanza;
	int result = -ENOKEY;

	while (rest.len) {
		int err = stanza_parse(&stanza, &rest);

		if (!err)
			err = unwrap_one(file_key, header, &stanza,
					 result == -ENOKEY ? keys : &none);
		if (!err)
			result = 0;
		else if (err != -ENOKEY)
			return err;
	}
	return result;
}
