/* SPDX-License-Identifier: MIT */
/* engine.c - which back ends a context has, and the memory of their states. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include "engine.h"

#define ALIGNMENT 64

void *state_new(size_t bytes)
{
	size_t whole = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *state = aligned_alloc(ALIGNMENT, whole);

	if (state)
		memset(state, 0, whole);
	return state;
}

void state_free(void *state, size_t bytes)
{
	if (!state)
		return;
	OPENSSL_cleanse(state, bytes);
	free(state);
}

int state_settle(void **out, void *state, int err, void (*drop)(void *state))
{
	if (err)
		drop(state);
	else
		*out = state;
	return err;
}

static int add(struct engines *engines, const struct engine_ops *ops,
	       const struct engine_setup *setup)
{
	struct engine *engine = &engines->at[engines->nr];
	int err = ops ? ops->make(&engine->state, setup) : -ENOTSUP;

	if (err)
		return err;
	engine->ops = ops;
	engines->nr++;
	return 0;
}

static int add_all(struct engines *engines, enum decant_crypto_backend backend,
		   const struct engine_offer *offer, const struct engine_setup *setup)
{
	int err;

	if (backend == DECANT_CRYPTO_IPSEC_MB)
		return add(engines, offer->ipsec_mb, setup);
	if (backend == DECANT_CRYPTO_AF_ALG)
		return add(engines, offer->af_alg, setup);
	err = add(engines, offer->openssl, setup);
	/* Beside OpenSSL, where it may be faster; doing without it is no error. */
	if (!err && backend == DECANT_CRYPTO_AUTO && ipsec_mb_is_wide())
		(void)!add(engines, offer->ipsec_mb, setup);
	return err;
}

int engines_make(struct engines *engines, enum decant_crypto_backend backend,
		 const struct engine_offer *offer, const struct engine_setup *setup)
{
	int err;

	ERR_set_mark();
	err = add_all(engines, backend, offer, setup);
	ERR_pop_to_mark();
	return err;
}

int engines_clone(struct engines *to, const struct engines *from)
{
	int err = 0;

	ERR_set_mark();
	for (size_t i = 0; i < from->nr; i++) {
		const struct engine *engine = &from->at[i];

		err = engine->ops->clone(&to->at[i].state, engine->state);
		if (err)
			break;
		to->at[i].ops = engine->ops;
		to->nr++;
	}
	ERR_pop_to_mark();
	return err;
}

void engines_free(struct engines *engines)
{
	for (size_t i = 0; i < engines->nr; i++)
		engines->at[i].ops->free(engines->at[i].state);
}
