/* SPDX-License-Identifier: MIT */
/* crypto.c - what all contexts have in common. */
#include <errno.h>
#include <string.h>
#include "internal.h"

int decant_crypto_backend_check(enum decant_crypto_backend backend)
{
	switch (backend) {
	case DECANT_CRYPTO_AUTO:
	case DECANT_CRYPTO_OPENSSL:
		return 0;
	case DECANT_CRYPTO_IPSEC_MB:
		return ipsec_mb_check();
	case DECANT_CRYPTO_AF_ALG:
		return af_alg_check();
	}
	return -EINVAL;
}

const char *decant_crypto_backend_name(enum decant_crypto_backend backend)
{
	switch (backend) {
	case DECANT_CRYPTO_AUTO:
		return "auto";
	case DECANT_CRYPTO_OPENSSL:
		return "openssl";
	case DECANT_CRYPTO_IPSEC_MB:
		return "ipsec-mb";
	case DECANT_CRYPTO_AF_ALG:
		return "af_alg";
	}
	return "?";
}

int options_read(struct decant_crypto_options *options,
		 const struct decant_crypto_options *given)
{
	memset(options, 0, sizeof(*options));
	if (!given)
		return 0;
	if (given->size != sizeof(*options))
		return -EINVAL;
	*options = *given;
	return options->backend <= DECANT_CRYPTO_AF_ALG ? 0 : -EINVAL;
}
