/* SPDX-License-Identifier: MIT */
/* choice.c - the measured table. */
#include "internal.h"
#include "modes.h"

enum decant_crypto_backend aead_choice(enum decant_aead_algorithm algorithm, size_t len)
{
	(void)algorithm;
	(void)len;
	return DECANT_CRYPTO_IPSEC_MB;
}

enum decant_crypto_backend cipher_choice(enum decant_cipher_algorithm algorithm,
					 size_t unit, size_t len)
{
	(void)algorithm;
	(void)unit;
	(void)len;
	return DECANT_CRYPTO_IPSEC_MB;
}

const struct cipher_ops *const cipher_xts_ipsec_mb;
