/* SPDX-License-Identifier: MIT */
/* iter.c - constructors, hostile input, cursor movements, many and large elements. */
#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <decant/decant.h>
#include "check.h"

#define TOP ((void *)(UINTPTR_MAX - 100))

static unsigned char memory[4096];

static void size(void)
{
	CHECK(sizeof(struct decant_iter) <= 64);
}

static void all_zeroes_is_empty(void)
{
	struct decant_iter it = {0};

	CHECK_EQ(decant_iter_count(&it), 0);
	CHECK_EQ(decant_iter_peek(&it).len, 0);
	CHECK_EQ(decant_iter_advance(&it, 0), 0);
	CHECK_EQ(decant_iter_advance(&it, 1), -EINVAL);
	CHECK_EQ(decant_iter_revert(&it, 1), -EINVAL);
	CHECK_EQ(decant_iter_seek(&it, 0), 0);
}

/* Each constructor refuses, and leaves the iterator alone. */
static void hostile_ranges(void)
{
	struct decant_iter it, before;
	struct iovec null = {NULL, 1}, wrap = {TOP, 200}, fine = {memory, 1};
	struct iovec pair[2] = {fine, null};
	struct decant_bvec bv = {NULL, 1, NULL};

	memset(&it, 0x7e, sizeof(it));
	before = it;
	CHECK_EQ(decant_iter_buf(&it, DECANT_SOURCE, NULL, 1), -EFAULT);
	CHECK_EQ(decant_iter_buf(&it, DECANT_SOURCE, TOP, 200), -EFAULT);
	CHECK_EQ(decant_iter_buf(&it, DECANT_SOURCE, memory, SIZE_MAX), -EFAULT);
	CHECK_EQ(decant_iter_buf(&it, (enum decant_direction)2, memory, 1), -EINVAL);
	CHECK_EQ(decant_iter_iovec(&it, DECANT_DEST, &null, 1), -EFAULT);
	CHECK_EQ(decant_iter_iovec(&it, DECANT_DEST, &wrap, 1), -EFAULT);
	CHECK_EQ(decant_iter_iovec(&it, DECANT_DEST, pair, 2), -EFAULT);
	CHECK_EQ(decant_iter_iovec(&it, DECANT_DEST, NULL, 1), -EFAULT);
	CHECK_EQ(decant_iter_iovec(&it, (enum decant_direction)7, &fine, 1), -EINVAL);
	CHECK_EQ(decant_iter_bvec(&it, DECANT_DEST, &bv, 1), -EFAULT);
	CHECK_EQ(decant_iter_bvec(&it, DECANT_DEST, NULL, 1), -EFAULT);
	CHECK_EQ(decant_iter_bvec(&it, (enum decant_direction) - 1, &bv, 1), -EINVAL);
	CHECK_EQ(decant_iter_zero(&it, (size_t)SSIZE_MAX + 1), -EOVERFLOW);
	CHECK_EQ(decant_iter_discard(&it, SIZE_MAX), -EOVERFLOW);
	CHECK(!memcmp(&it, &before, sizeof(it)));
}

static void sums_that_overflow(void)
{
	struct iovec iov[3];
	struct decant_bvec bv[3];
	struct decant_iter it;

	for (size_t i = 0; i < 3; i++) {
		iov[i] = (struct iovec){memory, (size_t)SSIZE_MAX / 2};
		bv[i] = (struct decant_bvec){memory, (size_t)SSIZE_MAX / 2, NULL};
	}
	CHECK_EQ(decant_iter_iovec(&it, DECANT_SOURCE, iov, 3), -EOVERFLOW);
	CHECK_EQ(decant_iter_bvec(&it, DECANT_SOURCE, bv, 3), -EOVERFLOW);
	CHECK_EQ(decant_iter_iovec(&it, DECANT_SOURCE, iov, 2), 0);
	CHECK_EQ(decant_iter_bvec(&it, DECANT_SOURCE, bv, 2), 0);
	CHECK_EQ(decant_iter_count(&it), (size_t)SSIZE_MAX - 1);
	CHECK_EQ(decant_iter_zero(&it, SSIZE_MAX), 0);
}

