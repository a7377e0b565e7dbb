/* SPDX-License-Identifier: MIT */
#include "reference.h"
#include "check.h"
#include <openssl/evp.h>

static const struct {
	const EVP_CIPHER *(*cipher)(void);
	size_t key_len;
	bool ccm;
} ciphers[] = {
	[DECANT_AEAD_AES_256_GCM] = {EVP_aes_256_gcm, 32, false},
	[DECANT_AEAD_AES_128_GCM] = {EVP_aes_128_gcm, 16, false},
	[DECANT_AEAD_CHACHA20_POLY1305] = {EVP_chacha20_poly1305, 32, false},
	[DECANT_AEAD_AES_256_CCM] = {EVP_aes_256_ccm, 32, true},
	[DECANT_AEAD_AES_128_CCM] = {EVP_aes_128_ccm, 16, true},
};

size_t reference_key_len(enum decant_aead_algorithm algorithm)
{
	return ciphers[algorithm].key_len;
}

static void begin(EVP_CIPHER_CTX *ctx, const struct message *m)
{
	int n;

	REQUIRE(EVP_EncryptInit_ex(ctx, ciphers[m->algorithm].cipher(), NULL, NULL,
				   NULL));
	REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)m->nonce_len,
				    NULL));
	if (ciphers[m->algorithm].ccm)
		REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)m->tag_len,
					    NULL));
	REQUIRE(EVP_EncryptInit_ex(ctx, NULL, NULL, m->key, m->nonce));
	if (ciphers[m->algorithm].ccm)
		REQUIRE(EVP_EncryptUpdate(ctx, NULL, &n, NULL, (int)m->len));
}

void reference_seal(const struct message *m, uint8_t *out, uint8_t tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	REQUIRE(ctx);
	begin(ctx, m);
	if (m->aad_len)
		REQUIRE(EVP_EncryptUpdate(ctx, NULL, &n, m->aad, (int)m->aad_len));
	/* CCM makes its tag here, also of nothing; OpenSSL 3.0.20 not from NULL. */
	if (m->len || ciphers[m->algorithm].ccm)
		REQUIRE(EVP_EncryptUpdate(ctx, out, &n, m->text ? m->text : out,
					  (int)m->len));
	REQUIRE(EVP_EncryptFinal_ex(ctx, out + m->len, &n));
	REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)m->tag_len, tag));
	EVP_CIPHER_CTX_free(ctx);
}
