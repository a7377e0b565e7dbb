/* SPDX-License-Identifier: MIT */
#ifndef DECANT_KDF_H
#define DECANT_KDF_H
/*
 * kdf.h - keys from keys: HKDF (RFC 5869), and the keys that Linux' fscrypt derives with
 * it (Documentation/filesystems/fscrypt.rst of the kernel, "Key derivation function").
 */
#include <decant/decant.h>

DECANT_BEGIN

/**
 * enum decant_kdf_hash - the hash function below HKDF
 * @DECANT_KDF_SHA_256: SHA-256: 32 bytes a step, at most 8,160 in all
 * @DECANT_KDF_SHA_512: SHA-512: 64 bytes a step, at most 16,320 in all
 *
 * Since: 0.1
 */
enum decant_kdf_hash { DECANT_KDF_SHA_256, DECANT_KDF_SHA_512 };

/**
 * decant_kdf_hkdf - extract and expand (RFC 5869)
 * @hash: the hash function
 * @key: the input keying material
 * @key_len: its bytes, at least 1
 * @salt: the salt; NULL for none, which counts as zeroes
 * @salt_len: its bytes
 * @info: what the result is for; NULL for none
 * @info_len: its bytes, at most 1,024
 * @out: receives the derived key; the caller wipes it when it is done with it
 * @out_len: its bytes, at least 1
 *
 * Return: 0. On error @out is zeroes: -EINVAL for an unknown hash, nothing to derive from
 * or nothing to derive, -EOVERFLOW for more than the hash can give or too long an @info,
 * -ENOMEM, -EIO if OpenSSL fails.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_kdf_hkdf(enum decant_kdf_hash hash, const void *key,
					   size_t key_len, const void *salt,
					   size_t salt_len, const void *info,
					   size_t info_len, void *out, size_t out_len);

/**
 * enum decant_fscrypt_purpose - what a key is derived for: fs/crypto/fscrypt_private.h's
 * HKDF contexts
 * @DECANT_FSCRYPT_KEY_IDENTIFIER: the 16 bytes that name a master key; no info
 * @DECANT_FSCRYPT_PER_FILE_KEY: contents or names of one file or directory; info is its
 *	16-byte nonce
 * @DECANT_FSCRYPT_DIRECT_KEY: DIRECT_KEY policies; info is the mode's number, one byte
 * @DECANT_FSCRYPT_INO_LBLK_64_KEY: IV_INO_LBLK_64 policies; info is the mode's number and
 *	the 16 bytes of the file system's UUID
 * @DECANT_FSCRYPT_DIRHASH_KEY: the 16 bytes of a case-insensitive directory's SipHash
 *	key; info is its nonce
 * @DECANT_FSCRYPT_INO_LBLK_32_KEY: IV_INO_LBLK_32 policies; info as for
 *	DECANT_FSCRYPT_INO_LBLK_64_KEY
 * @DECANT_FSCRYPT_INODE_HASH_KEY: the 16 bytes that inode numbers are hashed with; no
 *	info
 *
 * Since: 0.1
 */
enum decant_fscrypt_purpose {
	DECANT_FSCRYPT_KEY_IDENTIFIER = 1,
	DECANT_FSCRYPT_PER_FILE_KEY = 2,
	DECANT_FSCRYPT_DIRECT_KEY = 3,
	DECANT_FSCRYPT_INO_LBLK_64_KEY = 4,
	DECANT_FSCRYPT_DIRHASH_KEY = 5,
	DECANT_FSCRYPT_INO_LBLK_32_KEY = 6,
	DECANT_FSCRYPT_INODE_HASH_KEY = 7,
};

/**
 * decant_kdf_fscrypt - a key as Linux derives it under an fscrypt policy of version 2
 * @master: the master key, as it was added to the file system
 * @master_len: its bytes, 16 to 64
 * @purpose: what the derived key is for
 * @info: what tells it from others of the same purpose; NULL for none
 * @info_len: its bytes, at most 255
 * @out: receives the derived key; the caller wipes it when it is done with it
 * @out_len: its bytes: 16 for an identifier, a SipHash key or AES-128-CBC, 64 for
 *	AES-256-XTS, 32 for AES-256-CBC
 *
 * HKDF-SHA-512 without salt; its info is "fscrypt", a zero byte, the purpose in one byte,
 * and @info.
 *
 * Return: 0; else as decant_kdf_hkdf(), -EINVAL also for an unknown purpose and for a
 * master key of another size.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_kdf_fscrypt(const void *master, size_t master_len,
					      enum decant_fscrypt_purpose purpose,
					      const void *info, size_t info_len,
					      void *out, size_t out_len);

DECANT_END
#endif
