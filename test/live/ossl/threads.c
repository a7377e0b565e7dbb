/* SPDX-License-Identifier: MIT */
/*
 * threads.c - many threads, each with contexts of its own: what the library below keeps
 * for the whole process is shared without a trace.
 */
#include "aead.h"
#include "cipher.h"
#include <pthread.h>

#define THREADS 12 /* more than there are of anything that is shared */
#define LEN	8192

static const uint8_t key[64] = {9, 8, 7};
static uint8_t text[LEN], units[LEN], sealed[LEN + 16];

struct worker {
	pthread_t thread;
	size_t wrong;
};

static bool works(struct decant_cipher *cipher, struct decant_aead *aead)
{
	static const uint8_t iv[16] = {5};
	uint8_t got[LEN + 16];
	struct decant_iter src = flat(DECANT_SOURCE, text, LEN),
			   dst = flat(DECANT_DEST, got, LEN);

	if (decant_cipher_encrypt(cipher, &dst, &src, LEN, iv) != LEN ||
	    memcmp(got, units, LEN))
		return false;
	src = flat(DECANT_SOURCE, text, LEN);
	dst = flat(DECANT_DEST, got, LEN + 16);
	return decant_aead_seal_append(aead, &dst, &src, LEN, NULL, some_nonce) ==
		       LEN + 16 &&
	       !memcmp(got, sealed, LEN + 16);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct decant_cipher *cipher;
	struct decant_aead *aead;

	if (decant_cipher_new(&cipher, DECANT_CIPHER_AES_256_XTS, key, 64, 512, NULL) ||
	    decant_aead_new(&aead, DECANT_AEAD_AES_256_GCM, some_key, 32)) {
		w->wrong = 1;
		return NULL;
	}
	for (size_t i = 0; i < check_cases(100); i++)
		w->wrong += !works(cipher, aead);
	decant_cipher_free(cipher);
	decant_aead_free(aead);
	return NULL;
}

static void side_by_side(void)
{
	static const uint8_t iv[16] = {5};
	struct worker workers[THREADS] = {{.wrong = 0}};
	struct message m = {DECANT_AEAD_AES_256_GCM, 12, 16, .text = text, .len = LEN};

	randomise(text, LEN);
	memcpy(m.key, some_key, 32);
	memcpy(m.nonce, some_nonce, 12);
	reference_seal(&m, sealed, sealed + LEN);
	reference_encrypt(DECANT_CIPHER_AES_256_XTS, key, 512, iv, text, LEN, units);
	for (size_t i = 0; i < THREADS; i++)
		REQUIRE(!pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	for (size_t i = 0; i < THREADS; i++) {
		REQUIRE(!pthread_join(workers[i].thread, NULL));
		CHECK_EQ(workers[i].wrong, 0);
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		{"contexts of many threads", side_by_side},
	};

	check_seed_init();
	return check_run(cases, 1);
}
