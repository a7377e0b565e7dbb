/* SPDX-License-Identifier: MIT */
/*
 * ipsec_mb.c - AES-GCM and ChaCha20-Poly1305 by Intel's multi-buffer library.
 *
 * Of its manager only the table of functions is used, which is filled in once for the
 * process and never changes: nothing is shared between contexts.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include "internal.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static IMB_MGR *manager;

static void look(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);
	IMB_ARCH arch;

	if (!m)
		return;
	init_mb_mgr_auto(m, &arch);
	if (arch >= IMB_ARCH_SSE && arch < IMB_ARCH_NUM &&
	    (m->features & IMB_FEATURE_SELF_TEST_PASS))
		manager = m;
	else
		free_mb_mgr(m);
}

int ipsec_mb_check(void)
{
	pthread_once(&once, look);
	return manager ? 0 : -ENOTSUP;
}

bool ipsec_mb_is_wide(void)
{
	const uint64_t wide =
		IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;

	return !ipsec_mb_check() && (manager->features & wide) == wide;
}

/* Of one key length and direction. */
struct mb_gcm {
	aes_gcm_init_t init;
	aes_gcm_enc_dec_update_t update[2]; /* decrypt, encrypt */
	aes_gcm_enc_dec_finalize_t finalize[2];
};

struct mb {
	struct gcm_key_data gcm_key;
	struct gcm_context_data gcm;
	struct chacha20_poly1305_context_data chacha;
	struct mb_gcm fn;
	uint8_t key[32];
	uint8_t nonce[DECANT_AEAD_NONCE_BYTES];
	bool is_chacha, encrypt;
};

static void mb_free(void *state)
{
	state_free(state, sizeof(struct mb));
}

static void set_gcm_256(struct mb *mb)
{
	const IMB_MGR *m = manager;

	m->gcm256_pre(mb->key, &mb->gcm_key);
	mb->fn = (struct mb_gcm){m->gcm256_init,
				 {m->gcm256_dec_update, m->gcm256_enc_update},
				 {m->gcm256_dec_finalize, m->gcm256_enc_finalize}};
}

static void set_gcm_128(struct mb *mb)
{
	const IMB_MGR *m = manager;

	m->gcm128_pre(mb->key, &mb->gcm_key);
	mb->fn = (struct mb_gcm){m->gcm128_init,
				 {m->gcm128_dec_update, m->gcm128_enc_update},
				 {m->gcm128_dec_finalize, m->gcm128_enc_finalize}};
}

static int mb_make(void **state, const struct aead_setup *setup)
{
	struct mb *mb;
	int err = ipsec_mb_check();

	if (err || setup->algorithm->ccm)
		return -ENOTSUP;
	mb = state_new(sizeof(*mb));
	if (!mb)
		return -ENOMEM;
	memcpy(mb->key, setup->key, setup->algorithm->key_bytes);
	mb->is_chacha = setup->id == DECANT_AEAD_CHACHA20_POLY1305;
	if (setup->id == DECANT_AEAD_AES_256_GCM)
		set_gcm_256(mb);
	else if (setup->id == DECANT_AEAD_AES_128_GCM)
		set_gcm_128(mb);
	*state = mb;
	return 0;
}

static int mb_clone(void **state, const void *from)
{
	struct mb *mb = state_new(sizeof(*mb));

	if (!mb)
		return -ENOMEM;
	memcpy(mb, from, sizeof(*mb));
	*state = mb;
	return 0;
}

static void start_with(struct mb *mb, const uint8_t *aad, size_t len)
{
	if (mb->is_chacha)
		manager->chacha20_poly1305_init(mb->key, &mb->chacha, mb->nonce, aad,
						len);
	else
		mb->fn.init(&mb->gcm_key, &mb->gcm, mb->nonce, aad, len);
}

/* Its additional data comes with the start, in one piece. */
static int mb_begin(void *state, const struct aead_start *start)
{
	struct mb *mb = state;

	mb->encrypt = start->encrypt;
	memcpy(mb->nonce, start->nonce, sizeof(mb->nonce));
	if (!start->aad_len)
		start_with(mb, mb->nonce, 0);
	return 0;
}

static int mb_aad(void *state, uint8_t *out, const uint8_t *in, size_t len, bool last)
{
	(void)out;
	(void)last;
	start_with(state, in, len);
	return 0;
}

static int mb_text(void *state, uint8_t *out, const uint8_t *in, size_t len, bool last)
{
	struct mb *mb = state;

	(void)last;
	if (!mb->is_chacha)
		mb->fn.update[mb->encrypt](&mb->gcm_key, &mb->gcm, out, in, len);
	else if (mb->encrypt)
		manager->chacha20_poly1305_enc_update(mb->key, &mb->chacha, out, in, len);
	else
		manager->chacha20_poly1305_dec_update(mb->key, &mb->chacha, out, in, len);
	return 0;
}

static int mb_finish(void *state, uint8_t *tag, const struct aead_start *start)
{
	struct mb *mb = state;
	uint8_t sum[DECANT_AEAD_TAG_BYTES];
	bool same;

	if (mb->is_chacha)
		manager->chacha20_poly1305_finalize(&mb->chacha, sum, sizeof(sum));
	else
		mb->fn.finalize[mb->encrypt](&mb->gcm_key, &mb->gcm, sum, sizeof(sum));
	same = mb->encrypt || !CRYPTO_memcmp(sum, tag, start->tag_bytes);
	if (mb->encrypt)
		memcpy(tag, sum, start->tag_bytes);
	OPENSSL_cleanse(sum, sizeof(sum));
	OPENSSL_cleanse(&mb->gcm, sizeof(mb->gcm));
	OPENSSL_cleanse(&mb->chacha, sizeof(mb->chacha));
	return same ? 0 : -EBADMSG;
}

static const struct aead_ops ops = {
	.id = DECANT_CRYPTO_IPSEC_MB,
	.grain = 1,
	.direct = 512,
	.most_aad = PASS_BATCH,
	.most_text = UINT64_MAX,
	.aad_whole = true,
	.make = mb_make,
	.clone = mb_clone,
	.free = mb_free,
	.begin = mb_begin,
	.aad = mb_aad,
	.text = mb_text,
	.finish = mb_finish,
};

const struct aead_ops *const aead_ipsec_mb = &ops;
