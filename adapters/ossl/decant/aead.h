/* SPDX-License-Identifier: MIT */
#ifndef DECANT_AEAD_H
#define DECANT_AEAD_H
#include <decant/decant.h>

DECANT_BEGIN

/*
 * aead.h - authenticated encryption from one iterator into another that is cut differently,
 * or in place.
 */

struct decant_aead;

#define DECANT_AEAD_TAG_BYTES   16
#define DECANT_AEAD_NONCE_BYTES 12

enum decant_aead_algorithm { DECANT_AEAD_AES_256_GCM };

DECANT_API DECANT_MUST int decant_aead_new(struct decant_aead **out,
					   enum decant_aead_algorithm algorithm,
					   const void *key, size_t key_len);
DECANT_API void decant_aead_free(struct decant_aead *aead);
/* aad: NULL for none, else all of it is authenticated (a copy is walked, it is not changed) */
DECANT_API DECANT_MUST ssize_t decant_aead_seal(struct decant_aead *aead,
						struct decant_iter *dst,
						struct decant_iter *src, size_t len,
						const struct decant_iter *aad,
						const uint8_t nonce[DECANT_AEAD_NONCE_BYTES],
						uint8_t tag[DECANT_AEAD_TAG_BYTES]);
/* -EBADMSG when the tag does not fit: dst is wiped and neither iterator moves */
DECANT_API DECANT_MUST ssize_t decant_aead_open(struct decant_aead *aead,
						struct decant_iter *dst,
						struct decant_iter *src, size_t len,
						const struct decant_iter *aad,
						const uint8_t nonce[DECANT_AEAD_NONCE_BYTES],
						const uint8_t tag[DECANT_AEAD_TAG_BYTES]);

DECANT_END
#endif
