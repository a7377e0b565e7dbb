/* SPDX-License-Identifier: MIT */
/* limits.c - what can be met, what two devices allow, and where elements are cut. */
#include <errno.h>
#include <decant/decant.h>
#include "check.h"

static unsigned char *memory;
#define MEMORY ((size_t)1 << 16)

static int check(struct decant_limits limits)
{
	return decant_limits_check(&limits);
}

static void checks(void)
{
	CHECK_EQ(check((struct decant_limits){0}), 0);
	CHECK_EQ(check((struct decant_limits){.boundary = 3}), -EINVAL);
	CHECK_EQ(check((struct decant_limits){.addr_align = 6}), -EINVAL);
	CHECK_EQ(check((struct decant_limits){.len_align = 513}), -EINVAL);
	CHECK_EQ(check((struct decant_limits){.gap = 4095}), -EINVAL);
	CHECK_EQ(check((struct decant_limits){.boundary = 512, .addr_align = 1024}),
		 -EINVAL);
	CHECK_EQ(check((struct decant_limits){.boundary = 512, .len_align = 512}), 0);
	CHECK_EQ(
		check((struct decant_limits){.max_element_bytes = 511, .len_align = 512}),
		-EINVAL);
	CHECK_EQ(check((struct decant_limits){.max_bytes = 511, .len_align = 512}),
		 -EINVAL);
	CHECK_EQ(check((struct decant_limits){.max_elements = 1, .gap = 4096}), 0);
}

static void merges(void)
{
	struct decant_limits a = {.max_elements = 5,
				  .max_bytes = 100,
				  .boundary = 8192,
				  .addr_align = 4,
				  .gap = 4096};
	const struct decant_limits b = {.max_elements = 7,
					.max_element_bytes = 9,
					.boundary = 4096,
					.addr_align = 512,
					.len_align = 8};

	decant_limits_merge(&a, &b);
	CHECK_EQ(a.max_elements, 5);
	CHECK_EQ(a.max_element_bytes, 9);
	CHECK_EQ(a.max_bytes, 100);
	CHECK_EQ(a.boundary, 4096);
	CHECK_EQ(a.addr_align, 512);
	CHECK_EQ(a.len_align, 8);
	CHECK_EQ(a.gap, 4096);
}

static ssize_t extract(struct decant_sink *sink, struct iovec *out, size_t max,
		       struct decant_limits limits, size_t offset, size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory + offset, len));
	decant_sink_iovec(sink, out, max);
	sink->limits = limits;
	return decant_extract(&it, sink, SIZE_MAX);
}

static void cuts(void)
{
	struct decant_sink sink;
	struct iovec out[8];

	CHECK_EQ(extract(&sink, out, 8, (struct decant_limits){.boundary = 4096}, 100,
			 8192),
		 8192);
	CHECK_EQ(sink.nr, 3);
	CHECK_EQ(out[0].iov_len, 3996);
	CHECK_EQ(out[1].iov_len, 4096);
	CHECK_EQ(extract(&sink, out, 8, (struct decant_limits){.max_element_bytes = 1000},
			 0, 2500),
		 2500);
	CHECK_EQ(sink.nr, 3);
	CHECK_EQ(out[2].iov_len, 500);
	CHECK_EQ(extract(&sink, out, 8,
			 (struct decant_limits){.max_element_bytes = 1000,
						.addr_align = 512},
			 0, 1024),
		 1024);
	CHECK_EQ(out[0].iov_len, 512);
	CHECK_EQ(
		extract(&sink, out, 8, (struct decant_limits){.len_align = 512}, 0, 1500),
		1024);
	CHECK_EQ(sink.stop, DECANT_STOP_ALIGNMENT);
	CHECK_EQ(
		extract(&sink, out, 8, (struct decant_limits){.max_bytes = 700}, 0, 1500),
		700);
	CHECK_EQ(sink.stop, DECANT_STOP_LIMIT);
}

/* Limits that no element of this sink can meet end in an error, not in a loop. */
static void limits_beyond_the_sink(void)
{
	struct decant_limits limits = {.addr_align = (size_t)1 << 33};
	struct decant_sge sge[2];
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_iter_zero(&it, 4096));
	decant_sink_sge(&sink, sge, 2);
	sink.limits = limits;
	CHECK_EQ(decant_extract(&it, &sink, 100), -EINVAL);
	CHECK_EQ(sink.stop, DECANT_STOP_LIMIT);
	sink.limits = (struct decant_limits){.boundary = 3};
	CHECK_EQ(decant_extract(&it, &sink, 100), -EINVAL);
	CHECK_EQ(decant_extract_all(&it, &sink, 100), -EINVAL);
	CHECK_EQ(decant_iter_count(&it), 4096);
}

/* Limits that change between two calls: what is in the table stays as it is. */
static void limits_that_change(void)
{
	struct decant_sink sink;
	struct decant_iter it;
	struct iovec out[4];

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, 1024));
	decant_sink_iovec(&sink, out, 4);
	CHECK_EQ(decant_extract(&it, &sink, 300), 300);
	CHECK_EQ(decant_iter_advance(&it, 700), 0);
	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory + 512, 512));
	sink.limits.len_align = 512;
	CHECK_EQ(decant_extract(&it, &sink, 512), -EINVAL);
	CHECK_EQ(decant_iter_count(&it), 512);
	CHECK_EQ(sink.bytes, 300);
	CHECK_EQ(sink.nr, 1);
	CHECK_EQ(out[0].iov_len, 300);
	sink.limits = (struct decant_limits){.max_element_bytes = 100};
	CHECK_EQ(decant_extract(&it, &sink, 200), 200);
	CHECK_EQ(sink.nr, 3);
}

static void gap_rule(void)
{
	struct iovec iov[3] = {
		{memory + 100, 3996}, {memory + 8192, 4096}, {memory + 100, 5}};
	struct decant_sink sink;
	struct decant_iter it;
	struct iovec out[4];

	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 3));
	decant_sink_iovec(&sink, out, 4);
	sink.limits.gap = 4096;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 8092);
	CHECK_EQ(sink.stop, DECANT_STOP_LIMIT);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENOSPC);
	decant_sink_reset(&sink);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 5);
}

static void version(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%d.%d.%d", DECANT_VERSION_MAJOR,
		 DECANT_VERSION_MINOR, DECANT_VERSION_PATCH);
	CHECK(!strcmp(decant_version(), text));
}

int main(void)
{
	static const struct check_case cases[] = {
		{"headers and library are of one version", version},
		{"limits that can't be met are refused", checks},
		{"two devices' limits", merges},
		{"elements are cut where the rules say", cuts},
		{"limits beyond what the sink holds", limits_beyond_the_sink},
		{"limits that change between two calls", limits_that_change},
		{"the gap rule", gap_rule},
	};
	int failed;

	memory = aligned_alloc(65536, MEMORY);
	REQUIRE(memory);
	memset(memory, 1, MEMORY);
	failed = check_run(cases, sizeof(cases) / sizeof(*cases));
	free(memory);
	return failed;
}
