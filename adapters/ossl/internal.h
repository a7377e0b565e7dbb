/* SPDX-License-Identifier: MIT */
#ifndef OSSL_INTERNAL_H
#define OSSL_INTERNAL_H
/* internal.h - what an algorithm is, and what a back end of an AEAD must know. */
#include <decant/aead.h>
#include "engine.h"
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
 * @most_text: bytes; of CCM the nonce says
 * @most_aad: bytes
 */
struct aead_algorithm {
	const char *name, *kernel;
	size_t key_bytes;
	size_t nonce_least, nonce_most;
	size_t tag_least, tag_step;
	uint64_t most_text, most_aad;
};

/* Text and MAC are ours to compose, and the nonce leaves room for the length. */
static inline bool is_ccm(unsigned algorithm)
{
	return algorithm == DECANT_AEAD_AES_256_CCM ||
	       algorithm == DECANT_AEAD_AES_128_CCM;
}

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

/**
 * struct aead_ops - one back end
 * @common: which one, and its state
 * @grain: text and AAD come in multiples of this but for the last, see struct pass
 * @direct: for each algorithm, pieces from here on are worth a call of their own; see
 *	bench-thresholds
 * @most_aad: bytes of additional data it takes
 * @most_text: bytes of text it takes
 * @aad_whole: it wants its additional data in one call
 * @begin: a message
 * @aad: some of its additional data; @out is NULL
 * @text: some of its text
 * @finish: compute the tag, or verify it: -EBADMSG
 * @clean: NULL, or: a message is over, well or not: wipe what is of that alone
 * @whole: NULL, or: all of that at once, in place of @begin to @finish
 */
struct aead_ops {
	struct engine_ops common;
	size_t grain;
	size_t direct[AEADS];
	uint64_t most_aad, most_text;
	bool aad_whole;
	int (*begin)(void *state, const struct aead_start *start);
	pass_feed *aad, *text;
	int (*finish)(void *state, uint8_t *tag, const struct aead_start *start);
	void (*clean)(void *state);
	int (*whole)(void *state, struct aead_request *rq, const struct aead_start *start,
		     struct scratch *scratch);
};

extern const struct aead_ops aead_evp, aead_ccm;
/* NULL where decant was built without it. */
extern const struct aead_ops *const aead_ipsec_mb, *const aead_af_alg;

/* Whose turn it is for len bytes, where both could do it: the measured table. */
enum decant_crypto_backend aead_choice(enum decant_aead_algorithm algorithm, size_t len);

/* The options that were given, or none; -EINVAL for a size of another library. */
int options_read(struct decant_crypto_options *options,
		 const struct decant_crypto_options *given);
#endif
