/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_AEAD_TEXT_H
#define DECANT_TEST_OSSL_AEAD_TEXT_H
/* aead_text.h - one message through a context, cut at random, both ways. */
#include "aead.h"

/* The kernel takes no message of nothing: it would not look at the tag. */
static bool is_too_little(struct decant_aead *aead, const struct message *m)
{
	struct decant_iter none = flat(DECANT_SOURCE, m->text, 0),
			   to = flat(DECANT_DEST, m->text, 0);
	uint8_t tag[16] = {0};

	if (m->len || m->aad_len || decant_aead_backend(aead, 0) != DECANT_CRYPTO_AF_ALG)
		return false;
	CHECK_EQ(decant_aead_seal(aead, &to, &none, 0, NULL, m->nonce, tag), -EMSGSIZE);
	CHECK_EQ(decant_aead_open(aead, &to, &none, 0, NULL, m->nonce, tag), -EMSGSIZE);
	return true;
}

/* Cut anywhere on both sides, through any kind; the same the other way. */
static void check_text(struct decant_aead *aead, const struct sample *s)
{
	static struct cuts from, to, back, add;
	const struct message *m = &s->message;
	struct decant_iter src, dst, aad;
	uint8_t tag[16] = {0};

	if (is_too_little(aead, m))
		return;
	cut(&from, m->len, any_size());
	cut(&to, m->len, any_size());
	cut(&back, m->len, any_size());
	cut(&add, m->aad_len, any_size());
	scatter(&from, from.memory, m->text);
	scatter(&add, add.memory, m->aad);
	src = view_any(&from, DECANT_SOURCE);
	dst = view_any(&to, DECANT_DEST);
	aad = view_any(&add, DECANT_SOURCE);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, m->len, &aad, m->nonce, tag), m->len);
	CHECK(holds(&to, s->cipher) && !memcmp(tag, s->tag, m->tag_len));
	CHECK_EQ(decant_iter_count(&src) + decant_iter_count(&dst), 0);
	CHECK_EQ(decant_iter_count(&aad), m->aad_len);
	src = view_any(&to, DECANT_SOURCE);
	dst = view_any(&back, DECANT_DEST);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, m->len, &aad, m->nonce, tag), m->len);
	CHECK(holds(&back, m->text));
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&dst), 2 * m->len);
	cuts_free(&from);
	cuts_free(&to);
	cuts_free(&back);
	cuts_free(&add);
}

static const char *const aead_names[] = {
	"AES-256-GCM", "AES-128-GCM", "ChaCha20-Poly1305", "AES-256-CCM", "AES-128-CCM"};

static bool aead_offered(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_crypto_options options = {sizeof(options), .backend = backend};
	enum decant_aead_algorithm id = (enum decant_aead_algorithm)algorithm;
	struct decant_aead *aead;
	int err = decant_aead_new_with(&aead, id, some_key, reference_key_len(id),
				       &options);

	if (err) {
		REQUIRE(err == -ENOTSUP && backend >= DECANT_CRYPTO_IPSEC_MB);
		return false;
	}
	decant_aead_free(aead);
	return true;
}

#endif
