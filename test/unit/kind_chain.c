/* SPDX-License-Identifier: MIT */
/* kind_chain.c - iterators in a row: every kind, any place, independent copies. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>
#include <decant/decant.h>
#include "check.h"
#include "touched.h"

#define EACH 96

static unsigned char bytes[32 * EACH], out[32 * EACH], expected[32 * EACH];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 3 + i / 256 + 1);
}

/* A part of each kind that can be built, over a few spans of its own. */
struct row {
	struct decant_iter parts[DECANT_KIND_COUNT + 4];
	uint64_t room[DECANT_KIND_COUNT + 4][128];
	size_t nr;
	size_t total;
};

static void add_part(struct row *row, unsigned k, enum decant_direction direction)
{
	const struct decant_kind *kind = decant_kind_get(k);
	unsigned char *base = bytes + (size_t)k * EACH;
	struct decant_span spans[] = {{base, 0, NULL},
				      {base + 1, 15, NULL},
				      {base + 20, 0, NULL},
				      {base + 32, 15, NULL},
				      {base + 63, 15, NULL}};
	struct decant_iter *part = &row->parts[row->nr];

	if (k == DECANT_KIND_CHAIN)
		return;
	REQUIRE(kind->room_base + 5 * kind->room_each <= sizeof(row->room[0]));
	if (kind->build(part, direction, spans, 5, row->room[row->nr]) &&
	    kind->build(part, direction, spans, 2, row->room[row->nr]))
		return;
	for (size_t i = 0; i < decant_iter_count(part); i++)
		expected[row->total++] = kind->bytes == DECANT_BYTES_ZERO
						 ? 0
						 : base[1 + i / 15 * 31 + i % 15];
	row->nr++;
}

static void make_row(struct row *row, enum decant_direction direction)
{
	fill();
	*row = (struct row){.nr = 0};
	row->parts[row->nr++].direction = (uint8_t)direction;
	for (unsigned k = 0; decant_kind_get(k); k++) {
		add_part(row, k, direction);
		if (k % 3 == 0)
			row->parts[row->nr++].direction = (uint8_t)direction;
	}
}

static void every_kind(void)
{
	static struct row row, before;
	struct decant_iter it, copy, flat;

	make_row(&row, DECANT_SOURCE);
	before = row;
	REQUIRE(!decant_iter_chain(&it, DECANT_SOURCE, row.parts, row.nr));
	CHECK(row.total > 8 * 15);
	CHECK_EQ(decant_iter_count(&it), row.total);
	REQUIRE(!decant_iter_buf(&flat, DECANT_SOURCE, expected, row.total));
	CHECK_EQ(decant_equal(&it, &flat, row.total), 1);
	for (size_t step = 1; step < row.total; step += step / 2 + 1) {
		copy = it;
		for (size_t at = 0; at < row.total; at += step) {
			size_t n = row.total - at < step ? row.total - at : step;

			CHECK_EQ(decant_copy_to(out + at, &copy, step), n);
		}
		CHECK(!memcmp(out, expected, row.total));
	}
	for (size_t i = 0; i < 20000 && !check_failed; i++) {
		size_t at = check_below(row.total + 1), n = check_below(100);

		CHECK(!decant_iter_seek(&it, at));
		copy = it;
		n = n < row.total - at ? n : row.total - at;
		CHECK_EQ(decant_copy_to(out, &it, n), n);
		CHECK(!memcmp(out, expected + at, n));
		CHECK(!decant_iter_revert(&copy, at / 2));
		CHECK_EQ(decant_copy_to(out, &copy, 1), at - at / 2 < row.total);
		CHECK(at - at / 2 == row.total || out[0] == expected[at - at / 2]);
	}
	CHECK(!memcmp(&row.parts, &before.parts, sizeof(row.parts)));
	CHECK_EQ(decant_iter_revert(&it, row.total + 1), -EINVAL);
}

