/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_HASH_TEXT_H
#define DECANT_TEST_OSSL_HASH_TEXT_H
/* hash_text.h - one text through a digest, cut at random. */
#include "cuts.h"
#include <decant/hash.h>
#include <errno.h>

static size_t any_size(void)
{
	static const size_t sizes[] = {1, 15, 48, 600, 5000, 20000};

	return sizes[check_below(sizeof(sizes) / sizeof(*sizes))];
}

static int begin(struct decant_digest *digest, int hash, const uint8_t *key,
		 size_t key_len, enum decant_crypto_backend backend)
{
	struct decant_crypto_options options = {sizeof(options), .backend = backend};

	return decant_digest_hash(digest, (enum decant_hash)hash, key_len ? key : NULL,
				  key_len, &options);
}

/* In any cut, in any number of calls, on the way through a copy or not. */
static void check_digest(struct decant_digest *digest, const uint8_t *text, size_t len,
			 const uint8_t *wanted)
{
	static struct cuts from, to;
	struct decant_iter src, dst;
	uint8_t got[64];
	bool copied = check_below(2);

	cut(&from, len, any_size());
	cut(&to, len, any_size());
	scatter(&from, from.memory, text);
	src = view_any(&from, DECANT_SOURCE);
	dst = view_any(&to, DECANT_DEST);
	for (size_t done = 0; done < len && !check_failed;) {
		size_t n = 1 + check_below(len - done);

		CHECK_EQ(copied ? decant_digest_copy(digest, &dst, &src, n)
				: decant_digest_update(digest, &src, n),
			 n);
		done += n;
	}
	CHECK(!copied || holds(&to, text));
	CHECK_EQ(decant_digest_final(digest, got), 0);
	CHECK(!memcmp(got, wanted, decant_digest_bytes(digest)));
	cuts_free(&from);
	cuts_free(&to);
}

static const char *const hash_names[] = {"SHA-256",	 "SHA-512",	 "BLAKE2b",
					 "HMAC-SHA-256", "HMAC-SHA-512", "Poly1305"};

static bool hash_offered(int hash, enum decant_crypto_backend backend)
{
	uint8_t key[32] = {0};
	struct decant_digest digest;
	int err = begin(&digest, hash, key, hash > DECANT_HASH_BLAKE2B ? 32 : 0, backend);

	if (err) {
		REQUIRE(err == -ENOTSUP && backend >= DECANT_CRYPTO_IPSEC_MB);
		return false;
	}
	decant_digest_fini(&digest);
	return true;
}

#endif
