/* SPDX-License-Identifier: MIT */
/*
 * aead.c - decant_aead_* against published vectors and against OpenSSL on flat memory:
 * every algorithm of every back end.
 */
#include "aead.h"
#include "aead_text.h"
#include "combo.h"
#include "counting.h"
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- for each algorithm and back end --- */

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		REQUIRE(sscanf(hex + 2 * i, "%2hhx", out + i) == 1);
	return n;
}

/* What was not sealed under this key is not opened. */
static void check_refused(struct decant_aead *aead, const struct sample *s)
{
	uint8_t got[300];
	size_t len = s->message.len;
	struct decant_iter src = flat(DECANT_SOURCE, s->cipher, len),
			   dst = flat(DECANT_DEST, got, len);

	if (is_too_little(aead, &s->message))
		return;
	memset(got, GAP, len);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, len, NULL, s->message.nonce, s->tag),
		 -EBADMSG);
	CHECK(all_zero(got, len));
}

/* Its sizes are the context's. */
static void check_vector(const struct vector *v, enum decant_crypto_backend backend)
{
	struct sample *s = sample_new();
	struct message *m = &s->message;
	struct decant_crypto_options options = {.backend = backend};
	struct decant_aead *aead;

	m->algorithm = v->algorithm;
	REQUIRE(unhex(v->key, m->key) == reference_key_len(v->algorithm));
	m->nonce_len = options.nonce_bytes = unhex(v->nonce, m->nonce);
	m->tag_len = options.tag_bytes = unhex(v->tag, s->tag);
	m->aad_len = unhex(v->aad, s->aad);
	m->aad = s->aad;
	m->len = unhex(v->cipher, s->cipher);
	m->text = s->text;
	REQUIRE(!v->text || unhex(v->text, s->text) == m->len);
	aead = context_with((int)v->algorithm, m->key, options);
	if (!v->text)
		check_refused(aead, s);
	for (int i = 0; i < 20 && v->text; i++)
		check_text(aead, s);
	decant_aead_free(aead);
	free(s);
}

static void published_vectors(int algorithm, enum decant_crypto_backend backend)
{
	for (size_t i = 0; i < vectors_nr; i++) {
		if (vectors[i].algorithm != (enum decant_aead_algorithm)algorithm)
			continue;
		check_vector(&vectors[i], backend);
		if (check_failed)
			printf("# in %s\n", vectors[i].name);
	}
}

static void random_cuts(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_aead *aead = context(algorithm, backend);
	struct sample *s = sample_new();
	size_t cases = combo_cases(1000);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		make_sample(s, algorithm, any_length(), check_below(MOST_AAD));
		check_text(aead, s);
	}
	free(s);
	decant_aead_free(aead);
}

static void in_place_once(struct decant_aead *aead, struct sample *s)
{
	static struct cuts one, other;
	const struct message *m = &s->message;
	struct decant_iter src, dst;
	uint8_t tag[16];

	if (is_too_little(aead, m))
		return;
	cut(&one, m->len, any_size());
	recut(&other, &one);
	scatter(&one, one.memory, s->text);
	src = view_any(&one, DECANT_SOURCE);
	dst = view_any(&other, DECANT_DEST);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, m->len, NULL, m->nonce, tag), m->len);
	CHECK(holds(&one, s->cipher) && !memcmp(tag, s->tag, 16));
	src = view_any(&other, DECANT_SOURCE);
	dst = view_any(&one, DECANT_DEST);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, m->len, NULL, m->nonce, tag), m->len);
	CHECK(holds(&one, s->text));
	free(other.lists);
	cuts_free(&one);
}

static void in_place(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_aead *aead = context(algorithm, backend);
	struct sample *s = sample_new();
	size_t cases = combo_cases(200);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		make_sample(s, algorithm, any_length(), 0);
		in_place_once(aead, s);
	}
	free(s);
	decant_aead_free(aead);
}

