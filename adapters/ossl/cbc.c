/* SPDX-License-Identifier: MIT */
/*
 * cbc.c - AES-CBC by OpenSSL, and ciphertext stealing on top of it. OpenSSL's own wants
 * the text in one piece.
 */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include "evp.h"
#include "internal.h"
#include "modes.h"

struct cbc {
	struct evp_pair aes;
	bool cts, encrypt;
	uint8_t chain[BLOCK]; /* the last block of ciphertext, or the IV */
};

static void cbc_free(void *state)
{
	struct cbc *c = state;

	evp_pair_free(&c->aes);
	state_free(c, sizeof(*c));
}

static int cbc_make(void **state, const struct engine_setup *setup)
{
	const char *name = setup->key_bytes == 32 ? "AES-256-CBC" : "AES-128-CBC";
	struct cbc *c = state_new(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->cts = setup->algorithm == DECANT_CIPHER_AES_256_CTS ||
		 setup->algorithm == DECANT_CIPHER_AES_128_CTS;
	return state_settle(state, c, evp_pair_new(&c->aes, name, setup->key), cbc_free);
}

static int cbc_clone(void **state, const void *from)
{
	const struct cbc *model = from;
	struct cbc *c = state_new(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->cts = model->cts;
	return state_settle(state, c, evp_pair_clone(&c->aes, &model->aes), cbc_free);
}

static int cbc_begin(void *state, const uint8_t *iv, bool encrypt)
{
	struct cbc *c = state;

	c->encrypt = encrypt;
	memcpy(c->chain, iv, BLOCK);
	if (!EVP_CipherInit_ex2(c->aes.ctx[encrypt], NULL, NULL, iv, encrypt, NULL))
		return -EIO;
	return 0;
}

static int blocks(struct cbc *c, uint8_t *out, const uint8_t *in, size_t len)
{
	if (!len)
		return 0;
	if (!c->encrypt)
		memcpy(c->chain, in + len - BLOCK, BLOCK);
	return evp_cipher_run(c->aes.ctx[c->encrypt], out, in, len);
}

static void mix(uint8_t *to, const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = a[i] ^ b[i];
}

/* One block and 1 to 16 bytes: zeroes fill the second one, and the two are swapped. */
static int steal(struct cbc *c, uint8_t *out, const uint8_t *in, size_t rest)
{
	uint8_t first[BLOCK], second[BLOCK] = {0};
	int err;

	memcpy(second, in + BLOCK, rest);
	err = blocks(c, first, in, BLOCK);
	if (!err)
		err = blocks(c, second, second, BLOCK);
	memcpy(out, second, BLOCK);
	memcpy(out + BLOCK, first, rest);
	return err;
}

/*
 * The first block's decryption holds what the second one's ciphertext lacks. The chain
 * that CBC mixes in is not the one that is wanted: it is taken out by hand.
 */
static int give_back(struct cbc *c, uint8_t *out, const uint8_t *in, size_t rest)
{
	uint8_t chain[BLOCK], swapped[BLOCK], plain[BLOCK], full[BLOCK], first[BLOCK];
	int err;

	memcpy(chain, c->chain, BLOCK);
	memcpy(swapped, in, BLOCK);
	err = blocks(c, plain, swapped, BLOCK);
	mix(plain, plain, chain, BLOCK);
	memcpy(full, plain, BLOCK);
	memcpy(full, in + BLOCK, rest);
	mix(plain, plain, full, rest);
	if (!err)
		err = blocks(c, first, full, BLOCK);
	mix(first, first, swapped, BLOCK);
	mix(out, first, chain, BLOCK);
	memcpy(out + BLOCK, plain, rest);
	OPENSSL_cleanse(plain, sizeof(plain));
	OPENSSL_cleanse(first, sizeof(first));
	OPENSSL_cleanse(full, sizeof(full));
	return err;
}

static int cbc_feed(void *state, uint8_t *out, const uint8_t *in, size_t len, bool last)
{
	struct cbc *c = state;
	size_t rest = len % BLOCK ? len % BLOCK : BLOCK, head = len;
	int err;

	/* A text of one block has nobody to steal from. */
	if (c->cts && last && len > BLOCK)
		head = len - BLOCK - rest;
	err = blocks(c, out, in, head);
	if (err || head == len)
		return err;
	return c->encrypt ? steal(c, out + head, in + head, rest)
			  : give_back(c, out + head, in + head, rest);
}

const struct cipher_ops cipher_cbc = {
	.common = {DECANT_CRYPTO_OPENSSL, cbc_make, cbc_clone, cbc_free},
	.tail = 2 * BLOCK,
	.direct = 1024,
	.begin = cbc_begin,
	.feed = cbc_feed,
};
