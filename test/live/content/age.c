/* SPDX-License-Identifier: MIT */
/* age.c - keys, headers, sealing, parts and armor: what they do, and what they refuse. */
#include <unistd.h>
#include "rig.h"

/* The specification's examples. */
#define EXAMPLE_IDENTITY                                                                 \
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
#define EXAMPLE_RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

static void published_keys(void)
{
	char recipient[DECANT_AGE_RECIPIENT_CHARS] = "";
	struct decant_age_keys *keys;

	CHECK_EQ(decant_age_identity_recipient(EXAMPLE_IDENTITY, recipient), 0);
	CHECK(!strcmp(recipient, EXAMPLE_RECIPIENT));
	REQUIRE(!decant_age_keys_new(&keys));
	CHECK_EQ(decant_age_keys_recipient(keys, EXAMPLE_RECIPIENT), 0);
	CHECK_EQ(decant_age_keys_identity(keys, EXAMPLE_IDENTITY), 0);
	decant_age_keys_free(keys);
	decant_age_keys_free(NULL);
}

/* A character changed, missing or added, or in the other case. */
static void refuse_like(struct decant_age_keys *keys, const char *good,
			int (*add)(struct decant_age_keys *, const char *))
{
	size_t len = strlen(good);
	char bad[128];

	for (size_t i = 0; i <= len; i++) {
		strcpy(bad, good);
		bad[i] = i < len ? (char)(bad[i] ^ 0x20) : 'x';
		bad[i + (i == len)] = i < len ? bad[i] : '\0';
		if (i < len && good[i] >= '0' && good[i] <= '9')
			bad[i] = good[i] == '2' ? '3' : '2';
		CHECK_EQ(add(keys, bad), -EINVAL);
		strcpy(bad, good);
		bad[i] = '\0';
		CHECK_EQ(i < len ? add(keys, bad) : -EINVAL, -EINVAL);
	}
	CHECK_EQ(add(keys, NULL), -EINVAL);
}

static void malformed_keys(void)
{
	char recipient[DECANT_AGE_RECIPIENT_CHARS] = "untouched";
	struct decant_age_keys *keys;

	REQUIRE(!decant_age_keys_new(&keys));
	refuse_like(keys, EXAMPLE_RECIPIENT, decant_age_keys_recipient);
	refuse_like(keys, EXAMPLE_IDENTITY, decant_age_keys_identity);
	CHECK_EQ(decant_age_keys_recipient(keys, EXAMPLE_IDENTITY), -EINVAL);
	CHECK_EQ(decant_age_keys_identity(keys, EXAMPLE_RECIPIENT), -EINVAL);
	CHECK_EQ(decant_age_identity_recipient(EXAMPLE_RECIPIENT, recipient), -EINVAL);
	CHECK_EQ(decant_age_keys_passphrase(keys, "", 0), -EINVAL);
	CHECK_EQ(decant_age_keys_passphrase(keys, NULL, 3), -EINVAL);
	CHECK(!strcmp(recipient, "untouched"));
	decant_age_keys_free(keys);
}

static void new_keys(void)
{
	struct pair a = pair_new(), b = pair_new();
	char recipient[DECANT_AGE_RECIPIENT_CHARS];

	CHECK_EQ(strlen(a.identity), DECANT_AGE_IDENTITY_CHARS - 1);
	CHECK_EQ(strlen(a.recipient), DECANT_AGE_RECIPIENT_CHARS - 1);
	CHECK(strcmp(a.identity, b.identity) && strcmp(a.recipient, b.recipient));
	CHECK_EQ(decant_age_identity_recipient(a.identity, recipient), 0);
	CHECK(!strcmp(recipient, a.recipient));
}