/* Every length up to some blocks past the threshold, flat; in the guest every 17th. */
static void every_length(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_aead *aead = context(algorithm, backend);
	struct sample *s = sample_new();
	uint8_t got[1100], tag[16];

	for (size_t len = combo_alone; len <= sizeof(got) && !check_failed;
	     len += combo_alone ? 17 : 1) {
		struct decant_iter src = flat(DECANT_SOURCE, s->text, len);
		struct decant_iter dst = flat(DECANT_DEST, got, len);
		struct decant_iter aad = flat(DECANT_SOURCE, s->aad, len % 40);

		make_sample(s, algorithm, len, len % 40);
		CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, &aad, s->message.nonce,
					  tag),
			 len);
		CHECK(!memcmp(got, s->cipher, len) && !memcmp(tag, s->tag, 16));
	}
	free(s);
	decant_aead_free(aead);
}

struct refusal {
	struct decant_aead *aead;
	bool keeps; /* the destination is not touched */
};

/* Opening a damaged sample is refused, the destination is wiped, no iterator moves. */
static void refuse(const struct refusal *r, const struct sample *s)
{
	uint8_t got[2000], wanted[2000];
	size_t len = s->message.len, half = len / 2;
	struct iovec iov[] = {
		{got, half}, {got + half, 0}, {got + half, sizeof(got) - half}};
	struct decant_iter src = flat(DECANT_SOURCE, s->cipher, len), dst;
	struct decant_iter aad = flat(DECANT_SOURCE, s->aad, s->message.aad_len);

	memset(got, GAP, sizeof(got));
	memset(wanted, GAP, sizeof(got));
	memset(wanted, r->keeps ? GAP : 0, len);
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, iov, 3));
	CHECK_EQ(decant_aead_open(r->aead, &dst, &src, len, &aad, s->message.nonce,
				  s->tag),
		 -EBADMSG);
	CHECK(!memcmp(got, wanted, sizeof(got)));
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&dst), 0);
	CHECK_EQ(decant_iter_count(&dst), sizeof(got));
}

static void refuse_each(const struct refusal *r, struct sample *s, uint8_t *at,
			size_t len)
{
	for (size_t i = 0; i < len && !check_failed; i += combo_alone ? 13 : 1) {
		uint8_t bit = (uint8_t)(1u << check_below(8));

		at[i] ^= bit;
		refuse(r, s);
		at[i] ^= bit;
	}
}

static void tamper(const struct refusal *r, int algorithm)
{
	struct sample *s = sample_new();

	for (size_t len = 0; len <= 1500; len += 500) {
		make_sample(s, algorithm, len, 77);
		refuse_each(r, s, s->tag, 16);
		refuse_each(r, s, s->aad, 77);
		refuse_each(r, s, s->cipher, len);
		refuse_each(r, s, s->message.nonce, 12);
		s->message.aad_len--;
		refuse(r, s);
	}
	free(s);
	decant_aead_free(r->aead);
}

static void tampering(int algorithm, enum decant_crypto_backend backend)
{
	struct refusal r = {context(algorithm, backend), false};

	tamper(&r, algorithm);
}

static void verify_first(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_crypto_options options = {.backend = backend, .verify_first = true};
	struct refusal r = {context_with(algorithm, some_key, options), true};
	struct sample *s = sample_new();

	for (size_t i = 0; i < combo_cases(40); i++) {
		make_sample(s, algorithm, any_length(), check_below(MOST_AAD));
		check_text(r.aead, s);
	}
	free(s);
	tamper(&r, algorithm);
}

/* The tag behind the text, cut as well, in place or not. */
static void append_once(struct decant_aead *aead, struct sample *s)
{
	static struct cuts plain, sealed;
	const struct message *m = &s->message;
	size_t len = m->len, whole = len + 16;
	struct decant_iter src, dst, aad = flat(DECANT_SOURCE, m->aad, m->aad_len);

	if (is_too_little(aead, m))
		return;
	memcpy(s->cipher + len, s->tag, 16);
	cut(&plain, len, any_size());
	cut(&sealed, whole, any_size());
	scatter(&plain, plain.memory, s->text);
	src = view_any(&plain, DECANT_SOURCE);
	dst = view_any(&sealed, DECANT_DEST);
	CHECK_EQ(decant_aead_seal_append(aead, &dst, &src, len, &aad, m->nonce), whole);
	CHECK(holds(&sealed, s->cipher));
	CHECK_EQ(decant_iter_consumed(&src), len);
	CHECK_EQ(decant_iter_consumed(&dst), whole);
	memset(plain.memory, GAP, plain.room);
	src = view_any(&sealed, DECANT_SOURCE);
	dst = view_any(&plain, DECANT_DEST);
	CHECK_EQ(decant_aead_open_append(aead, &dst, &src, len, &aad, m->nonce), len);
	CHECK(holds(&plain, s->text));
	CHECK_EQ(decant_iter_consumed(&src), whole);
	s->cipher[check_below(whole)] ^= 4;
	scatter(&sealed, sealed.memory, s->cipher);
	src = view_any(&sealed, DECANT_SOURCE);
	dst = view_any(&plain, DECANT_DEST);
	CHECK_EQ(decant_aead_open_append(aead, &dst, &src, len, &aad, m->nonce),
		 -EBADMSG);
	memset(s->text, 0, len);
	CHECK(holds(&plain, s->text));
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&dst), 0);
	cuts_free(&plain);
	cuts_free(&sealed);
}

