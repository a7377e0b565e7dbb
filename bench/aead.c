/* SPDX-License-Identifier: MIT */
/*
 * aead.c - sealing scattered pieces, cut differently on the two sides, against OpenSSL
 * over the same bytes in one piece; per back end. And beside what a program can do that
 * has only one of the libraries.
 */
#include "aead_gnutls.h"
#include "aead_ipsec_mb.h"

static void by_decant(void *arg)
{
	struct work *w = arg;
	struct decant_iter src = bench_view(&w->src, DECANT_SOURCE);
	struct decant_iter dst = bench_view(&w->dst, DECANT_DEST);
	uint8_t tag[TAG];

	bench_need(decant_aead_seal(w->aead, &dst, &src, w->len, NULL, nonce, tag) ==
			   (ssize_t)w->len,
		   "seal");
	bench_use(tag);
}

static void contiguous(void *arg)
{
	struct work *w = arg;
	uint8_t tag[TAG];
	int n;

	bench_need(EVP_EncryptInit_ex(w->ctx, NULL, NULL, NULL, nonce) &&
			   EVP_EncryptUpdate(w->ctx, w->flat, &n, w->flat, (int)w->len) &&
			   EVP_EncryptFinal_ex(w->ctx, tag, &n) &&
			   EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag),
		   "OpenSSL");
	bench_use(tag);
}

/* CCM wants the length before the text, and the text at once. */
static void contiguous_ccm(void *arg)
{
	struct work *w = arg;
	uint8_t tag[TAG];
	int n;

	bench_need(EVP_EncryptInit_ex(w->ctx, NULL, NULL, NULL, nonce) &&
			   EVP_EncryptUpdate(w->ctx, NULL, &n, NULL, (int)w->len) &&
			   EVP_EncryptUpdate(w->ctx, w->flat, &n, w->flat, (int)w->len) &&
			   EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag),
		   "OpenSSL");
	bench_use(tag);
}

static void evp_piece(struct work *w, uint8_t *out, const uint8_t *in, size_t len)
{
	int n;

	bench_need(EVP_EncryptUpdate(w->ctx, out, &n, in, (int)len), "OpenSSL");
}

/* What a program does without an engine. */
static void by_piece(void *arg)
{
	struct work *w = arg;
	uint8_t tag[TAG];
	int n;

	bench_need(EVP_EncryptInit_ex(w->ctx, NULL, NULL, NULL, nonce), "OpenSSL");
	each_shared(w, evp_piece);
	bench_need(EVP_EncryptFinal_ex(w->ctx, tag, &n) &&
			   EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag),
		   "OpenSSL");
	bench_use(tag);
}

/* Or one that copies everything into one piece and back. */
static void bounced(void *arg)
{
	struct work *w = arg;
	uint8_t *at = w->flat;

	for (size_t i = 0; i < w->src.nr; at += w->src.iov[i++].iov_len)
		memcpy(at, w->src.iov[i].iov_base, w->src.iov[i].iov_len);
	if (work_is_ccm(w))
		contiguous_ccm(w);
	else
		contiguous(w);
	at = w->flat;
	for (size_t i = 0; i < w->dst.nr; at += w->dst.iov[i++].iov_len)
		memcpy(w->dst.iov[i].iov_base, at, w->dst.iov[i].iov_len);
}

struct algorithm {
	enum decant_aead_algorithm id;
	const char *name;
	size_t key_len;
	const EVP_CIPHER *(*evp)(void);
};

static const struct algorithm algorithms[] = {
	{DECANT_AEAD_AES_256_GCM, "AES-256-GCM", 32, EVP_aes_256_gcm},
	{DECANT_AEAD_CHACHA20_POLY1305, "ChaCha20-Poly1305", 32, EVP_chacha20_poly1305},
	{DECANT_AEAD_AES_128_CCM, "AES-128-CCM", 16, EVP_aes_128_ccm},
};

static const struct {
	size_t len, nr;
	double goal; /* for AES-256-GCM, whoever computes it */
} shapes[] = {
	{48, 1024, 25}, {240, 256, 0}, {512, 128, 0}, {4096, 64, 450}, {1 << 20, 4, 0}};

