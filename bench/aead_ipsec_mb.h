/* SPDX-License-Identifier: MIT */
#ifndef BENCH_AEAD_IPSEC_MB_H
#define BENCH_AEAD_IPSEC_MB_H
/*
 * aead_ipsec_mb.h - Intel's multi-buffer library by itself: AES-256-GCM, a call a piece
 * and in one. Without it there is no such peer.
 */
#include "aead_work.h"

#if HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>

struct ipsec_mb {
	IMB_MGR *m;
	_Alignas(64) struct gcm_key_data key;
	struct gcm_context_data gcm;
};

static struct ipsec_mb *ipsec_mb_of(const struct work *w)
{
	return (struct ipsec_mb *)(void *)w->ipsec_mb;
}

static void ipsec_mb_prepare(struct work *w)
{
	struct ipsec_mb *mb = (void *)bench_memory(sizeof(*mb));
	IMB_ARCH arch;

	if (w->id != DECANT_AEAD_AES_256_GCM)
		return;
	mb->m = alloc_mb_mgr(0);
	bench_need(mb->m, "IPsec-MB");
	init_mb_mgr_auto(mb->m, &arch);
	mb->m->gcm256_pre(key, &mb->key);
	w->ipsec_mb = (struct peer_state *)(void *)mb;
}

static void ipsec_mb_piece(struct work *w, uint8_t *out, const uint8_t *in, size_t len)
{
	struct ipsec_mb *mb = ipsec_mb_of(w);

	mb->m->gcm256_enc_update(&mb->key, &mb->gcm, out, in, len);
}

static void ipsec_mb_by_piece(void *arg)
{
	struct work *w = arg;
	struct ipsec_mb *mb = ipsec_mb_of(w);
	uint8_t tag[TAG];

	mb->m->gcm256_init(&mb->key, &mb->gcm, nonce, nonce, 0);
	each_shared(w, ipsec_mb_piece);
	mb->m->gcm256_enc_finalize(&mb->key, &mb->gcm, tag, TAG);
	bench_use(tag);
}

static void ipsec_mb_contiguous(void *arg)
{
	struct work *w = arg;
	struct ipsec_mb *mb = ipsec_mb_of(w);
	uint8_t tag[TAG];

	mb->m->gcm256_enc(&mb->key, &mb->gcm, w->other, w->flat, w->len, nonce, nonce, 0,
			  tag, TAG);
	bench_use(tag);
}
#else
static void ipsec_mb_prepare(struct work *w)
{
	(void)w;
}

static void ipsec_mb_by_piece(void *arg)
{
	(void)arg;
}

static void ipsec_mb_contiguous(void *arg)
{
	(void)arg;
}
#endif
#endif
