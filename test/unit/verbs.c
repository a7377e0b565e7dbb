/* SPDX-License-Identifier: MIT */
/* verbs.c - fill, equality, elements and alignment: independent of the cut. */
#include <errno.h>
#include <decant/decant.h>
#include "check.h"

static unsigned char bytes[4096] __attribute__((aligned(4096))), other[4096];
static struct iovec pieces[4096];

static struct decant_iter cut(enum decant_direction direction, unsigned char *addr,
			      size_t len, size_t step)
{
	struct decant_iter it;
	size_t nr = 0;

	for (size_t at = 0; at < len; at += step)
		pieces[nr++] =
			(struct iovec){addr + at, len - at < step ? len - at : step};
	REQUIRE(!decant_iter_iovec(&it, direction, pieces, nr));
	return it;
}

static void fills(void)
{
	struct decant_iter it = cut(DECANT_DEST, bytes, 4096, 7), source;

	CHECK_EQ(decant_fill(&it, 0xab, 4000), 4000);
	CHECK_EQ(decant_iter_count(&it), 96);
	for (size_t i = 0; i < 4096; i++)
		if (bytes[i] != (i < 4000 ? 0xab : 0))
			check_fail(__FILE__, __LINE__, "byte %zu", i);
	CHECK_EQ(decant_fill(&it, 1, SIZE_MAX), 96);
	CHECK_EQ(decant_fill(&it, 1, SIZE_MAX), 0);
	source = cut(DECANT_SOURCE, bytes, 4096, 9);
	CHECK_EQ(decant_fill(&source, 1, 1), -EINVAL);
	REQUIRE(!decant_iter_discard(&it, 1 << 20));
	CHECK_EQ(decant_fill(&it, 7, SIZE_MAX), 1 << 20);
}

static void equals(void)
{
	struct decant_iter a, b;

	for (size_t i = 0; i < 4096; i++)
		bytes[i] = other[i] = (unsigned char)(i * 7);
	REQUIRE(!decant_iter_buf(&b, DECANT_SOURCE, other, 4096));
	for (size_t step = 1; step < 5000; step = step * 3 + 1) {
		a = cut(DECANT_SOURCE, bytes, 4096, step);
		CHECK_EQ(decant_equal(&a, &b, 4096), 1);
		CHECK_EQ(decant_equal_ct(&a, &b, 4096), 1);
		CHECK_EQ(decant_equal_ct(&a, &b, 4097), 0);
		other[4095] ^= 1;
		CHECK_EQ(decant_equal(&a, &b, 4096), 0);
		CHECK_EQ(decant_equal_ct(&a, &b, 4096), 0);
		CHECK_EQ(decant_equal_ct(&a, &b, 4095), 1);
		other[4095] ^= 1;
		other[0] ^= 0x80;
		CHECK_EQ(decant_equal_ct(&a, &b, 4096), 0);
		other[0] ^= 0x80;
	}
	a.direction = DECANT_DEST;
	CHECK_EQ(decant_equal_ct(&a, &b, 1), -EINVAL);
}

static void elements(void)
{
	struct decant_limits limits = {.max_element_bytes = 1000};
	struct decant_iter it;

	for (size_t step = 1; step < 5000; step = step * 3 + 1) {
		it = cut(DECANT_SOURCE, bytes, 4096, step);
		CHECK_EQ(decant_iter_elements(&it, NULL), 1);
		CHECK_EQ(decant_iter_elements(&it, &limits), 5);
		CHECK_EQ(decant_iter_count(&it), 4096);
	}
	limits.max_elements = 4;
	CHECK_EQ(decant_iter_elements(&it, &limits), -ENOSPC);
	limits = (struct decant_limits){.len_align = 3};
	CHECK_EQ(decant_iter_elements(&it, &limits), -EINVAL);
}

static void alignments(void)
{
	struct decant_iter it;

	for (size_t step = 1; step < 5000; step = step * 3 + 1) {
		it = cut(DECANT_SOURCE, bytes, 2048, step);
		CHECK_EQ(decant_iter_alignment(&it), 2048);
		it = cut(DECANT_SOURCE, bytes + 512, 1024, step);
		CHECK_EQ(decant_iter_alignment(&it), 512);
		CHECK(!decant_iter_advance(&it, 1020));
		CHECK_EQ(decant_iter_alignment(&it), 4);
		CHECK(!decant_iter_advance(&it, 4));
		CHECK_EQ(decant_iter_alignment(&it), 0);
	}
}

static void spans_say_why(void)
{
	struct decant_span hole = decant_span_stop(-ENXIO),
			   fault = decant_span_stop(-EIO);
	struct decant_span some = {bytes, 1, NULL}, none = {0};

	CHECK_EQ(decant_span_error(&hole), -ENXIO);
	CHECK_EQ(decant_span_error(&fault), -EIO);
	CHECK_EQ(decant_span_error(&none), -ENXIO);
	CHECK_EQ(decant_span_error(&some), 0);
}

static void a_reference_with_the_span(void)
{
	struct decant_region *region;
	struct decant_bvec bvec = {bytes + 8, 8, NULL};
	struct decant_span span;
	struct decant_iter it;

	REQUIRE(!decant_region_new(&region, bytes, 4096, NULL));
	bvec.region = region;
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	span = decant_iter_get(&it);
	CHECK(span.addr == bytes + 8 && span.len == 8 && span.region == region);
	CHECK_EQ(decant_region_refs(region), 2);
	decant_region_put(span.region);
	CHECK(!decant_iter_advance(&it, 8));
	span = decant_iter_get(&it);
	CHECK(!span.len && !span.region);
	CHECK_EQ(decant_region_refs(region), 1);
	decant_region_put(region);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"fill writes exactly what it says", fills},
		{"equality in constant time finds the first and the last byte", equals},
		{"elements under limits do not depend on the cut", elements},
		{"alignment does not depend on the cut", alignments},
		{"an empty span says why", spans_say_why},
		{"a span can come with a reference", a_reference_with_the_span},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
