/* SPDX-License-Identifier: MIT */
/*
 * digest.c - digests of scattered pieces against one call over the same bytes in one
 * piece; and a digest on the way through a copy against a copy and then the digest.
 */
#include <decant/hash.h>
#include <openssl/evp.h>
#include "crypto.h"

#define BYTES ((size_t)16 << 20)

struct work {
	struct decant_digest digest;
	struct pieces src, dst;
	uint8_t *flat;
	const EVP_MD *md;
	size_t len;
};

static void by_decant(void *arg)
{
	struct work *w = arg;
	struct decant_iter src = bench_view(&w->src, DECANT_SOURCE);
	uint8_t out[64];

	bench_need(decant_digest_update(&w->digest, &src, w->len) == (ssize_t)w->len &&
			   !decant_digest_final(&w->digest, out),
		   "digest");
	bench_use(out);
}

static void contiguous(void *arg)
{
	struct work *w = arg;
	uint8_t out[64];

	bench_need(EVP_Digest(w->flat, w->len, out, NULL, w->md, NULL), "OpenSSL");
	bench_use(out);
}

static void on_the_way(void *arg)
{
	struct work *w = arg;
	struct decant_iter src = bench_view(&w->src, DECANT_SOURCE);
	struct decant_iter dst = bench_view(&w->dst, DECANT_DEST);
	uint8_t out[64];

	bench_need(decant_digest_copy(&w->digest, &dst, &src, w->len) ==
				   (ssize_t)w->len &&
			   !decant_digest_final(&w->digest, out),
		   "digest");
}

static void one_after_the_other(void *arg)
{
	struct work *w = arg;
	struct decant_iter src = bench_view(&w->src, DECANT_SOURCE);
	struct decant_iter dst = bench_view(&w->dst, DECANT_DEST);

	bench_need(decant_copy(&dst, &src, w->len) == (ssize_t)w->len, "copy");
	by_decant(w);
}

static const struct {
	enum decant_hash hash;
	const char *name;
	const EVP_MD *(*md)(void);
} hashes[] = {
	{DECANT_HASH_SHA_256, "SHA-256", EVP_sha256},
	{DECANT_HASH_SHA_512, "SHA-512", EVP_sha512},
	{DECANT_HASH_BLAKE2B, "BLAKE2b", EVP_blake2b512},
};

static void scattered(size_t hash, size_t len, size_t nr)
{
	struct work w = {.src = bench_pieces(nr, len, 0),
			 .flat = bench_memory(len * nr),
			 .md = hashes[hash].md(),
			 .len = len * nr};
	char name[60];

	bench_need(!decant_digest_hash(&w.digest, hashes[hash].hash, NULL, 0, NULL),
		   "hash");
	snprintf(name, sizeof(name), "%s, %zu-byte pieces", hashes[hash].name, len);
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns a piece",
				       .fn = by_decant,
				       .arg = &w,
				       .units = (double)nr,
				       .bound_name = "OpenSSL, in one piece",
				       .bound = contiguous});
	decant_digest_fini(&w.digest);
}

static void copied(void)
{
	size_t nr = BYTES / 4096;
	struct work w = {.src = bench_pieces(nr, 4096, 0),
			 .len = BYTES,
			 .dst = bench_pieces(nr, 4096, 1000)};

	bench_need(!decant_digest_hash(&w.digest, DECANT_HASH_SHA_256, NULL, 0, NULL),
		   "hash");
	bench_run(&(struct bench_case){
		.name = "SHA-256 on the way through a copy of 16 MiB, 4096-byte pieces",
		.unit = "ns a piece",
		.fn = on_the_way,
		.arg = &w,
		.units = (double)nr,
		.bound_name = "a copy, then SHA-256",
		.bound = one_after_the_other});
	decant_digest_fini(&w.digest);
}

int main(void)
{
	bench_open("digest");
	for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
		scattered(i, 48, 1024);
		scattered(i, 512, 128);
		scattered(i, 4096, 64);
	}
	copied();
	bench_close();
	return 0;
}