static void bvec_beyond_its_region(void)
{
	struct decant_region *region;
	struct decant_bvec bv;
	struct decant_iter it;

	REQUIRE(!decant_region_new(&region, memory + 100, 100, NULL));
	bv = (struct decant_bvec){memory + 99, 2, region};
	CHECK_EQ(decant_iter_bvec(&it, DECANT_SOURCE, &bv, 1), -EFAULT);
	bv = (struct decant_bvec){memory + 199, 2, region};
	CHECK_EQ(decant_iter_bvec(&it, DECANT_SOURCE, &bv, 1), -EFAULT);
	bv = (struct decant_bvec){memory + 200, 1, region};
	CHECK_EQ(decant_iter_bvec(&it, DECANT_SOURCE, &bv, 1), -EFAULT);
	bv = (struct decant_bvec){memory + 100, 100, region};
	CHECK_EQ(decant_iter_bvec(&it, DECANT_SOURCE, &bv, 1), 0);
	bv = (struct decant_bvec){NULL, 0, region};
	CHECK_EQ(decant_iter_bvec(&it, DECANT_SOURCE, &bv, 1), 0);
	CHECK_EQ(decant_region_refs(region), 1);
	decant_region_put(region);
}

/* Bytes at 0, 10 and 20, empty elements wherever asked for. */
static void empty_elements(void)
{
	static struct iovec iov[4003];
	size_t patterns[] = {0, 1, 2, 3, 1000};
	struct decant_iter it;

	for (size_t p = 0; p < 5; p++) {
		size_t empty = patterns[p], nr = 0;

		for (size_t i = 0; i < 4; i++) {
			for (size_t j = 0; j < empty; j++)
				iov[nr++] = (struct iovec){j % 2 ? memory : NULL, 0};
			if (i < 3)
				iov[nr++] = (struct iovec){memory + 10 * i, 2};
		}
		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
		CHECK_EQ(decant_iter_count(&it), 6);
		CHECK(decant_iter_peek(&it).addr == memory);
		CHECK_EQ(decant_iter_advance(&it, 2), 0);
		CHECK(decant_iter_peek(&it).addr == memory + 10);
		CHECK_EQ(decant_iter_advance(&it, 3), 0);
		CHECK(decant_iter_peek(&it).addr == memory + 21);
		CHECK_EQ(decant_iter_revert(&it, 2), 0);
		CHECK(decant_iter_peek(&it).addr == memory + 11);
		CHECK_EQ(decant_iter_advance(&it, 3), 0);
		CHECK_EQ(decant_iter_peek(&it).len, 0);
		CHECK_EQ(decant_iter_revert(&it, 6), 0);
		CHECK(decant_iter_peek(&it).addr == memory);
		CHECK_EQ(decant_iter_peek(&it).len, 2);
	}
}

static void nothing_but_empty_elements(void)
{
	static struct iovec iov[5000];
	struct decant_sink sink;
	struct decant_iter it;

	CHECK_EQ(decant_iter_iovec(&it, DECANT_SOURCE, iov, 5000), 0);
	CHECK_EQ(decant_iter_count(&it), 0);
	decant_sink_count(&sink);
	CHECK_EQ(decant_extract(&it, &sink, 100), 0);
	CHECK_EQ(decant_iter_iovec(&it, DECANT_SOURCE, iov, 1), 0);
	CHECK_EQ(decant_iter_iovec(&it, DECANT_SOURCE, NULL, 0), 0);
	CHECK_EQ(decant_iter_bvec(&it, DECANT_DEST, NULL, 0), 0);
	CHECK_EQ(decant_iter_buf(&it, DECANT_DEST, NULL, 0), 0);
	CHECK_EQ(decant_iter_zero(&it, 0), 0);
	CHECK_EQ(decant_iter_peek(&it).len, 0);
}

