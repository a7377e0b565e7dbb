/* SPDX-License-Identifier: MIT */
/*
 * ccm.c - AES-CCM (RFC 3610, NIST SP 800-38C) out of OpenSSL's AES-CTR and AES-CBC, whose
 * last block is the CBC-MAC. Its own CCM wants the text in one piece.
 */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include "evp.h"
#include "internal.h"

#define BLOCK 16
#define CHUNK 4096 /* stays in the first cache between the two ciphers */

enum { CTR, CBC };

struct ccm {
	struct evp_pair aes;  /* in the modes below, both encrypting */
	size_t partial;	      /* bytes of block */
	uint8_t block[BLOCK]; /* of the MAC's input, not full yet */
	uint8_t mac[BLOCK];   /* after the blocks so far */
	uint8_t mask[BLOCK];  /* what hides the tag */
	size_t waste_used;
	uint8_t waste[CHUNK];
	bool encrypt;
};

static void ccm_free(void *state)
{
	struct ccm *c = state;

	evp_pair_free(&c->aes);
	state_free(c, sizeof(*c));
}

static int make_both(struct evp_pair *aes, const struct engine_setup *setup)
{
	bool wide = setup->key_bytes == 32;
	int err = evp_cipher_new(&aes->ctx[CTR], wide ? "AES-256-CTR" : "AES-128-CTR",
				 setup->key, true);

	if (err)
		return err;
	return evp_cipher_new(&aes->ctx[CBC], wide ? "AES-256-CBC" : "AES-128-CBC",
			      setup->key, true);
}

static int ccm_make(void **state, const struct engine_setup *setup)
{
	struct ccm *c = state_new(sizeof(*c));

	if (!c)
		return -ENOMEM;
	return state_settle(state, c, make_both(&c->aes, setup), ccm_free);
}

static int ccm_clone(void **state, const void *from)
{
	const struct ccm *model = from;
	struct ccm *c = state_new(sizeof(*c));

	if (!c)
		return -ENOMEM;
	return state_settle(state, c, evp_pair_clone(&c->aes, &model->aes), ccm_free);
}

static int mac_blocks(struct ccm *c, const uint8_t *in, size_t len)
{
	size_t n;
	int err = 0;

	for (; len && !err; in += n, len -= n) {
		n = least(len, CHUNK);
		c->waste_used = most(c->waste_used, n);
		err = evp_cipher_run(c->aes.ctx[CBC], c->waste, in, n);
		if (len == n && !err)
			memcpy(c->mac, c->waste + n - BLOCK, BLOCK);
	}
	return err;
}

/* Any number of bytes; what fills no block waits. */
static int mac(struct ccm *c, const uint8_t *in, size_t len)
{
	size_t n = c->partial ? least(len, BLOCK - c->partial) : 0, whole;
	int err = 0;

	memcpy(c->block + c->partial, in, n);
	c->partial += n;
	if (c->partial == BLOCK) {
		err = mac_blocks(c, c->block, BLOCK);
		c->partial = 0;
	}
	whole = (len - n) & ~(size_t)(BLOCK - 1);
	if (whole && !err)
		err = mac_blocks(c, in + n, whole);
	if (len > n + whole) {
		c->partial = len - n - whole;
		memcpy(c->block, in + n + whole, c->partial);
	}
	return err;
}

/* Zeroes up to the end of the block. */
static int mac_pad(struct ccm *c)
{
	if (!c->partial)
		return 0;
	memset(c->block + c->partial, 0, BLOCK - c->partial);
	c->partial = 0;
	return mac_blocks(c, c->block, BLOCK);
}

static void put_number(uint8_t *end, uint64_t number, size_t bytes)
{
	while (bytes--) {
		*--end = (uint8_t)number;
		number >>= 8;
	}
}

/* RFC 3610, 2.2: how the length of the additional data is written. */
static int mac_aad_length(struct ccm *c, uint64_t len)
{
	uint8_t head[10] = {0xff, 0xfe};

	if (len < 0xff00) {
		put_number(head + 2, len, 2);
		return mac(c, head, 2);
	}
	if (len <= UINT32_MAX) {
		put_number(head + 6, len, 4);
		return mac(c, head, 6);
	}
	head[1] = 0xff;
	put_number(head + 10, len, 8);
	return mac(c, head, 10);
}

