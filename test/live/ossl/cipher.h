/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_CIPHER_H
#define DECANT_TEST_OSSL_CIPHER_H
/* cipher.h - what the tests of storage ciphers are held against. */
#include <stddef.h>
#include <stdint.h>
#include <decant/cipher.h>

struct cipher_vector {
	const char *name;
	enum decant_cipher_algorithm algorithm;
	size_t unit;
	const char *key, *iv, *text, *cipher; /* hexadecimal */
};

extern const struct cipher_vector cipher_vectors[];
extern const size_t cipher_vectors_nr;

/* OpenSSL over flat memory: XTS one unit a call. */
void reference_encrypt(enum decant_cipher_algorithm algorithm, const uint8_t *key,
		       size_t unit, const uint8_t iv[16], const uint8_t *in, size_t len,
		       uint8_t *out);
size_t cipher_key_len(enum decant_cipher_algorithm algorithm);
bool cipher_is_xts(enum decant_cipher_algorithm algorithm);
#endif