static void bounds_of_movements(void)
{
	struct iovec iov[3] = {{memory, 5}, {memory, 0}, {memory + 100, 5}};
	struct decant_iter it, before;

	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 3));
	before = it;
	CHECK_EQ(decant_iter_advance(&it, 11), -EINVAL);
	CHECK_EQ(decant_iter_advance(&it, SIZE_MAX), -EINVAL);
	CHECK_EQ(decant_iter_revert(&it, 1), -EINVAL);
	CHECK_EQ(decant_iter_seek(&it, 11), -EINVAL);
	(void)decant_iter_peek(&it);
	CHECK(!memcmp(&it, &before, sizeof(it)));
	CHECK_EQ(decant_iter_seek(&it, 7), 0);
	CHECK_EQ(decant_iter_consumed(&it), 7);
	CHECK(decant_iter_peek(&it).addr == memory + 102);
	CHECK_EQ(decant_iter_seek(&it, 4), 0);
	CHECK_EQ(decant_iter_peek(&it).len, 1);
	decant_iter_truncate(&it, 100);
	CHECK_EQ(decant_iter_count(&it), 6);
	decant_iter_truncate(&it, 2);
	CHECK_EQ(decant_iter_count(&it), 2);
	CHECK_EQ(decant_iter_seek(&it, 7), -EINVAL);
	CHECK_EQ(decant_iter_seek(&it, 6), 0);
	CHECK_EQ(decant_iter_peek(&it).len, 0);
	CHECK_EQ(decant_iter_revert(&it, 6), 0);
	CHECK_EQ(decant_iter_count(&it), 6);
	decant_iter_truncate(&it, 0);
	CHECK_EQ(decant_iter_count(&it), 0);
}

/* Numbers of elements around every width that counted too few elsewhere. */
static void many_elements(void)
{
	static const size_t numbers[] = {3,    4,     5,     1023,  1024,
					 1025, 65535, 65536, 65537, 1000000};
	struct iovec *iov = malloc(1000000 * sizeof(*iov));
	struct iovec *out = malloc(1000000 * sizeof(*out));
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(iov && out);
	for (size_t i = 0; i < 1000000; i++)
		iov[i] = (struct iovec){memory + 2 * (i % 2000), 1};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		size_t nr = numbers[i];

		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
		decant_sink_iovec(&sink, out, 1000000);
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), nr);
		CHECK_EQ(sink.nr, nr);
		CHECK(!memcmp(iov, out, nr * sizeof(*iov)));
		CHECK_EQ(decant_iter_seek(&it, nr / 2), 0);
		CHECK(decant_iter_peek(&it).addr == iov[nr / 2].iov_base);
	}
	free(iov);
	free(out);
}

static void elements_over_4_gib(void)
{
	size_t len = ((size_t)9 << 30) + 123;
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct decant_sge sge[4];
	struct iovec iov[2] = {{addr, len}, {memory, 1}}, out[2];
	struct decant_sink sink;
	struct decant_iter it;
	size_t sum = 0;

	if (addr == MAP_FAILED) {
		check_skip("no address space");
		return;
	}
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 2));
	decant_sink_iovec(&sink, out, 2);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), len + 1);
	CHECK_EQ(out[0].iov_len, len);
	CHECK_EQ(decant_iter_revert(&it, len + 1), 0);
	decant_sink_sge(&sink, sge, 4);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), len + 1);
	CHECK_EQ(sink.nr, 4);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(sge[i].addr, (uintptr_t)addr + sum);
		CHECK_EQ(sge[i].addr % 4096, 0);
		sum += sge[i].length;
	}
	CHECK_EQ(sum, len);
	munmap(addr, len);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"an iterator is at most 64 bytes", size},
		{"all zeroes is an empty iterator", all_zeroes_is_empty},
		{"hostile ranges are refused", hostile_ranges},
		{"sums that overflow are refused", sums_that_overflow},
		{"a bvec may not leave its region", bvec_beyond_its_region},
		{"empty elements are skipped anywhere", empty_elements},
		{"nothing but empty elements", nothing_but_empty_elements},
		{"movements are bounded", bounds_of_movements},
		{"numbers of elements around field widths", many_elements},
		{"elements over 4 GiB", elements_over_4_gib},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
