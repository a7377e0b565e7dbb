/* SPDX-License-Identifier: MIT */
#ifndef OSSL_MODES_H
#define OSSL_MODES_H
/* modes.h - what a back end of a cipher for storage must know. */
#include <decant/cipher.h>
#include "engine.h"
#include "pass.h"

#define BLOCK 16

struct cipher_request {
	struct decant_iter dst, src;
	size_t len;
	const uint8_t *iv;
	bool encrypt;
};

/**
 * struct cipher_ops - one back end of one mode
 * @common: which one, and its state
 * @tail: the last call gets at least so many bytes, or all there are
 * @direct: pieces from here on are worth a call of their own; see bench-thresholds
 * @begin: a text
 * @feed: some of it, in multiples of a block but for the last
 * @clean: NULL, or: a text is over, well or not: wipe what is of that alone
 * @whole: NULL, or: all of that at once, in place of @begin and @feed
 */
struct cipher_ops {
	struct engine_ops common;
	size_t tail, direct;
	int (*begin)(void *state, const uint8_t *iv, bool encrypt);
	pass_feed *feed;
	void (*clean)(void *state);
	int (*whole)(void *state, struct cipher_request *rq, struct scratch *scratch);
};

extern const struct cipher_ops cipher_cbc, cipher_xts;
/* NULL where decant was built without it. */
extern const struct cipher_ops *const cipher_xts_ipsec_mb, *const cipher_af_alg;

/**
 * struct ecb_ops - AES on whole blocks, what XTS is made of
 * @make: a state for a key of AES
 * @clone: another one like it
 * @free: wipe and free it
 * @run: as many blocks as wanted in a call, in place or not
 * @unit_least: units from here on that lie in one piece are the library's own business;
 *	0: it has none
 * @unit_make: a state for a key of XTS; @clone and @free are for it as well
 * @unit: one such unit
 */
struct ecb_ops {
	int (*make)(void **state, const uint8_t *key, size_t key_bytes);
	int (*clone)(void **state, const void *from);
	void (*free)(void *state);
	int (*run)(void *state, uint8_t *out, const uint8_t *in, size_t len,
		   bool encrypt);
	size_t unit_least;
	int (*unit_make)(void **state, const uint8_t *key, size_t key_bytes);
	int (*unit)(void *state, uint8_t *out, const uint8_t *in, size_t len,
		    const uint8_t iv[BLOCK], bool encrypt);
};

/* OpenSSL's. */
extern const struct ecb_ops ecb_evp;

/* XTS over one of these, for a back end's table. */
int xts_make(void **state, const struct engine_setup *setup, const struct ecb_ops *ops);
int xts_clone(void **state, const void *from);
void xts_free(void *state);
int xts_begin(void *state, const uint8_t *iv, bool encrypt);
pass_feed xts_feed;
void xts_clean(void *state);

/* Whose turn it is for len bytes, where both could do it: the measured table. */
enum decant_crypto_backend cipher_choice(enum decant_cipher_algorithm algorithm,
					 size_t len);
#endif