static void create_refuses(void)
{
	struct pair pair = pair_new();
	struct decant_age_keys *none = keys_of(&pair, 0, true);
	struct decant_age_keys *to = keys_of(&pair, 1, true);
	struct decant_age_keys *phrase = keys_phrase("a");
	struct decant_age_keys *from = keys_of(&pair, 1, false);
	struct decant_age *age = NULL;
	char room[1024];
	struct decant_iter dst = flat(room, sizeof(room), DECANT_DEST);
	struct decant_iter src = flat(room, sizeof(room), DECANT_SOURCE);

	CHECK_EQ(decant_age_create(&age, &src, to, 0), -EINVAL);
	CHECK_EQ(decant_age_create(&age, &dst, none, 0), -EINVAL);
	CHECK_EQ(decant_age_create(&age, &dst, from, 0), -EINVAL);
	CHECK_EQ(decant_age_create(&age, &dst, phrase, DECANT_AGE_WORK_FACTOR_MOST + 1),
		 -EINVAL);
	REQUIRE(!decant_age_keys_recipient(phrase, pair.recipient));
	CHECK_EQ(decant_age_create(&age, &dst, phrase, 1), -EINVAL);
	decant_iter_truncate(&dst, 100);
	CHECK_EQ(decant_age_create(&age, &dst, to, 0), -EMSGSIZE);
	CHECK_EQ(decant_iter_count(&dst), 100);
	CHECK(!age);
	decant_age_keys_free(none);
	decant_age_keys_free(to);
	decant_age_keys_free(phrase);
	decant_age_keys_free(from);
}

static void many_recipients(void)
{
	struct pair pairs[40];
	uint8_t text[100] = {1, 2, 3}, plain[8192];
	struct decant_age_keys *to, *one;
	struct blob blob;

	for (size_t i = 0; i < 40; i++)
		pairs[i] = pair_new();
	to = keys_of(pairs, 30, true);
	blob = encrypt(to, text, sizeof(text));
	REQUIRE(blob.len <= sizeof(plain));
	for (size_t i = 0; i < 40; i++) {
		one = keys_of(pairs + i, 1, false);
		memset(plain, 0, sizeof(plain));
		CHECK_EQ(decrypt(one, blob.at, blob.len, plain),
			 i < 30 ? (ssize_t)sizeof(text) : -ENOKEY);
		CHECK_EQ(memcmp(plain, text, sizeof(text)) == 0, i < 30);
		decant_age_keys_free(one);
	}
	free(blob.at);
	decant_age_keys_free(to);
}

static void header_beyond_the_limit(void)
{
	struct pair pair = pair_new();
	struct decant_age_keys *to = keys_of(&pair, 0, true);
	struct decant_age *age;
	struct decant_iter it;
	char *room = calloc(1, 2u << 20);
	int len;

	REQUIRE(room);
	for (int i = 0; i < 8200; i++)
		REQUIRE(!decant_age_keys_recipient(to, pair.recipient));
	it = flat(room, 2u << 20, DECANT_DEST);
	CHECK_EQ(decant_age_create(&age, &it, to, 0), -E2BIG);
	len = sprintf(room, "age-encryption.org/v1\n-> ");
	memset(room + len, 'a', (2u << 20) - (size_t)len);
	it = flat(room, 2u << 20, DECANT_SOURCE);
	CHECK_EQ(decant_age_open(&age, &it, to), -E2BIG);
	CHECK_EQ(decant_iter_consumed(&it), 0);
	decant_age_keys_free(to);
	free(room);
}

static void open_says_why(void)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"", -ENODATA},
		{"age-encr", -ENODATA},
		{"age-encryption.org/v1", -ENODATA},
		{"age-encryption.org/v1\n", -ENODATA},
		{"age-encryption.org/v1\n-> X25519 a\n", -ENODATA},
		{"age-encryption.org/v2\n", -EPROTONOSUPPORT},
		{"age-encryption.org/v1 \n", -EPROTONOSUPPORT},
		{"age-encryption.com/v1\n", -ENOMSG},
		{"-----BEGIN AGE ENCRYPTED FILE-----\n", -ENOMSG},
		{"\177ELF", -ENOMSG},
		{"age-encryption.org/v1\n---", -EILSEQ},
		{"age-encryption.org/v1\n->  a\n\n", -EILSEQ},
		{"age-encryption.org/v1\n-> a b \n\n", -EILSEQ},
		{"age-encryption.org/v1\n-> \n\n", -EILSEQ},
		{"age-encryption.org/v1\n=> a\n\n", -EILSEQ},
		{"age-encryption.org/v1\n-> a\nAAB\n--- ", -EILSEQ},
	};
	struct pair pair = pair_new();
	struct decant_age_keys *keys = keys_of(&pair, 1, false);
	struct decant_age *age = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decant_iter src =
			flat(cases[i].text, strlen(cases[i].text), DECANT_SOURCE);
		ssize_t got = decant_age_open(&age, &src, keys);

		if (got != cases[i].err)
			check_fail(__FILE__, __LINE__, "case %zu: %zd", i, got);
		CHECK_EQ(decant_iter_consumed(&src), 0);
	}
	CHECK(!age);
	decant_age_keys_free(keys);
}

