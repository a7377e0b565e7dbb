/* SPDX-License-Identifier: MIT */
/* sglist.c - scatterlists: headers, trailers, chains, and what taking back leaves. */
#include <errno.h>
#include <decant/decant.h>
#include "check.h"

#define SLOTS 64

static struct decant_sg slots[SLOTS];
static struct decant_table tables[SLOTS];
static unsigned char bytes[4096];
static struct iovec iov[SLOTS];

static struct decant_sglist list_of(size_t nr, size_t each, size_t reserve)
{
	struct decant_sglist list;

	memset(slots, 0xff, sizeof(slots));
	decant_tables_cut(tables, nr, slots, 0, each * sizeof(*slots));
	REQUIRE(!decant_sglist_init(&list, tables, nr, each, reserve));
	return list;
}

/* Pieces that do not touch: piece i has i + 1 bytes and begins at 32 * i. */
static struct decant_iter pieces(size_t from, size_t nr)
{
	struct decant_iter it;

	for (size_t i = 0; i < nr; i++)
		iov[i] = (struct iovec){bytes + 32 * (from + i), from + i + 1};
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
	return it;
}

static struct decant_span span_of(size_t i)
{
	return (struct decant_span){bytes + 32 * i, i + 1, NULL};
}

/* The list is the pieces from to from + nr - 1 and nothing else. */
static void holds(const struct decant_sglist *list, size_t from, size_t nr)
{
	const struct decant_sg *sg = decant_sglist_first(list);

	CHECK_EQ(decant_sglist_count(list), nr);
	for (size_t i = from; i < from + nr; i++) {
		if (!CHECK(sg))
			return;
		CHECK(sg->addr == bytes + 32 * i && sg->len == i + 1);
		sg = decant_sglist_next(sg);
	}
	CHECK(!sg);
}

static void empty(void)
{
	struct decant_sglist list = list_of(2, 4, 1);

	holds(&list, 0, 0);
	CHECK_EQ(decant_sglist_prepend(&list, span_of(0)), 0);
	holds(&list, 0, 1);
	CHECK_EQ(decant_sglist_prepend(&list, span_of(0)), -ENOSPC);
	CHECK_EQ(decant_sglist_append(&list, (struct decant_span){bytes, 0, NULL}),
		 -EINVAL);
	CHECK_EQ(decant_sglist_prepend(&list, (struct decant_span){bytes, 0, NULL}),
		 -EINVAL);
}

/* Every size of table, reserve and number of elements, with a header and a trailer. */
static void all_shapes(void)
{
	for (size_t each = 2; each < 8; each++)
		for (size_t reserve = 1; reserve < 8; reserve++)
			for (size_t nr = 0; nr < 9; nr++) {
				struct decant_sglist list =
					list_of(SLOTS / each, each, reserve);
				struct decant_iter it = pieces(reserve, nr);
				struct decant_sink sink;

				decant_sink_sglist(&sink, &list);
				CHECK(decant_extract(&it, &sink, SIZE_MAX) >= 0);
				holds(&list, reserve, nr);
				for (size_t i = reserve; i--;) {
					CHECK(!decant_sglist_prepend(&list, span_of(i)));
					holds(&list, i, reserve - i + nr);
				}
				CHECK(!decant_sglist_append(&list,
							    span_of(reserve + nr)));
				holds(&list, 0, reserve + nr + 1);
				/* And the same list again, with a second sink. */
				it = pieces(reserve + nr + 1, 5);
				decant_sink_sglist(&sink, &list);
				CHECK(decant_extract(&it, &sink, SIZE_MAX) > 0);
				holds(&list, 0, reserve + nr + 6);
				decant_sink_reset(&sink);
				holds(&list, 0, reserve + nr + 1);
			}
}

static void full(void)
{
	struct decant_sglist list = list_of(3, 4, 0);
	struct decant_iter it = pieces(0, 11);
	struct decant_sink sink;

	decant_sink_sglist(&sink, &list);
	/* Two tables of three and a link, and one of four. */
	CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), -ENOSPC);
	holds(&list, 0, 0);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 55);
	CHECK_EQ(sink.stop, DECANT_STOP_FULL);
	holds(&list, 0, 10);
	CHECK_EQ(decant_sglist_append(&list, span_of(10)), -ENOSPC);
	CHECK(slots[3].flags == DECANT_SG_LINK && slots[3].addr == &slots[4]);
	CHECK(slots[11].flags == DECANT_SG_END);
}

/* What failed leaves no trace in a list that was part-filled. */
static void taken_back(void)
{
	struct decant_sglist list = list_of(8, 3, 2);
	struct decant_iter it = pieces(2, 3);
	struct decant_sink sink;

	CHECK(!decant_sglist_append(&list, span_of(2)));
	REQUIRE(!decant_iter_advance(&it, 3));
	decant_sink_sglist(&sink, &list);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 9);
	holds(&list, 2, 3);
	sink.max = 6;
	it = pieces(5, 8);
	CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), -ENOSPC);
	holds(&list, 2, 3);
	CHECK(!decant_sglist_prepend(&list, span_of(1)));
	holds(&list, 1, 4);
	CHECK_EQ(decant_extract_all(&it, &sink, 6 + 7 + 8), 6 + 7 + 8);
	holds(&list, 1, 7);
}

static void owners(void)
{
	struct decant_sglist list = list_of(1, 4, 0);
	struct decant_region *region;
	struct decant_hold hold = {0};
	struct decant_sink sink;
	struct decant_bvec bvec;
	struct decant_iter it;

	REQUIRE(!decant_region_new(&region, bytes, sizeof(bytes), NULL));
	bvec = (struct decant_bvec){bytes, 100, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	decant_sink_sglist(&sink, &list);
	sink.hold = &hold;
	CHECK_EQ(decant_extract(&it, &sink, 40), 40);
	CHECK_EQ(decant_extract(&it, &sink, 60), 60);
	CHECK_EQ(decant_sglist_count(&list), 1);
	CHECK(decant_sglist_first(&list)->region == region);
	CHECK_EQ(decant_sglist_first(&list)->len, 100);
	CHECK_EQ(decant_region_refs(region), 2);
	decant_hold_release(&hold);
	decant_region_put(region);
}

static void wrong(void)
{
	struct decant_sglist list;

	decant_tables_cut(tables, 2, slots, 0, 4 * sizeof(*slots));
	CHECK_EQ(decant_sglist_init(&list, tables, 0, 4, 0), -EINVAL);
	CHECK_EQ(decant_sglist_init(&list, tables, 2, 1, 0), -EINVAL);
	CHECK_EQ(decant_sglist_init(&list, tables, 1, 0, 0), -EINVAL);
	CHECK_EQ(decant_sglist_init(&list, tables, 1, 1, 0), -EINVAL);
	CHECK_EQ(decant_sglist_init(&list, tables, 2, 4, 7), 0);
	CHECK_EQ(decant_sglist_init(&list, tables, 2, 4, 8), -EINVAL);
	tables[1].addr = NULL;
	CHECK_EQ(decant_sglist_init(&list, tables, 2, 4, 0), -EINVAL);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"an empty list, and a header alone", empty},
		{"header, elements, trailer in every shape", all_shapes},
		{"a list that is full", full},
		{"what is taken back leaves no trace", taken_back},
		{"entries name their owners and merge", owners},
		{"tables that can't be", wrong},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
