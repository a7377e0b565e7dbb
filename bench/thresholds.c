/* SPDX-License-Identifier: MIT */
/*
 * thresholds.c - where the numbers in adapters/ossl come from: from which size a piece is
 * worth a call of its own (the ops' direct), and who is faster for a text of which length
 * (choice.c). Run it again on another machine, and put what it says there.
 *
 * Columns of the first table: nanoseconds for a piece that is used where it lies, and for
 * one that goes through the scratch. Of the second: OpenSSL and IPsec-MB for a message.
 */
#include <decant/aead.h>
#include <decant/cipher.h>
#include "../adapters/ossl/internal.h"
#include "../adapters/ossl/modes.h"
#include "crypto.h"

static const uint8_t key[64] = {1, 2, 3};
static const uint8_t nonce[16] = {4, 5, 6};

struct work {
	struct pass pass;
	struct pieces src, dst;
};

static void once(void *arg)
{
	struct work *w = arg;

	w->pass.src = bench_view(&w->src, DECANT_SOURCE);
	w->pass.dst = bench_view(&w->dst, DECANT_DEST);
	bench_need(!pass_run(&w->pass), "pass");
}

static double best(void (*fn)(void *arg), void *arg)
{
	size_t times = bench_times(fn, arg);
	double least = 1e9;

	for (int i = 0; i < 15; i++) {
		double t = bench_time(fn, arg, times) / (double)times;

		least = t < least ? t : least;
	}
	return least * 1e9;
}

/* Pieces of one size, cut alike on both sides: always direct, and never. */
static void sizes(const char *name, pass_feed *feed, void *state, size_t grain)
{
	static struct scratch scratch;
	static const size_t lens[] = {64,  128,	 192,  256,  384, 512,
				      768, 1024, 1536, 2048, 4096};
	size_t from = 0;

	printf("%s\n", name);
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		size_t nr = 65536 / lens[i];
		struct work w = {.src = bench_pieces(nr, lens[i], 0),
				 .dst = bench_pieces(nr, lens[i], 0)};
		double direct, gathered;

		w.pass = (struct pass){.len = nr * lens[i],
				       .grain = grain,
				       .tail = grain > 1 ? 32 : 0,
				       .direct = 1,
				       .feed = feed,
				       .state = state,
				       .scratch = &scratch};
		direct = best(once, &w) / (double)nr;
		w.pass.direct = SIZE_MAX / 1024;
		gathered = best(once, &w) / (double)nr;
		printf("  %5zu  %8.1f  %8.1f\n", lens[i], direct, gathered);
		from = direct > gathered ? 0 : from ? from : lens[i];
	}
	printf("  direct from %zu\n", from);
}

static void aead_sizes(const char *name, const struct aead_ops *ops,
		       enum decant_aead_algorithm id, const char *evp, size_t key_bytes)
{
	struct engine_setup setup = {.algorithm = id,
				     .name = evp,
				     .key = key,
				     .key_bytes = key_bytes,
				     .nonce_bytes = 12,
				     .tag_bytes = 16};
	struct aead_start start = {nonce, 12, 16, 0, 1u << 20, true};
	void *state;

	if (!ops || ops->common.make(&state, &setup))
		return;
	bench_need(!ops->begin(state, &start), "begin");
	sizes(name, ops->text, state, ops->grain);
	ops->common.free(state);
}

static void xts_sizes(const char *name, const struct cipher_ops *ops)
{
	struct engine_setup setup = {.algorithm = DECANT_CIPHER_AES_256_XTS,
				     .key = key,
				     .key_bytes = 64,
				     .unit = 65536};
	void *state;

	if (!ops || ops->common.make(&state, &setup))
		return;
	bench_need(!ops->begin(state, nonce, true), "begin");
	sizes(name, ops->feed, state, 16);
	ops->common.free(state);
}

struct message {
	struct decant_aead *aead;
	struct decant_cipher *cipher;
	uint8_t *memory;
	size_t len;
};

static void seal(void *arg)
{
	struct message *m = arg;
	struct decant_iter src, dst;
	uint8_t tag[16];
	ssize_t n;

	bench_need(!decant_iter_buf(&src, DECANT_SOURCE, m->memory, m->len) &&
			   !decant_iter_buf(&dst, DECANT_DEST, m->memory, m->len),
		   "buf");
	n = m->aead ? decant_aead_seal(m->aead, &dst, &src, m->len, NULL, nonce, tag)
		    : decant_cipher_encrypt(m->cipher, &dst, &src, m->len, nonce);
	bench_need(n == (ssize_t)m->len, "encrypt");
}

/* unit 0: an AEAD. */
static double message(int id, size_t key_bytes, size_t unit, size_t len,
		      enum decant_crypto_backend backend)
{
	struct decant_crypto_options o = {sizeof(o), .backend = backend};
	struct message m = {.memory = bench_memory(len), .len = len};
	int err = unit ? decant_cipher_new(&m.cipher, (enum decant_cipher_algorithm)id,
					   key, key_bytes, unit, &o)
		       : decant_aead_new_with(&m.aead, (enum decant_aead_algorithm)id,
					      key, key_bytes, &o);
	double t = err ? 0 : best(seal, &m);

	decant_aead_free(m.aead);
	decant_cipher_free(m.cipher);
	free(m.memory);
	return t;
}

static void lengths(const char *name, int id, size_t key_bytes, size_t unit)
{
	printf("%s\n", name);
	for (size_t len = unit ? unit : 16; len <= 1 << 20; len *= 4) {
		double a = message(id, key_bytes, unit, len, DECANT_CRYPTO_OPENSSL);
		double b = message(id, key_bytes, unit, len, DECANT_CRYPTO_IPSEC_MB);

		printf("  %7zu  %9.1f  %9.1f  %s\n", len, a, b,
		       b > 0 && b < a ? "ipsec-mb" : "openssl");
	}
}

int main(void)
{
	aead_sizes("AES-256-GCM, openssl", &aead_evp, DECANT_AEAD_AES_256_GCM,
		   "AES-256-GCM", 32);
	aead_sizes("AES-256-GCM, ipsec-mb", aead_ipsec_mb, DECANT_AEAD_AES_256_GCM, NULL,
		   32);
	aead_sizes("ChaCha20-Poly1305, openssl", &aead_evp, DECANT_AEAD_CHACHA20_POLY1305,
		   "ChaCha20-Poly1305", 32);
	aead_sizes("ChaCha20-Poly1305, ipsec-mb", aead_ipsec_mb,
		   DECANT_AEAD_CHACHA20_POLY1305, NULL, 32);
	aead_sizes("AES-128-CCM, openssl", &aead_ccm, DECANT_AEAD_AES_128_CCM, "AES-128",
		   16);
	xts_sizes("AES-256-XTS, openssl", &cipher_xts);
	xts_sizes("AES-256-XTS, ipsec-mb", cipher_xts_ipsec_mb);
	lengths("AES-256-GCM", DECANT_AEAD_AES_256_GCM, 32, 0);
	lengths("AES-128-GCM", DECANT_AEAD_AES_128_GCM, 16, 0);
	lengths("ChaCha20-Poly1305", DECANT_AEAD_CHACHA20_POLY1305, 32, 0);
	lengths("AES-256-XTS, units of 512", DECANT_CIPHER_AES_256_XTS, 64, 512);
	lengths("AES-256-XTS, units of 4096", DECANT_CIPHER_AES_256_XTS, 64, 4096);
	lengths("AES-128-XTS, units of 4096", DECANT_CIPHER_AES_128_XTS, 32, 4096);
	return 0;
}
