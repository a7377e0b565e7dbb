/* SPDX-License-Identifier: MIT */
#ifndef OSSL_INTERNAL_H
#define OSSL_INTERNAL_H
/* internal.h - what an algorithm is, and what a back end of an AEAD must know. */
#include <decant/aead.h>
#include "pass.h"

/**
 * struct aead_algorithm - one authenticated cipher; a constant
 * @name: OpenSSL's; of the block cipher's counter mode with CCM
 * @kernel: AF_ALG's
 * @key_bytes: exactly
 * @nonce_least: bytes
 * @nonce_most: bytes
 * @tag_least: bytes
 * @tag_step: tags are of so many bytes more or less, up to 16
 * @most_text: bytes; of CCM @ccm says
 * @most_aad: bytes
 * @ccm: text and MAC are ours to compose, and the nonce leaves room for the length
 */
struct aead_algorithm {
	const char *name, *kernel;
	size_t key_bytes;
	size_t nonce_least, nonce_most;
	size_t tag_least, tag_step;
	uint64_t most_text, most_aad;
	bool ccm;
};

#define AEADS (DECANT_AEAD_AES_128_CCM + 1)

/* What was asked for, and how far it went. */
struct aead_request {
	struct decant_iter dst, src;
	size_t len;
	const struct decant_iter *aad;
	const uint8_t *nonce;
	uint8_t *tag; /* made, or to be verified */
	bool encrypt;
	bool appended; /* the tag is behind the text */
};

/* What is fixed before the first byte. */
struct aead_start {
	const uint8_t *nonce;
	size_t nonce_bytes, tag_bytes;
	uint64_t aad_len, len;
	bool encrypt;
};

/* What a back end is made from. */
struct aead_setup {
	enum decant_aead_algorithm id;
	const struct aead_algorithm *algorithm;
	const uint8_t *key;
	size_t nonce_bytes, tag_bytes;
};

/**
 * struct aead_ops - one back end
 * @id: which one
 * @grain: text and AAD come in multiples of this but for the last, see struct pass
 * @direct: for each algorithm, pieces from here on are worth a call of their own; see
 *	bench-thresholds
 * @most_aad: bytes of additional data it takes
 * @most_text: bytes of text it takes
 * @aad_whole: it wants its additional data in one call
 * @make: a state for a key, in *@state; 0, -ENOTSUP, -ENOMEM or another errno
 * @clone: another one like it
 * @free: wipe and free it
 * @begin: a message
 * @aad: some of its additional data; @out is NULL
 * @text: some of its text
 * @finish: compute the tag, or verify it: -EBADMSG
 * @whole: NULL, or: all of that at once, in place of the four above
 */
struct aead_ops {
	enum decant_crypto_backend id;
	size_t grain;
	size_t direct[AEADS];
	uint64_t most_aad, most_text;
	bool aad_whole;
	int (*make)(void **state, const struct aead_setup *setup);
	int (*clone)(void **state, const void *from);
	void (*free)(void *state);
	int (*begin)(void *state, const struct aead_start *start);
	pass_feed *aad, *text;
	int (*finish)(void *state, uint8_t *tag, const struct aead_start *start);
	int (*whole)(void *state, struct aead_request *rq, const struct aead_start *start,
		     struct scratch *scratch);
};

extern const struct aead_ops aead_evp, aead_ccm;
/* NULL where decant was built without it. */
extern const struct aead_ops *const aead_ipsec_mb, *const aead_af_alg;

/* 0, or why it can't be used. */
int ipsec_mb_check(void);
int af_alg_check(void);
/* It uses the instructions that the measured table was made with. */
bool ipsec_mb_is_wide(void);

/* Whose turn it is for len bytes, where both could do it: the measured table. */
enum decant_crypto_backend aead_choice(enum decant_aead_algorithm algorithm, size_t len);

/* Memory for a state that holds keys: aligned for vectors, zeroes; and back, wiped. */
void *state_new(size_t bytes);
void state_free(void *state, size_t bytes);

/* The options that were given, or none; -EINVAL for a size of another library. */
int options_read(struct decant_crypto_options *options,
		 const struct decant_crypto_options *given);
#endif
