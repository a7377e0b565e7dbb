/* SPDX-License-Identifier: MIT */
#ifndef DECANT_HASH_H
#define DECANT_HASH_H
/*
 * hash.h - cryptographic digests and MACs over iterators: begin one here, go on with
 * decant_digest_update(), decant_digest_copy() and decant_digest_final().
 */
#include <decant/crypto.h>

DECANT_BEGIN

/**
 * enum decant_hash - which digest
 * @DECANT_HASH_SHA_256: FIPS 180-4; 32 bytes
 * @DECANT_HASH_SHA_512: FIPS 180-4; 64 bytes
 * @DECANT_HASH_BLAKE2B: RFC 7693; 64 bytes; with a key of up to 64 bytes, if there is one
 * @DECANT_HASH_HMAC_SHA_256: RFC 2104 with SHA-256; 32 bytes, any key
 * @DECANT_HASH_HMAC_SHA_512: RFC 2104 with SHA-512; 64 bytes, any key
 * @DECANT_HASH_POLY1305: RFC 8439, 2.5; 16 bytes; a key of 32 bytes is good for one
 *	message alone
 *
 * Since: 0.1
 */
enum decant_hash {
	DECANT_HASH_SHA_256,
	DECANT_HASH_SHA_512,
	DECANT_HASH_BLAKE2B,
	DECANT_HASH_HMAC_SHA_256,
	DECANT_HASH_HMAC_SHA_512,
	DECANT_HASH_POLY1305,
};

/**
 * decant_digest_hash - begin a digest
 * @digest: filled; untouched on error. Ended by decant_digest_fini().
 * @hash: which one
 * @key: the key; copied, the caller may wipe it at once. NULL for none.
 * @key_len: its bytes
 * @options: NULL for none. The back end may be OpenSSL or AF_ALG, which takes no key with
 *	BLAKE2b; nothing else has a meaning.
 *
 * What decant needs is allocated here; OpenSSL 3.0 asks for some hundred bytes more as
 * each message begins, -ENOMEM if they can't be had. Compare the result of a MAC with
 * decant_equal_ct(). After decant_digest_final() the next message has the same key, but
 * for Poly1305, whose key must not be used again: -EKEYEXPIRED comes of it.
 *
 * Return: 0; -EINVAL for an unknown hash, a key where there must be none, or of another
 * length, or options that it does not take; -ENOTSUP if the back end does not offer it
 * here, -ENOMEM; with AF_ALG what socket(2), bind(2) or setsockopt(2) gave.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_digest_hash(struct decant_digest *digest, enum decant_hash hash, const void *key,
		   size_t key_len, const struct decant_crypto_options *options);

DECANT_END
#endif
