/* SPDX-License-Identifier: MIT */
/*
 * aead_rules.c - what decant_aead_* refuses: limits, sizes, overlap, numbers that would
 * come again; and who does the arithmetic.
 */
#include "aead.h"
#include <limits.h>
#include <malloc.h>

static ssize_t try_with(struct decant_aead *aead, struct decant_iter dst,
			struct decant_iter src, size_t len, const struct decant_iter *aad)
{
	uint8_t tag[16];

	return decant_aead_seal(aead, &dst, &src, len, aad, some_nonce, tag);
}

static ssize_t try_seal(struct decant_iter dst, struct decant_iter src, size_t len,
			const struct decant_iter *aad)
{
	struct decant_aead *aead = context(DECANT_AEAD_AES_256_GCM, DECANT_CRYPTO_AUTO);
	ssize_t got = try_with(aead, dst, src, len, aad);

	decant_aead_free(aead);
	return got;
}

static void arguments(void)
{
	uint8_t a[100] = {1, 2, 3}, b[100] = {0};
	struct decant_iter from = flat(DECANT_SOURCE, a, 100),
			   to = flat(DECANT_DEST, b, 100);
	struct decant_iter none = {0};
	struct decant_aead *aead = (void *)b;

	CHECK_EQ(try_seal(from, from, 10, NULL), -EINVAL);
	CHECK_EQ(try_seal(to, to, 10, NULL), -EINVAL);
	CHECK_EQ(try_seal(to, from, 10, &to), -EINVAL);
	CHECK_EQ(try_seal(to, from, 101, NULL), -EMSGSIZE);
	CHECK_EQ(try_seal(to, from, SIZE_MAX - 10, NULL), -EOVERFLOW);
	CHECK_EQ(try_seal(flat(DECANT_DEST, b, 5), from, 6, NULL), -EMSGSIZE);
	CHECK_EQ(try_seal(to, none, 1, NULL), -EMSGSIZE);
	CHECK(all_zero(b, 100));
	CHECK_EQ(try_seal(to, none, 0, NULL), 0);
	CHECK_EQ(decant_aead_new(&aead, (enum decant_aead_algorithm)5, a, 32), -EINVAL);
	CHECK_EQ(decant_aead_new(&aead, DECANT_AEAD_AES_256_GCM, a, 16), -EINVAL);
	CHECK_EQ(decant_aead_new(&aead, DECANT_AEAD_AES_128_CCM, a, 32), -EINVAL);
	CHECK_EQ(decant_aead_new(&aead, DECANT_AEAD_AES_256_GCM, NULL, 32), -EINVAL);
	CHECK((void *)aead == (void *)b);
}

static ssize_t try_much(int algorithm, size_t nonce_bytes, uint64_t len)
{
	struct decant_crypto_options options = {.nonce_bytes = nonce_bytes};
	struct decant_aead *aead = context_with(algorithm, some_key, options);
	uint8_t few[1];
	ssize_t got = try_with(aead, flat(DECANT_DEST, few, 1),
			       flat(DECANT_SOURCE, some_key, 1), len, NULL);

	decant_aead_free(aead);
	return got;
}

/* One byte less is only too much for the iterators. */
static void check_most(int algorithm, size_t nonce_bytes, uint64_t most)
{
	CHECK_EQ(try_much(algorithm, nonce_bytes, most), -EMSGSIZE);
	CHECK_EQ(try_much(algorithm, nonce_bytes, most + 1), -EOVERFLOW);
}

