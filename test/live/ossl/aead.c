/* SPDX-License-Identifier: MIT */
/* aead.c - decant_aead_* against published vectors and against OpenSSL on flat memory. */
#include "check.h"
#include "cuts.h"
#include "reference.h"
#include <decant/aead.h>
#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/crypto.h>

#define MOST_TEXT 40000

static size_t allocations;
static const uint8_t some_key[32] = {1, 2, 3};
static const uint8_t some_nonce[12] = {9, 8, 7};

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

static struct decant_iter flat(enum decant_direction direction, const void *addr,
			       size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, direction, (void *)(uintptr_t)addr, len));
	return it;
}

static struct decant_aead *context(const uint8_t key[32])
{
	struct decant_aead *aead;

	REQUIRE(!decant_aead_new(&aead, DECANT_AEAD_AES_256_GCM, key, 32));
	return aead;
}

static void randomise(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)check_random();
}

/* --- cases --- */

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		REQUIRE(sscanf(hex + 2 * i, "%2hhx", out + i) == 1);
	return n;
}

static void check_vector(const struct vector *v)
{
	uint8_t key[32], nonce[12], aad[64], text[128], cipher[128], tag[16], got[128],
		sum[16];
	size_t aad_len = unhex(v->aad, aad), len = unhex(v->text, text);
	size_t key_len = unhex(v->key, key);
	struct decant_iter add = flat(DECANT_SOURCE, aad, aad_len);
	struct decant_iter src = flat(DECANT_SOURCE, text, len);
	struct decant_iter dst = flat(DECANT_DEST, got, len);
	struct decant_aead *aead;

	unhex(v->nonce, nonce);
	unhex(v->cipher, cipher);
	unhex(v->tag, tag);
	REQUIRE(!decant_aead_new(&aead, (enum decant_aead_algorithm)v->algorithm, key,
				 key_len));
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, &add, nonce, sum), (ssize_t)len);
	CHECK(!memcmp(got, cipher, len));
	CHECK(!memcmp(sum, tag, 16));
	src = flat(DECANT_SOURCE, cipher, len);
	dst = flat(DECANT_DEST, got, len);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, len, &add, nonce, tag), (ssize_t)len);
	CHECK(!memcmp(got, text, len));
	decant_aead_free(aead);
}

static void published_vectors(void)
{
	for (size_t i = 0; i < vectors_nr; i++) {
		check_vector(&vectors[i]);
		if (check_failed)
			printf("# in %s\n", vectors[i].name);
	}
}

struct sample {
	struct message message;
	uint8_t aad[2000], text[MOST_TEXT], cipher[MOST_TEXT + 16], tag[16];
};

static void make_sample(struct sample *s, const uint8_t key[32], size_t len,
			size_t aad_len)
{
	struct message *m = &s->message;

	memcpy(m->key, key, 32);
	randomise(m->nonce, 12);
	randomise(s->text, len);
	randomise(s->aad, aad_len);
	m->aad = s->aad;
	m->aad_len = aad_len;
	m->text = s->text;
	m->len = len;
	reference_seal(m, s->cipher, s->tag);
}

static const size_t sizes[] = {1, 15, 48, 600, 5000, 20000};

static size_t any_size(void)
{
	return sizes[check_below(sizeof(sizes) / sizeof(*sizes))];
}

static size_t any_length(void)
{
	size_t most = any_size() * 40;

	return check_below((most < MOST_TEXT ? most : MOST_TEXT) + 1);
}