/* RFC 3610, 2.3: counter block 0, whose encryption hides the tag. */
static int start_counter(struct ccm *c, const struct aead_start *start)
{
	uint8_t block[BLOCK] = {(uint8_t)(14 - start->nonce_bytes)};
	const uint8_t zeroes[BLOCK] = {0};

	memcpy(block + 1, start->nonce, start->nonce_bytes);
	if (!EVP_CipherInit_ex2(c->aes.ctx[CTR], NULL, NULL, block, 1, NULL))
		return -EIO;
	return evp_cipher_run(c->aes.ctx[CTR], c->mask, zeroes, BLOCK);
}

/* RFC 3610, 2.2: the first block of the MAC. */
static int start_mac(struct ccm *c, const struct aead_start *start)
{
	const uint8_t zeroes[BLOCK] = {0};
	uint8_t block[BLOCK];

	if (!EVP_CipherInit_ex2(c->aes.ctx[CBC], NULL, NULL, zeroes, 1, NULL))
		return -EIO;
	put_number(block + BLOCK, start->len, BLOCK - 1 - start->nonce_bytes);
	memcpy(block + 1, start->nonce, start->nonce_bytes);
	block[0] = (uint8_t)((start->aad_len ? 64 : 0) +
			     8 * ((start->tag_bytes - 2) / 2) + 14 - start->nonce_bytes);
	c->partial = 0;
	return mac(c, block, BLOCK);
}

static int ccm_begin(void *state, const struct aead_start *start)
{
	struct ccm *c = state;
	int err = start_counter(c, start);

	c->encrypt = start->encrypt;
	if (!err)
		err = start_mac(c, start);
	if (!err && start->aad_len)
		err = mac_aad_length(c, start->aad_len);
	return err;
}

static int ccm_aad(void *state, uint8_t *out, const uint8_t *in, size_t len, bool last)
{
	struct ccm *c = state;
	int err = mac(c, in, len);

	(void)out;
	return err || !last ? err : mac_pad(c);
}

static int ccm_chunk(struct ccm *c, uint8_t *out, const uint8_t *in, size_t len)
{
	int err = c->encrypt ? mac(c, in, len) : 0;

	if (!err)
		err = evp_cipher_run(c->aes.ctx[CTR], out, in, len);
	if (!err && !c->encrypt)
		err = mac(c, out, len);
	return err;
}

static int ccm_text(void *state, uint8_t *out, const uint8_t *in, size_t len, bool last)
{
	struct ccm *c = state;
	int err = 0;

	while (len && !err) {
		size_t n = least(len, CHUNK);

		err = ccm_chunk(c, out, in, n);
		out += n;
		in += n;
		len -= n;
	}
	return err || !last ? err : mac_pad(c);
}

static int ccm_finish(void *state, uint8_t *tag, const struct aead_start *start)
{
	struct ccm *c = state;
	bool same;

	for (size_t i = 0; i < BLOCK; i++)
		c->mac[i] ^= c->mask[i];
	same = start->encrypt || !CRYPTO_memcmp(c->mac, tag, start->tag_bytes);
	if (start->encrypt)
		memcpy(tag, c->mac, start->tag_bytes);
	return same ? 0 : -EBADMSG;
}

static void ccm_clean(void *state)
{
	struct ccm *c = state;

	OPENSSL_cleanse(c->block, sizeof(c->block));
	OPENSSL_cleanse(c->mac, sizeof(c->mac));
	OPENSSL_cleanse(c->mask, sizeof(c->mask));
	OPENSSL_cleanse(c->waste, c->waste_used);
	c->waste_used = 0;
}

const struct aead_ops aead_ccm = {
	.common = {DECANT_CRYPTO_OPENSSL, ccm_make, ccm_clone, ccm_free},
	.grain = 16,
	.direct = {[DECANT_AEAD_AES_256_CCM] = 768, [DECANT_AEAD_AES_128_CCM] = 768},
	.most_aad = UINT64_MAX,
	.most_text = UINT64_MAX,
	.begin = ccm_begin,
	.aad = ccm_aad,
	.text = ccm_text,
	.finish = ccm_finish,
	.clean = ccm_clean,
};
