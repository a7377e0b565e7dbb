/* SPDX-License-Identifier: MIT */
/*
 * ipsec_mb.c - AES-GCM, ChaCha20-Poly1305 and XTS' AES by Intel's multi-buffer library.
 *
 * Of its manager only the table of functions is used where that is possible; it is filled
 * in once for the process and never changes. AES on many blocks is a job of a manager,
 * which is one thread's at a time and too large for every context to have: a few are kept
 * for all, and whoever finds them busy lets OpenSSL do it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include "internal.h"
#include "modes.h"

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

static int mb_make(void **state, const struct engine_setup *setup)
{
	struct mb *mb;
	int err = ipsec_mb_check();

	if (err || is_ccm(setup->algorithm))
		return -ENOTSUP;
	mb = state_new(sizeof(*mb));
	if (!mb)
		return -ENOMEM;
	memcpy(mb->key, setup->key, setup->key_bytes);
	mb->is_chacha = setup->algorithm == DECANT_AEAD_CHACHA20_POLY1305;
	if (setup->algorithm == DECANT_AEAD_AES_256_GCM)
		set_gcm_256(mb);
	else if (setup->algorithm == DECANT_AEAD_AES_128_GCM)
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
	return same ? 0 : -EBADMSG;
}

static void mb_clean(void *state)
{
	struct mb *mb = state;

	OPENSSL_cleanse(&mb->gcm, sizeof(mb->gcm));
	OPENSSL_cleanse(&mb->chacha, sizeof(mb->chacha));
}

static const struct aead_ops ops = {
	.common = {DECANT_CRYPTO_IPSEC_MB, mb_make, mb_clone, mb_free},
	.grain = 1,
	.direct = {[DECANT_AEAD_AES_256_GCM] = 512,
		   [DECANT_AEAD_AES_128_GCM] = 512,
		   [DECANT_AEAD_CHACHA20_POLY1305] = 2048},
	.most_aad = PASS_BATCH,
	.most_text = UINT64_MAX,
	.aad_whole = true,
	.begin = mb_begin,
	.aad = mb_aad,
	.text = mb_text,
	.finish = mb_finish,
	.clean = mb_clean,
};

const struct aead_ops *const aead_ipsec_mb = &ops;

/* --- XTS --- */

#define LANES 8

static struct lane {
	atomic_flag busy;
	IMB_MGR *manager; /* made when it is first needed */
} lanes[LANES];

struct mb_ecb {
	_Alignas(16) uint8_t enc[16 * 15], dec[16 * 15];
	size_t key_bytes;
	void *other; /* OpenSSL's, for when all lanes are busy */
};

static struct lane *lane_get(void)
{
	for (size_t i = 0; i < LANES; i++)
		if (!atomic_flag_test_and_set_explicit(&lanes[i].busy,
						       memory_order_acquire))
			return &lanes[i];
	return NULL;
}

static void lane_put(struct lane *lane)
{
	atomic_flag_clear_explicit(&lane->busy, memory_order_release);
}

static bool lane_ready(struct lane *lane)
{
	IMB_ARCH arch;

	if (lane->manager)
		return true;
	lane->manager = alloc_mb_mgr(0);
	if (lane->manager)
		init_mb_mgr_auto(lane->manager, &arch);
	return lane->manager;
}

static void ecb_free(void *state)
{
	struct mb_ecb *e = state;

	if (e->other)
		ecb_evp.free(e->other);
	state_free(e, sizeof(*e));
}

static int ecb_make(void **state, const uint8_t *key, size_t key_bytes)
{
	struct mb_ecb *e;
	int err = ipsec_mb_check();

	if (err)
		return err;
	e = state_new(sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->key_bytes = key_bytes;
	(key_bytes == 32 ? manager->keyexp_256 : manager->keyexp_128)(key, e->enc,
								      e->dec);
	return state_settle(state, e, ecb_evp.make(&e->other, key, key_bytes), ecb_free);
}

static int ecb_clone(void **state, const void *from)
{
	const struct mb_ecb *model = from;
	struct mb_ecb *e = state_new(sizeof(*e));

	if (!e)
		return -ENOMEM;
	memcpy(e, model, sizeof(*e));
	e->other = NULL;
	return state_settle(state, e, ecb_evp.clone(&e->other, model->other), ecb_free);
}

static bool job(IMB_MGR *m, const struct mb_ecb *e, uint8_t *out, const uint8_t *in,
		size_t len, bool encrypt)
{
	IMB_JOB *j = m->get_next_job(m);

	j->cipher_mode = IMB_CIPHER_ECB;
	j->cipher_direction = encrypt ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	j->chain_order = encrypt ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	j->hash_alg = IMB_AUTH_NULL;
	j->enc_keys = e->enc;
	j->dec_keys = e->dec;
	j->key_len_in_bytes = e->key_bytes;
	j->src = in;
	j->dst = out;
	j->cipher_start_src_offset_in_bytes = 0;
	j->msg_len_to_cipher_in_bytes = len;
	j->iv = NULL;
	j->iv_len_in_bytes = 0;
	j = m->submit_job_nocheck(m);
	return j && j->status == IMB_STATUS_COMPLETED;
}

static int ecb_run(void *state, uint8_t *out, const uint8_t *in, size_t len, bool encrypt)
{
	struct mb_ecb *e = state;
	struct lane *lane = lane_get();
	bool done = false;

	if (lane) {
		done = lane_ready(lane) && job(lane->manager, e, out, in, len, encrypt);
		lane_put(lane);
	}
	return done ? 0 : ecb_evp.run(e->other, out, in, len, encrypt);
}

static const struct ecb_ops ecb_mb = {
	.make = ecb_make, .clone = ecb_clone, .free = ecb_free, .run = ecb_run};

static int mb_xts_make(void **state, const struct engine_setup *setup)
{
	return xts_make(state, setup, &ecb_mb);
}

static const struct cipher_ops xts_ops = {
	.common = {DECANT_CRYPTO_IPSEC_MB, mb_xts_make, xts_clone, xts_free},
	.tail = 2 * BLOCK,
	.direct = 768,
	.begin = xts_begin,
	.feed = xts_feed,
	.clean = xts_clean,
};
const struct cipher_ops *const cipher_xts_ipsec_mb = &xts_ops;
