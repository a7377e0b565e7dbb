/* SPDX-License-Identifier: MIT */
/*
 * age_random.c - whole files of any size with any cuts, any part of a file, and files
 * that were tampered with: nothing comes out but what went in.
 */
#include <unistd.h>
#include "rig.h"

static struct pair pair;
static struct decant_age_keys *to, *from;

static size_t random_len(size_t chunks)
{
	static const size_t special[] = {0, 1, 65535, 65536, 65537, 131072, 131073};

	if (!check_below(3))
		return special[check_below(sizeof(special) / sizeof(*special))];
	return check_below(check_below(2) ? 2000 : chunks * CHUNK);
}

/* Seal in calls of any number of chunks. */
static void seal_some(struct decant_age *age, struct decant_iter *dst,
		      struct decant_iter *src)
{
	for (;;) {
		size_t left = decant_iter_count(src), n = CHUNK * check_below(4);
		bool last = n >= left;

		n = last ? left : n;
		CHECK_EQ(decant_age_seal(age, dst, src, n, last), (ssize_t)n);
		if (last)
			return;
	}
}

/* From cuts into cuts, and from these into others. */
static void one_round_trip(void)
{
	size_t len = random_len(4), room = 4096 + (size_t)decant_age_sealed_size(len);
	size_t most = check_below(2) ? 70000 : 900;
	uint8_t *text = random_text(len);
	struct cuts a, b, c;
	struct decant_iter src, dst;
	struct decant_age *age;
	ssize_t header;

	cut(&a, len, most);
	cut(&b, room, most);
	cut(&c, len, check_below(2) ? 70000 : 900);
	scatter(&a, a.memory, text);
	memset(c.memory, GAP, c.room);
	src = view(&a, DECANT_SOURCE);
	dst = view(&b, DECANT_DEST);
	header = decant_age_create(&age, &dst, to, 0);
	REQUIRE(header > 0);
	seal_some(age, &dst, &src);
	decant_age_free(age);
	room = decant_iter_consumed(&dst);
	CHECK_EQ(room, (size_t)header + decant_age_sealed_size(len));
	src = view(&b, DECANT_SOURCE);
	decant_iter_truncate(&src, room);
	dst = view(&c, DECANT_DEST);
	CHECK_EQ(decant_age_open(&age, &src, from), header);
	CHECK_EQ(decant_age_unseal(age, &dst, &src, room - (size_t)header, 0, true), len);
	CHECK(!decant_iter_count(&src) && !decant_iter_count(&dst));
	CHECK(holds(&c, text));
	decant_age_free(age);
	free(text);
	free(a.memory);
	free(b.memory);
	free(c.memory);
}

static void round_trips(void)
{
	size_t cases = check_cases(150);

	for (size_t i = 0; i < cases && !check_failed; i++)
		one_round_trip();
}

/* --- any part --- */

/* Bytes that can be copied only: a file read with pread, as it were. */
static struct decant_span no_address(void *state, const struct decant_place *place)
{
	(void)state;
	return (struct decant_span){NULL, place->left, NULL};
}

static ssize_t copy_out(void *state, const struct decant_place *place,
			const struct iovec *local, size_t nr)
{
	const struct blob *blob = state;
	size_t done = 0;

	for (size_t i = 0; i < nr; i++) {
		size_t n = local[i].iov_len < place->left - done ? local[i].iov_len
								 : place->left - done;

		memcpy(local[i].iov_base, blob->at + place->pos + done, n);
		done += n;
	}
	return (ssize_t)done;
}

static const struct decant_iter_ops copied = {
	.size = sizeof(copied),
	.peek = no_address,
	.move = copy_out,
};

static struct decant_iter any_view(struct blob *blob, struct cuts *cuts)
{
	struct decant_iter it;

	cut(cuts, blob->len, 1 + check_below(40000));
	scatter(cuts, cuts->memory, blob->at);
	if (check_below(3))
		return view(cuts, DECANT_SOURCE);
	REQUIRE(!decant_iter_custom(&it, DECANT_SOURCE, &copied, blob, blob->len));
	return it;
}

static void read_range(struct decant_age_file *file, const uint8_t *text, size_t len)
{
	uint64_t pos = check_below(len + 3);
	size_t want = check_below(check_below(2) ? 300 : len + 100), room, n;
	struct cuts cuts;
	struct decant_iter dst;

	if (!check_below(3))
		pos = pos / CHUNK * CHUNK;
	n = pos >= len ? 0 : want < len - pos ? want : len - (size_t)pos;
	room = n + check_below(10);
	cut(&cuts, room, want > 1000 ? 20000 : 40);
	memset(cuts.memory, GAP, cuts.room);
	dst = view(&cuts, DECANT_DEST);
	CHECK_EQ(decant_age_read(file, &dst, want, pos), n);
	CHECK_EQ(decant_iter_consumed(&dst), n);
	decant_iter_revert(&dst, n);
	dst.direction = DECANT_SOURCE;
	decant_iter_truncate(&dst, n);
	if (n) {
		struct decant_iter wanted = flat(text + pos, n, DECANT_SOURCE);

		CHECK_EQ(decant_equal(&dst, &wanted, n), 1);
	}
	free(cuts.memory);
}

