/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_CIPHER_TEXT_H
#define DECANT_TEST_OSSL_CIPHER_TEXT_H
/* cipher_text.h - one text through a context, cut at random, both ways. */
#include "cipher.h"
#include "cuts.h"
#include <errno.h>

#define MOST 150000

struct sample {
	enum decant_cipher_algorithm algorithm;
	size_t unit, len;
	uint8_t key[64], iv[16], text[MOST], cipher[MOST];
};

static struct sample sample;

__attribute__((unused)) static void randomise(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)check_random();
}

static struct decant_cipher *context(const struct sample *s,
				     enum decant_crypto_backend backend)
{
	struct decant_crypto_options options = {sizeof(options), .backend = backend};
	struct decant_cipher *c;

	REQUIRE(!decant_cipher_new(&c, s->algorithm, s->key, cipher_key_len(s->algorithm),
				   s->unit, &options));
	return c;
}

static size_t any_size(void)
{
	static const size_t sizes[] = {1, 15, 16, 48, 600, 5000, 70000};

	return sizes[check_below(sizeof(sizes) / sizeof(*sizes))];
}

/* Both ways, cut anywhere, through any kind. */
static void check_text(struct decant_cipher *c, const struct sample *s)
{
	static struct cuts from, to, back;
	struct decant_iter src, dst;

	cut(&from, s->len, any_size());
	cut(&to, s->len, any_size());
	cut(&back, s->len, any_size());
	scatter(&from, from.memory, s->text);
	src = view_any(&from, DECANT_SOURCE);
	dst = view_any(&to, DECANT_DEST);
	CHECK_EQ(decant_cipher_encrypt(c, &dst, &src, s->len, s->iv), s->len);
	CHECK(holds(&to, s->cipher));
	CHECK_EQ(decant_iter_count(&src) + decant_iter_count(&dst), 0);
	src = view_any(&to, DECANT_SOURCE);
	dst = view_any(&back, DECANT_DEST);
	CHECK_EQ(decant_cipher_decrypt(c, &dst, &src, s->len, s->iv), s->len);
	CHECK(holds(&back, s->text));
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&dst), 2 * s->len);
	cuts_free(&from);
	cuts_free(&to);
	cuts_free(&back);
}

static const char *const cipher_names[] = {"AES-256-XTS", "AES-128-XTS", "AES-256-CBC",
					   "AES-128-CBC", "AES-256-CTS", "AES-128-CTS"};

static bool cipher_offered(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_crypto_options options = {sizeof(options), .backend = backend};
	enum decant_cipher_algorithm id = (enum decant_cipher_algorithm)algorithm;
	uint8_t key[64] = {1};
	struct decant_cipher *c;
	int err = decant_cipher_new(&c, id, key, cipher_key_len(id),
				    cipher_is_xts(id) ? 512 : 0, &options);

	if (err) {
		REQUIRE(err == -ENOTSUP && backend >= DECANT_CRYPTO_IPSEC_MB);
		return false;
	}
	decant_cipher_free(c);
	return true;
}

#endif