static void limits(void)
{
	struct decant_iter zeroes, to = {.direction = DECANT_DEST}, none = {0};

	check_most(DECANT_AEAD_AES_256_GCM, 12, (1ull << 36) - 32);
	check_most(DECANT_AEAD_AES_128_GCM, 12, (1ull << 36) - 32);
	check_most(DECANT_AEAD_CHACHA20_POLY1305, 12, (1ull << 38) - 64);
	check_most(DECANT_AEAD_AES_256_CCM, 13, (1ull << 16) - 1);
	check_most(DECANT_AEAD_AES_128_CCM, 12, (1ull << 24) - 1);
	check_most(DECANT_AEAD_AES_128_CCM, 11, (1ull << 32) - 1);
	check_most(DECANT_AEAD_AES_128_CCM, 8, (1ull << 56) - 1);
	CHECK_EQ(try_much(DECANT_AEAD_AES_128_CCM, 7, SIZE_MAX), -EMSGSIZE);
	REQUIRE(!decant_iter_zero(&zeroes, SSIZE_MAX));
	CHECK_EQ(try_seal(to, none, 0, &zeroes), -EOVERFLOW);
}

static int try_options(int algorithm, struct decant_crypto_options options)
{
	enum decant_aead_algorithm id = (enum decant_aead_algorithm)algorithm;
	struct decant_aead *aead;
	int err = decant_aead_new_with(&aead, id, some_key, reference_key_len(id),
				       &options);

	if (!err)
		decant_aead_free(aead);
	return err;
}

static int try_sizes(int algorithm, size_t nonce_bytes, size_t tag_bytes)
{
	return try_options(algorithm,
			   (struct decant_crypto_options){
				   .size = sizeof(struct decant_crypto_options),
				   .nonce_bytes = nonce_bytes,
				   .tag_bytes = tag_bytes});
}

static void sizes(void)
{
	struct decant_crypto_options options = {0};

	CHECK_EQ(try_options(0, options), -EINVAL);
	options = (struct decant_crypto_options){sizeof(options), .backend = 7};
	CHECK_EQ(try_options(0, options), -EINVAL);
	CHECK_EQ(try_sizes(DECANT_AEAD_AES_256_GCM, 11, 0), -EINVAL);
	CHECK_EQ(try_sizes(DECANT_AEAD_AES_256_GCM, 13, 0), -EINVAL);
	for (size_t n = 1; n <= 17; n++) {
		CHECK_EQ(try_sizes(DECANT_AEAD_AES_256_GCM, 12, n),
			 n >= 12 && n <= 16 ? 0 : -EINVAL);
		CHECK_EQ(try_sizes(DECANT_AEAD_AES_128_CCM, 0, n),
			 n >= 4 && n <= 16 && n % 2 == 0 ? 0 : -EINVAL);
		CHECK_EQ(try_sizes(DECANT_AEAD_AES_256_CCM, n, 0),
			 n >= 7 && n <= 13 ? 0 : -EINVAL);
		CHECK_EQ(try_sizes(DECANT_AEAD_CHACHA20_POLY1305, 0, n),
			 n == 16 ? 0 : -EINVAL);
	}
}

/* Other nonces and tags than the usual ones, against OpenSSL. */
static void check_sizes(int algorithm, size_t nonce_len, size_t tag_len)
{
	struct decant_crypto_options options = {.nonce_bytes = nonce_len,
						.tag_bytes = tag_len};
	struct decant_aead *aead = context_with(algorithm, some_key, options);
	struct sample *s = sample_new();
	struct decant_iter src, dst, aad;
	uint8_t got[300], tag[17];

	make_sample(s, algorithm, 0, 0);
	s->message.nonce_len = nonce_len;
	s->message.tag_len = tag_len;
	fill_sample(s, some_key, 299, 33);
	src = flat(DECANT_SOURCE, s->text, 299);
	dst = flat(DECANT_DEST, got, 299);
	aad = flat(DECANT_SOURCE, s->aad, 33);
	memset(tag, GAP, sizeof(tag));
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, 299, &aad, s->message.nonce, tag),
		 299);
	CHECK(!memcmp(got, s->cipher, 299) && !memcmp(tag, s->tag, tag_len));
	CHECK_EQ(tag[tag_len], GAP);
	src = flat(DECANT_SOURCE, got, 299);
	dst = flat(DECANT_DEST, got, 299);
	tag[tag_len - 1] ^= 1;
	CHECK_EQ(decant_aead_open(aead, &dst, &src, 299, &aad, s->message.nonce, tag),
		 -EBADMSG);
	free(s);
	decant_aead_free(aead);
}

