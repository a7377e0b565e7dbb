/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FAULT_CRYPTO_FILES_H
#define DECANT_TEST_FAULT_CRYPTO_FILES_H
/* crypto_files.h - one life of an encrypted file: made, read, and at any position. */
#include <decant/age.h>
#include <decant/fscrypt.h>
#include "crypto.h"
#include "../../content/internal.h"

#define HEADER 1000
#define PHRASE "a phrase of more than sixteen letters"

/* A pair, and a file of each way to make one, whose keys are known. */
static struct {
	char identity[DECANT_AGE_IDENTITY_CHARS];
	char recipient[DECANT_AGE_RECIPIENT_CHARS];
	uint8_t made[HEADER + LEN + 64], file_key[2][FILE_KEY_BYTES];
	uint8_t payload[2][KEY_BYTES], text[LEN];
	uint8_t secret[KEY_BYTES], file[2][HEADER + LEN + 64];
	size_t len[2], header[2];
} files;

static int make_keys(struct decant_age_keys **keys, bool to)
{
	int err = decant_age_keys_new(keys);

	if (err)
		return err;
	if (now.algorithm)
		return decant_age_keys_passphrase(*keys, PHRASE, strlen(PHRASE));
	return to ? decant_age_keys_recipient(*keys, files.recipient)
		  : decant_age_keys_identity(*keys, files.identity);
}

/* Into files.made; nothing is there if it can't be. */
static int make_file(size_t *header, size_t *len)
{
	struct decant_iter dst = flat(DECANT_DEST, files.made, sizeof(files.made));
	struct decant_iter src = cut(DECANT_SOURCE, now.text);
	struct decant_age_keys *keys = NULL;
	struct decant_age *age = NULL;
	int err = make_keys(&keys, true);
	ssize_t got = err;

	look();
	if (!err)
		got = decant_age_create(&age, &dst, keys, 1);
	look();
	CHECK(got >= 0 || (!decant_iter_consumed(&dst) && !age));
	*header = got > 0 ? (size_t)got : 0;
	if (got > 0)
		got = decant_age_seal(age, &dst, &src, LEN, true);
	look();
	CHECK(got < 0 || got == LEN);
	*len = decant_iter_consumed(&dst);
	decant_age_free(age);
	decant_age_keys_free(keys);
	return got < 0 ? (int)got : 0;
}

/* All of it, in one go. */
static int read_through(const struct decant_age_keys *keys)
{
	size_t len = files.len[now.algorithm];
	struct decant_iter src = flat(DECANT_SOURCE, files.file[now.algorithm], len);
	struct decant_iter dst = cut(DECANT_DEST, now.opened);
	struct decant_age *age = NULL, *part = NULL;
	ssize_t got = decant_age_open(&age, &src, keys);

	look();
	if (got < 0) {
		CHECK(!age && !decant_iter_consumed(&src));
		return (int)got;
	}
	got = decant_age_part(&part, age);
	if (!got)
		got = decant_age_unseal(part, &dst, &src,
					len - files.header[now.algorithm], 0, true);
	CHECK(got < 0 || is_text(now.opened, LEN));
	decant_age_free(part);
	decant_age_free(age);
	return got < 0 ? (int)got : 0;
}

static int read_some(const struct decant_age_keys *keys)
{
	struct decant_iter src =
		flat(DECANT_SOURCE, files.file[now.algorithm], files.len[now.algorithm]);
	struct decant_iter dst = flat(DECANT_DEST, now.opened, PIECE);
	struct decant_age_file *file = NULL;
	ssize_t got = decant_age_file_open(&file, &src, keys);

	look();
	CHECK(!got || !file);
	if (!got)
		got = decant_age_read(file, &dst, PIECE, PIECE);
	CHECK(got < 0 || !memcmp(now.opened, now.text + place_of(PIECE), PIECE));
	decant_age_file_close(file);
	return got < 0 ? (int)got : 0;
}

static int read_file(void)
{
	struct decant_age_keys *keys = NULL;
	int err = make_keys(&keys, false);

	look();
	if (!err)
		err = read_through(keys);
	if (!err)
		err = read_some(keys);
	decant_age_keys_free(keys);
	return err;
}

/* What nobody should find: the text, and all keys on the way to it. */
static void watch_file(void)
{
	size_t way = (size_t)now.algorithm;

	watch_forget();
	for (size_t at = 0; at + 16 <= LEN; at += 176)
		watch_secret(now.text + at, WATCH_KEPT_TEXT); /* a chunk of it */
	watch_secret(files.secret, WATCH_KEY);
	watch_secret(files.secret + 16, WATCH_KEY);
	watch_secret(files.identity + 30, WATCH_KEY);
	watch_secret(PHRASE, WATCH_KEY);
	watch_secret(files.file_key[way], WATCH_KEY);
	watch_secret(files.payload[way], WATCH_KEY);
	watch_secret(files.payload[way] + 16, WATCH_KEY);
}

/* Afterwards nobody keeps anything. */
static int age_life(void)
{
	size_t header, len;
	int err;

	memcpy(now.text, files.text, LEN);
	watch_file();
	err = make_file(&header, &len);
	if (!err)
		err = read_file();
	check_over();
	return err;
}

/* A file whose keys are known. */
static void new_file(int way)
{
	const uint8_t *payload_nonce;
	struct decant_age_keys *keys = NULL;
	struct header header;

	now.algorithm = way;
	REQUIRE(!make_file(&files.header[way], &files.len[way]));
	memcpy(files.file[way], files.made, files.len[way]);
	REQUIRE(!make_keys(&keys, false));
	REQUIRE(!header_parse(&header,
			      (struct text){(char *)files.file[way], files.header[way]}));
	REQUIRE(!unwrap(files.file_key[way], &header, keys));
	payload_nonce = files.file[way] + files.header[way] - NONCE_BYTES;
	REQUIRE(!hkdf_sha256(files.payload[way], files.file_key[way], FILE_KEY_BYTES,
			     payload_nonce, NONCE_BYTES, "payload"));
	decant_age_keys_free(keys);
}

static void files_begin(void)
{
	fill(files.text, LEN);
	memcpy(now.text, files.text, LEN);
	REQUIRE(!decant_age_identity_new(files.identity, files.recipient));
	REQUIRE(bech32_decode(files.secret, "AGE-SECRET-KEY-", true, files.identity));
	new_file(0);
	new_file(1);
}

static int fscrypt_life(void)
{
	static const uint8_t nonce[DECANT_FSCRYPT_NONCE_BYTES] = {1};
	static uint8_t stored[4096];
	struct decant_fscrypt_store store = {flat(DECANT_SOURCE, stored, 4096),
					     flat(DECANT_DEST, stored, 4096)};
	struct decant_iter src, dst;
	struct decant_fscrypt *file = NULL;
	ssize_t got;

	new_secrets(64, WATCH_KEPT_TEXT); /* a unit of it */
	src = cut(DECANT_SOURCE, now.text);
	dst = cut(DECANT_DEST, now.opened);
	got = decant_fscrypt_new(&file, now.key, 64, nonce, 512, 0);
	look();
	CHECK(!got || !file);
	if (!got)
		got = decant_fscrypt_write(file, &store, &src, LEN, 0);
	if (got >= 0)
		got = decant_fscrypt_read(file, &store, &dst, LEN, 0);
	look();
	CHECK(got < 0 || is_text(now.opened, LEN));
	decant_fscrypt_free(file);
	check_over();
	return got < 0 ? (int)got : 0;
}
#endif
