/* SPDX-License-Identifier: MIT */
/*
 * hash.c - digests and MACs against published vectors and against OpenSSL on flat memory:
 * every algorithm of every back end.
 */
#include "combo.h"
#include "hash_text.h"
#include "hash_vectors.h"
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define MOST 50000

static void randomise(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)check_random();
}

/* See hash_vectors.h. */
static size_t spelled(const char *text, uint8_t *out)
{
	unsigned times, byte;
	size_t n;

	if (*text == '\'') {
		n = strlen(text + 1);
		memcpy(out, text + 1, n);
		return n;
	}
	if (*text == 'x') {
		for (n = 0; text[1 + 2 * n]; n++)
			REQUIRE(sscanf(text + 1 + 2 * n, "%2hhx", out + n) == 1);
		return n;
	}
	REQUIRE(sscanf(text, "%u*%u", &times, &byte) == 2);
	memset(out, (int)byte, times);
	return times;
}

static void published_vectors(int hash, enum decant_crypto_backend backend)
{
	static uint8_t text[1000];
	uint8_t key[200], wanted[64];

	for (size_t i = 0; i < sizeof(hash_vectors) / sizeof(*hash_vectors); i++) {
		const struct hash_vector *v = &hash_vectors[i];
		size_t len = spelled(v->text, text), key_len = spelled(v->key, key);
		struct decant_digest digest;
		int err;

		if (v->hash != (enum decant_hash)hash)
			continue;
		err = begin(&digest, hash, key, key_len, backend);
		CHECK(!err || (err == -ENOTSUP && backend == DECANT_CRYPTO_AF_ALG));
		if (err)
			continue;
		CHECK_EQ(spelled(v->result, wanted), decant_digest_bytes(&digest));
		check_digest(&digest, text, len, wanted);
		if (check_failed)
			printf("# vector %zu\n", i);
		decant_digest_fini(&digest);
	}
}

/* OpenSSL's ways of one call. */
static void reference(int hash, const uint8_t *key, size_t key_len, const uint8_t *text,
		      size_t len, uint8_t *out)
{
	size_t n;

	switch (hash) {
	case DECANT_HASH_SHA_256:
		REQUIRE(EVP_Digest(text, len, out, NULL, EVP_sha256(), NULL));
		break;
	case DECANT_HASH_SHA_512:
		REQUIRE(EVP_Digest(text, len, out, NULL, EVP_sha512(), NULL));
		break;
	case DECANT_HASH_BLAKE2B:
		REQUIRE(EVP_Digest(text, len, out, NULL, EVP_blake2b512(), NULL));
		break;
	case DECANT_HASH_HMAC_SHA_256:
		REQUIRE(HMAC(EVP_sha256(), key, (int)key_len, text, len, out, NULL));
		break;
	case DECANT_HASH_HMAC_SHA_512:
		REQUIRE(HMAC(EVP_sha512(), key, (int)key_len, text, len, out, NULL));
		break;
	default:
		REQUIRE(EVP_Q_mac(NULL, "POLY1305", NULL, NULL, NULL, key, key_len, text,
				  len, out, 16, &n));
	}
}

static size_t any_key(int hash)
{
	if (hash <= DECANT_HASH_BLAKE2B)
		return 0;
	return hash == DECANT_HASH_POLY1305 ? 32 : 1 + check_below(199);
}

static void random_cuts(int hash, enum decant_crypto_backend backend)
{
	static uint8_t text[MOST];
	uint8_t key[200], wanted[64];
	size_t cases = combo_cases(300);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		size_t len = check_below(any_size() * 3 % MOST + 1),
		       key_len = any_key(hash);
		struct decant_digest digest;

		randomise(text, len);
		randomise(key, sizeof(key));
		CHECK_EQ(begin(&digest, hash, key, key_len, backend), 0);
		reference(hash, key, key_len, text, len, wanted);
		check_digest(&digest, text, len, wanted);
		if (hash != DECANT_HASH_POLY1305)
			check_digest(&digest, text, len, wanted);
		decant_digest_fini(&digest);
	}
}

