/* SPDX-License-Identifier: MIT */
#ifndef DECANT_AEAD_H
#define DECANT_AEAD_H
/*
 * aead.h - authenticated encryption (RFC 5116) from one iterator into another that is cut
 * differently, or in place. The ciphertext never depends on the cuts.
 */
#include <decant/crypto.h>

DECANT_BEGIN

struct decant_aead;

#define DECANT_AEAD_TAG_BYTES	16 /* unless the options say otherwise, and at most */
#define DECANT_AEAD_NONCE_BYTES 12 /* unless the options say otherwise */
#define DECANT_AEAD_NONCE_MOST	13

/**
 * enum decant_aead_algorithm - which authenticated cipher
 * @DECANT_AEAD_AES_256_GCM: AES-256 in Galois/Counter Mode, NIST SP 800-38D; number 2 of
 *	RFC 5116. 32 bytes of key; at most 2^36 - 32 bytes of text and 2^61 - 1 of AAD.
 * @DECANT_AEAD_AES_128_GCM: the same with AES-128, number 1 of RFC 5116: 16 bytes of key
 * @DECANT_AEAD_CHACHA20_POLY1305: RFC 8439. 32 bytes of key; at most 2^38 - 64 bytes of
 *	text.
 * @DECANT_AEAD_AES_256_CCM: AES-256 in Counter mode with CBC-MAC, NIST SP 800-38C,
 *	RFC 3610. 32 bytes of key. With n bytes of nonce at most 2^(8 * (15 - n)) - 1 of
 *	text: 16 MiB - 1 with 12, 4 GiB - 1 with the 11 of SMB 3.
 * @DECANT_AEAD_AES_128_CCM: the same with AES-128: 16 bytes of key
 *
 * Since: 0.1
 */
enum decant_aead_algorithm {
	DECANT_AEAD_AES_256_GCM,
	DECANT_AEAD_AES_128_GCM,
	DECANT_AEAD_CHACHA20_POLY1305,
	DECANT_AEAD_AES_256_CCM,
	DECANT_AEAD_AES_128_CCM,
};

/**
 * decant_aead_new - a key, ready for use
 * @out: receives the context; untouched on error
 * @algorithm: the cipher
 * @key: the key; copied, the caller may wipe it at once
 * @key_len: bytes; exactly what the algorithm wants
 *
 * As decant_aead_new_with() without options.
 *
 * Return: 0; -EINVAL for an unknown algorithm or a key of another length, -ENOTSUP if the
 * OpenSSL that is running does not offer the algorithm, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_aead_new(struct decant_aead **out,
					   enum decant_aead_algorithm algorithm,
					   const void *key, size_t key_len);

/**
 * decant_aead_new_with - the same, with options
 * @out: receives the context; untouched on error
 * @algorithm: the cipher
 * @key: the key; copied, the caller may wipe it at once
 * @key_len: bytes; exactly what the algorithm wants
 * @options: the options; NULL for none
 *
 * Everything is allocated here; sealing and opening allocate nothing. A context is used
 * by one thread at a time; different contexts know nothing of each other.
 *
 * Return: 0; -EINVAL for an unknown algorithm, a key of another length or options that it
 * does not take, -ENOTSUP if the back end does not offer the algorithm here, -ENOMEM;
 * with AF_ALG what socket(2), bind(2) or setsockopt(2) gave.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_aead_new_with(struct decant_aead **out, enum decant_aead_algorithm algorithm,
		     const void *key, size_t key_len,
		     const struct decant_crypto_options *options);

/**
 * decant_aead_clone - another context with the same key and options
 * @out: receives the context; untouched on error
 * @aead: the context, which nobody uses meanwhile
 *
 * For another thread. Nonces are not counted there before decant_aead_number() is called,
 * with another prefix.
 *
 * Return: 0; -ENOMEM, or what decant_aead_new_with() gives.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_aead_clone(struct decant_aead **out,
					     const struct decant_aead *aead);

/**
 * decant_aead_free - wipe the key and free the context
 * @aead: the context, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_aead_free(struct decant_aead *aead);

/**
 * decant_aead_backend - who does the arithmetic for a text of so many bytes
 * @aead: the context
 * @len: bytes
 *
 * Return: the back end; never DECANT_CRYPTO_AUTO.
 * Since: 0.1
 */
DECANT_API enum decant_crypto_backend decant_aead_backend(const struct decant_aead *aead,
							  size_t len);

