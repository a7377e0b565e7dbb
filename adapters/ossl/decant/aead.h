/* SPDX-License-Identifier: MIT */
#ifndef DECANT_AEAD_H
#define DECANT_AEAD_H
/*
 * aead.h - authenticated encryption (RFC 5116) from one iterator into another that is cut
 * differently, or in place. The ciphertext never depends on the cuts.
 */
#include <decant/decant.h>

DECANT_BEGIN

struct decant_aead;

#define DECANT_AEAD_TAG_BYTES   16
#define DECANT_AEAD_NONCE_BYTES 12

/**
 * enum decant_aead_algorithm - which authenticated cipher
 * @DECANT_AEAD_AES_256_GCM: AES-256 in Galois/Counter Mode, NIST SP 800-38D; number 2 of
 *	RFC 5116. 32 bytes of key; at most 2^36 - 32 bytes of text and 2^61 - 1 of AAD.
 * @DECANT_AEAD_AES_128_GCM: the same with AES-128, number 1 of RFC 5116: 16 bytes of key
 * @DECANT_AEAD_CHACHA20_POLY1305: RFC 8439. 32 bytes of key; at most 2^38 - 64 bytes of
 *	text.
 *
 * All of them take 12 bytes of nonce and give 16 bytes of tag.
 *
 * Since: 0.1
 */
enum decant_aead_algorithm {
	DECANT_AEAD_AES_256_GCM,
	DECANT_AEAD_AES_128_GCM,
	DECANT_AEAD_CHACHA20_POLY1305,
};

/**
 * decant_aead_new - a key, ready for use
 * @out: receives the context; untouched on error
 * @algorithm: the cipher
 * @key: the key; copied, the caller may wipe it at once
 * @key_len: bytes; exactly what the algorithm wants
 *
 * Everything is allocated here; sealing and opening allocate nothing. A context is used
 * by one thread at a time; different contexts know nothing of each other.
 *
 * Return: 0; -EINVAL for an unknown algorithm or a key of another length, -ENOTSUP if the
 * OpenSSL that is running does not offer the algorithm, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_aead_new(struct decant_aead **out,
					   enum decant_aead_algorithm algorithm,
					   const void *key, size_t key_len);

/**
 * decant_aead_free - wipe the key and free the context
 * @aead: the context, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_aead_free(struct decant_aead *aead);

/**
 * decant_aead_seal - encrypt and authenticate
 * @aead: the context
 * @dst: where the ciphertext goes; advanced by @len on success, else unchanged
 * @src: the plaintext; advanced by @len on success, else unchanged
 * @len: bytes; both sides must have as many. 0 is allowed and authenticates @aad alone.
 * @aad: additional data, all that is ahead of its cursor; not changed. NULL for none.
 * @nonce: 12 bytes that were never used with this key before: a nonce used twice gives
 *	away both texts and the key of the authentication (NIST SP 800-38D, 8)
 * @tag: receives 16 bytes
 *
 * Byte for byte, the memory of both sides is the same (in place, also when it is cut
 * differently) or it does not overlap. Any other overlap is an error where both sides are
 * at most 8 runs of adjacent bytes; beyond that it is the caller's promise and not
 * checked, since the check would cost more than the work.
 *
 * What is contiguous on both sides for 1,024 bytes or more is read and written where it
 * lies; anything smaller goes, 4 KiB at a time, through memory of the context, which is
 * wiped before the call returns.
 *
 * Return: @len. With nothing touched: -EINVAL for a wrong direction or an overlap,
 * -EMSGSIZE if a side has fewer than @len bytes, -EOVERFLOW beyond the limits of the
 * algorithm. -EFAULT or -EIO if memory can't be used or OpenSSL fails: then @dst's bytes
 * are zeroes.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t
decant_aead_seal(struct decant_aead *aead, struct decant_iter *dst,
		 struct decant_iter *src, size_t len, const struct decant_iter *aad,
		 const uint8_t nonce[DECANT_AEAD_NONCE_BYTES],
		 uint8_t tag[DECANT_AEAD_TAG_BYTES]);

/**
 * decant_aead_open - decrypt, and verify
 * @aead: the context
 * @dst: where the plaintext goes; advanced by @len on success, else unchanged
 * @src: the ciphertext; advanced by @len on success, else unchanged
 * @len: bytes; both sides must have as many
 * @aad: additional data, as it was for decant_aead_seal(); NULL for none
 * @nonce: 12 bytes, as for decant_aead_seal()
 * @tag: 16 bytes to verify. It may lie in @dst's memory.
 *
 * Nobody may look at @dst's memory before the call returns: only then is it known to be
 * what was sealed. If it is not, all of it is zeroes; in place that includes the
 * ciphertext. Overlap and small pieces are treated as in decant_aead_seal().
 *
 * Return: @len; -EBADMSG if tag, AAD, nonce, key or ciphertext do not fit each other; or
 * else as decant_aead_seal().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t
decant_aead_open(struct decant_aead *aead, struct decant_iter *dst,
		 struct decant_iter *src, size_t len, const struct decant_iter *aad,
		 const uint8_t nonce[DECANT_AEAD_NONCE_BYTES],
		 const uint8_t tag[DECANT_AEAD_TAG_BYTES]);

DECANT_END
#endif
