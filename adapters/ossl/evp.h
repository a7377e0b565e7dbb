/* SPDX-License-Identifier: MIT */
#ifndef OSSL_EVP_H
#define OSSL_EVP_H
/* evp.h - OpenSSL's ciphers with errors as errnos. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

/*
 * Why something could not be fetched or set up: OpenSSL does not have it, or there is no
 * memory, since nothing else is left where the arguments have been checked.
 */
int evp_failed(void);

/* A cipher by name with its key, without padding. -ENOTSUP or -ENOMEM. */
int evp_cipher_new(EVP_CIPHER_CTX **ctx, const char *name, const uint8_t *key,
		   bool encrypt);
int evp_cipher_clone(EVP_CIPHER_CTX **ctx, const EVP_CIPHER_CTX *from);

/*
 * Two of them, of which an error leaves what there is; what was not made is NULL. As they
 * are made here, the first one decrypts and the second one encrypts.
 */
struct evp_pair {
	EVP_CIPHER_CTX *ctx[2];
};

int evp_pair_new(struct evp_pair *pair, const char *name, const uint8_t *key);
int evp_pair_clone(struct evp_pair *pair, const struct evp_pair *from);
void evp_pair_free(struct evp_pair *pair);

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