static void passphrases(void)
{
	struct decant_age_keys *right = keys_phrase("one two"),
			       *wrong = keys_phrase("one");
	struct pair pair = pair_new();
	struct decant_age_keys *identity = keys_of(&pair, 1, false);
	uint8_t text[3] = "age", plain[1024];
	struct blob blob = encrypt(right, text, 3);

	REQUIRE(blob.len < sizeof(plain));
	CHECK_EQ(decrypt(right, blob.at, blob.len, plain), 3);
	CHECK(!memcmp(plain, text, 3));
	CHECK_EQ(decrypt(wrong, blob.at, blob.len, plain), -ENOKEY);
	CHECK_EQ(decrypt(identity, blob.at, blob.len, plain), -ENOKEY);
	/* Whoever has several tries them all. */
	REQUIRE(!decant_age_keys_passphrase(wrong, "one two", 7));
	CHECK_EQ(decrypt(wrong, blob.at, blob.len, plain), 3);
	free(blob.at);
	decant_age_keys_free(right);
	decant_age_keys_free(wrong);
	decant_age_keys_free(identity);
}

static void sizes(void)
{
	for (size_t len = 0; len < 3 * CHUNK + 5; len++)
		if (decant_age_plain_size(decant_age_sealed_size(len)) != len)
			check_fail(__FILE__, __LINE__, "%zu", len);
	CHECK_EQ(decant_age_sealed_size(0), 16);
	CHECK_EQ(decant_age_sealed_size(CHUNK), SEALED);
	CHECK_EQ(decant_age_sealed_size(CHUNK + 1), SEALED + 17);
	CHECK(decant_age_sealed_size(UINT64_MAX) == UINT64_MAX);
	CHECK(decant_age_plain_size(0) == UINT64_MAX);
	CHECK(decant_age_plain_size(15) == UINT64_MAX);
	CHECK(decant_age_plain_size(SEALED + 15) == UINT64_MAX);
	CHECK(decant_age_plain_size(SEALED + 16) == UINT64_MAX);
}

struct sealing {
	struct pair pair;
	struct decant_age_keys *to, *from;
	struct decant_age *age;
	uint8_t *text, *file;
	struct decant_iter dst, src;
	size_t header;
};

static struct sealing begin(size_t len)
{
	struct sealing s = {.pair = pair_new()};

	s.to = keys_of(&s.pair, 1, true);
	s.from = keys_of(&s.pair, 1, false);
	s.text = random_text(len);
	s.file = calloc(1, len + 8192);
	REQUIRE(s.file);
	s.dst = flat(s.file, len + 8192, DECANT_DEST);
	s.src = flat(s.text, len, DECANT_SOURCE);
	REQUIRE(decant_age_create(&s.age, &s.dst, s.to, 0) > 0);
	s.header = decant_iter_consumed(&s.dst);
	return s;
}

static void end(struct sealing *s)
{
	decant_age_free(s->age);
	decant_age_keys_free(s->to);
	decant_age_keys_free(s->from);
	free(s->text);
	free(s->file);
}

static void check_all(struct sealing *s, size_t len)
{
	size_t sealed = decant_iter_consumed(&s->dst);
	uint8_t *plain = malloc(sealed + 1);

	REQUIRE(plain);
	CHECK_EQ(decrypt(s->from, s->file, sealed, plain), (ssize_t)len);
	CHECK(!memcmp(plain, s->text, len));
	free(plain);
}

