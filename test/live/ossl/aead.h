/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_AEAD_H
#define DECANT_TEST_OSSL_AEAD_H
/* aead.h - what the tests of AEADs share: contexts, samples, small iterators. */
#include "check.h"
#include "cuts.h"
#include "reference.h"
#include <decant/aead.h>
#include <errno.h>

#define MOST_TEXT 40000
#define MOST_AAD  2000

static const uint8_t some_key[32] = {1, 2, 3};
static const uint8_t some_nonce[13] = {9, 8, 7};

struct sample {
	struct message message;
	uint8_t aad[MOST_AAD], text[MOST_TEXT], cipher[MOST_TEXT + 16], tag[16];
};

__attribute__((unused)) static struct decant_iter flat(enum decant_direction direction,
						       const void *addr, size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, direction, (void *)(uintptr_t)addr, len));
	return it;
}

__attribute__((unused)) static void randomise(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)check_random();
}

__attribute__((unused)) static bool all_zero(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i])
			return false;
	return true;
}

__attribute__((unused)) static struct decant_aead *
context_with(int algorithm, const uint8_t *key, struct decant_crypto_options options)
{
	enum decant_aead_algorithm id = (enum decant_aead_algorithm)algorithm;
	struct decant_aead *aead;

	options.size = sizeof(options);
	REQUIRE(!decant_aead_new_with(&aead, id, key, reference_key_len(id), &options));
	return aead;
}

__attribute__((unused)) static struct decant_aead *
context(int algorithm, enum decant_crypto_backend backend)
{
	return context_with(algorithm, some_key,
			    (struct decant_crypto_options){.backend = backend});
}

/* A random message and what OpenSSL makes of it; the sizes are set already. */
__attribute__((unused)) static void fill_sample(struct sample *s, const uint8_t *key,
						size_t len, size_t aad_len)
{
	struct message *m = &s->message;

	memcpy(m->key, key, 32);
	randomise(m->nonce, sizeof(m->nonce));
	randomise(s->text, len);
	randomise(s->aad, aad_len);
	m->aad = s->aad;
	m->aad_len = aad_len;
	m->text = s->text;
	m->len = len;
	reference_seal(m, s->cipher, s->tag);
}

__attribute__((unused)) static void make_sample(struct sample *s, int algorithm,
						size_t len, size_t aad_len)
{
	s->message.algorithm = (enum decant_aead_algorithm)algorithm;
	s->message.nonce_len = 12;
	s->message.tag_len = 16;
	fill_sample(s, some_key, len, aad_len);
}

__attribute__((unused)) static struct sample *sample_new(void)
{
	struct sample *s = calloc(1, sizeof(*s));

	REQUIRE(s);
	return s;
}

__attribute__((unused)) static size_t any_size(void)
{
	static const size_t sizes[] = {1, 15, 48, 600, 5000, 20000};

	return sizes[check_below(sizeof(sizes) / sizeof(*sizes))];
}

__attribute__((unused)) static size_t any_length(void)
{
	size_t most = any_size() * 40;

	return check_below((most < MOST_TEXT ? most : MOST_TEXT) + 1);
}
#endif
