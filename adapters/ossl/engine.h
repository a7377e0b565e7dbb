/* SPDX-License-Identifier: MIT */
#ifndef OSSL_ENGINE_H
#define OSSL_ENGINE_H
/* engine.h - a back end with a key in it, and those that one context has. */
#include <decant/crypto.h>

/**
 * struct engine_setup - what a back end is made from; all of it has been checked
 * @algorithm: of enum decant_aead_algorithm, or of enum decant_cipher_algorithm
 * @name: OpenSSL's, of an AEAD that it has as a whole
 * @kernel: AF_ALG's
 * @key: the key
 * @key_bytes: its size
 * @nonce_bytes: of an AEAD
 * @tag_bytes: of an AEAD
 * @unit: of XTS, bytes; else 0
 */
struct engine_setup {
	unsigned algorithm;
	const char *name, *kernel;
	const uint8_t *key;
	size_t key_bytes;
	size_t nonce_bytes, tag_bytes;
	size_t unit;
};

/**
 * struct engine_ops - how the state of a back end comes and goes
 * @id: which back end
 * @make: a state, in *@state; 0, -ENOTSUP, -ENOMEM or another errno
 * @clone: another one like it
 * @free: wipe and free it
 */
struct engine_ops {
	enum decant_crypto_backend id;
	int (*make)(void **state, const struct engine_setup *setup);
	int (*clone)(void **state, const void *from);
	void (*free)(void *state);
};

struct engine {
	const struct engine_ops *ops;
	void *state;
};

/* The second one is IPsec-MB, where the choice is ours. */
struct engines {
	struct engine at[2];
	size_t nr;
};

/* Who could do it; NULL for who could not, or is not built in. */
struct engine_offer {
	const struct engine_ops *openssl, *ipsec_mb, *af_alg;
};

/*
 * What a context asked for, from nothing. On error there may be some all the same, for
 * engines_free(). OpenSSL's queue of errors is left as it was.
 */
int engines_make(struct engines *engines, enum decant_crypto_backend backend,
		 const struct engine_offer *offer, const struct engine_setup *setup);
int engines_clone(struct engines *to, const struct engines *from);
void engines_free(struct engines *engines);

/* 0, or why it can't be used. */
int ipsec_mb_check(void);
int af_alg_check(void);
/* It uses the instructions that the measured table was made with. */
bool ipsec_mb_is_wide(void);

/* Memory for a state that holds keys: aligned for vectors, zeroes; and back, wiped. */
void *state_new(size_t bytes);
void state_free(void *state, size_t bytes);

/* The end of a make or a clone: hand the state out, or drop it and say why. */
int state_settle(void **out, void *state, int err, void (*drop)(void *state));
#endif