/* Both sides and the AAD cut at random: the bytes are those of the flat text. */
static void cuts_once(struct decant_aead *aead, struct sample *s)
{
	static struct cuts from, to, back, add;
	size_t len = any_length();
	struct decant_iter src, dst, aad;
	uint8_t tag[16];

	make_sample(s, some_key, len, check_below(sizeof(s->aad)));
	cut(&from, len, any_size());
	cut(&to, len, any_size());
	cut(&back, len, any_size());
	cut(&add, s->message.aad_len, any_size());
	scatter(&from, from.memory, s->text);
	scatter(&add, add.memory, s->aad);
	memset(to.memory, GAP, to.room);
	memset(back.memory, GAP, back.room);
	src = view(&from, DECANT_SOURCE);
	dst = view(&to, DECANT_DEST);
	aad = view(&add, DECANT_SOURCE);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, &aad, s->message.nonce, tag),
		 len);
	CHECK(holds(&to, s->cipher) && !memcmp(tag, s->tag, 16));
	CHECK_EQ(decant_iter_count(&src) + decant_iter_count(&dst), 0);
	CHECK_EQ(decant_iter_count(&aad), s->message.aad_len);
	src = view(&to, DECANT_SOURCE);
	dst = view(&back, DECANT_DEST);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, len, &aad, s->message.nonce, tag),
		 len);
	CHECK(holds(&back, s->text));
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&dst), 2 * len);
	free(from.memory);
	free(to.memory);
	free(back.memory);
	free(add.memory);
}

static void random_cuts(void)
{
	struct decant_aead *aead = context(some_key);
	struct sample *s = malloc(sizeof(*s));
	size_t cases = check_cases(20000);

	REQUIRE(s);
	for (size_t i = 0; i < cases && !check_failed; i++)
		cuts_once(aead, s);
	free(s);
	decant_aead_free(aead);
}

static void in_place_once(struct decant_aead *aead, struct sample *s)
{
	static struct cuts one, other;
	size_t len = any_length();
	struct decant_iter src, dst;
	uint8_t tag[16];

	make_sample(s, some_key, len, 0);
	cut(&one, len, any_size());
	recut(&other, &one);
	scatter(&one, one.memory, s->text);
	src = view(&one, DECANT_SOURCE);
	dst = view(&other, DECANT_DEST);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, NULL, s->message.nonce, tag),
		 len);
	CHECK(holds(&one, s->cipher) && !memcmp(tag, s->tag, 16));
	src = view(&other, DECANT_SOURCE);
	dst = view(&one, DECANT_DEST);
	CHECK_EQ(decant_aead_open(aead, &dst, &src, len, NULL, s->message.nonce, tag),
		 len);
	CHECK(holds(&one, s->text));
	free(one.memory);
}

static void in_place(void)
{
	struct decant_aead *aead = context(some_key);
	struct sample *s = malloc(sizeof(*s));
	size_t cases = check_cases(20000) / 4;

	REQUIRE(s);
	for (size_t i = 0; i < cases && !check_failed; i++)
		in_place_once(aead, s);
	free(s);
	decant_aead_free(aead);
}

/* Every length up to some blocks past the threshold, flat. */
static void every_length(void)
{
	struct decant_aead *aead = context(some_key);
	struct sample *s = malloc(sizeof(*s));
	uint8_t got[1100], tag[16];

	REQUIRE(s);
	for (size_t len = 0; len <= sizeof(got) && !check_failed; len++) {
		struct decant_iter src = flat(DECANT_SOURCE, s->text, len);
		struct decant_iter dst = flat(DECANT_DEST, got, len);
		struct decant_iter aad = flat(DECANT_SOURCE, s->aad, len % 40);

		make_sample(s, some_key, len, len % 40);

		CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, &aad, s->message.nonce,
					  tag),
			 len);
		CHECK(!memcmp(got, s->cipher, len) && !memcmp(tag, s->tag, 16));
	}
	free(s);
	decant_aead_free(aead);
}

static bool all_zero(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i])
			return false;
	return true;
}