static void seal_refuses(void)
{
	struct sealing s = begin(4 * CHUNK);
	struct decant_iter dst = s.dst, src = s.src, small = s.dst;

	decant_iter_truncate(&small, SEALED - 1);
	CHECK_EQ(decant_age_seal(s.age, &s.src, &s.src, CHUNK, false), -EINVAL);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.dst, CHUNK, false), -EINVAL);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, CHUNK - 1, false), -EINVAL);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, 5 * CHUNK, false), -EMSGSIZE);
	CHECK_EQ(decant_age_seal(s.age, &small, &s.src, CHUNK, false), -EMSGSIZE);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, 0, false), 0);
	CHECK(!memcmp(&dst, &s.dst, sizeof(dst)) && !memcmp(&src, &s.src, sizeof(src)));
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, CHUNK, false), CHUNK);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, 0, true), -EINVAL);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, 5, true), 5);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, 5, true), -EINVAL);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, CHUNK, false), -EINVAL);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, 0, true), -EINVAL);
	check_all(&s, CHUNK + 5);
	end(&s);
}

/* A number that was spent on something that got lost is not used again. */
static void seal_after_a_fault(void)
{
	struct sealing s = begin(2 * CHUNK);
	struct iovec nowhere = {(void *)8, SEALED};
	struct decant_iter dst;

	REQUIRE(!decant_iter_process(&dst, DECANT_DEST, getpid(), &nowhere, 1));
	CHECK_EQ(decant_age_seal(s.age, &dst, &s.src, CHUNK, false), -EFAULT);
	CHECK_EQ(decant_iter_consumed(&s.src), 0);
	CHECK_EQ(decant_age_seal(s.age, &s.dst, &s.src, CHUNK, false), -EINVAL);
	end(&s);
}

static void opener_does_not_seal(void)
{
	struct sealing s = begin(CHUNK);
	struct decant_iter src, dst;
	struct decant_age *age;
	uint8_t *room = malloc(2 * CHUNK);

	REQUIRE(room && decant_age_seal(s.age, &s.dst, &s.src, 10, true) == 10);
	src = flat(s.file, decant_iter_consumed(&s.dst), DECANT_SOURCE);
	dst = flat(room, 2 * CHUNK, DECANT_DEST);
	REQUIRE(decant_age_open(&age, &src, s.from) > 0);
	CHECK_EQ(decant_age_seal(age, &dst, &s.src, 10, true), -EINVAL);
	CHECK_EQ(decant_age_seal(age, &dst, &s.src, 0, true), -EINVAL);
	CHECK_EQ(decant_iter_consumed(&dst), 0);
	decant_age_free(age);
	decant_age_free(NULL);
	free(room);
	end(&s);
}

static void parts(void)
{
	struct sealing s = begin(9 * CHUNK + 7), other = begin(CHUNK);
	struct decant_age *a = NULL, *b = NULL;
	struct decant_iter dst, src;

	REQUIRE(!decant_age_part(&a, s.age) && !decant_age_part(&b, s.age));
	CHECK_EQ(decant_age_seal(a, &s.dst, &s.src, CHUNK, false), -EOVERFLOW);
	CHECK_EQ(decant_age_assign(a, other.age, 1), -EINVAL);
	CHECK_EQ(decant_age_assign(a, b, 1), -EINVAL);
	CHECK_EQ(decant_age_assign(s.age, s.age, 1), -EINVAL);
	CHECK_EQ(decant_age_assign(a, s.age, UINT64_MAX), -EOVERFLOW);
	CHECK_EQ(decant_age_assign(a, s.age, 3), 0);
	CHECK_EQ(decant_age_assign(a, s.age, 1), -EINVAL);
	CHECK_EQ(decant_age_assign(b, s.age, 2), 0);
	/* The later ones first. */
	dst = s.dst;
	src = s.src;
	REQUIRE(!decant_iter_advance(&dst, 3 * SEALED) &&
		!decant_iter_advance(&src, 3 * CHUNK));
	CHECK_EQ(decant_age_seal(b, &dst, &src, 2 * CHUNK, true), -EINVAL);
	CHECK_EQ(decant_age_seal(b, &dst, &src, 3 * CHUNK, false), -EOVERFLOW);
	CHECK_EQ(decant_age_seal(b, &dst, &src, 2 * CHUNK, false), 2 * CHUNK);
	CHECK_EQ(decant_age_seal(b, &dst, &src, CHUNK, false), -EOVERFLOW);
	CHECK_EQ(decant_age_seal(a, &s.dst, &s.src, 2 * CHUNK, false), 2 * CHUNK);
	CHECK_EQ(decant_age_seal(a, &s.dst, &s.src, CHUNK, false), CHUNK);
	CHECK_EQ(decant_age_seal(s.age, &dst, &src, 4 * CHUNK + 7, true), 4 * CHUNK + 7);
	CHECK_EQ(decant_age_assign(a, s.age, 1), -EINVAL);
	s.dst = dst;
	check_all(&s, 9 * CHUNK + 7);
	decant_age_free(a);
	decant_age_free(b);
	end(&s);
	end(&other);
}

