/* SPDX-License-Identifier: MIT */
#include "reference.h"
#include "check.h"
#include <openssl/evp.h>

void reference_seal(const struct message *m, uint8_t *out, uint8_t tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	REQUIRE(ctx);
	REQUIRE(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, m->key, m->nonce));
	if (m->aad_len)
		REQUIRE(EVP_EncryptUpdate(ctx, NULL, &n, m->aad, (int)m->aad_len));
	if (m->len)
		REQUIRE(EVP_EncryptUpdate(ctx, out, &n, m->text, (int)m->len));
	REQUIRE(EVP_EncryptFinal_ex(ctx, out + m->len, &n));
	REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag));
	EVP_CIPHER_CTX_free(ctx);
}
