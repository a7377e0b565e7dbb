/* SPDX-License-Identifier: MIT */
#ifndef OSSL_EVP_H
#define OSSL_EVP_H
/* evp.h - OpenSSL's ciphers with errors as errnos. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

/* A cipher by name with its key, without padding. -ENOTSUP or -ENOMEM. */
int evp_cipher_new(EVP_CIPHER_CTX **ctx, const char *name, const uint8_t *key,
		   bool encrypt);
int evp_cipher_clone(EVP_CIPHER_CTX **ctx, const EVP_CIPHER_CTX *from);

/* At most INT_MAX bytes; out is NULL for additional data. */
static inline int evp_cipher_run(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in,
				 size_t len)
{
	int n;

	if (!EVP_CipherUpdate(ctx, out, &n, in, (int)len) || n != (int)len)
		return -EIO;
	return 0;
}
#endif
