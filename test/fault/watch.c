/* SPDX-License-Identifier: MIT */
/* watch.c - which memory is in use, and what is found in it. */
#define FAULT_ITSELF
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include "watch.h"

#define MOST_BLOCKS  20000
#define MOST_SECRETS 200
#define SECRET	     16

static struct block {
	uint8_t *at;
	size_t len;
	bool ours;
} blocks[MOST_BLOCKS];
static size_t blocks_nr, secrets_nr, spilled;
static struct secret {
	uint8_t bytes[SECRET];
	enum watch what;
} secrets[MOST_SECRETS];
long watch_blocks;

void watch_secret(const void *at, enum watch what)
{
	if (secrets_nr == MOST_SECRETS)
		abort();
	memcpy(secrets[secrets_nr].bytes, at, SECRET);
	secrets[secrets_nr++].what = what;
}

void watch_forget(void)
{
	secrets_nr = spilled = 0;
}

/* Those from the first to the last of these. */
static size_t count(const struct block *block, enum watch first, enum watch last)
{
	size_t n = 0;

	for (size_t i = 0; i < secrets_nr; i++)
		if (secrets[i].what >= first && secrets[i].what <= last &&
		    memmem(block->at, block->len, secrets[i].bytes, SECRET)) {
			printf("# secret %zu is in %s block of %zu bytes\n", i,
			       block->ours ? "a" : "OpenSSL's", block->len);
			n++;
		}
	return n;
}

size_t watch_spilled(void)
{
	size_t n = spilled;

	spilled = 0;
	return n;
}

size_t watch_in_use(void)
{
	size_t n = 0;

	for (size_t i = 0; i < blocks_nr; i++)
		n += count(&blocks[i], WATCH_TEXT, WATCH_TEXT);
	return n;
}

size_t watch_on_stack(const void *at, size_t len)
{
	struct block block = {(uint8_t *)(uintptr_t)at, len, true};

	return count(&block, WATCH_KEY, WATCH_KEY);
}

static void *note(void *at, bool ours)
{
	if (!at)
		return NULL;
	if (blocks_nr == MOST_BLOCKS)
		abort();
	blocks[blocks_nr++] = (struct block){at, malloc_usable_size(at), ours};
	watch_blocks += ours;
	return at;
}

/* Before it is given back. */
static void drop(void *at)
{
	for (size_t i = blocks_nr; i--;)
		if (blocks[i].at == at) {
			spilled += count(&blocks[i], WATCH_TEXT, WATCH_KEY);
			watch_blocks -= blocks[i].ours;
			blocks[i] = blocks[--blocks_nr];
			return;
		}
}

/* Zeroes up to its very end, so that nothing from before is seen in it. */
static void *fresh(void *at)
{
	return at ? memset(at, 0, malloc_usable_size(at)) : NULL;
}

void *watch_malloc(size_t size)
{
	return note(fresh(fault_malloc(size)), true);
}

void *watch_calloc(size_t nr, size_t size)
{
	return note(fresh(fault_calloc(nr, size)), true);
}

static void *renew(void *old, size_t size, bool ours)
{
	void *at = fresh(fault_realloc(NULL, size));
	size_t had = old ? malloc_usable_size(old) : 0;

	if (!at)
		return NULL;
	if (old)
		memcpy(at, old, had < size ? had : size);
	drop(old);
	free(old);
	return note(at, ours);
}

void *watch_realloc(void *old, size_t size)
{
	return renew(old, size, true);
}

void *watch_aligned_alloc(size_t alignment, size_t size)
{
	bool fails = fault_fails("aligned_alloc", ENOMEM);

	return note(fresh(fails ? NULL : aligned_alloc(alignment, size)), true);
}

void watch_free(void *at)
{
	drop(at);
	free(at);
}

int watch_fd(int fd)
{
	fault_files += fd >= 0;
	return fd;
}

int watch_pipe(int fds[2], int flags)
{
	int err = pipe2(fds, flags);

	fault_files += err ? 0 : 2;
	return err;
}

/* --- OpenSSL's --- */

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return note(fresh(fault_malloc(size)), false);
}

static void *openssl_realloc(void *old, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return renew(old, size, false);
}

static void openssl_free(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	watch_free(at);
}

bool watch_openssl(void)
{
	return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}
