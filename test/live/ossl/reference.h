/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_REFERENCE_H
#define DECANT_TEST_OSSL_REFERENCE_H
/*
 * reference.h - what the tests hold the adapter against: OpenSSL on flat memory, and
 * published vectors.
 */
#include <stddef.h>
#include <stdint.h>
#include <decant/aead.h>

struct message {
	enum decant_aead_algorithm algorithm;
	size_t nonce_len, tag_len;
	uint8_t key[32];
	uint8_t nonce[16];
	const uint8_t *aad;
	size_t aad_len;
	const uint8_t *text;
	size_t len;
};

/* In one call over flat memory. */
void reference_seal(const struct message *message, uint8_t *out, uint8_t tag[16]);

size_t reference_key_len(enum decant_aead_algorithm algorithm);

struct vector {
	const char *name;
	enum decant_aead_algorithm algorithm;
	const char *key, *nonce, *aad, *text, *cipher, *tag; /* hexadecimal */
};

extern const struct vector vectors[];
extern const size_t vectors_nr;

#endif
