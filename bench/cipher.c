/* SPDX-License-Identifier: MIT */
/*
 * cipher.c - AES-256-XTS over whole and cut data units, against OpenSSL's XTS with one
 * call a unit over the same bytes in one piece; per back end.
 */
#include <decant/cipher.h>
#include <openssl/evp.h>
#include "crypto.h"

struct work {
	struct decant_cipher *cipher;
	struct pieces src, dst;
	uint8_t *flat;
	size_t len, unit;
	EVP_CIPHER_CTX *ctx;
};

static uint8_t key[64] = {1, 2, 3};

static void by_decant(void *arg)
{
	struct work *w = arg;
	struct decant_iter src = bench_view(&w->src, DECANT_SOURCE);
	struct decant_iter dst = bench_view(&w->dst, DECANT_DEST);
	uint8_t iv[16];

	decant_cipher_number(iv, 7);
	bench_need(decant_cipher_encrypt(w->cipher, &dst, &src, w->len, iv) ==
			   (ssize_t)w->len,
		   "encrypt");
}

static void by_unit(void *arg)
{
	struct work *w = arg;
	uint8_t iv[16];
	int n;

	for (size_t i = 0; i < w->len / w->unit; i++) {
		uint8_t *at = w->flat + i * w->unit;

		decant_cipher_number(iv, 7 + i);
		bench_need(EVP_EncryptInit_ex(w->ctx, NULL, NULL, NULL, iv) &&
				   EVP_EncryptUpdate(w->ctx, at, &n, at, (int)w->unit),
			   "OpenSSL");
	}
}

static void one(size_t unit, size_t piece, enum decant_crypto_backend backend)
{
	struct decant_crypto_options options = {sizeof(options), .backend = backend};
	size_t len = 256 << 10, nr = len / piece;
	struct work w = {.len = len,
			 .unit = unit,
			 .src = bench_pieces(nr, piece, 0),
			 .dst = bench_pieces(nr, piece, nr > 1 ? piece / 3 : 0),
			 .flat = bench_memory(len),
			 .ctx = EVP_CIPHER_CTX_new()};
	char name[100];

	if (decant_cipher_new(&w.cipher, DECANT_CIPHER_AES_256_XTS, key, 64, unit,
			      &options))
		return;
	bench_need(EVP_EncryptInit_ex(w.ctx, EVP_aes_256_xts(), NULL, key, key),
		   "OpenSSL");
	snprintf(name, sizeof(name), "%s, units of %zu, %s",
		 decant_crypto_backend_name(backend), unit,
		 nr == 1	? "in one piece"
		 : piece == 256 ? "256-byte pieces, two cuts"
				: "pieces of a unit, two cuts");
	bench_run(&(struct bench_case){
		.name = name,
		.unit = "ns a unit",
		.fn = by_decant,
		.arg = &w,
		.units = (double)(len / unit),
		.bound_name = "OpenSSL, a call a unit, in one piece",
		.bound = by_unit,
	});
	decant_cipher_free(w.cipher);
	EVP_CIPHER_CTX_free(w.ctx);
}

int main(void)
{
	static const size_t units[] = {512, 4096};

	bench_open("cipher");
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		for (int b = 0; b <= DECANT_CRYPTO_IPSEC_MB; b++) {
			one(units[i], 256 << 10, (enum decant_crypto_backend)b);
			one(units[i], units[i], (enum decant_crypto_backend)b);
			one(units[i], 256, (enum decant_crypto_backend)b);
		}
	}
	bench_close();
	return 0;
}
