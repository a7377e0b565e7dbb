/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_CONTENT_RIG_H
#define DECANT_TEST_CONTENT_RIG_H
/* rig.h - keys and encrypted files for the tests of the content layer. */
#include <errno.h>
#include <decant/age.h>
#include "../ossl/cuts.h"

#define CHUNK  ((size_t)DECANT_AGE_CHUNK_BYTES)
#define SEALED ((size_t)DECANT_AGE_SEALED_BYTES)

struct pair {
	char identity[DECANT_AGE_IDENTITY_CHARS];
	char recipient[DECANT_AGE_RECIPIENT_CHARS];
};

__attribute__((unused)) static struct pair pair_new(void)
{
	struct pair pair;

	REQUIRE(!decant_age_identity_new(pair.identity, pair.recipient));
	return pair;
}

/* Recipients to encrypt to, or identities to decrypt with. */
__attribute__((unused)) static struct decant_age_keys *keys_of(const struct pair *pairs,
							       size_t nr, bool to)
{
	struct decant_age_keys *keys;

	REQUIRE(!decant_age_keys_new(&keys));
	for (size_t i = 0; i < nr; i++)
		REQUIRE(!(to ? decant_age_keys_recipient(keys, pairs[i].recipient)
			     : decant_age_keys_identity(keys, pairs[i].identity)));
	return keys;
}

__attribute__((unused)) static struct decant_age_keys *keys_phrase(const char *phrase)
{
	struct decant_age_keys *keys;

	REQUIRE(!decant_age_keys_new(&keys));
	REQUIRE(!decant_age_keys_passphrase(keys, phrase, strlen(phrase)));
	return keys;
}

__attribute__((unused)) static uint8_t *random_text(size_t len)
{
	uint8_t *text = malloc(len + 8);

	REQUIRE(text);
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = check_random();

		memcpy(text + i, &word, 8);
	}
	return text;
}

/* A file in flat memory. */
struct blob {
	uint8_t *at;
	size_t len;
	size_t header; /* bytes of it, with the nonce */
};

__attribute__((unused)) static struct blob encrypt(const struct decant_age_keys *to,
						   const uint8_t *text, size_t len)
{
	struct decant_iter dst, src;
	struct decant_age *age;
	struct blob blob;
	size_t most = 4096 + (size_t)decant_age_sealed_size(len);

	blob.at = malloc(most);
	REQUIRE(blob.at);
	decant_iter_buf(&dst, DECANT_DEST, blob.at, most);
	decant_iter_buf(&src, DECANT_SOURCE, (void *)(uintptr_t)text, len);
	REQUIRE(decant_age_create(&age, &dst, to, 2) > 0);
	blob.header = decant_iter_consumed(&dst);
	REQUIRE(decant_age_seal(age, &dst, &src, len, true) == (ssize_t)len);
	blob.len = decant_iter_consumed(&dst);
	decant_age_free(age);
	return blob;
}

__attribute__((unused)) static struct decant_iter flat(const void *at, size_t len,
						       enum decant_direction direction)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, direction, (void *)(uintptr_t)at, len));
	return it;
}

/* All of a file; -errno if any of it can't be had. dst has room for len bytes. */
__attribute__((unused)) static ssize_t
decrypt(const struct decant_age_keys *keys, const uint8_t *file, size_t len, uint8_t *dst)
{
	struct decant_iter src = flat(file, len, DECANT_SOURCE);
	struct decant_iter to = flat(dst, len, DECANT_DEST);
	struct decant_age *age;
	ssize_t got = decant_age_open(&age, &src, keys), whole;

	if (got < 0)
		return got;
	len -= (size_t)got;
	got = decant_age_unseal(age, &to, &src, len, 0, true);
	whole = got;
	/* Fewer than there are: ask for the rest, to hear why. */
	if (got > 0 && (uint64_t)got != decant_age_plain_size(len))
		whole = decant_age_unseal(age, &to, &src, decant_iter_count(&src),
					  (uint64_t)got / CHUNK, true);
	decant_age_free(age);
	return whole;
}
#endif
