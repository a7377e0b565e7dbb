/* SPDX-License-Identifier: MIT */
/*
 * published_hash.c - digests and MACs against all that is published and to be had: NIST's
 * SHA-2 test vectors (CAVS 11.0: short, long, and the chains of the Monte Carlo test),
 * RFC 4231, RFC 7693, RFC 8439; and HKDF against RFC 5869. Through any kind, cut at
 * random.
 */
#include <decant/kdf.h>
#include "combo.h"
#include "hash_text.h"
#include "rsp.h"

#define MOST (1 << 20)

static struct {
	int hash;
	enum decant_crypto_backend backend;
	size_t texts, nr;
	uint8_t text[MOST], seed[64];
} now;

static void begin_digest(struct decant_digest *digest, const uint8_t *key, size_t key_len)
{
	CHECK_EQ(begin(digest, now.hash, key, key_len, now.backend), 0);
}

static void entry(struct rsp *rsp)
{
	struct decant_digest digest;
	uint8_t key[200], wanted[64];
	size_t key_len, len;

	if (check_failed || (combo_alone && now.nr++ % 40))
		return;
	key_len = rsp_bytes(rsp, "key", key, sizeof(key));
	len = rsp_bytes(rsp, "msg", now.text, MOST);
	if (rsp_number(rsp, "len") >= 0)
		len = (size_t)rsp_number(rsp, "len") / 8;
	begin_digest(&digest, key, key_len);
	if (check_failed)
		return;
	REQUIRE(rsp_bytes(rsp, "md|tag", wanted, 64) == decant_digest_bytes(&digest));
	check_digest(&digest, now.text, len, wanted);
	decant_digest_fini(&digest);
	now.texts++;
}

/* SHAVS, 6.4: a thousand times, the last three results in a row: three pieces. */
static void monte_entry(struct rsp *rsp)
{
	uint8_t md[3][64], wanted[64];
	struct decant_digest digest;
	size_t len;

	if (check_failed || (combo_alone && now.nr >= 1))
		return;
	begin_digest(&digest, NULL, 0);
	len = decant_digest_bytes(&digest);
	if (!now.nr++)
		REQUIRE(rsp_bytes(rsp, "seed", now.seed, 64) == len);
	for (size_t i = 0; i < 3; i++)
		memcpy(md[i], now.seed, len);
	for (size_t i = 0; i < 1000 && !check_failed; i++) {
		struct iovec iov[] = {
			{md[i % 3], len}, {md[(i + 1) % 3], len}, {md[(i + 2) % 3], len}};
		struct decant_iter src;

		REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, iov, 3));
		CHECK_EQ(decant_digest_update(&digest, &src, 3 * len), 3 * len);
		CHECK_EQ(decant_digest_final(&digest, md[i % 3]), 0);
	}
	REQUIRE(rsp_bytes(rsp, "md", wanted, 64) == len);
	memcpy(now.seed, md[999 % 3], len);
	CHECK(!memcmp(now.seed, wanted, len));
	decant_digest_fini(&digest);
	now.texts++;
}

static const struct {
	enum decant_hash hash;
	const char *file;
	rsp_entry *entry;
} files[] = {
	{DECANT_HASH_SHA_256, "hashes/SHA2/SHA256ShortMsg.rsp", entry},
	{DECANT_HASH_SHA_256, "hashes/SHA2/SHA256LongMsg.rsp", entry},
	{DECANT_HASH_SHA_256, "hashes/SHA2/SHA256Monte.rsp", monte_entry},
	{DECANT_HASH_SHA_512, "hashes/SHA2/SHA512ShortMsg.rsp", entry},
	{DECANT_HASH_SHA_512, "hashes/SHA2/SHA512LongMsg.rsp", entry},
	{DECANT_HASH_SHA_512, "hashes/SHA2/SHA512Monte.rsp", monte_entry},
	{DECANT_HASH_BLAKE2B, "hashes/blake2/blake2b.txt", entry},
	{DECANT_HASH_HMAC_SHA_256, "HMAC/rfc-4231-sha256.txt", entry},
	{DECANT_HASH_HMAC_SHA_512, "HMAC/rfc-4231-sha512.txt", entry},
	{DECANT_HASH_POLY1305, "poly1305/rfc7539.txt", entry},
};

static void published(int hash, enum decant_crypto_backend backend)
{
	now.hash = hash;
	now.backend = backend;
	now.texts = 0;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		now.nr = 0;
		if (files[i].hash == (enum decant_hash)hash)
			rsp_file(files[i].file, files[i].entry);
	}
	CHECK(now.texts > 0 || check_skipped);
	printf("# %zu texts\n", now.texts);
}

static void hkdf_entry(struct rsp *rsp)
{
	uint8_t key[100], salt[100], info[100], out[1200], wanted[1200];
	size_t key_len = rsp_bytes(rsp, "ikm", key, sizeof(key));
	size_t salt_len = rsp_bytes(rsp, "salt", salt, sizeof(salt));
	size_t info_len = rsp_bytes(rsp, "info", info, sizeof(info));
	size_t len = rsp_bytes(rsp, "okm", wanted, sizeof(wanted));

	REQUIRE(!strcmp(rsp_text(rsp, "hash"), "SHA-256"));
	CHECK_EQ(rsp_number(rsp, "l"), len);
	CHECK_EQ(decant_kdf_hkdf(DECANT_KDF_SHA_256, key, key_len, salt, salt_len, info,
				 info_len, out, len),
		 0);
	CHECK(!memcmp(out, wanted, len));
}

static void hkdf(void)
{
	rsp_file("KDF/rfc-5869-HKDF-SHA256.txt", hkdf_entry);
	rsp_file("KDF/hkdf-generated.txt", hkdf_entry);
}

int main(int argc, char **argv)
{
	static const struct combo_case cases[] = {{"published test vectors", published}};
	static const struct check_case others[] = {{"HKDF: RFC 5869", hkdf}};

	return combo_main(argc, argv, cases, 1, hash_names, 6, hash_offered, others, 1);
}
