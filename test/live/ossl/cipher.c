/* SPDX-License-Identifier: MIT */
/*
 * cipher.c - decant_cipher_* against published vectors and against OpenSSL on flat
 * memory: every algorithm of every back end.
 */
#include "cipher.h"
#include "combo.h"
#include "counting.h"
#include "cipher_text.h"
#include <errno.h>

/* --- for each algorithm and back end --- */

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		REQUIRE(sscanf(hex + 2 * i, "%2hhx", out + i) == 1);
	return n;
}

static void published_vectors(int algorithm, enum decant_crypto_backend backend)
{
	struct sample *s = &sample;

	for (size_t i = 0; i < cipher_vectors_nr; i++) {
		const struct cipher_vector *v = &cipher_vectors[i];
		struct decant_cipher *c;

		if (v->algorithm != (enum decant_cipher_algorithm)algorithm)
			continue;
		s->algorithm = v->algorithm;
		s->unit = v->unit;
		REQUIRE(unhex(v->key, s->key) == cipher_key_len(v->algorithm));
		unhex(v->iv, s->iv);
		s->len = unhex(v->text, s->text);
		REQUIRE(unhex(v->cipher, s->cipher) == s->len);
		c = context(s, backend);
		for (int j = 0; j < 20; j++)
			check_text(c, s);
		if (check_failed)
			printf("# in %s\n", v->name);
		decant_cipher_free(c);
	}
}

/* A length that the algorithm takes. */
static size_t any_length(const struct sample *s, size_t most)
{
	size_t len = check_below(most + 1), rest;

	if (cipher_is_xts(s->algorithm)) {
		rest = len % s->unit;
		return rest && rest < 16 ? len - rest : len;
	}
	if (s->algorithm <= DECANT_CIPHER_AES_128_CBC)
		return len - len % 16;
	return len < 16 ? 16 + len : len;
}

static void make_sample(int algorithm, size_t unit)
{
	static const size_t mosts[] = {64, 200, 2000, 20000, MOST - 16};
	struct sample *s = &sample;

	s->algorithm = (enum decant_cipher_algorithm)algorithm;
	s->unit = cipher_is_xts(s->algorithm) ? unit : 0;
	randomise(s->key, sizeof(s->key));
	randomise(s->iv, sizeof(s->iv));
	/* The carry of the units' numbers goes through all bytes now and then. */
	if (cipher_is_xts(s->algorithm) && check_below(2))
		memset(s->iv, 0xff, 1 + check_below(14));
	s->iv[15] &= 0x7f;
	s->len = any_length(s, mosts[check_below(sizeof(mosts) / sizeof(*mosts))]);
	/* What the kernel takes in one request, which CTS is. */
	if (combo_alone && s->algorithm >= DECANT_CIPHER_AES_256_CTS)
		s->len = s->len < 65536 ? s->len : 65536;
	randomise(s->text, s->len);
	reference_encrypt(s->algorithm, s->key, s->unit, s->iv, s->text, s->len,
			  s->cipher);
}

static void random_cuts(int algorithm, enum decant_crypto_backend backend)
{
	size_t cases = combo_cases(300);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		size_t unit = (size_t)1 << (4 + check_below(13));
		struct decant_cipher *c;

		make_sample(algorithm, unit);
		c = context(&sample, backend);
		check_text(c, &sample);
		decant_cipher_free(c);
		if (check_failed)
			printf("# unit %zu, %zu bytes\n", unit, sample.len);
	}
}

static void in_place(int algorithm, enum decant_crypto_backend backend)
{
	static struct cuts one, other;
	struct decant_iter src, dst;
	const struct sample *s = &sample;

	for (size_t i = 0; i < combo_cases(60) && !check_failed; i++) {
		struct decant_cipher *c;

		make_sample(algorithm, (size_t)1 << (4 + check_below(13)));
		c = context(s, backend);
		cut(&one, s->len, any_size());
		recut(&other, &one);
		scatter(&one, one.memory, s->text);
		src = view_any(&one, DECANT_SOURCE);
		dst = view_any(&other, DECANT_DEST);
		CHECK_EQ(decant_cipher_encrypt(c, &dst, &src, s->len, s->iv), s->len);
		CHECK(holds(&one, s->cipher));
		src = view_any(&other, DECANT_SOURCE);
		dst = view_any(&one, DECANT_DEST);
		CHECK_EQ(decant_cipher_decrypt(c, &dst, &src, s->len, s->iv), s->len);
		CHECK(holds(&one, s->text));
		decant_cipher_free(c);
		free(other.lists);
		cuts_free(&one);
	}
}

/* Every length of two units and a bit, in one piece. */
static void every_length(int algorithm, enum decant_crypto_backend backend)
{
	uint8_t got[200];

	make_sample(algorithm, 64);
	randomise(sample.text, sizeof(got));
	for (size_t len = 0; len <= sizeof(got); len++) {
		struct sample *s = &sample;
		struct decant_cipher *c = context(s, backend);
		struct decant_iter src, dst;
		bool fits = cipher_is_xts(s->algorithm) ? len % 64 == 0 || len % 64 >= 16
			    : s->algorithm <= DECANT_CIPHER_AES_128_CBC
				    ? len % 16 == 0
				    : len == 0 || len >= 16;

		REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, s->text, len));
		REQUIRE(!decant_iter_buf(&dst, DECANT_DEST, got, len));
		if (fits)
			reference_encrypt(s->algorithm, s->key, s->unit, s->iv, s->text,
					  len, s->cipher);
		memset(got, GAP, sizeof(got));
		CHECK_EQ(decant_cipher_encrypt(c, &dst, &src, len, s->iv),
			 fits ? (ssize_t)len : -EINVAL);
		CHECK(fits ? !memcmp(got, s->cipher, len) : got[0] == GAP);
		decant_cipher_free(c);
	}
}