/* Opening a damaged sample is refused, the destination is wiped, no iterator moves. */
static void refuse(struct decant_aead *aead, const struct sample *s)
{
	uint8_t got[2000];
	size_t len = s->message.len, half = len / 2;
	struct iovec iov[] = {
		{got, half}, {got + half, 0}, {got + half, sizeof(got) - half}};
	struct decant_iter src = flat(DECANT_SOURCE, s->cipher, len), dst;
	struct decant_iter aad = flat(DECANT_SOURCE, s->aad, s->message.aad_len);

	memset(got, GAP, sizeof(got));
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, iov, 3));
	CHECK_EQ(decant_aead_open(aead, &dst, &src, len, &aad, s->message.nonce, s->tag),
		 -EBADMSG);
	CHECK(all_zero(got, len));
	CHECK(got[len] == GAP && got[sizeof(got) - 1] == GAP);
	CHECK_EQ(decant_iter_consumed(&src) + decant_iter_consumed(&dst), 0);
	CHECK_EQ(decant_iter_count(&dst), sizeof(got));
}

static void refuse_each(struct decant_aead *aead, struct sample *s, uint8_t *at,
			size_t len)
{
	for (size_t i = 0; i < len && !check_failed; i++) {
		uint8_t bit = (uint8_t)(1u << check_below(8));

		at[i] ^= bit;
		refuse(aead, s);
		at[i] ^= bit;
	}
}

static void tampering(void)
{
	struct decant_aead *aead = context(some_key);
	struct sample *s = malloc(sizeof(*s));

	REQUIRE(s);
	for (size_t len = 0; len <= 1500; len += 300) {
		make_sample(s, some_key, len, 77);
		refuse_each(aead, s, s->tag, 16);
		refuse_each(aead, s, s->aad, 77);
		refuse_each(aead, s, s->cipher, len);
		refuse_each(aead, s, s->message.nonce, 12);
		s->message.aad_len--;
		refuse(aead, s);
	}
	free(s);
	decant_aead_free(aead);
}

static void zero_and_discard(void)
{
	struct decant_aead *aead = context(some_key);
	struct sample *s = calloc(1, sizeof(*s));
	struct decant_iter src, dst, aad;
	uint8_t tag[16], *got = malloc(MOST_TEXT);

	REQUIRE(s && got);
	s->message = (struct message){.text = s->text, .len = MOST_TEXT, .aad = s->aad};
	s->message.aad_len = 1000;
	memcpy(s->message.key, some_key, 32);
	reference_seal(&s->message, s->cipher, s->tag);
	REQUIRE(!decant_iter_zero(&src, MOST_TEXT));
	REQUIRE(!decant_iter_zero(&aad, 1000));
	dst = flat(DECANT_DEST, got, MOST_TEXT);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, MOST_TEXT, &aad, s->message.nonce,
				  tag),
		 MOST_TEXT);
	CHECK(!memcmp(got, s->cipher, MOST_TEXT) && !memcmp(tag, s->tag, 16));
	src = flat(DECANT_SOURCE, got, MOST_TEXT);
	REQUIRE(!decant_iter_discard(&dst, MOST_TEXT));
	CHECK_EQ(decant_aead_open(aead, &dst, &src, MOST_TEXT, &aad, s->message.nonce,
				  tag),
		 MOST_TEXT);
	tag[0] ^= 1;
	src = flat(DECANT_SOURCE, got, MOST_TEXT);
	REQUIRE(!decant_iter_discard(&dst, MOST_TEXT));
	CHECK_EQ(decant_aead_open(aead, &dst, &src, MOST_TEXT, &aad, s->message.nonce,
				  tag),
		 -EBADMSG);
	CHECK_EQ(decant_iter_count(&dst), MOST_TEXT);
	free(s);
	free(got);
	decant_aead_free(aead);
}