/* In armor whose lines end so, with blank lines around. */
static struct blob armored(const struct blob *in, const char *end, size_t blanks)
{
	struct blob lines = {malloc(in->len * 2 + 200), 0, 0},
		    out = {malloc(in->len * 2 + 300 + 2 * blanks), 0, 0};
	struct decant_iter src = flat(in->at, in->len, DECANT_SOURCE), dst;
	struct decant_age_armor *armor;

	REQUIRE(lines.at && out.at);
	dst = flat(lines.at, in->len * 2 + 200, DECANT_DEST);
	REQUIRE(!decant_age_armor_new(&armor, DECANT_AGE_ARMOR_ENCODE));
	while (decant_age_armor_run(armor, &dst, &src, true) > 0)
		;
	decant_age_armor_free(armor);
	lines.len = decant_iter_consumed(&dst);
	memset(out.at, '\n', blanks);
	out.len = blanks;
	for (size_t i = 0; i < lines.len; i++) {
		if (lines.at[i] != '\n')
			out.at[out.len++] = lines.at[i];
		else
			out.len += (size_t)sprintf((char *)out.at + out.len, "%s", end);
	}
	memset(out.at + out.len, ' ', blanks);
	out.len += blanks;
	free(lines.at);
	return out;
}

static void one_file(bool armor)
{
	size_t len = random_len(6);
	uint8_t *text = random_text(len);
	struct blob blob = encrypt(to, text, len), plain = blob;
	struct decant_age_file *file;
	struct decant_iter src;
	struct cuts cuts;

	if (armor) {
		blob = armored(&plain, check_below(2) ? "\n" : "\r\n",
			       check_below(2) * check_below(1000));
		free(plain.at);
	}
	src = any_view(&blob, &cuts);
	CHECK_EQ(decant_age_file_open(&file, &src, from), 0);
	if (check_failed)
		return;
	CHECK_EQ(decant_age_file_size(file), len);
	for (int i = 0; i < 20 && !check_failed; i++)
		read_range(file, text, len);
	src.direction = DECANT_SOURCE;
	CHECK_EQ(decant_age_read(file, &src, 1, 0), -EINVAL);
	decant_age_file_close(file);
	free(cuts.memory);
	free(blob.at);
	free(text);
}

static void random_access(void)
{
	size_t cases = check_cases(60);

	for (size_t i = 0; i < cases && !check_failed; i++)
		one_file(false);
	decant_age_file_close(NULL);
}

static void random_access_in_armor(void)
{
	size_t cases = check_cases(40);

	for (size_t i = 0; i < cases && !check_failed; i++)
		one_file(true);
}

/* --- tampering --- */

/* What is in dst is zeroes or what was encrypted, chunk by chunk. */
static void check_nothing_else(const uint8_t *dst, const uint8_t *text, size_t len)
{
	static const uint8_t zeroes[DECANT_AGE_CHUNK_BYTES];

	for (size_t at = 0; at < len; at += CHUNK) {
		size_t n = len - at < CHUNK ? len - at : CHUNK;

		CHECK(!memcmp(dst + at, text + at, n) || !memcmp(dst + at, zeroes, n));
	}
}

static void refused(const uint8_t *bad, size_t bad_len, const uint8_t *text, size_t len)
{
	uint8_t *dst = calloc(1, bad_len + len);
	struct decant_iter src = flat(bad, bad_len, DECANT_SOURCE), it;
	struct decant_age_file *file;
	ssize_t got;

	REQUIRE(dst);
	got = decrypt(from, bad, bad_len, dst);
	if (got >= 0)
		check_fail(__FILE__, __LINE__, "%zu of %zu bytes: taken", bad_len, len);
	check_nothing_else(dst, text, len);
	memset(dst, 0, bad_len + len);
	if (!decant_age_file_open(&file, &src, from)) {
		it = flat(dst, bad_len, DECANT_DEST);
		CHECK(decant_age_read(file, &it, SIZE_MAX, 0) < (ssize_t)len || !len);
		check_nothing_else(dst, text, len);
		decant_age_file_close(file);
	}
	free(dst);
}

/* Each byte of header, nonce and a small payload, with each bit. */
static void each_byte(void)
{
	uint8_t *text = random_text(100), *dst = malloc(4096);
	struct blob blob = encrypt(to, text, 100);

	REQUIRE(dst);
	for (size_t i = 0; i < blob.len; i++) {
		blob.at[i] ^= (uint8_t)(1u << i % 8);
		refused(blob.at, blob.len, text, 100);
		blob.at[i] ^= (uint8_t)(1u << i % 8);
	}
	CHECK_EQ(decrypt(from, blob.at, blob.len, dst), 100);
	free(dst);
	free(blob.at);
	free(text);
}

