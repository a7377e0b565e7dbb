/* SPDX-License-Identifier: MIT */
#ifndef BENCH_AEAD_GNUTLS_H
#define BENCH_AEAD_GNUTLS_H
/*
 * aead_gnutls.h - GnuTLS, which takes one list, and seals it in place: less than is asked
 * of the others. Without it there is no such peer.
 */
#include "aead_work.h"

#if HAVE_GNUTLS
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

static gnutls_aead_cipher_hd_t gnutls_of(const struct work *w)
{
	return (gnutls_aead_cipher_hd_t)(void *)w->gnutls;
}

static void gnutls_prepare(struct work *w)
{
	gnutls_datum_t datum = {key, work_is_ccm(w) ? 16 : 32};
	gnutls_cipher_algorithm_t algorithm =
		work_is_ccm(w) ? GNUTLS_CIPHER_AES_128_CCM : GNUTLS_CIPHER_AES_256_GCM;
	gnutls_aead_cipher_hd_t handle;

	if (w->id == DECANT_AEAD_CHACHA20_POLY1305)
		return;
	bench_need(!gnutls_aead_cipher_init(&handle, algorithm, &datum), "GnuTLS");
	w->gnutls = (struct peer_state *)(void *)handle;
}

static void gnutls_in_place(void *arg)
{
	struct work *w = arg;
	uint8_t tag[TAG];
	size_t tag_len = TAG;

	bench_need(!gnutls_aead_cipher_encryptv2(gnutls_of(w), nonce, sizeof(nonce), NULL,
						 0, w->dst.iov, (int)w->dst.nr, tag,
						 &tag_len),
		   "GnuTLS");
	bench_use(tag);
}
#else
static void gnutls_prepare(struct work *w)
{
	(void)w;
}

static void gnutls_in_place(void *arg)
{
	(void)arg;
}
#endif
#endif