/* A clone goes on from where it was made, and neither knows of the other. */
static void clones(int hash, enum decant_crypto_backend backend)
{
	static uint8_t text[3000];
	uint8_t key[32], wanted[64], got[64];
	struct decant_digest one, other;
	struct decant_iter src;

	randomise(text, sizeof(text));
	randomise(key, sizeof(key));
	CHECK_EQ(begin(&one, hash, key, any_key(hash) ? 32 : 0, backend), 0);
	REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, text, 1000));
	CHECK_EQ(decant_digest_update(&one, &src, 1000), 1000);
	CHECK_EQ(decant_digest_clone(&other, &one), 0);
	CHECK_EQ(decant_digest_final(&one, got), 0);
	reference(hash, key, 32, text, 1000, wanted);
	CHECK(!memcmp(got, wanted, decant_digest_bytes(&one)));
	decant_digest_fini(&one);
	REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, text + 1000, 2000));
	CHECK_EQ(decant_digest_update(&other, &src, 2000), 2000);
	CHECK_EQ(decant_digest_final(&other, got), 0);
	reference(hash, key, 32, text, 3000, wanted);
	CHECK(!memcmp(got, wanted, decant_digest_bytes(&other)));
	decant_digest_fini(&other);
}

static int try_begin(int hash, size_t key_len)
{
	uint8_t key[100] = {0};
	struct decant_digest digest;
	int err = begin(&digest, hash, key, key_len, DECANT_CRYPTO_AUTO);

	if (!err)
		decant_digest_fini(&digest);
	return err;
}

static void refusals(void)
{
	struct decant_crypto_options old = {.size = 3};
	struct decant_digest digest = {0};

	CHECK_EQ(try_begin(DECANT_HASH_SHA_256, 1), -EINVAL);
	CHECK_EQ(try_begin(DECANT_HASH_SHA_512, 1), -EINVAL);
	CHECK_EQ(try_begin(DECANT_HASH_BLAKE2B, 65), -EINVAL);
	CHECK_EQ(try_begin(DECANT_HASH_BLAKE2B, 64), 0);
	CHECK_EQ(try_begin(DECANT_HASH_BLAKE2B, 1), 0);
	CHECK_EQ(try_begin(DECANT_HASH_HMAC_SHA_256, 0), 0);
	CHECK_EQ(try_begin(DECANT_HASH_POLY1305, 31), -EINVAL);
	CHECK_EQ(try_begin(DECANT_HASH_POLY1305, 33), -EINVAL);
	CHECK_EQ(try_begin(DECANT_HASH_POLY1305, 0), -EINVAL);
	CHECK_EQ(try_begin(6, 0), -EINVAL);
	CHECK_EQ(decant_digest_hash(&digest, DECANT_HASH_HMAC_SHA_256, NULL, 5, NULL),
		 -EINVAL);
	CHECK_EQ(decant_digest_hash(&digest, DECANT_HASH_SHA_256, NULL, 0, &old),
		 -EINVAL);
	CHECK(!digest.ops);
}

/* Two messages under one key would give it away. */
static void once(void)
{
	uint8_t key[32] = {1}, tag[16];
	struct decant_digest digest, clone;
	struct decant_iter src;

	REQUIRE(!begin(&digest, DECANT_HASH_POLY1305, key, 32, DECANT_CRYPTO_OPENSSL));
	CHECK_EQ(decant_digest_final(&digest, tag), 0);
	CHECK_EQ(decant_digest_final(&digest, tag), -EKEYEXPIRED);
	REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, key, 32));
	CHECK_EQ(decant_digest_update(&digest, &src, 32), -EKEYEXPIRED);
	CHECK_EQ(decant_iter_consumed(&src), 0);
	REQUIRE(!decant_digest_clone(&clone, &digest));
	CHECK_EQ(decant_digest_update(&clone, &src, 32), -EKEYEXPIRED);
	decant_digest_fini(&clone);
	decant_digest_fini(&digest);
}

int main(int argc, char **argv)
{
	static const struct combo_case cases[] = {
		{"published vectors", published_vectors},
		{"random cuts", random_cuts},
		{"clones", clones},
	};
	static const struct check_case others[] = {
		{"refusals", refusals},
		{"a key for one message", once},
	};

	return combo_main(argc, argv, cases, sizeof(cases) / sizeof(*cases), hash_names,
			  sizeof(hash_names) / sizeof(*hash_names), hash_offered, others,
			  sizeof(others) / sizeof(*others));
}