/* Contexts with different keys, used in turns: each is a world of its own. */
static void many_contexts(void)
{
	struct decant_aead *aead[8];
	struct sample *s = malloc(sizeof(*s));
	uint8_t key[8][32], got[3000], tag[16];

	REQUIRE(s);
	for (size_t i = 0; i < 8; i++) {
		randomise(key[i], 32);
		aead[i] = context(key[i]);
	}
	for (size_t i = 0; i < 400 && !check_failed; i++) {
		size_t len = check_below(sizeof(got)), which = check_below(8);
		struct decant_iter src, dst = flat(DECANT_DEST, got, len);

		make_sample(s, key[which], len, 0);
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

static ssize_t try_seal(struct decant_iter dst, struct decant_iter src, size_t len,
			const struct decant_iter *aad)
{
	static struct decant_aead *aead;
	uint8_t tag[16];

	if (!aead)
		aead = context(some_key);
	return decant_aead_seal(aead, &dst, &src, len, aad, some_nonce, tag);
}

static void refusals(void)
{
	uint8_t a[100] = {1, 2, 3}, b[100] = {0};
	struct decant_iter from = flat(DECANT_SOURCE, a, 100),
			   to = flat(DECANT_DEST, b, 100);
	struct decant_iter zeroes, nowhere, none = {0};
	struct decant_aead *aead = (void *)b;
	size_t much = ((size_t)1 << 36) - 31;

	CHECK_EQ(try_seal(from, from, 10, NULL), -EINVAL);
	CHECK_EQ(try_seal(to, to, 10, NULL), -EINVAL);
	CHECK_EQ(try_seal(to, from, 10, &to), -EINVAL);
	CHECK_EQ(try_seal(to, from, 101, NULL), -EMSGSIZE);
	CHECK_EQ(try_seal(flat(DECANT_DEST, b, 5), from, 6, NULL), -EMSGSIZE);
	CHECK_EQ(try_seal(to, none, 1, NULL), -EMSGSIZE);
	REQUIRE(!decant_iter_zero(&zeroes, SSIZE_MAX));
	REQUIRE(!decant_iter_discard(&nowhere, SSIZE_MAX));
	CHECK_EQ(try_seal(nowhere, zeroes, much, NULL), -EOVERFLOW);
	CHECK_EQ(try_seal(to, from, 1, &zeroes), -EOVERFLOW);
	CHECK(all_zero(b, 100));
	CHECK_EQ(try_seal(to, none, 0, NULL), 0);
	CHECK_EQ(decant_aead_new(&aead, (enum decant_aead_algorithm)7, a, 32), -EINVAL);
	CHECK_EQ(decant_aead_new(&aead, DECANT_AEAD_AES_256_GCM, a, 16), -EINVAL);
	CHECK_EQ(decant_aead_new(&aead, DECANT_AEAD_AES_256_GCM, NULL, 32), -EINVAL);
	CHECK((void *)aead == (void *)b);
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

static void no_allocation(void)
{
	struct decant_aead *aead = context(some_key);
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
	struct decant_aead *aead = context(some_key);
	uint8_t *from = endless(room), *to = endless(room), once[16], pieces[16];
	struct decant_iter src = flat(DECANT_SOURCE, from, len);
	struct decant_iter dst = flat(DECANT_DEST, to, len);

	randomise(from, 1 << 20);
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, NULL, some_nonce, once), len);
	src = flat(DECANT_SOURCE, from, len);
	REQUIRE(!decant_iter_discard(&dst, len));
	CHECK_EQ(decant_aead_seal(aead, &dst, &src, len, NULL, some_nonce, pieces), len);
	CHECK(!memcmp(once, pieces, 16));
	munmap(from, room);
	munmap(to, room);
	decant_aead_free(aead);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"published vectors", published_vectors},
		{"random cuts on both sides", random_cuts},
		{"in place, cut differently", in_place},
		{"every length", every_length},
		{"tampering is refused and the destination wiped", tampering},
		{"zero and discard", zero_and_discard},
		{"many contexts", many_contexts},
		{"refusals", refusals},
		{"overlap is refused", overlap},
		{"no allocation per operation", no_allocation},
		{"more than INT_MAX bytes", beyond_int},
	};

	CRYPTO_set_mem_functions(count_malloc, count_realloc, plain_free);
	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
