/* SPDX-License-Identifier: MIT */
#include <openssl/err.h>
#include "evp.h"

int evp_failed(void)
{
	int reason = ERR_GET_REASON(ERR_peek_last_error());

	return reason == ERR_R_UNSUPPORTED ? -ENOTSUP : -ENOMEM;
}

static int set_up(EVP_CIPHER_CTX *ctx, const char *name, const uint8_t *key, bool encrypt)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	int ok = cipher && EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL) &&
		 EVP_CIPHER_CTX_set_padding(ctx, 0);

	EVP_CIPHER_free(cipher); /* the context has its own reference */
	return ok ? 0 : evp_failed();
}

int evp_cipher_new(EVP_CIPHER_CTX **out, const char *name, const uint8_t *key,
		   bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int err = ctx ? set_up(ctx, name, key, encrypt) : -ENOMEM;

	if (err)
		EVP_CIPHER_CTX_free(ctx);
	else
		*out = ctx;
	return err;
}

int evp_cipher_clone(EVP_CIPHER_CTX **out, const EVP_CIPHER_CTX *from)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (!ctx || !EVP_CIPHER_CTX_copy(ctx, from)) {
		EVP_CIPHER_CTX_free(ctx);
		return -ENOMEM;
	}
	*out = ctx;
	return 0;
}

int evp_pair_new(struct evp_pair *pair, const char *name, const uint8_t *key)
{
	int err = evp_cipher_new(&pair->ctx[0], name, key, false);

	return err ? err : evp_cipher_new(&pair->ctx[1], name, key, true);
}

int evp_pair_clone(struct evp_pair *pair, const struct evp_pair *from)
{
	int err = evp_cipher_clone(&pair->ctx[0], from->ctx[0]);

	return err ? err : evp_cipher_clone(&pair->ctx[1], from->ctx[1]);
}

void evp_pair_free(struct evp_pair *pair)
{
	EVP_CIPHER_CTX_free(pair->ctx[0]); /* wipes what it knows of the key */
	EVP_CIPHER_CTX_free(pair->ctx[1]);
}
