/* SPDX-License-Identifier: MIT */
/* af_alg.c - the kernel as a back end: AEADs, storage ciphers, digests. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include "af_alg.h"
#include "hashes.h"
#include "internal.h"
#include "modes.h"

/* --- AEADs: a message is a request; AAD, text and tag in a row --- */

struct aead_alg {
	struct alg alg;
	bool ccm;
};

static void aead_alg_free(void *state)
{
	struct aead_alg *a = state;

	alg_close(&a->alg);
	state_free(a, sizeof(*a));
}

static int aead_alg_make(void **state, const struct engine_setup *setup)
{
	struct alg_key key = {"aead", setup->kernel, setup->key, setup->key_bytes,
			      setup->tag_bytes};
	struct aead_alg *a = state_new(sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->ccm = is_ccm(setup->algorithm);
	return state_settle(state, a, alg_open(&a->alg, &key), aead_alg_free);
}

static int aead_alg_clone(void **state, const void *from)
{
	const struct aead_alg *model = from;
	struct aead_alg *a = state_new(sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->ccm = model->ccm;
	return state_settle(state, a, alg_clone(&a->alg, &model->alg), aead_alg_free);
}

/* Of CCM the kernel wants the first block as RFC 3610 has it: one less than the size of
 * the length, the nonce, and zeroes. */
static size_t iv_of(const struct aead_alg *a, const struct aead_start *start,
		    uint8_t iv[BLOCK])
{
	memset(iv, 0, BLOCK);
	if (!a->ccm) {
		memcpy(iv, start->nonce, start->nonce_bytes);
		return start->nonce_bytes;
	}
	iv[0] = (uint8_t)(14 - start->nonce_bytes);
	memcpy(iv + 1, start->nonce, start->nonce_bytes);
	return BLOCK;
}

static int push_message(struct aead_alg *a, struct aead_request *rq,
			const struct aead_start *start)
{
	struct decant_iter aad = rq->aad ? *rq->aad : (struct decant_iter){0};
	bool tag = !rq->encrypt;
	ssize_t got;
	int err = 0;

	if (start->aad_len)
		err = alg_push(&a->alg, &aad, start->aad_len, rq->len || tag);
	if (!err && rq->len)
		err = alg_push(&a->alg, &rq->src, rq->len, tag);
	if (err || !tag)
		return err;
	if (rq->appended) {
		got = decant_copy_to(rq->tag, &rq->src, start->tag_bytes);
		if (got != (ssize_t)start->tag_bytes)
			return got < 0 ? (int)got : -EFAULT;
	}
	return alg_push_flat(&a->alg, rq->tag, start->tag_bytes, false);
}

static int exchange(struct aead_alg *a, struct aead_request *rq,
		    const struct aead_start *start)
{
	uint8_t iv[BLOCK];
	struct alg_request control = {rq->encrypt, true, iv, iv_of(a, start, iv),
				      start->aad_len};
	int err = alg_begin(&a->alg, &control);

	if (!err)
		err = push_message(a, rq, start);
	if (!err)
		err = alg_pull(&a->alg, start->aad_len, &rq->dst, rq->len, rq->tag,
			       rq->encrypt ? start->tag_bytes : 0);
	return err;
}

/*
 * Nothing to receive means for the kernel that nothing is to be done: the tag of an empty
 * message without additional data would not be looked at. That one is not for it.
 */
static int aead_alg_whole(void *state, struct aead_request *rq,
			  const struct aead_start *start, struct scratch *scratch)
{
	struct aead_alg *a = state;
	int err = rq->len || start->aad_len ? exchange(a, rq, start) : -EMSGSIZE;
	ssize_t got;

	(void)scratch;
	if (err) {
		(void)!alg_reset(&a->alg);
		return err;
	}
	if (!rq->encrypt || !rq->appended)
		return 0;
	got = decant_copy_from(&rq->dst, rq->tag, start->tag_bytes);
	if (got == (ssize_t)start->tag_bytes)
		return 0;
	return got < 0 ? (int)got : -EFAULT;
}

static const struct aead_ops aead_ops = {
	.common = {DECANT_CRYPTO_AF_ALG, aead_alg_make, aead_alg_clone, aead_alg_free},
	.most_aad = ALG_AAD,
	.most_text = ALG_TEXT,
	.whole = aead_alg_whole,
};
const struct aead_ops *const aead_af_alg = &aead_ops;

/* --- storage: a request is a unit of XTS, or a stretch of CBC, or all of CTS --- */

struct cipher_alg {
	struct alg alg;
	enum decant_cipher_algorithm id;
	size_t unit;
};

static void cipher_alg_free(void *state)
{
	struct cipher_alg *c = state;

	alg_close(&c->alg);
	state_free(c, sizeof(*c));
}

static int cipher_alg_make(void **state, const struct engine_setup *setup)
{
	struct alg_key key = {"skcipher", setup->kernel, setup->key, setup->key_bytes, 0};
	struct cipher_alg *c = state_new(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->id = (enum decant_cipher_algorithm)setup->algorithm;
	c->unit = setup->unit;
	return state_settle(state, c, alg_open(&c->alg, &key), cipher_alg_free);
}

static int cipher_alg_clone(void **state, const void *from)
{
	const struct cipher_alg *model = from;
	struct cipher_alg *c = state_new(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->id = model->id;
	c->unit = model->unit;
	return state_settle(state, c, alg_clone(&c->alg, &model->alg), cipher_alg_free);
}

static int one_request(struct cipher_alg *c, struct cipher_request *rq, const uint8_t *iv,
		       size_t len)
{
	struct alg_request control = {rq->encrypt, false, iv, BLOCK, 0};
	int err = alg_begin(&c->alg, &control);

	if (!err)
		err = alg_push(&c->alg, &rq->src, len, false);
	return err ? err : alg_pull(&c->alg, 0, &rq->dst, len, NULL, 0);
}

static void next_number(uint8_t iv[BLOCK])
{
	for (size_t i = 0; i < BLOCK && !++iv[i]; i++)
		;
}

/* By way of the flat memory: the last block of ciphertext begins the next stretch. */
static int one_stretch(struct cipher_alg *c, struct cipher_request *rq, uint8_t *iv,
		       size_t len)
{
	struct alg_request control = {rq->encrypt, false, iv, BLOCK, 0};
	struct iovec iov = {c->alg.flat, len};
	struct decant_iter flat;
	uint8_t last[BLOCK];
	ssize_t got = decant_copy_to(c->alg.flat, &rq->src, len);
	int err = got == (ssize_t)len ? 0 : got < 0 ? (int)got : -EFAULT;

	memcpy(last, c->alg.flat + len - BLOCK, BLOCK);
	if (!err)
		err = alg_begin(&c->alg, &control);
	if (!err)
		err = alg_push_flat(&c->alg, c->alg.flat, len, false);
	if (!err)
		err = decant_iter_iovec(&flat, DECANT_DEST, &iov, 1);
	if (!err)
		err = alg_pull(&c->alg, 0, &flat, len, NULL, 0);
	if (err)
		return err;
	memcpy(iv, rq->encrypt ? c->alg.flat + len - BLOCK : last, BLOCK);
	got = decant_copy_from(&rq->dst, c->alg.flat, len);
	return got == (ssize_t)len ? 0 : got < 0 ? (int)got : -EFAULT;
}

static int requests(struct cipher_alg *c, struct cipher_request *rq)
{
	bool cbc =
		c->id == DECANT_CIPHER_AES_256_CBC || c->id == DECANT_CIPHER_AES_128_CBC;
	size_t most = c->unit ? c->unit : ALG_TEXT, left = rq->len, n;
	uint8_t iv[BLOCK];
	int err = 0;

	memcpy(iv, rq->iv, BLOCK);
	for (; left && !err; left -= n) {
		n = least(left, most);
		err = cbc ? one_stretch(c, rq, iv, n) : one_request(c, rq, iv, n);
		if (c->unit)
			next_number(iv);
	}
	return err;
}

static int cipher_alg_whole(void *state, struct cipher_request *rq,
			    struct scratch *scratch)
{
	struct cipher_alg *c = state;
	int err;

	(void)scratch;
	if (c->id >= DECANT_CIPHER_AES_256_CTS && rq->len > ALG_TEXT)
		return -EMSGSIZE;
	err = requests(c, rq);
	OPENSSL_cleanse(c->alg.flat, least(rq->len, ALG_TEXT));
	if (err)
		(void)!alg_reset(&c->alg);
	return err;
}

static const struct cipher_ops cipher_ops = {
	.common = {DECANT_CRYPTO_AF_ALG, cipher_alg_make, cipher_alg_clone,
		   cipher_alg_free},
	.whole = cipher_alg_whole,
};
const struct cipher_ops *const cipher_af_alg = &cipher_ops;

/* --- digests: a message's bytes in any number of sends --- */

static int hash_update(struct decant_digest *digest, const void *addr, size_t len)
{
	const struct alg *alg = digest->state;

	while (len) {
		ssize_t n = send(alg->op, addr, len, MSG_MORE);

		if (n <= 0)
			return n ? -errno : -EIO;
		addr = (const uint8_t *)addr + n;
		len -= (size_t)n;
	}
	return 0;
}

static int hash_final(struct decant_digest *digest, void *out)
{
	const struct alg *alg = digest->state;
	ssize_t n = recv(alg->op, out, digest->ops->bytes, 0);

	if (n < 0)
		return -errno;
	return n == (ssize_t)digest->ops->bytes ? 0 : -EIO;
}

static void hash_fini(struct decant_digest *digest)
{
	alg_close(digest->state);
	state_free(digest->state, sizeof(struct alg));
}

/* A socket accepted from one that is in the middle of a message goes on from there. */
static int hash_clone(struct decant_digest *to, const struct decant_digest *from)
{
	const struct alg *model = from->state;
	struct alg *alg = state_new(sizeof(*alg));
	int err = alg ? alg_clone(alg, model) : -ENOMEM;

	if (!err && from->begun) {
		close(alg->op);
		alg->op = accept4(model->op, NULL, NULL, SOCK_CLOEXEC);
		err = alg->op < 0 ? -errno : 0;
		if (err)
			alg_close(alg);
	}
	if (err)
		state_free(alg, sizeof(*alg));
	to->state = alg;
	return err;
}

#define HASH(name, bytes, secret)                                                        \
	{                                                                                \
		name, bytes, 512, secret, NULL, hash_update, hash_final, hash_clone,     \
			hash_fini                                                        \
	}

static const struct {
	const char *kernel;
	struct decant_digest_ops ops;
} hashes[] = {
	[DECANT_HASH_SHA_256] = {"sha256", HASH("sha-256", 32, false)},
	[DECANT_HASH_SHA_512] = {"sha512", HASH("sha-512", 64, false)},
	[DECANT_HASH_BLAKE2B] = {"blake2b-512", HASH("blake2b", 64, false)},
	[DECANT_HASH_HMAC_SHA_256] = {"hmac(sha256)", HASH("hmac-sha-256", 32, true)},
	[DECANT_HASH_HMAC_SHA_512] = {"hmac(sha512)", HASH("hmac-sha-512", 64, true)},
};

int hash_af_alg(struct decant_digest *digest, const struct hash_setup *setup)
{
	bool keyed = setup->id >= DECANT_HASH_HMAC_SHA_256;
	struct alg_key key = {.type = "hash",
			      .key = keyed ? setup->key : NULL,
			      .key_len = setup->key_len};
	struct alg *alg;
	int err;

	if (setup->id > DECANT_HASH_HMAC_SHA_512 || (setup->key_len && !keyed))
		return -ENOTSUP;
	alg = state_new(sizeof(*alg));
	key.name = hashes[setup->id].kernel;
	err = alg ? alg_open(alg, &key) : -ENOMEM;
	if (err) {
		state_free(alg, sizeof(*alg));
		return err;
	}
	digest->ops = &hashes[setup->id].ops;
	digest->state = alg;
	return 0;
}
