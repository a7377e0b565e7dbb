/* SPDX-License-Identifier: MIT */
#ifndef DECANT_CRYPTO_H
#define DECANT_CRYPTO_H
/*
 * crypto.h - what all cryptography over iterators has in common: who does the arithmetic,
 * and how a context is made.
 */
#include <decant/decant.h>

DECANT_BEGIN

/**
 * enum decant_crypto_backend - who does the arithmetic
 * @DECANT_CRYPTO_AUTO: whoever was measured to be fastest for the algorithm and the
 *	length; OpenSSL where nothing was measured
 * @DECANT_CRYPTO_OPENSSL: libcrypto; has every algorithm
 * @DECANT_CRYPTO_IPSEC_MB: Intel's multi-buffer library, if decant was built with it:
 *	AES-GCM, ChaCha20-Poly1305, AES-XTS
 * @DECANT_CRYPTO_AF_ALG: the kernel (its sockets of the family AF_ALG), if it has them.
 *	Not fast, since each message is a few system calls; the bytes are the same. Of a
 *	message it takes 64 KiB of text and 16 KiB of additional data (of XTS and CBC any
 *	number of bytes), and of an AEAD none that has neither: -EMSGSIZE.
 *
 * What comes out never depends on it.
 *
 * Since: 0.1
 */
enum decant_crypto_backend {
	DECANT_CRYPTO_AUTO,
	DECANT_CRYPTO_OPENSSL,
	DECANT_CRYPTO_IPSEC_MB,
	DECANT_CRYPTO_AF_ALG,
};

/**
 * struct decant_crypto_options - how a context is made; zeroes are the usual choice
 * @size: sizeof(struct decant_crypto_options)
 * @backend: who does the arithmetic
 * @nonce_bytes: of an AEAD: 0 for 12, the only choice but for AES-CCM (7 to 13)
 * @tag_bytes: of an AEAD: 0 for 16; AES-CCM takes the even numbers from 4, AES-GCM 12 to
 *	16, ChaCha20-Poly1305 16
 * @verify_first: of an AEAD: opening writes nothing to its destination before the tag was
 *	found to be right, at the price of a second pass over texts of more than 8 KiB
 * @distinct: the caller's promise that source and destination are the same memory byte
 *	for byte, or do not overlap: it is not checked
 *
 * Since: 0.1
 */
struct decant_crypto_options {
	size_t size;
	enum decant_crypto_backend backend;
	size_t nonce_bytes;
	size_t tag_bytes;
	bool verify_first;
	bool distinct;
};

/**
 * decant_crypto_backend_check - whether a back end can be used here
 * @backend: the back end
 *
 * Return: 0; -ENOTSUP if decant was built without it, or the library, the processor or
 * the kernel that is running does not have it; -EINVAL if there is no such thing.
 * Since: 0.1
 */
DECANT_API int decant_crypto_backend_check(enum decant_crypto_backend backend);

/**
 * decant_crypto_backend_name - a back end in a word
 * @backend: the back end
 *
 * Return: a static string: "auto", "openssl", "ipsec-mb", "af_alg"; "?" for anything
 * else.
 * Since: 0.1
 */
DECANT_API const char *decant_crypto_backend_name(enum decant_crypto_backend backend);

DECANT_END
#endif