static void append(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_aead *aead = context(algorithm, backend);
	struct sample *s = sample_new();
	uint8_t room[100] = {0};
	struct decant_iter src = flat(DECANT_SOURCE, room, 100), dst;

	for (size_t i = 0; i < combo_cases(200) && !check_failed; i++) {
		make_sample(s, algorithm, any_length(), check_below(MOST_AAD));
		append_once(aead, s);
	}
	dst = flat(DECANT_DEST, room, 65);
	CHECK_EQ(decant_aead_seal_append(aead, &dst, &src, 50, NULL, some_nonce),
		 -EMSGSIZE);
	dst = flat(DECANT_DEST, room, 66);
	CHECK_EQ(decant_aead_seal_append(aead, &dst, &src, 50, NULL, some_nonce), 66);
	src = flat(DECANT_SOURCE, room, 65);
	dst = flat(DECANT_DEST, room, 100);
	CHECK_EQ(decant_aead_open_append(aead, &dst, &src, 50, NULL, some_nonce),
		 -EMSGSIZE);
	free(s);
	decant_aead_free(aead);
}

static void zero_and_discard(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_aead *aead = context(algorithm, backend);
	struct sample *s = sample_new();
	struct message *m = &s->message;
	struct decant_iter src, dst, aad;
	uint8_t tag[16], *got = malloc(MOST_TEXT);

	REQUIRE(got);
	make_sample(s, algorithm, 0, 0);
	memset(s->aad, 0, sizeof(s->aad));
	m->len = MOST_TEXT;
	m->aad_len = 1000;
	reference_seal(m, s->cipher, s->tag);
	REQUIRE(!decant_iter_zero(&src, MOST_TEXT));
	REQUIRE(!decant_iter_zero(&aad, 1000));
	dst = flat(DECANT_DEST, got, MOST_TEXT);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, MOST_TEXT, &aad, m->nonce, tag),
		 MOST_TEXT);
	CHECK(!memcmp(got, s->cipher, MOST_TEXT) && !memcmp(tag, s->tag, 16));
	for (int damaged = 0; damaged < 2; damaged++) {
		tag[0] ^= (uint8_t)damaged;
		src = flat(DECANT_SOURCE, got, MOST_TEXT);
		REQUIRE(!decant_iter_discard(&dst, MOST_TEXT));
		CHECK_EQ(decant_aead_open(aead, &dst, &src, MOST_TEXT, &aad, m->nonce,
					  tag),
			 damaged ? -EBADMSG : MOST_TEXT);
		CHECK_EQ(decant_iter_count(&dst), damaged ? MOST_TEXT : 0);
	}
	free(s);
	free(got);
	decant_aead_free(aead);
}

/* Contexts with different keys and their clones, in turns: each a world of its own. */
static void many_contexts(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_crypto_options options = {.backend = backend};
	struct decant_aead *aead[8];
	struct sample *s = sample_new();
	uint8_t key[4][32], got[3000], tag[16];

	for (size_t i = 0; i < 4; i++) {
		randomise(key[i], 32);
		aead[i] = context_with(algorithm, key[i], options);
		REQUIRE(!decant_aead_clone(&aead[4 + i], aead[i]));
	}
	for (size_t i = 0; i < combo_cases(200) && !check_failed; i++) {
		size_t len = 1 + check_below(sizeof(got) - 1), which = check_below(8);
		struct decant_iter src, dst = flat(DECANT_DEST, got, len);

		make_sample(s, algorithm, 0, 0);
		fill_sample(s, key[which % 4], len, 0);
		src = flat(DECANT_SOURCE, s->text, len);
		CHECK_EQ(decant_aead_seal(aead[which], &dst, &src, len, NULL,
					  s->message.nonce, tag),
			 len);
		CHECK(!memcmp(got, s->cipher, len) && !memcmp(tag, s->tag, 16));
		src = flat(DECANT_SOURCE, got, len);
		dst = flat(DECANT_DEST, got, len);
		CHECK_EQ(decant_aead_open(aead[(which + 1) % 8], &dst, &src, len, NULL,
					  s->message.nonce, tag),
			 -EBADMSG);
	}
	for (size_t i = 0; i < 8; i++)
		decant_aead_free(aead[i]);
	decant_aead_free(NULL);
	free(s);
}