static void clones(int algorithm, enum decant_crypto_backend backend)
{
	struct decant_cipher *c, *clone;
	size_t before = 0;

	make_sample(algorithm, 512);
	c = context(&sample, backend);
	REQUIRE(!decant_cipher_clone(&clone, c));
	decant_cipher_free(c);
	for (int i = 0; i < 3; i++) {
		before = i == 1 ? allocations : before; /* the first may warm up */
		check_text(clone, &sample);
	}
	CHECK(before > 0);
	CHECK_EQ(allocations, before);
	if (combo_alone && sample.algorithm >= DECANT_CIPHER_AES_256_CTS) {
		struct decant_iter src, dst;

		REQUIRE(!decant_iter_zero(&src, 65537) &&
			!decant_iter_discard(&dst, 65537));
		CHECK_EQ(decant_cipher_encrypt(clone, &dst, &src, 65537, sample.iv),
			 -EMSGSIZE);
	}
	CHECK(decant_cipher_backend(clone, 100) != DECANT_CRYPTO_AUTO);
	decant_cipher_free(clone);
	decant_cipher_free(NULL);
}

/* --- once --- */

static int try_new(int algorithm, size_t key_len, size_t unit)
{
	uint8_t key[64] = {1, 2, 3};
	struct decant_cipher *c;
	int err = decant_cipher_new(&c, (enum decant_cipher_algorithm)algorithm, key,
				    key_len, unit, NULL);

	if (!err)
		decant_cipher_free(c);
	return err;
}

static void refusals(void)
{
	uint8_t same[64] = {0}, iv[16], wanted[16] = {8, 7, 6, 5, 4, 3, 2, 1};
	struct decant_crypto_options old = {.size = 1};
	struct decant_cipher *c;

	memset(same, 7, sizeof(same));
	CHECK_EQ(decant_cipher_new(&c, DECANT_CIPHER_AES_256_XTS, same, 64, 512, NULL),
		 -EINVAL);
	CHECK_EQ(decant_cipher_new(&c, DECANT_CIPHER_AES_256_XTS, NULL, 64, 512, NULL),
		 -EINVAL);
	CHECK_EQ(decant_cipher_new(&c, DECANT_CIPHER_AES_256_CBC, same, 32, 0, &old),
		 -EINVAL);
	CHECK_EQ(try_new(DECANT_CIPHER_AES_256_XTS, 32, 512), -EINVAL);
	CHECK_EQ(try_new(DECANT_CIPHER_AES_256_CBC, 32, 512), -EINVAL);
	CHECK_EQ(try_new(6, 32, 0), -EINVAL);
	for (size_t unit = 1; unit <= 131072; unit *= 2)
		CHECK_EQ(try_new(DECANT_CIPHER_AES_128_XTS, 32, unit),
			 unit >= 16 && unit <= 65536 ? 0 : -EINVAL);
	CHECK_EQ(try_new(DECANT_CIPHER_AES_128_XTS, 32, 48), -EINVAL);
	decant_cipher_number(iv, 0x0102030405060708);
	CHECK(!memcmp(iv, wanted, 16));
}

static void limits(void)
{
	uint8_t a[2000] = {0}, b[2000], iv[16];
	struct decant_iter src, dst, odd;
	struct decant_cipher *c;

	make_sample(DECANT_CIPHER_AES_256_XTS, 512);
	c = context(&sample, DECANT_CRYPTO_AUTO);
	REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, a, 2000));
	REQUIRE(!decant_iter_buf(&dst, DECANT_DEST, b, 2000));
	memset(iv, 0xff, sizeof(iv));
	CHECK_EQ(decant_cipher_encrypt(c, &dst, &src, 513 + 16, iv), -EOVERFLOW);
	CHECK_EQ(decant_cipher_encrypt(c, &dst, &src, 512, iv), 512);
	iv[0]--;
	CHECK_EQ(decant_cipher_encrypt(c, &dst, &src, 1024, iv), 1024);
	CHECK_EQ(decant_cipher_encrypt(c, &dst, &src, 512, iv), -EMSGSIZE);
	CHECK_EQ(decant_cipher_encrypt(c, &src, &dst, 0, iv), -EINVAL);
	REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, a, 1024));
	REQUIRE(!decant_iter_buf(&odd, DECANT_DEST, a + 16, 1024));
	CHECK_EQ(decant_cipher_decrypt(c, &odd, &src, 1024, iv), -EINVAL);
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&odd), 0);
	decant_cipher_free(c);
}

int main(int argc, char **argv)
{
	static const struct combo_case cases[] = {
		{"published vectors", published_vectors},
		{"random cuts on both sides", random_cuts},
		{"in place, cut differently", in_place},
		{"every length", every_length},
		{"a clone, and no allocation", clones},
	};
	static const struct check_case others[] = {
		{"refusals", refusals},
		{"limits", limits},
	};

	count_allocations();
	return combo_main(argc, argv, cases, sizeof(cases) / sizeof(*cases), cipher_names,
			  sizeof(cipher_names) / sizeof(*cipher_names), cipher_offered,
			  others, sizeof(others) / sizeof(*others));
}
