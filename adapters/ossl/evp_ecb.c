/* SPDX-License-Identifier: MIT */
/* evp_ecb.c - OpenSSL's AES on many blocks, and on an XTS unit in one piece. */
#include <errno.h>
#include "evp.h"
#include "internal.h"
#include "modes.h"

/* Measured (bench-cipher): below this, a call with a new IV costs more than it saves. */
#define UNIT 1024

static void evp_free(void *state)
{
	struct evp_pair *pair = state;

	evp_pair_free(pair);
	state_free(pair, sizeof(*pair));
}

static int make(void **state, const char *name, const uint8_t *key)
{
	struct evp_pair *pair = state_new(sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	return state_settle(state, pair, evp_pair_new(pair, name, key), evp_free);
}

static int evp_make(void **state, const uint8_t *key, size_t key_bytes)
{
	return make(state, key_bytes == 32 ? "AES-256-ECB" : "AES-128-ECB", key);
}

static int evp_unit_make(void **state, const uint8_t *key, size_t key_bytes)
{
	return make(state, key_bytes == 64 ? "AES-256-XTS" : "AES-128-XTS", key);
}

static int evp_clone(void **state, const void *from)
{
	struct evp_pair *pair = state_new(sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	return state_settle(state, pair, evp_pair_clone(pair, from), evp_free);
}

static int evp_run(void *state, uint8_t *out, const uint8_t *in, size_t len, bool encrypt)
{
	struct evp_pair *e = state;

	return evp_cipher_run(e->ctx[encrypt], out, in, len);
}

static int evp_unit(void *state, uint8_t *out, const uint8_t *in, size_t len,
		    const uint8_t iv[BLOCK], bool encrypt)
{
	struct evp_pair *e = state;

	if (!EVP_CipherInit_ex2(e->ctx[encrypt], NULL, NULL, iv, encrypt, NULL))
		return -EIO;
	return evp_cipher_run(e->ctx[encrypt], out, in, len);
}

const struct ecb_ops ecb_evp = {evp_make, evp_clone,	 evp_free, evp_run,
				UNIT,	  evp_unit_make, evp_unit};
