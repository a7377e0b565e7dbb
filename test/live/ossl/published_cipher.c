/* SPDX-License-Identifier: MIT */
/*
 * published_cipher.c - storage ciphers against all that is published and to be had:
 * NIST's test vectors for XTS (CAVS 11.0) and CBC (CAVS 11.1), some of Wycheproof's for
 * XTS; through any kind, cut at random.
 */
#include "cipher_text.h"
#include "combo.h"
#include "rsp.h"

static struct {
	enum decant_cipher_algorithm algorithm;
	enum decant_crypto_backend backend;
	size_t texts, bits, nr;
} now;

/* A unit that holds the text: it is the last one, and may be shorter. */
static size_t unit_for(size_t len)
{
	size_t unit = 16;

	while (unit < len)
		unit *= 2;
	return unit << check_below(4);
}

static void read_iv(const struct rsp *rsp, uint8_t iv[16])
{
	long number = rsp_number(rsp, "dataunitseqnumber");

	memset(iv, 0, 16);
	if (number >= 0)
		decant_cipher_number(iv, (uint64_t)number);
	else
		REQUIRE(rsp_bytes(rsp, "i|iv", iv, 16) >= 8);
}

static void entry(struct rsp *rsp)
{
	struct sample *s = &sample;
	struct decant_cipher *c;

	if (check_failed || (combo_alone && now.nr++ % 40))
		return;
	/* Lengths in bits: what is no bytes can't be asked for. */
	if (rsp_number(rsp, "dataunitlen") > 0 && rsp_number(rsp, "dataunitlen") % 8) {
		now.bits++;
		return;
	}
	s->algorithm = now.algorithm;
	REQUIRE(rsp_bytes(rsp, "key", s->key, 64) == cipher_key_len(s->algorithm));
	read_iv(rsp, s->iv);
	s->len = rsp_bytes(rsp, "pt|plaintext|msg", s->text, MOST);
	REQUIRE(rsp_bytes(rsp, "ct|ciphertext", s->cipher, MOST) == s->len && s->len);
	s->unit = cipher_is_xts(s->algorithm) ? unit_for(s->len) : 0;
	c = context(s, now.backend);
	check_text(c, s);
	now.texts++;
	if (check_failed)
		printf("# in entry %zu, count %s\n", rsp->entries,
		       rsp_text(rsp, "count"));
	decant_cipher_free(c);
}

#define XTS(bits)                                                                        \
	"ciphers/AES/XTS/tweak-128hexstr/XTSGenAES" bits ".rsp",                         \
		"ciphers/AES/XTS/tweak-dataunitseqno/XTSGenAES" bits ".rsp"
#define CBC(bits)                                                                        \
	"ciphers/AES/CBC/CBCGFSbox" bits ".rsp",                                         \
		"ciphers/AES/CBC/CBCKeySbox" bits ".rsp",                                \
		"ciphers/AES/CBC/CBCMMT" bits ".rsp",                                    \
		"ciphers/AES/CBC/CBCVarKey" bits ".rsp",                                 \
		"ciphers/AES/CBC/CBCVarTxt" bits ".rsp"

static const char *const files[][6] = {
	[DECANT_CIPHER_AES_256_XTS] = {XTS("256")},
	[DECANT_CIPHER_AES_128_XTS] = {XTS("128"), "+wycheproof_xts.txt"},
	[DECANT_CIPHER_AES_256_CBC] = {CBC("256")},
	[DECANT_CIPHER_AES_128_CBC] = {CBC("128")},
};

static void published(int algorithm, enum decant_crypto_backend backend)
{
	now.algorithm = (enum decant_cipher_algorithm)algorithm;
	now.backend = backend;
	now.texts = now.bits = now.nr = 0;
	for (const char *const *file = files[algorithm]; *file; file++)
		rsp_file(*file, entry);
	CHECK(now.texts > 0 || check_skipped);
	printf("# %zu texts, %zu that are no whole bytes\n", now.texts, now.bits);
}

int main(int argc, char **argv)
{
	static const struct combo_case cases[] = {{"published test vectors", published}};

	return combo_main(argc, argv, cases, 1, cipher_names, 4, cipher_offered, NULL, 0);
}
