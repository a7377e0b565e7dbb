/* SPDX-License-Identifier: MIT */
/*
 * choice.c - who does it where both could: the measured table.
 *
 * Made with bench-thresholds on an AMD EPYC with AVX-512, VAES and VPCLMULQDQ, OpenSSL
 * 3.0.22 and IPsec-MB 1.3, in November 2026; asked only where IPsec-MB has these
 * instructions, too. Message by message, in nanoseconds, OpenSSL and IPsec-MB:
 *
 *				 256 bytes	4 KiB		64 KiB
 *	AES-256-GCM		 639  393	1589  744	14720  6843
 *	AES-128-GCM		 675  415	1400  685	13772  5501
 *	ChaCha20-Poly1305	 824  616	1779 1531	17786 17126
 *	AES-256-XTS, 512	  -    -	1370 1150	13900  9980
 *	AES-256-XTS, 4096	  -    -	1306 1153	11358  8878
 *	AES-128-XTS, 4096	  -    -	1133 1086	 8352  7666
 *
 * ChaCha20's lead is gone where a long text is cut, which bench-aead shows.
 */
#include "internal.h"
#include "modes.h"

#define EVERY	  SIZE_MAX
#define NR(array) (sizeof(array) / sizeof(*(array)))

/* IPsec-MB from the first length to the last one. */
struct range {
	size_t from, to;
};

static const struct range aeads[] = {
	[DECANT_AEAD_AES_256_GCM] = {0, EVERY},
	[DECANT_AEAD_AES_128_GCM] = {0, EVERY},
	[DECANT_AEAD_CHACHA20_POLY1305] = {0, 16384},
};

static const struct range ciphers[] = {
	[DECANT_CIPHER_AES_256_XTS] = {0, EVERY},
	[DECANT_CIPHER_AES_128_XTS] = {0, EVERY},
};

static enum decant_crypto_backend choose(const struct range *ranges, size_t nr, size_t at,
					 size_t len)
{
	if (at < nr && len >= ranges[at].from && len <= ranges[at].to)
		return DECANT_CRYPTO_IPSEC_MB;
	return DECANT_CRYPTO_OPENSSL;
}

enum decant_crypto_backend aead_choice(enum decant_aead_algorithm algorithm, size_t len)
{
	return choose(aeads, NR(aeads), algorithm, len);
}

enum decant_crypto_backend cipher_choice(enum decant_cipher_algorithm algorithm,
					 size_t len)
{
	return choose(ciphers, NR(ciphers), algorithm, len);
}