/* Through a stage: parts that can't be pointed at beside those that can. */
static void every_kind_staged(void)
{
	static struct row row;
	static unsigned char scratch[4096];
	struct decant_staged records[64];
	struct decant_bvec table[64];
	struct decant_stage stage;
	struct decant_sink sink;
	struct decant_iter it;
	size_t at = 0;

	make_row(&row, DECANT_SOURCE);
	REQUIRE(!decant_iter_chain(&it, DECANT_SOURCE, row.parts, row.nr));
	decant_stage_init(&stage, (struct decant_span){scratch, 4096, NULL}, records, 64);
	decant_sink_bvec(&sink, table, 64);
	sink.stage = &stage;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), row.total);
	for (size_t i = 0; i < sink.nr; at += table[i++].len)
		CHECK(!memcmp(table[i].addr, expected + at, table[i].len));
	CHECK_EQ(at, row.total);
}

static void every_destination(void)
{
	static struct row row;
	struct decant_iter it, flat;

	make_row(&row, DECANT_DEST);
	for (size_t i = 0; i < row.total; i++)
		out[i] = (unsigned char)(i * 7 + 5);
	REQUIRE(!decant_iter_chain(&it, DECANT_DEST, row.parts, row.nr));
	REQUIRE(!decant_iter_buf(&flat, DECANT_SOURCE, out, sizeof(out)));
	CHECK_EQ(decant_copy(&it, &flat, SIZE_MAX), row.total);
	CHECK_EQ(decant_iter_consumed(&flat), row.total);
	/* What was written is there, but for what was discarded; nothing beside it is. */
	for (size_t i = 0, at = 0; i < row.nr; i++) {
		struct decant_iter part = row.parts[i];
		size_t n = decant_iter_count(&part);
		const struct decant_kind *kind = decant_kind_get(part.kind);

		part.direction = DECANT_SOURCE;
		if (kind->bytes != DECANT_BYTES_NONE) {
			CHECK_EQ(decant_copy_to(expected, &part, n), n);
			CHECK(!memcmp(expected, out + at, n));
		}
		at += n;
	}
	for (size_t k = 0; k < DECANT_KIND_COUNT; k++)
		CHECK_EQ(bytes[k * EACH],
			 (unsigned char)(k * EACH * 3 + k * EACH / 256 + 1));
}

/* Parts from where they stand, and truncated ones; the chain truncated, too. */
static void parts_from_where_they_stand(void)
{
	struct iovec iov[4] = {
		{bytes, 10}, {bytes + 20, 10}, {NULL, 0}, {bytes + 40, 10}};
	struct decant_iter parts[3], it;

	fill();
	REQUIRE(!decant_iter_iovec(&parts[0], DECANT_SOURCE, iov, 4));
	REQUIRE(!decant_iter_advance(&parts[0], 15));
	decant_iter_truncate(&parts[0], 10);
	REQUIRE(!decant_iter_buf(&parts[1], DECANT_SOURCE, bytes, 0));
	REQUIRE(!decant_iter_buf(&parts[2], DECANT_SOURCE, bytes + 100, 50));
	REQUIRE(!decant_iter_chain(&it, DECANT_SOURCE, parts, 3));
	CHECK_EQ(decant_iter_count(&it), 60);
	decant_iter_truncate(&it, 30);
	CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX), 30);
	CHECK(!memcmp(out, bytes + 25, 5) && !memcmp(out + 5, bytes + 40, 5));
	CHECK(!memcmp(out + 10, bytes + 100, 20));
	CHECK_EQ(decant_iter_revert(&it, 31), -EINVAL);
	CHECK(!decant_iter_revert(&it, 26));
	CHECK(decant_iter_peek(&it).addr == bytes + 29);
	CHECK_EQ(decant_iter_peek(&it).len, 1);
	decant_iter_truncate(&it, 1);
	CHECK(!decant_iter_advance(&it, 1));
	CHECK(!decant_iter_revert(&it, 5));
	CHECK(decant_iter_peek(&it).addr == bytes + 25);
	CHECK_EQ(decant_iter_elements(&it, NULL), 1);
}

