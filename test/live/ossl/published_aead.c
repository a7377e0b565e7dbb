/* SPDX-License-Identifier: MIT */
/*
 * published_aead.c - AEADs against all that is published and to be had: NIST's GCM
 * (CAVS 14.0) and CCM (CAVS 11.0) test vectors, those of BoringSSL and OpenSSL for
 * ChaCha20-Poly1305, some of Wycheproof's; through any kind, cut at random.
 */
#include "aead_text.h"
#include "combo.h"
#include "rsp.h"

static struct {
	enum decant_aead_algorithm algorithm;
	enum decant_crypto_backend backend;
	size_t texts, forged, refused, nr;
	struct sample *sample;
} now;

/* CCM's files give lengths, and write nothing as a byte of zero. */
static size_t length_or(const struct rsp *rsp, const char *name, size_t len)
{
	return rsp_number(rsp, name) == 0 ? 0 : len;
}

static bool is_forged(const struct rsp *rsp)
{
	const char *result = rsp_text(rsp, "result");

	return result && strcasecmp(result, "pass");
}

static void read_entry(const struct rsp *rsp, struct sample *s)
{
	struct message *m = &s->message;
	size_t len;

	m->algorithm = now.algorithm;
	REQUIRE(rsp_bytes(rsp, "key", m->key, 32) == reference_key_len(m->algorithm));
	m->nonce_len = rsp_bytes(rsp, "iv|nonce", s->text, MOST_TEXT);
	memcpy(m->nonce, s->text, m->nonce_len < 16 ? m->nonce_len : 16);
	m->aad_len = rsp_bytes(rsp, "aad|adata|ad", s->aad, MOST_AAD);
	m->aad_len = length_or(rsp, "alen", m->aad_len);
	m->aad = s->aad;
	len = rsp_bytes(rsp, "ct|ciphertext", s->cipher, MOST_TEXT);
	if (rsp_number(rsp, "tlen") >= 0) {
		m->tag_len = (size_t)rsp_number(rsp, "tlen");
		len -= m->tag_len;
		memcpy(s->tag, s->cipher + len, m->tag_len);
	} else {
		m->tag_len = rsp_bytes(rsp, "tag", s->tag, 16);
	}
	m->len = len;
	m->text = s->text;
	len = rsp_bytes(rsp, "pt|payload|plaintext|in|msg", s->text, MOST_TEXT);
	CHECK(is_forged(rsp) || length_or(rsp, "plen", len) == m->len);
}

/* Whether decant takes nonces and tags of these sizes: GCM's short tags are no good. */
static bool takes(const struct message *m)
{
	return m->algorithm >= DECANT_AEAD_AES_256_CCM ||
	       (m->nonce_len == 12 && m->tag_len >= 12);
}

/* Opened from any kind into any kind. */
static void check_forged(struct decant_aead *aead, const struct sample *s)
{
	static struct cuts from, to;
	const struct message *m = &s->message;
	struct decant_iter src, dst, aad = flat(DECANT_SOURCE, m->aad, m->aad_len);

	if (is_too_little(aead, m))
		return;
	cut(&from, m->len, any_size());
	cut(&to, m->len, any_size());
	scatter(&from, from.memory, s->cipher);
	src = view_any(&from, DECANT_SOURCE);
	dst = view_any(&to, DECANT_DEST);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, m->len, &aad, m->nonce, s->tag),
		 -EBADMSG);
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&dst), 0);
	cuts_free(&from);
	cuts_free(&to);
}

static void entry(struct rsp *rsp)
{
	struct sample *s = now.sample;
	struct decant_crypto_options options = {sizeof(options), .backend = now.backend};
	struct decant_aead *aead;
	int err;

	if (check_failed || (combo_alone && now.nr++ % 40))
		return;
	read_entry(rsp, s);
	options.nonce_bytes = s->message.nonce_len;
	options.tag_bytes = s->message.tag_len;
	err = decant_aead_new_with(&aead, now.algorithm, s->message.key,
				   reference_key_len(now.algorithm), &options);
	CHECK_EQ(err, takes(&s->message) ? 0 : -EINVAL);
	now.refused += err != 0;
	if (err)
		return;
	if (is_forged(rsp))
		check_forged(aead, s);
	else
		check_text(aead, s);
	now.forged += is_forged(rsp);
	now.texts += !is_forged(rsp);
	if (check_failed)
		printf("# in entry %zu, count %s\n", rsp->entries,
		       rsp_text(rsp, "count") ? rsp_text(rsp, "count") : "?");
	decant_aead_free(aead);
}

static const struct {
	enum decant_aead_algorithm algorithm;
	const char *file;
} files[] = {
	{DECANT_AEAD_AES_128_GCM, "ciphers/AES/GCM/gcmEncryptExtIV128.rsp"},
	{DECANT_AEAD_AES_128_GCM, "ciphers/AES/GCM/gcmDecrypt128.rsp"},
	{DECANT_AEAD_AES_256_GCM, "ciphers/AES/GCM/gcmEncryptExtIV256.rsp"},
	{DECANT_AEAD_AES_256_GCM, "ciphers/AES/GCM/gcmDecrypt256.rsp"},
	{DECANT_AEAD_AES_128_CCM, "ciphers/AES/CCM/DVPT128.rsp"},
	{DECANT_AEAD_AES_128_CCM, "ciphers/AES/CCM/VADT128.rsp"},
	{DECANT_AEAD_AES_128_CCM, "ciphers/AES/CCM/VNT128.rsp"},
	{DECANT_AEAD_AES_128_CCM, "ciphers/AES/CCM/VPT128.rsp"},
	{DECANT_AEAD_AES_128_CCM, "ciphers/AES/CCM/VTT128.rsp"},
	{DECANT_AEAD_AES_256_CCM, "ciphers/AES/CCM/DVPT256.rsp"},
	{DECANT_AEAD_AES_256_CCM, "ciphers/AES/CCM/VADT256.rsp"},
	{DECANT_AEAD_AES_256_CCM, "ciphers/AES/CCM/VNT256.rsp"},
	{DECANT_AEAD_AES_256_CCM, "ciphers/AES/CCM/VPT256.rsp"},
	{DECANT_AEAD_AES_256_CCM, "ciphers/AES/CCM/VTT256.rsp"},
	{DECANT_AEAD_CHACHA20_POLY1305, "ciphers/ChaCha20Poly1305/boringssl.txt"},
	{DECANT_AEAD_CHACHA20_POLY1305, "ciphers/ChaCha20Poly1305/openssl.txt"},
	{DECANT_AEAD_CHACHA20_POLY1305, "+wycheproof_chacha.txt"},
};

static void published(int algorithm, enum decant_crypto_backend backend)
{
	now.algorithm = (enum decant_aead_algorithm)algorithm;
	now.backend = backend;
	now.texts = now.forged = now.refused = now.nr = 0;
	now.sample = sample_new();
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i].algorithm == now.algorithm)
			rsp_file(files[i].file, entry);
	CHECK(now.texts > 0 || check_skipped);
	printf("# %zu texts, %zu forged ones, %zu of sizes that are not taken\n",
	       now.texts, now.forged, now.refused);
	free(now.sample);
}

int main(int argc, char **argv)
{
	static const struct combo_case cases[] = {{"published test vectors", published}};

	return combo_main(argc, argv, cases, 1, aead_names, 5, aead_offered, NULL, 0);
}
