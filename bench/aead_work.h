/* SPDX-License-Identifier: MIT */
#ifndef BENCH_AEAD_WORK_H
#define BENCH_AEAD_WORK_H
/* aead_work.h - a text to seal, and the walk of who seals it piece by piece. */
#include <decant/aead.h>
#include <openssl/evp.h>
#include "crypto.h"

#define TAG 16

struct peer_state;

struct work {
	struct decant_aead *aead;
	enum decant_aead_algorithm id;
	struct pieces src, dst;
	uint8_t *flat, *other;
	size_t len;
	EVP_CIPHER_CTX *ctx;
	struct peer_state *ipsec_mb, *gnutls;
};

static uint8_t key[32] = {1, 2, 3}, nonce[12] = {4, 5, 6};

static inline bool work_is_ccm(const struct work *w)
{
	return w->id == DECANT_AEAD_AES_128_CCM;
}

/* A call for each piece that both sides share. */
static inline void each_shared(struct work *w, void (*fn)(struct work *w, uint8_t *out,
							  const uint8_t *in, size_t len))
{
	size_t i = 0, j = 0, a = 0, b = 0;

	while (i < w->src.nr) {
		const struct iovec *in = &w->src.iov[i], *out = &w->dst.iov[j];
		size_t left = in->iov_len - a, room = out->iov_len - b;
		size_t len = left < room ? left : room;

		fn(w, (uint8_t *)out->iov_base + b, (uint8_t *)in->iov_base + a, len);
		a += len;
		b += len;
		i += a == in->iov_len;
		j += b == out->iov_len;
		a = a == in->iov_len ? 0 : a;
		b = b == out->iov_len ? 0 : b;
	}
}
#endif