static void many_parts(void)
{
	enum { NR = 1000000 };
	struct decant_iter *parts = calloc(NR, sizeof(*parts)), it, copy;
	static unsigned char byte = 7;

	REQUIRE(parts);
	for (size_t i = 0; i < NR; i += 2)
		REQUIRE(!decant_iter_buf(&parts[i], DECANT_SOURCE, &byte, 1));
	REQUIRE(!decant_iter_chain(&it, DECANT_SOURCE, parts, NR));
	CHECK_EQ(decant_iter_elements(&it, NULL), NR / 2);
	while (decant_iter_count(&it)) {
		copy = it;
		if (decant_iter_advance(&it, 1) || decant_iter_revert(&it, 1) ||
		    memcmp(&it, &copy, sizeof(it)) || decant_iter_advance(&it, 1))
			check_fail(__FILE__, __LINE__, "back and forth");
	}
	CHECK(!decant_iter_seek(&it, 0));
	CHECK(decant_iter_peek(&it).addr == &byte);
	free(parts);
}

static void what_is_refused(void)
{
	struct decant_iter parts[3], chain, it, zero = {0};

	it = zero;
	fill();
	REQUIRE(!decant_iter_buf(&parts[0], DECANT_SOURCE, bytes, 1));
	REQUIRE(!decant_iter_zero(&parts[1], 5));
	REQUIRE(!decant_iter_discard(&parts[2], 5));
	CHECK_EQ(decant_iter_chain(&it, DECANT_SOURCE, parts, 3), -EINVAL);
	CHECK_EQ(decant_iter_chain(&it, DECANT_DEST, parts, 2), -EINVAL);
	CHECK_EQ(decant_iter_chain(&it, (enum decant_direction)4, parts, 2), -EINVAL);
	CHECK_EQ(decant_iter_chain(&it, DECANT_SOURCE, NULL, 1), -EFAULT);
	parts[2] = parts[1];
	parts[2].kind = 200;
	CHECK_EQ(decant_iter_chain(&it, DECANT_SOURCE, parts, 3), -EINVAL);
	REQUIRE(!decant_iter_zero(&parts[2], SSIZE_MAX - 5));
	CHECK_EQ(decant_iter_chain(&it, DECANT_SOURCE, parts, 3), -EOVERFLOW);
	REQUIRE(!decant_iter_chain(&chain, DECANT_SOURCE, parts, 2));
	parts[2] = chain;
	CHECK_EQ(decant_iter_chain(&it, DECANT_SOURCE, parts, 3), -ELOOP);
	CHECK(!memcmp(&it, &zero, sizeof(it)));
	CHECK_EQ(decant_iter_chain(&it, DECANT_SOURCE, NULL, 0), 0);
	CHECK_EQ(decant_iter_count(&it), 0);
}

/* A hole and an error in the middle part show as the chain's; the hold keeps pages. */
static int no_page(void *user, uint64_t index, struct decant_span *page)
{
	(void)page;
	return index ? *(int *)user : -ENXIO;
}

static void stops_of_parts(void)
{
	int error = -EIO;
	struct decant_pages pages = {64, no_page, &error};
	struct decant_iter parts[3], it;
	struct iovec table[8];
	struct decant_sink sink;

	REQUIRE(!decant_iter_buf(&parts[0], DECANT_SOURCE, bytes, 10));
	REQUIRE(!decant_iter_pages(&parts[1], DECANT_SOURCE, &pages, 60, 8));
	REQUIRE(!decant_iter_buf(&parts[2], DECANT_SOURCE, bytes, 10));
	REQUIRE(!decant_iter_chain(&it, DECANT_SOURCE, parts, 3));
	decant_sink_iovec(&sink, table, 8);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 10);
	CHECK_EQ(sink.stop, DECANT_STOP_HOLE);
	CHECK(!decant_iter_advance(&it, 4));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EFAULT);
	CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
	CHECK_EQ(decant_copy_to(out, &it, 1), -EIO);
	CHECK(!decant_iter_advance(&it, 4));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 10);
}