/* Armor on or off with random cuts on both sides. */
static ssize_t through_armor(enum decant_age_armor_way way, const uint8_t *in, size_t len,
			     uint8_t *out, size_t room)
{
	struct decant_age_armor *armor;
	struct cuts cuts;
	struct decant_iter src, dst = flat(out, room, DECANT_DEST), some, part;
	ssize_t got;

	REQUIRE(!decant_age_armor_new(&armor, way));
	cut(&cuts, len, 300);
	scatter(&cuts, cuts.memory, in);
	src = view(&cuts, DECANT_SOURCE);
	do {
		size_t n = check_below(decant_iter_count(&src) + 2);
		bool last = n >= decant_iter_count(&src);

		some = src;
		decant_iter_truncate(&some, n);
		part = dst;
		decant_iter_truncate(&part, check_below(20000));
		n = decant_iter_count(&some);
		got = decant_age_armor_run(armor, &part, &some, last);
		REQUIRE(!decant_iter_advance(&src, n - decant_iter_count(&some)));
		REQUIRE(!decant_iter_advance(&dst, decant_iter_consumed(&part) -
							   decant_iter_consumed(&dst)));
		if (last && !got && decant_iter_count(&part))
			break;
	} while (got >= 0);
	decant_age_armor_free(armor);
	free(cuts.memory);
	return got < 0 ? got : (ssize_t)decant_iter_consumed(&dst);
}

static void armor(void)
{
	size_t cases = check_cases(200), room = 200000;
	uint8_t *on = malloc(room), *off = malloc(room);
	struct decant_iter it;

	REQUIRE(on && off);
	for (size_t i = 0; i < cases && !check_failed; i++) {
		size_t len = check_below(i % 10 ? 400 : 100000);
		uint8_t *in = random_text(len);
		ssize_t text = through_armor(DECANT_AGE_ARMOR_ENCODE, in, len, on, room);

		REQUIRE(text > 0);
		it = flat(on, (size_t)text, DECANT_SOURCE);
		CHECK(decant_age_is_armored(&it));
		CHECK_EQ(through_armor(DECANT_AGE_ARMOR_DECODE, on, (size_t)text, off,
				       room),
			 (ssize_t)len);
		CHECK(!memcmp(in, off, len));
		CHECK(through_armor(DECANT_AGE_ARMOR_DECODE, on,
				    check_below((size_t)text - 1), off, room) < 0);
		free(in);
	}
	free(on);
	free(off);
}

static void armor_refuses(void)
{
	static const char *const bad[] = {"", "-----BEGIN", "x", "\n\n"};
	struct decant_age_armor *state;
	struct decant_iter src = flat("abc", 3, DECANT_SOURCE);
	uint8_t out[64];

	CHECK_EQ(decant_age_armor_new(&state, (enum decant_age_armor_way)2), -EINVAL);
	REQUIRE(!decant_age_armor_new(&state, DECANT_AGE_ARMOR_ENCODE));
	CHECK_EQ(decant_age_armor_run(state, &src, &src, true), -EINVAL);
	decant_age_armor_free(state);
	decant_age_armor_free(NULL);
	CHECK(!decant_age_is_armored(&src));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(through_armor(DECANT_AGE_ARMOR_DECODE, (const uint8_t *)bad[i],
				    strlen(bad[i]), out, sizeof(out)) < 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"the specification's keys", published_keys},
		{"malformed keys", malformed_keys},
		{"new keys", new_keys},
		{"what can't be created", create_refuses},
		{"many recipients", many_recipients},
		{"a header beyond the limit", header_beyond_the_limit},
		{"why a file does not open", open_says_why},
		{"passphrases", passphrases},
		{"sizes", sizes},
		{"what can't be sealed", seal_refuses},
		{"a fault spends the number", seal_after_a_fault},
		{"what opens does not seal", opener_does_not_seal},
		{"parts of a file", parts},
		{"armor on and off", armor},
		{"what is no armor", armor_refuses},
	};

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
