/* SPDX-License-Identifier: MIT */
/* choice.c - the measured table. */
#include "hashes.h"
#include "internal.h"
#include "modes.h"

enum decant_crypto_backend aead_choice(enum decant_aead_algorithm algorithm, size_t len)
{
	(void)algorithm;
	(void)len;
	return DECANT_CRYPTO_IPSEC_MB;
}

const struct aead_ops *const aead_af_alg;

int af_alg_check(void)
{
	return -1;
}

enum decant_crypto_backend cipher_choice(enum decant_cipher_algorithm algorithm,
					 size_t unit, size_t len)
{
	(void)algorithm;
	(void)unit;
	(void)len;
	return DECANT_CRYPTO_IPSEC_MB;
}

const struct cipher_ops *const cipher_af_alg, *const cipher_xts_ipsec_mb;

int hash_af_alg(struct decant_digest *digest, const struct hash_setup *setup)
{
	(void)digest;
	(void)setup;
	return -95;
}
