/* SPDX-License-Identifier: MIT */
/* kind_strided.c - blocks at a distance, without a list. */
#include <errno.h>
#include <sys/mman.h>
#include <decant/decant.h>
#include "check.h"

/* 1.39 million blocks: any place is one step away, and every block is an element. */
static void many_blocks(void)
{
	enum { BLOCK = 48, STRIDE = 64, NR = 1390000 };
	unsigned char *base = mmap(NULL, (size_t)STRIDE * NR, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct decant_iter it;
	struct decant_span span;

	REQUIRE(base != MAP_FAILED);
	REQUIRE(!decant_iter_strided(&it, DECANT_SOURCE, base, BLOCK, STRIDE, NR));
	CHECK_EQ(decant_iter_count(&it), (size_t)BLOCK * NR);
	CHECK_EQ(decant_iter_elements(&it, NULL), NR);
	CHECK_EQ(decant_iter_alignment(&it), 16);
	for (size_t i = 0; i < 1000000; i++) {
		size_t at = check_below((size_t)BLOCK * NR);

		if (decant_iter_seek(&it, at))
			check_fail(__FILE__, __LINE__, "seek to %zu", at);
		span = decant_iter_peek(&it);
		if (span.addr != base + at / BLOCK * STRIDE + at % BLOCK ||
		    span.len != BLOCK - at % BLOCK)
			check_fail(__FILE__, __LINE__, "wrong span at %zu", at);
	}
	CHECK(!decant_iter_seek(&it, (size_t)BLOCK * NR));
	CHECK_EQ(decant_iter_peek(&it).len, 0);
	CHECK(!decant_iter_revert(&it, 1));
	CHECK(decant_iter_peek(&it).addr == base + (size_t)STRIDE * (NR - 1) + BLOCK - 1);
	CHECK_EQ(decant_iter_revert(&it, (size_t)BLOCK * NR), -EINVAL);
	munmap(base, (size_t)STRIDE * NR);
}

static void touching_blocks_are_one(void)
{
	unsigned char bytes[64];
	struct decant_iter it;

	REQUIRE(!decant_iter_strided(&it, DECANT_DEST, bytes, 4, 4, 16));
	CHECK_EQ(decant_iter_peek(&it).len, 64);
	CHECK_EQ(decant_fill(&it, 9, 64), 64);
	CHECK(bytes[0] == 9 && bytes[63] == 9);
}

static void what_is_refused(void)
{
	unsigned char bytes[64];
	struct decant_iter it, zero = {0};
	uintptr_t top = UINTPTR_MAX - 63;

	it = zero;
	CHECK_EQ(decant_iter_strided(&it, (enum decant_direction)2, bytes, 4, 8, 2),
		 -EINVAL);
	CHECK_EQ(decant_iter_strided(&it, DECANT_SOURCE, bytes, 8, 7, 2), -EINVAL);
	CHECK_EQ(decant_iter_strided(&it, DECANT_SOURCE, NULL, 8, 8, 2), -EFAULT);
	CHECK_EQ(
		decant_iter_strided(&it, DECANT_SOURCE, bytes, SIZE_MAX / 2, SIZE_MAX, 3),
		-EOVERFLOW);
	CHECK_EQ(decant_iter_strided(&it, DECANT_SOURCE, bytes, 1, SIZE_MAX / 2, 4),
		 -EOVERFLOW);
	CHECK_EQ(decant_iter_strided(&it, DECANT_SOURCE, (void *)top, 8, 32, 3), -EFAULT);
	CHECK(!memcmp(&it, &zero, sizeof(it)));
	CHECK_EQ(decant_iter_strided(&it, DECANT_SOURCE, (void *)(top - 9), 8, 32, 3), 0);
	CHECK_EQ(decant_iter_strided(&it, DECANT_SOURCE, NULL, 0, 8, 3), 0);
	CHECK_EQ(decant_iter_count(&it), 0);
	CHECK_EQ(decant_iter_strided(&it, DECANT_SOURCE, bytes, 8, 0, 1), 0);
	CHECK_EQ(decant_iter_count(&it), 8);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"1.39 million blocks, every place one step away", many_blocks},
		{"blocks that touch are one span", touching_blocks_are_one},
		{"overlaps, wraps and overflows are refused", what_is_refused},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
