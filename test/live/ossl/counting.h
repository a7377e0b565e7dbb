/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_COUNTING_H
#define DECANT_TEST_OSSL_COUNTING_H
/* counting.h - how often OpenSSL asks for memory: for main() to begin with. */
#include <stdlib.h>
#include <openssl/crypto.h>
#include "check.h"

static size_t allocations;

static void *count_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return malloc(n);
}

static void *count_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return realloc(p, n);
}

static void plain_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

static void count_allocations(void)
{
	REQUIRE(CRYPTO_set_mem_functions(count_malloc, count_realloc, plain_free));
}
#endif