static void other_sizes(void)
{
	for (size_t nonce = 7; nonce <= 13; nonce++)
		for (size_t tag = 4; tag <= 16; tag += 2)
			check_sizes(DECANT_AEAD_AES_128_CCM, nonce, tag);
	for (size_t tag = 12; tag <= 16; tag++)
		check_sizes(DECANT_AEAD_AES_256_GCM, 12, tag);
}

/* CCM writes the length of its additional data in three ways (RFC 3610, 2.2). */
static void long_aad(void)
{
	static const size_t lens[] = {0xfeff, 0xff00, 0x10000, 200001};
	uint8_t *aad = calloc(1, 200001), tag[16], wanted[16];

	REQUIRE(aad);
	randomise(aad, 200001);
	for (int algorithm = 0; algorithm < 5; algorithm++) {
		struct decant_aead *aead = context(algorithm, DECANT_CRYPTO_AUTO);

		for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
			struct message m = {(enum decant_aead_algorithm)algorithm, 12, 16,
					    .aad = aad, .aad_len = lens[i]};
			struct decant_iter it = flat(DECANT_SOURCE, aad, lens[i]),
					   src = flat(DECANT_SOURCE, aad, 0),
					   dst = flat(DECANT_DEST, aad, 0);

			memcpy(m.key, some_key, 32);
			memcpy(m.nonce, some_nonce, 12);
			reference_seal(&m, wanted, wanted);
			CHECK_EQ(decant_aead_seal(aead, &dst, &src, 0, &it, some_nonce,
						  tag),
				 0);
			CHECK(!memcmp(tag, wanted, 16));
		}
		decant_aead_free(aead);
	}
	free(aad);
}

/* Small pieces went through memory of the context; nothing of them is left there. */
static void check_wiped(enum decant_crypto_backend backend)
{
	static uint8_t text[3000], cipher[3000];
	struct decant_aead *aead = context(DECANT_AEAD_AES_256_GCM, backend);
	struct iovec iov[60];
	struct decant_iter src, dst, aad;
	uint8_t tag[16];

	randomise(text, sizeof(text));
	for (size_t i = 0; i < 60; i++)
		iov[i] = (struct iovec){text + (59 - i) * 50, 48};
	REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, iov, 60));
	aad = src;
	dst = flat(DECANT_DEST, cipher, 60 * 48);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, 60 * 48, &aad, some_nonce, tag),
		 60 * 48);
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, iov, 60));
	src = flat(DECANT_SOURCE, cipher, 60 * 48);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, 60 * 48, &aad, some_nonce, tag),
		 60 * 48);
	for (size_t i = 0; i < 60; i++)
		CHECK(!memmem(aead, malloc_usable_size(aead), iov[i].iov_base, 16));
	decant_aead_free(aead);
}

static void wiped(void)
{
	for (enum decant_crypto_backend b = 0; b <= DECANT_CRYPTO_IPSEC_MB; b++)
		if (!decant_crypto_backend_check(b))
			check_wiped(b);
}

/* Overlap that is no identity is refused and nothing is touched. */
static void overlap(void)
{
	uint8_t a[3000], before[3000];
	struct iovec swapped[] = {{a + 1000, 1000}, {a, 1000}};
	struct iovec whole[] = {{a, 500}, {a + 500, 0}, {a + 500, 1500}};
	struct decant_iter src, dst;

	randomise(a, sizeof(a));
	memcpy(before, a, sizeof(a));
	src = flat(DECANT_SOURCE, a, 2000);
	for (size_t shift = 1; shift < 1000; shift += 37) {
		dst = flat(DECANT_DEST, a + shift, 2000);
		CHECK_EQ(try_seal(dst, src, 2000, NULL), -EINVAL);
		CHECK_EQ(try_seal(dst, src, shift + 1, NULL), -EINVAL);
	}
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, swapped, 2));
	CHECK_EQ(try_seal(dst, src, 2000, NULL), -EINVAL);
	CHECK(!memcmp(a, before, sizeof(a)));
	CHECK_EQ(try_seal(flat(DECANT_DEST, a + 1000, 2000), src, 1000, NULL), 1000);
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, whole, 3));
	CHECK_EQ(try_seal(dst, src, 2000, NULL), 2000);
}