#define LONG  20000
#define FEW   24 /* pages: ends, a search by halves, a header */
#define ROUND 100

static unsigned char far[32 * LONG];

/* A long list of a kind, from its third byte on, perhaps without its second half. */
static bool build_long(struct decant_iter *part, const struct decant_kind *kind,
		       bool truncated)
{
	static struct decant_span spans[LONG];

	for (size_t i = 0; i < LONG; i++)
		spans[i] = (struct decant_span){far + 32 * i, i % 3 ? 16 : 0, NULL};
	touched_new(kind->room_base + LONG * kind->room_each + 1);
	if (kind == decant_kind_get(DECANT_KIND_CHAIN) ||
	    kind->build(part, DECANT_SOURCE, spans, LONG, touched.memory))
		return false;
	CHECK(!decant_iter_advance(part, 3));
	if (truncated)
		decant_iter_truncate(part, decant_iter_count(part) / 2 - 5);
	return true;
}

/*
 * Back and forth across the border behind a long list: no page of the list but those at
 * its end, each time, and the right bytes.
 */
static void back_over_a_border(const struct decant_kind *kind, bool truncated)
{
	struct decant_iter parts[3], it, check;
	unsigned char got[40], want[40];
	size_t border;

	if (!build_long(&parts[0], kind, truncated))
		return;
	border = decant_iter_count(&parts[0]);
	REQUIRE(!decant_iter_buf(&parts[1], DECANT_SOURCE, bytes, 20));
	REQUIRE(!decant_iter_buf(&parts[2], DECANT_SOURCE, bytes, 20));
	REQUIRE(!decant_iter_chain(&it, DECANT_SOURCE, parts, 3));
	check = it;
	CHECK(!decant_iter_advance(&it, border + 4));
	touched_begin();
	for (size_t i = 0; i < ROUND; i++) {
		CHECK(!decant_iter_revert(&it, 20 + i % 8));
		CHECK(!decant_iter_advance(&it, 20 + i % 8));
	}
	CHECK(!decant_iter_revert(&it, 20));
	if (touched_end() > FEW)
		check_fail(__FILE__, __LINE__, "%s: %zu pages of %zu", kind->name,
			   touched.pages, touched.bytes / TOUCHED_PAGE);
	CHECK(!decant_iter_advance(&check, border - 16));
	CHECK_EQ(decant_copy_to(got, &it, 30), 30);
	CHECK_EQ(decant_copy_to(want, &check, 30), 30);
	CHECK(!memcmp(got, want, 30));
}

/* Truncated lists of remote addresses and queues have no room for a note. */
static void borders(void)
{
	for (size_t i = 0; i < sizeof(far); i++)
		far[i] = (unsigned char)(i * 7 + i / 256);
	for (unsigned k = 0; k < DECANT_KIND_COUNT; k++) {
		back_over_a_border(decant_kind_get(k), false);
		touched_free();
		if (k != DECANT_KIND_REMOTE && k != DECANT_KIND_QUEUE)
			back_over_a_border(decant_kind_get(k), true);
		touched_free();
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		{"a chain of every kind, any place, parts untouched", every_kind},
		{"a chain of every kind through a stage", every_kind_staged},
		{"a chain of every destination", every_destination},
		{"parts from where they stand, truncated or not",
		 parts_from_where_they_stand},
		{"a million parts, half of them empty", many_parts},
		{"chains in chains and mixed directions are refused", what_is_refused},
		{"a part's hole or fault is the chain's", stops_of_parts},
		{"back over a border takes no walk, of any kind", borders},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