static void no_allocation(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_aead *aead = context(algorithm, backend);
	uint8_t a[5000] = {0}, b[5000], tag[16];
	struct iovec iov[] = {{a, 100}, {a + 200, 300}, {a + 1000, 4000}};
	size_t before = 0;

	for (int round = 0; round < 3; round++) {
		struct decant_iter src, dst = flat(DECANT_DEST, b, 4400), aad;

		REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, iov, 3));
		aad = src;
		before = round == 1 ? allocations : before; /* the first may warm up */
		CHECK_EQ(decant_aead_seal(aead, &dst, &src, 4400, &aad, some_nonce, tag),
			 4400);
		src = flat(DECANT_SOURCE, b, 4400);
		dst = flat(DECANT_DEST, b, 4400);
		CHECK_EQ(decant_aead_open(aead, &dst, &src, 4400, &aad, some_nonce, tag),
			 4400);
	}
	CHECK(before > 0);
	CHECK_EQ(allocations, before);
	decant_aead_free(aead);
}

/* The same 2 MiB over and over: a large address range that takes little memory. */
static uint8_t *endless(size_t len)
{
	const size_t page = 2 << 20;
	int fd = memfd_create("endless", MFD_CLOEXEC);
	uint8_t *at = mmap(NULL, len, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	REQUIRE(fd >= 0 && at != MAP_FAILED && !ftruncate(fd, (off_t)page));
	for (size_t i = 0; i < len; i += page)
		REQUIRE(mmap(at + i, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			     fd, 0) != MAP_FAILED);
	close(fd);
	return at;
}

/* More than INT_MAX bytes in one piece: chopped, not truncated. */
static void beyond_int(void)
{
	const size_t room = (size_t)2050 << 20, len = ((size_t)1 << 31) + 4711;
	struct decant_aead *aead =
		context(DECANT_AEAD_AES_256_GCM, DECANT_CRYPTO_OPENSSL);
	struct decant_aead *other = context(DECANT_AEAD_AES_256_GCM, DECANT_CRYPTO_AUTO);
	uint8_t *from = endless(room), *to = endless(room), once[16], pieces[16];
	struct decant_iter src = flat(DECANT_SOURCE, from, len);
	struct decant_iter dst = flat(DECANT_DEST, to, len);

	randomise(from, 1 << 20);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, NULL, some_nonce, once), len);
	src = flat(DECANT_SOURCE, from, len);
	REQUIRE(!decant_iter_discard(&dst, len));
	CHECK_EQ(decant_aead_seal(other, &dst, &src, len, NULL, some_nonce, pieces), len);
	CHECK(!memcmp(once, pieces, 16));
	munmap(from, room);
	munmap(to, room);
	decant_aead_free(aead);
	decant_aead_free(other);
}

int main(int argc, char **argv)
{
	static const struct combo_case cases[] = {
		{"published vectors", published_vectors},
		{"random cuts on both sides", random_cuts},
		{"in place, cut differently", in_place},
		{"every length", every_length},
		{"tampering is refused and the destination wiped", tampering},
		{"verified before anything is written", verify_first},
		{"the tag behind the text", append},
		{"zero and discard", zero_and_discard},
		{"many contexts and clones", many_contexts},
		{"no allocation per operation", no_allocation},
	};
	static const struct check_case others[] = {
		{"more than INT_MAX bytes", beyond_int},
	};

	count_allocations();
	return combo_main(argc, argv, cases, sizeof(cases) / sizeof(*cases), aead_names,
			  sizeof(aead_names) / sizeof(*aead_names), aead_offered, others,
			  sizeof(others) / sizeof(*others));
}
