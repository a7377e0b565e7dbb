/* SPDX-License-Identifier: MIT */
#ifndef DECANT_CIPHER_H
#define DECANT_CIPHER_H
/*
 * cipher.h - encryption of storage from one iterator into another that is cut
 * differently, or in place: contents in data units (AES-XTS), names (AES-CBC with
 * ciphertext stealing). Nothing is authenticated. The bytes never depend on the cuts.
 */
#include <decant/crypto.h>

DECANT_BEGIN

struct decant_cipher;

#define DECANT_CIPHER_IV_BYTES	 16
#define DECANT_CIPHER_UNIT_LEAST 16
#define DECANT_CIPHER_UNIT_MOST	 65536

/**
 * enum decant_cipher_algorithm - which cipher
 * @DECANT_CIPHER_AES_256_XTS: IEEE 1619, NIST SP 800-38E: 64 bytes of key, whose halves
 *	differ. The text is a row of data units; the IV is the number of the first, the
 *	lowest byte first, and the next one has the next number. The last unit may be
 *	shorter, but not than 16 bytes: it is encrypted with ciphertext stealing.
 * @DECANT_CIPHER_AES_128_XTS: the same with AES-128: 32 bytes of key
 * @DECANT_CIPHER_AES_256_CBC: NIST SP 800-38A: 32 bytes of key; blocks of 16 bytes
 * @DECANT_CIPHER_AES_128_CBC: the same with AES-128: 16 bytes of key
 * @DECANT_CIPHER_AES_256_CTS: CBC with ciphertext stealing that always swaps the last
 *	two blocks (CBC-CS3 of the addendum to NIST SP 800-38A, RFC 3962, Linux'
 *	cts(cbc(aes))); any length from 16 bytes
 * @DECANT_CIPHER_AES_128_CTS: the same with AES-128
 *
 * Since: 0.1
 */
enum decant_cipher_algorithm {
	DECANT_CIPHER_AES_256_XTS,
	DECANT_CIPHER_AES_128_XTS,
	DECANT_CIPHER_AES_256_CBC,
	DECANT_CIPHER_AES_128_CBC,
	DECANT_CIPHER_AES_256_CTS,
	DECANT_CIPHER_AES_128_CTS,
};

/**
 * decant_cipher_new - a key, ready for use
 * @out: receives the context; untouched on error
 * @algorithm: the cipher
 * @key: the key; copied, the caller may wipe it at once
 * @key_len: bytes; exactly what the algorithm wants
 * @unit: with XTS, bytes of a data unit: a power of two from 16 to 65,536 (a sector, a
 *	page, a block of the file system); else 0
 * @options: NULL for none; the sizes of nonce and tag and verify_first have no meaning
 *
 * Everything is allocated here; encrypting and decrypting allocate nothing. A context is
 * used by one thread at a time; different contexts know nothing of each other.
 *
 * Return: 0; -EINVAL for an unknown algorithm, a key of another length, an XTS key of two
 * equal halves (which is not secure), a unit or options that it does not take, -ENOTSUP
 * if the back end does not offer the algorithm here, -ENOMEM; with AF_ALG what socket(2),
 * bind(2) or setsockopt(2) gave.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_cipher_new(struct decant_cipher **out,
					     enum decant_cipher_algorithm algorithm,
					     const void *key, size_t key_len, size_t unit,
					     const struct decant_crypto_options *options);

/**
 * decant_cipher_clone - another context with the same key and unit, for another thread
 * @out: receives the context; untouched on error
 * @cipher: the context, which nobody uses meanwhile
 *
 * Return: 0; -ENOMEM, or what decant_cipher_new() gives.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_cipher_clone(struct decant_cipher **out,
					       const struct decant_cipher *cipher);

/**
 * decant_cipher_free - wipe the key and free the context
 * @cipher: the context, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_cipher_free(struct decant_cipher *cipher);

/**
 * decant_cipher_backend - who does the arithmetic for a text of so many bytes
 * @cipher: the context
 * @len: bytes
 *
 * Return: the back end; never DECANT_CRYPTO_AUTO.
 * Since: 0.1
 */
DECANT_API enum decant_crypto_backend
decant_cipher_backend(const struct decant_cipher *cipher, size_t len);

/**
 * decant_cipher_number - the IV of a numbered data unit
 * @iv: receives 16 bytes: @number, the lowest byte first, then zeroes
 * @number: the unit's number: a sector (dm-crypt's plain64), a block of a file (fscrypt)
 *
 * Since: 0.1
 */
DECANT_API void decant_cipher_number(uint8_t iv[DECANT_CIPHER_IV_BYTES], uint64_t number);

/**
 * decant_cipher_encrypt - encrypt
 * @cipher: the context
 * @dst: where the ciphertext goes; advanced by @len on success, else unchanged
 * @src: the plaintext; advanced by @len on success, else unchanged
 * @len: bytes; both sides must have as many. With XTS any number of units. 0 is nothing.
 * @iv: 16 bytes: with XTS the number of the first unit
 *
 * Byte for byte, the memory of both sides is the same (in place, also when it is cut
 * differently) or it does not overlap, see decant_aead_seal(). Units and blocks may be
 * cut anywhere on either side.
 *
 * Return: @len. With nothing touched: -EINVAL for a wrong direction, an overlap or a
 * length that the algorithm does not take, -EMSGSIZE if a side has fewer than @len bytes,
 * -EOVERFLOW if the units' numbers would begin again at 0. -EFAULT, -EIO or another errno
 * if memory can't be used or the back end fails: then @dst's bytes are zeroes.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_cipher_encrypt(
	struct decant_cipher *cipher, struct decant_iter *dst, struct decant_iter *src,
	size_t len, const uint8_t iv[DECANT_CIPHER_IV_BYTES]);

/**
 * decant_cipher_decrypt - decrypt
 * @cipher: the context
 * @dst: where the plaintext goes; advanced by @len on success, else unchanged
 * @src: the ciphertext; advanced by @len on success, else unchanged
 * @len: bytes; both sides must have as many
 * @iv: as for decant_cipher_encrypt()
 *
 * Return: as decant_cipher_encrypt(). What was changed is decrypted to something else.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_cipher_decrypt(
	struct decant_cipher *cipher, struct decant_iter *dst, struct decant_iter *src,
	size_t len, const uint8_t iv[DECANT_CIPHER_IV_BYTES]);

DECANT_END
#endif