#define CELLS 2000
#define CELL  20

/* Cells of one memory in any order, each on one side only, or on both sides alike. */
struct mixed {
	struct iovec src[CELLS], dst[CELLS];
	uint8_t memory[3 * CELLS * CELL];
};

static void mix(struct mixed *m, bool in_place)
{
	size_t order[2 * CELLS];

	for (size_t i = 0; i < 2 * CELLS; i++)
		order[i] = i;
	for (size_t i = 2 * CELLS; i-- > 1;) {
		size_t j = check_below(i + 1), was = order[i];

		order[i] = order[j];
		order[j] = was;
	}
	for (size_t i = 0; i < CELLS; i++) {
		m->src[i] = (struct iovec){m->memory + order[i] * CELL, CELL};
		m->dst[i] = m->src[i];
		if (!in_place || check_below(2))
			m->dst[i].iov_base = m->memory + order[CELLS + i] * CELL;
	}
}

static ssize_t seal_mixed(struct mixed *m)
{
	struct decant_iter src, dst;

	REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, m->src, CELLS));
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, m->dst, CELLS));
	return try_seal(dst, src, CELLS * CELL, NULL);
}

/* Thousands of pieces of one memory, mixed: one byte shared in the wrong place shows. */
static void overlap_of_many(void)
{
	struct mixed *m = calloc(1, sizeof(*m));
	uint8_t *before = calloc(1, sizeof(m->memory));

	REQUIRE(m && before);
	for (int round = 0; round < 20; round++) {
		size_t i = check_below(CELLS),
		       j = (i + 1 + check_below(CELLS - 1)) % CELLS;

		mix(m, round % 2);
		CHECK_EQ(seal_mixed(m), CELLS * CELL);
		memcpy(before, m->memory, sizeof(m->memory));
		m->dst[i].iov_base = (uint8_t *)m->src[j].iov_base + check_below(CELL);
		CHECK_EQ(seal_mixed(m), -EINVAL);
		CHECK(!memcmp(before, m->memory, sizeof(m->memory)));
	}
	free(m);
	free(before);
}

/* The caller's promise is taken for good. */
static void promised(void)
{
	struct decant_crypto_options options = {.distinct = true};
	struct decant_aead *aead = context_with(0, some_key, options);
	uint8_t a[100] = {0};

	CHECK_EQ(try_with(aead, flat(DECANT_DEST, a + 1, 50), flat(DECANT_SOURCE, a, 50),
			  50, NULL),
		 50);
	decant_aead_free(aead);
}

static ssize_t next(struct decant_aead *aead, uint8_t *nonce)
{
	uint8_t text[20] = {0}, tag[16];
	struct decant_iter src = flat(DECANT_SOURCE, text, 20),
			   dst = flat(DECANT_DEST, text, 20);

	return decant_aead_seal_number(aead, &dst, &src, 20, NULL, nonce, tag);
}

static void check_numbers(const uint8_t *prefix, size_t prefix_len, uint64_t first,
			  const uint8_t *wanted, int more)
{
	struct decant_aead *aead = context(0, DECANT_CRYPTO_AUTO), *clone;
	uint8_t nonce[12];

	CHECK_EQ(next(aead, nonce), -ERANGE);
	CHECK_EQ(decant_aead_number(aead, prefix, prefix_len, first), 0);
	CHECK_EQ(decant_aead_number(aead, prefix, prefix_len, first), -EALREADY);
	REQUIRE(!decant_aead_clone(&clone, aead));
	CHECK_EQ(next(clone, nonce), -ERANGE);
	decant_aead_free(clone);
	CHECK_EQ(next(aead, nonce), 20);
	CHECK(!memcmp(nonce, wanted, 12));
	for (int i = 0; i < more; i++)
		CHECK_EQ(next(aead, nonce), 20);
	for (int i = 0; i < 3 && more < 3; i++)
		CHECK_EQ(next(aead, nonce), -ERANGE);
	decant_aead_free(aead);
}