/* The same beside what is done elsewhere: not everybody has everything. */
static void beside(struct work *w, const char *name, size_t shape)
{
	const bool gcm = w->id == DECANT_AEAD_AES_256_GCM, large = shapes[shape].nr == 4;
	const struct {
		const char *name;
		void (*fn)(void *arg);
		bool there;
		double goal;
	} peers[] = {
		{"OpenSSL, a call a piece", by_piece, gcm, 0},
		{"OpenSSL, all of it copied into one piece and back", bounced, true, 0},
		{"IPsec-MB, a call a piece", ipsec_mb_by_piece, w->ipsec_mb, 0},
		{"IPsec-MB, from one piece into another", ipsec_mb_contiguous,
		 w->ipsec_mb, large ? 1.03 : 0},
		{"GnuTLS, one list, in place", gnutls_in_place, w->gnutls, 0},
	};

	for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++) {
		char text[160];

		if (!peers[i].there)
			continue;
		snprintf(text, sizeof(text), "%s; beside %s", name, peers[i].name);
		bench_run(&(struct bench_case){.name = text,
					       .unit = "ns a piece",
					       .fn = by_decant,
					       .arg = w,
					       .units = (double)shapes[shape].nr,
					       .bound_name = peers[i].name,
					       .bound = peers[i].fn,
					       .goal = peers[i].goal,
					       .ratio_goal = true});
	}
}

/* Key and lengths; the nonce comes with each text. */
static void prepare(EVP_CIPHER_CTX *ctx, const struct algorithm *a)
{
	bool ccm = a->id == DECANT_AEAD_AES_128_CCM;

	bench_need(EVP_EncryptInit_ex(ctx, a->evp(), NULL, NULL, NULL), "OpenSSL");
	bench_need(!ccm || (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN,
						sizeof(nonce), NULL) &&
			    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, NULL)),
		   "OpenSSL");
	bench_need(EVP_EncryptInit_ex(ctx, NULL, NULL, key, nonce), "OpenSSL");
}

static void one(const struct algorithm *a, enum decant_crypto_backend backend,
		size_t shape)
{
	struct decant_crypto_options options = {sizeof(options), .backend = backend};
	size_t len = shapes[shape].len, nr = shapes[shape].nr;
	struct work w = {.id = a->id,
			 .len = len * nr,
			 .src = bench_pieces(nr, len, 0),
			 .dst = bench_pieces(nr, len, len / 3),
			 .flat = bench_memory(len * nr),
			 .other = bench_memory(len * nr),
			 .ctx = EVP_CIPHER_CTX_new()};
	char name[100], unit[40];

	if (decant_aead_new_with(&w.aead, a->id, key, a->key_len, &options))
		return;
	prepare(w.ctx, a);
	ipsec_mb_prepare(&w);
	gnutls_prepare(&w);
	snprintf(name, sizeof(name), "%s, %s, %zu-byte pieces, two cuts", a->name,
		 decant_crypto_backend_name(backend), len);
	snprintf(unit, sizeof(unit), "ns a piece");
	bench_run(&(struct bench_case){
		.name = name,
		.unit = unit,
		.fn = by_decant,
		.arg = &w,
		.units = (double)nr,
		.bound_name = "OpenSSL, in one piece",
		.bound = a->id == DECANT_AEAD_AES_128_CCM ? contiguous_ccm : contiguous,
		.goal = a->id == DECANT_AEAD_AES_256_GCM && backend == DECANT_CRYPTO_AUTO
				? shapes[shape].goal
				: 0,
	});
	if (a->id != DECANT_AEAD_CHACHA20_POLY1305 && backend == DECANT_CRYPTO_AUTO)
		beside(&w, name, shape);
	decant_aead_free(w.aead);
	EVP_CIPHER_CTX_free(w.ctx);
}

int main(void)
{
	bench_open("aead");
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		for (size_t j = 0; j < sizeof(shapes) / sizeof(*shapes); j++)
			for (int b = 0; b <= DECANT_CRYPTO_IPSEC_MB; b++)
				one(&algorithms[i], (enum decant_crypto_backend)b, j);
	bench_close();
	return 0;
}
