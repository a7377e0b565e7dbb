/* SPDX-License-Identifier: MIT */
/*
 * fuzz_age.c - any bytes as an age file, and as an armored one: what is said of them does
 * not depend on how they are cut, and random access says the same as going through.
 */
#include <errno.h>
#include <decant/age.h>
#include "replay.h"

#define IDENTITY                                                                         \
	"AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"
#define MOST_BYTES (1u << 17)

static struct decant_age_keys *keys;
static uint8_t *room, *other;
static struct iovec iov[MOST_BYTES];

static void clean_up(void)
{
	decant_age_keys_free(keys);
	free(room);
	free(other);
}

static void set_up(void)
{
	room = malloc(MOST_BYTES);
	other = malloc(2 * MOST_BYTES);
	REQUIRE(room && other && !decant_age_keys_new(&keys));
	REQUIRE(!decant_age_keys_identity(keys, IDENTITY));
	atexit(clean_up);
}

static struct decant_iter flat(const void *at, size_t len, enum decant_direction way)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, way, (void *)(uintptr_t)at, len));
	return it;
}

/* Pieces of 1, 2, 3 ... 7 bytes, and all over again. */
static struct decant_iter in_pieces(const uint8_t *at, size_t len)
{
	struct decant_iter it;
	size_t nr = 0;

	for (size_t pos = 0; pos < len; nr++) {
		size_t n = 1 + nr % 7 < len - pos ? 1 + nr % 7 : len - pos;

		iov[nr] = (struct iovec){(void *)(uintptr_t)(at + pos), n};
		pos += n;
	}
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
	return it;
}

/* Header and chunks; the bytes of text, or the error. */
static ssize_t go_through(struct decant_iter src, uint8_t *out)
{
	struct decant_iter dst = flat(out, MOST_BYTES, DECANT_DEST);
	struct decant_age *age;
	ssize_t got = decant_age_open(&age, &src, keys);
	uint64_t chunk = 0;

	if (got < 0) {
		CHECK_EQ(decant_iter_consumed(&src), 0);
		return got;
	}
	do {
		got = decant_age_unseal(age, &dst, &src, decant_iter_count(&src), chunk,
					true);
		chunk += got > 0 ? (uint64_t)got / DECANT_AGE_CHUNK_BYTES : 0;
	} while (got > 0 && decant_iter_count(&src));
	decant_age_free(age);
	return got < 0 ? got : (ssize_t)decant_iter_consumed(&dst);
}

/* All of it by random access; an error if any of it can't be had. */
static ssize_t at_random(struct decant_iter src, uint8_t *out)
{
	struct decant_iter dst = flat(out, MOST_BYTES, DECANT_DEST);
	struct decant_age_file *file;
	ssize_t got = decant_age_file_open(&file, &src, keys);

	if (got)
		return got;
	got = decant_age_read(file, &dst, SIZE_MAX, 0);
	if (got >= 0 && (uint64_t)got < decant_age_file_size(file))
		got = decant_age_read(file, &dst, SIZE_MAX, (uint64_t)got);
	decant_age_file_close(file);
	return got;
}

static void as_binary(const uint8_t *data, size_t size)
{
	struct decant_iter src = flat(data, size, DECANT_SOURCE);
	ssize_t got = go_through(src, room);

	CHECK_EQ(go_through(in_pieces(data, size), other), got);
	if (got > 0)
		CHECK(!memcmp(room, other, (size_t)got));
	if (got < 0 && !decant_age_is_armored(&src))
		CHECK(at_random(src, other) < 0);
	if (got >= 0)
		CHECK_EQ(at_random(src, other), got);
}

static ssize_t armor(enum decant_age_armor_way way, struct decant_iter src, uint8_t *out,
		     size_t max)
{
	struct decant_iter dst = flat(out, max, DECANT_DEST);
	struct decant_age_armor *state;
	ssize_t got;

	REQUIRE(!decant_age_armor_new(&state, way));
	do {
		got = decant_age_armor_run(state, &dst, &src, true);
	} while (got > 0);
	decant_age_armor_free(state);
	return got < 0 ? got : (ssize_t)decant_iter_consumed(&dst);
}

/* What is strict has one form, but for the white space around and the ends of lines. */
static size_t plain_form(const uint8_t *data, size_t size, uint8_t *out)
{
	size_t len = 0;

	while (size && strchr(" \t\n\v\f\r", data[size - 1]))
		size--;
	while (size && strchr(" \t\n\v\f\r", *data)) {
		data++;
		size--;
	}
	for (size_t i = 0; i < size; i++)
		if (data[i] != '\r')
			out[len++] = data[i];
	out[len++] = '\n';
	return len;
}

/* Random access under armor: the same bytes if all lines end alike; else an error. */
static void under_the_armor(struct decant_iter src, ssize_t decoded, bool alike)
{
	ssize_t got = at_random(src, other), through = decoded;

	if (decoded >= 0)
		through = go_through(flat(room, (size_t)decoded, DECANT_SOURCE),
				     other + MOST_BYTES);
	if (got >= 0 || (through >= 0 && alike))
		CHECK_EQ(got, through);
	if (got > 0 && !check_failed)
		CHECK(!memcmp(other, other + MOST_BYTES, (size_t)got));
}

static void as_armored(const uint8_t *data, size_t size)
{
	struct decant_iter src = flat(data, size, DECANT_SOURCE);
	ssize_t got = armor(DECANT_AGE_ARMOR_DECODE, src, room, MOST_BYTES), back;
	size_t len;

	CHECK_EQ(armor(DECANT_AGE_ARMOR_DECODE, in_pieces(data, size), other, MOST_BYTES),
		 got);
	CHECK(got < 0 || !memcmp(room, other, (size_t)got));
	if (decant_age_is_armored(&src))
		under_the_armor(src, got, !memchr(data, '\r', size));
	if (got < 0)
		return;
	CHECK(decant_age_is_armored(&src));
	back = armor(DECANT_AGE_ARMOR_ENCODE, flat(room, (size_t)got, DECANT_SOURCE),
		     other, 2 * MOST_BYTES);
	len = plain_form(data, size, room);
	CHECK_EQ(back, len);
	CHECK(!memcmp(other, room, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!keys)
		set_up();
	if (size > MOST_BYTES / 2)
		return 0;
	as_binary(data, size);
	as_armored(data, size);
	if (check_failed)
		abort();
	return 0;
}
