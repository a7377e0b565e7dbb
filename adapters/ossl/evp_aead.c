/* SPDX-License-Identifier: MIT */
/* evp_aead.c - AES-GCM and ChaCha20-Poly1305 by OpenSSL. */
#include <errno.h>
#include <openssl/evp.h>
#include "evp.h"
#include "internal.h"

struct evp_aead {
	EVP_CIPHER_CTX *ctx;
};

static void evp_free(void *state)
{
	struct evp_aead *e = state;

	EVP_CIPHER_CTX_free(e->ctx); /* wipes what it knows of the key */
	state_free(e, sizeof(*e));
}

static int evp_make(void **state, const struct engine_setup *setup)
{
	struct evp_aead *e = state_new(sizeof(*e));

	if (!e)
		return -ENOMEM;
	return state_settle(state, e,
			    evp_cipher_new(&e->ctx, setup->name, setup->key, true),
			    evp_free);
}

static int evp_clone(void **state, const void *from)
{
	const struct evp_aead *model = from;
	struct evp_aead *e = state_new(sizeof(*e));

	if (!e)
		return -ENOMEM;
	return state_settle(state, e, evp_cipher_clone(&e->ctx, model->ctx), evp_free);
}

static int evp_begin(void *state, const struct aead_start *start)
{
	struct evp_aead *e = state;

	if (!EVP_CipherInit_ex2(e->ctx, NULL, NULL, start->nonce, start->encrypt, NULL))
		return -EIO;
	return 0;
}

static int evp_text(void *state, uint8_t *out, const uint8_t *in, size_t len, bool last)
{
	struct evp_aead *e = state;

	(void)last;
	return evp_cipher_run(e->ctx, out, in, len);
}

static int evp_finish(void *state, uint8_t *tag, const struct aead_start *start)
{
	struct evp_aead *e = state;
	uint8_t rest[EVP_MAX_BLOCK_LENGTH];
	int n, size = (int)start->tag_bytes;

	if (!start->encrypt) {
		if (EVP_CIPHER_CTX_ctrl(e->ctx, EVP_CTRL_AEAD_SET_TAG, size, tag) != 1)
			return -EIO;
		return EVP_CipherFinal_ex(e->ctx, rest, &n) > 0 ? 0 : -EBADMSG;
	}
	if (!EVP_CipherFinal_ex(e->ctx, rest, &n) ||
	    EVP_CIPHER_CTX_ctrl(e->ctx, EVP_CTRL_AEAD_GET_TAG, size, tag) != 1)
		return -EIO;
	return 0;
}

const struct aead_ops aead_evp = {
	.common = {DECANT_CRYPTO_OPENSSL, evp_make, evp_clone, evp_free},
	.grain = 1,
	.direct = {[DECANT_AEAD_AES_256_GCM] = 768,
		   [DECANT_AEAD_AES_128_GCM] = 768,
		   [DECANT_AEAD_CHACHA20_POLY1305] = 2048},
	.most_aad = UINT64_MAX,
	.most_text = UINT64_MAX,
	.begin = evp_begin,
	.aad = evp_text,
	.text = evp_text,
	.finish = evp_finish,
};
