/* SPDX-License-Identifier: MIT */
#include "cipher.h"
#include "check.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static const struct {
	const char *name;
	size_t key_len;
} ciphers[] = {
	[DECANT_CIPHER_AES_256_XTS] = {"AES-256-XTS", 64},
	[DECANT_CIPHER_AES_128_XTS] = {"AES-128-XTS", 32},
	[DECANT_CIPHER_AES_256_CBC] = {"AES-256-CBC", 32},
	[DECANT_CIPHER_AES_128_CBC] = {"AES-128-CBC", 16},
	[DECANT_CIPHER_AES_256_CTS] = {"AES-256-CBC-CTS", 32},
	[DECANT_CIPHER_AES_128_CTS] = {"AES-128-CBC-CTS", 16},
};

size_t cipher_key_len(enum decant_cipher_algorithm algorithm)
{
	return ciphers[algorithm].key_len;
}

bool cipher_is_xts(enum decant_cipher_algorithm algorithm)
{
	return algorithm <= DECANT_CIPHER_AES_128_XTS;
}

static void one(EVP_CIPHER_CTX *ctx, const uint8_t iv[16], const uint8_t *in, size_t len,
		uint8_t *out)
{
	int n;

	REQUIRE(EVP_CipherInit_ex2(ctx, NULL, NULL, iv, 1, NULL));
	REQUIRE(EVP_CIPHER_CTX_set_padding(ctx, 0));
	REQUIRE(EVP_CipherUpdate(ctx, out, &n, in, (int)len) && n == (int)len);
}

static void step(uint8_t iv[16])
{
	for (size_t i = 0; i < 16 && !++iv[i]; i++)
		;
}

void reference_encrypt(enum decant_cipher_algorithm algorithm, const uint8_t *key,
		       size_t unit, const uint8_t iv[16], const uint8_t *in, size_t len,
		       uint8_t *out)
{
	bool cts = algorithm >= DECANT_CIPHER_AES_256_CTS;
	OSSL_PARAM mode[] = {OSSL_PARAM_construct_utf8_string(OSSL_CIPHER_PARAM_CTS_MODE,
							      (char[]){"CS3"}, 0),
			     OSSL_PARAM_construct_end()};
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, ciphers[algorithm].name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t number[16];

	REQUIRE(cipher && ctx);
	REQUIRE(EVP_CipherInit_ex2(ctx, cipher, key, iv, 1, cts ? mode : NULL));
	memcpy(number, iv, 16);
	while (len) {
		size_t n = unit && len > unit ? unit : len;

		one(ctx, number, in, n, out);
		step(number);
		in += n;
		out += n;
		len -= n;
	}
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
}