/**
 * decant_aead_seal - encrypt and authenticate
 * @aead: the context
 * @dst: where the ciphertext goes; advanced by @len on success, else unchanged
 * @src: the plaintext; advanced by @len on success, else unchanged
 * @len: bytes; both sides must have as many. 0 is allowed and authenticates @aad alone.
 * @aad: additional data, all that is ahead of its cursor; not changed. NULL for none.
 * @nonce: 12 bytes, or what the options say, that were never used with this key before: a
 *	nonce used twice gives away both texts and the key of the authentication (NIST SP
 *	800-38D, 8)
 * @tag: receives 16 bytes, or what the options say
 *
 * Byte for byte, the memory of both sides is the same (in place, also when it is cut
 * differently) or it does not overlap. Any other overlap is an error. Finding that out
 * costs nothing to speak of where all of one side lies below the other; memory that is
 * mixed is sorted first, and the options let the caller promise instead.
 *
 * What is contiguous on both sides for long enough is read and written where it lies;
 * anything smaller goes, some KiB at a time, through memory of the context, which is
 * wiped before the call returns.
 *
 * Return: @len. With nothing touched: -EINVAL for a wrong direction or an overlap,
 * -EMSGSIZE if a side has fewer than @len bytes or AF_ALG can't take as many, -EOVERFLOW
 * beyond the limits of the algorithm. -EFAULT, -EIO or another errno if memory can't be
 * used or the back end fails: then @dst's bytes are zeroes.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_aead_seal(struct decant_aead *aead,
						struct decant_iter *dst,
						struct decant_iter *src, size_t len,
						const struct decant_iter *aad,
						const uint8_t *nonce, uint8_t *tag);

/**
 * decant_aead_open - decrypt, and verify
 * @aead: the context
 * @dst: where the plaintext goes; advanced by @len on success, else unchanged
 * @src: the ciphertext; advanced by @len on success, else unchanged
 * @len: bytes; both sides must have as many
 * @aad: additional data, as it was for decant_aead_seal(); NULL for none
 * @nonce: as for decant_aead_seal()
 * @tag: what is verified. It may lie in @dst's memory.
 *
 * Nobody may look at @dst's memory before the call returns: only then is it known to be
 * what was sealed. If it is not, all of it is zeroes; in place that includes the
 * ciphertext. With the option verify_first, @dst is not touched in that case (unless
 * somebody changes the ciphertext while it is read: then it is zeroes as well). Overlap
 * and small pieces are treated as in decant_aead_seal().
 *
 * Return: @len; -EBADMSG if tag, AAD, nonce, key or ciphertext do not fit each other; or
 * else as decant_aead_seal().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_aead_open(struct decant_aead *aead,
						struct decant_iter *dst,
						struct decant_iter *src, size_t len,
						const struct decant_iter *aad,
						const uint8_t *nonce, const uint8_t *tag);

/**
 * decant_aead_seal_append - the same, with the tag behind the ciphertext
 * @aead: the context
 * @dst: where ciphertext and tag go; advanced by both on success, else unchanged
 * @src: the plaintext; advanced by @len on success, else unchanged
 * @len: bytes of the text; @dst must have room for the tag as well
 * @aad: additional data, NULL for none
 * @nonce: as for decant_aead_seal()
 *
 * The tag may be cut, too.
 *
 * Return: the bytes of ciphertext and tag; else as decant_aead_seal().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_aead_seal_append(
	struct decant_aead *aead, struct decant_iter *dst, struct decant_iter *src,
	size_t len, const struct decant_iter *aad, const uint8_t *nonce);

/**
 * decant_aead_open_append - the same, with the tag behind the ciphertext
 * @aead: the context
 * @dst: where the plaintext goes; advanced by @len on success, else unchanged
 * @src: ciphertext and tag; advanced by both on success, else unchanged
 * @len: bytes of the text, without the tag
 * @aad: additional data, NULL for none
 * @nonce: as for decant_aead_seal()
 *
 * Return: @len; else as decant_aead_open().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_aead_open_append(
	struct decant_aead *aead, struct decant_iter *dst, struct decant_iter *src,
	size_t len, const struct decant_iter *aad, const uint8_t *nonce);

/**
 * decant_aead_number - have the context count its nonces
 * @aead: the context; nothing was numbered with it before
 * @prefix: how each nonce begins: what tells this sender from others with the same key
 * @prefix_len: its bytes, 0 to all but one of a nonce's
 * @first: the number of the first message
 *
 * The rest of a nonce, at most its last 8 bytes, is the message's number, the highest
 * byte first; what lies between is zeroes.
 *
 * Return: 0; -EINVAL if the prefix leaves no room, -EOVERFLOW if @first does not fit,
 * -EALREADY if the context counts already: the same numbers could come again.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_aead_number(struct decant_aead *aead,
					      const void *prefix, size_t prefix_len,
					      uint64_t first);

/**
 * decant_aead_seal_number - seal under the next number
 * @aead: the context, after decant_aead_number()
 * @dst: as for decant_aead_seal()
 * @src: as for decant_aead_seal()
 * @len: bytes
 * @aad: additional data, NULL for none
 * @nonce: receives the nonce that was used
 * @tag: receives the tag
 *
 * A number is used up as soon as a byte may have been encrypted under it, whatever comes
 * of it. After the last one there is none.
 *
 * Return: as decant_aead_seal(); -ERANGE, and nothing touched, if the numbers are used up
 * or never began.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_aead_seal_number(
	struct decant_aead *aead, struct decant_iter *dst, struct decant_iter *src,
	size_t len, const struct decant_iter *aad, uint8_t *nonce, uint8_t *tag);

DECANT_END
#endif