static void numbers(void)
{
	static const uint8_t zero[12] = {0},
			     some[12] = {7, 8, 9, 1, 0, 0, 0, 0, 0, 0, 2, 3};
	static const uint8_t ends[12] = {7, 8, 9, 1, 5, 6, 7, 8, 9, 10, 11, 0xfe};
	static const uint8_t last[12] = {7,    8,    9,	   1,	 0xff, 0xff,
					 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct decant_aead *aead = context(0, DECANT_CRYPTO_AUTO);

	check_numbers(NULL, 0, 0, zero, 1000);
	check_numbers(some, 4, 0x203, some, 1000);
	check_numbers(ends, 11, 0xfe, ends, 1);
	check_numbers(last, 4, UINT64_MAX, last, 0);
	CHECK_EQ(decant_aead_number(aead, some, 12, 0), -EINVAL);
	CHECK_EQ(decant_aead_number(aead, some, 11, 0x100), -EOVERFLOW);
	CHECK_EQ(decant_aead_number(aead, some, 11, 0xff), 0);
	decant_aead_free(aead);
}

/* A call that is refused uses no number up. */
static void numbers_kept(void)
{
	struct decant_aead *aead = context(0, DECANT_CRYPTO_AUTO);
	uint8_t nonce[12], tag[16], text[4] = {0};
	struct decant_iter src = flat(DECANT_SOURCE, text, 4),
			   dst = flat(DECANT_DEST, text, 4);

	REQUIRE(!decant_aead_number(aead, NULL, 0, 41));
	CHECK_EQ(decant_aead_seal_number(aead, &dst, &src, 5, NULL, nonce, tag),
		 -EMSGSIZE);
	CHECK_EQ(next(aead, nonce), 20);
	CHECK_EQ(nonce[11], 41);
	decant_aead_free(aead);
}

static void who(void)
{
	enum decant_crypto_backend b = DECANT_CRYPTO_OPENSSL;
	struct decant_aead *aead = context(DECANT_AEAD_AES_256_CCM, DECANT_CRYPTO_AUTO);

	CHECK_EQ(decant_aead_backend(aead, 100), b);
	decant_aead_free(aead);
	for (; b <= DECANT_CRYPTO_AF_ALG; b++) {
		if (decant_crypto_backend_check(b)) {
			CHECK_EQ(try_options(0,
					     (struct decant_crypto_options){
						     sizeof(struct decant_crypto_options),
						     .backend = b}),
				 -ENOTSUP);
			continue;
		}
		aead = context(DECANT_AEAD_AES_256_GCM, b);
		CHECK_EQ(decant_aead_backend(aead, 100), b);
		decant_aead_free(aead);
	}
	CHECK_EQ(decant_crypto_backend_check((enum decant_crypto_backend)9), -EINVAL);
	CHECK(!strcmp(decant_crypto_backend_name(DECANT_CRYPTO_IPSEC_MB), "ipsec-mb"));
	CHECK(!strcmp(decant_crypto_backend_name((enum decant_crypto_backend)9), "?"));
}

int main(void)
{
	static const struct check_case cases[] = {
		{"arguments", arguments},
		{"limits of the algorithms", limits},
		{"sizes of nonce and tag", sizes},
		{"other nonces and tags", other_sizes},
		{"long additional data", long_aad},
		{"scratch is wiped", wiped},
		{"overlap is refused", overlap},
		{"overlap of many pieces", overlap_of_many},
		{"a promise not to overlap", promised},
		{"numbers that never come again", numbers},
		{"numbers that are not used up", numbers_kept},
		{"who does the arithmetic", who},
	};

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