/* The same in armor, of which every character counts; and lines that end in two ways. */
static void each_character(void)
{
	static const char ends[2][3] = {"\n", "\r\n"};
	uint8_t *text = random_text(200);
	struct blob blob = encrypt(to, text, 200), lines, mixed;

	for (size_t i = 0; i < 2; i++) {
		lines = armored(&blob, ends[i], 0);
		for (size_t at = 0; at + strlen(ends[i]) < lines.len; at++) {
			lines.at[at] ^= (uint8_t)(1u << at % 7);
			refused(lines.at, lines.len, text, 200);
			lines.at[at] ^= (uint8_t)(1u << at % 7);
		}
		for (size_t len = 0; len + strlen(ends[i]) < lines.len; len++)
			refused(lines.at, len, text, 200);
		free(lines.at);
	}
	lines = armored(&blob, "\n", 0);
	mixed = armored(&blob, "\r\n", 0);
	memcpy(mixed.at, lines.at, 5 * 65);
	refused(mixed.at, mixed.len, text, 200);
	free(mixed.at);
	free(lines.at);
	free(blob.at);
	free(text);
}

static void each_length(void)
{
	uint8_t *text = random_text(60);
	struct blob blob = encrypt(to, text, 60);

	for (size_t len = 0; len < blob.len; len++)
		refused(blob.at, len, text, 60);
	free(blob.at);
	free(text);
}

static void tampered_chunks(void)
{
	size_t len = 3 * CHUNK + 100, cases = check_cases(60);
	uint8_t *text = random_text(len), *bad;
	struct blob blob = encrypt(to, text, len);

	bad = malloc(blob.len);
	REQUIRE(bad);
	for (size_t i = 0; i < cases && !check_failed; i++) {
		memcpy(bad, blob.at, blob.len);
		bad[blob.header + check_below(blob.len - blob.header)] ^=
			(uint8_t)(1u << check_below(8));
		refused(bad, blob.len, text, len);
	}
	free(bad);
	free(blob.at);
	free(text);
}

static void cut_short(void)
{
	size_t len = 3 * CHUNK, cases = check_cases(30);
	uint8_t *text = random_text(len), *dst = malloc(len + SEALED);
	struct blob blob = encrypt(to, text, len);

	REQUIRE(dst);
	for (size_t i = 0; i < cases && !check_failed; i++)
		refused(blob.at, blob.header + check_below(blob.len - blob.header), text,
			len);
	/* At the end of a chunk the reason is plain. */
	for (size_t i = 0; i < 3; i++) {
		refused(blob.at, blob.header + i * SEALED, text, len);
		CHECK_EQ(decrypt(from, blob.at, blob.header + i * SEALED, dst), -ENODATA);
	}
	free(dst);
	free(blob.at);
	free(text);
}

static void extended(void)
{
	static const size_t more[] = {1, 15, 16, 17, 5000, 65552, 65553};

	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
		for (size_t len = 0; len <= CHUNK; len += CHUNK / 2) {
			uint8_t *text = random_text(len), *extra = random_text(more[i]);
			struct blob blob = encrypt(to, text, len);

			blob.at = realloc(blob.at, blob.len + more[i]);
			REQUIRE(blob.at);
			memcpy(blob.at + blob.len, extra, more[i]);
			refused(blob.at, blob.len + more[i], text, len);
			if (len == CHUNK)
				CHECK_EQ(decrypt(from, blob.at, blob.len + more[i], text),
					 -EFBIG);
			free(blob.at);
			free(extra);
			free(text);
		}
}

static void reordered(void)
{
	size_t len = 4 * CHUNK;
	uint8_t *text = random_text(len), *bad;
	struct blob blob = encrypt(to, text, len), other = encrypt(to, text, len);

	bad = malloc(blob.len);
	REQUIRE(bad);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			uint8_t *at = bad + blob.header + i * SEALED;

			if (i == j)
				continue;
			/* One in another's place; both exchanged; one left out. */
			memcpy(bad, blob.at, blob.len);
			memcpy(at, blob.at + blob.header + j * SEALED, SEALED);
			refused(bad, blob.len, text, len);
			memcpy(bad + blob.header + j * SEALED,
			       blob.at + blob.header + i * SEALED, SEALED);
			refused(bad, blob.len, text, len);
			memcpy(bad, blob.at, blob.len);
			memmove(at, at + SEALED, (size_t)(bad + blob.len - at) - SEALED);
			refused(bad, blob.len - SEALED, text, len);
			/* The same text at the same place of another file. */
			memcpy(bad, blob.at, blob.len);
			memcpy(at, other.at + other.header + i * SEALED, SEALED);
			refused(bad, blob.len, text, len);
		}
	free(bad);
	free(blob.at);
	free(other.at);
	free(text);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"round trips", round_trips},
		{"any part of a file", random_access},
		{"any part of a file in armor", random_access_in_armor},
		{"each byte changed", each_byte},
		{"each character of the armor changed", each_character},
		{"each length", each_length},
		{"chunks changed", tampered_chunks},
		{"files cut short", cut_short},
		{"files extended", extended},
		{"chunks in another order", reordered},
	};
	int result;

	check_seed_init();
	pair = pair_new();
	to = keys_of(&pair, 1, true);
	from = keys_of(&pair, 1, false);
	result = check_run(cases, sizeof(cases) / sizeof(*cases));
	decant_age_keys_free(to);
	decant_age_keys_free(from);
	return result;
}
