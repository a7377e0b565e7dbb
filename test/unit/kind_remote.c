/* SPDX-License-Identifier: MIT */
/*
 * kind_remote.c - a guest's addresses: outside, wrapping, and changed while they are
 * read.
 */
#include <errno.h>
#include <pthread.h>
#include <decant/decant.h>
#include "check.h"

#define MEMORY 65536

static unsigned char memory[MEMORY], out[2 * MEMORY];

static void fill(void)
{
	for (size_t i = 0; i < MEMORY; i++)
		memory[i] = (unsigned char)(i * 3 + i / 256);
}

static struct iovec at(uint64_t addr, size_t len)
{
	return (struct iovec){(void *)(uintptr_t)addr, len};
}

/* Three ranges: two adjacent ones, whose memory is not, and the very last page. */
static struct decant_window window(void)
{
	static const struct decant_window_range ranges[] = {
		{0x1000, 4096, memory, NULL},
		{0x2000, 4096, memory + 16384, NULL},
		{UINT64_MAX - 4095, 4096, memory + 32768, NULL},
	};
	struct decant_window w;

	fill();
	REQUIRE(!decant_window_init(&w, ranges, 3));
	return w;
}

static ssize_t read_all(const struct decant_window *w, const struct iovec *iov, size_t nr)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_remote(&it, DECANT_SOURCE, w, iov, nr));
	return decant_copy_to(out, &it, SIZE_MAX);
}

static void spans_adjacent_ranges(void)
{
	struct decant_window w = window();
	struct iovec iov[] = {at(0, 0), at(0x1ff0, 32), at(0x77, 0), at(0x2ff0, 16)};
	struct decant_iter it;

	CHECK_EQ(read_all(&w, iov, 4), 48);
	CHECK(!memcmp(out, memory + 4080, 16));
	CHECK(!memcmp(out + 16, memory + 16384, 16));
	CHECK(!memcmp(out + 32, memory + 16384 + 4080, 16));
	REQUIRE(!decant_iter_remote(&it, DECANT_DEST, &w, iov, 4));
	CHECK_EQ(decant_fill(&it, 0, 48), 48);
	CHECK(!memory[4095] && !memory[16384 + 15] && memory[16384 + 17]);
	CHECK(!decant_iter_revert(&it, 17));
	CHECK(decant_iter_peek(&it).addr == memory + 16384 + 15);
	CHECK_EQ(decant_iter_elements(&it, NULL), 2);
}

/* Each address outside is a fault, after the bytes before it. */
static void outside(void)
{
	struct decant_window w = window();
	static const uint64_t bad[] = {
		0, 1, 0xfff, 0x3000, 0x3001, 0x8000000000000000, UINT64_MAX - 4096};
	struct decant_bvec table[8];
	struct decant_sink sink;
	struct decant_iter it;

	for (size_t i = 0; i < 7; i++) {
		struct iovec iov[] = {at(0x1000, 100), at(bad[i], 1), at(0x1000, 1)};

		CHECK_EQ(read_all(&w, iov, 3), 100);
		CHECK_EQ(read_all(&w, iov + 1, 2), -EFAULT);
		REQUIRE(!decant_iter_remote(&it, DECANT_SOURCE, &w, iov, 3));
		decant_sink_bvec(&sink, table, 8);
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 100);
		CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EFAULT);
		CHECK(!decant_iter_advance(&it, 1));
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 1);
	}
}

static void the_last_byte(void)
{
	struct decant_window w = window();
	struct iovec last = at(UINT64_MAX, 1), wraps = at(UINT64_MAX - 3, 8);
	struct iovec low = at(0x2ff8, 16), huge = at(0x1000, (size_t)1 << 62);

	CHECK_EQ(read_all(&w, &last, 1), 1);
	CHECK_EQ(out[0], memory[32768 + 4095]);
	CHECK_EQ(read_all(&w, &wraps, 1), 4);
	CHECK_EQ(read_all(&w, &low, 1), 8);
	CHECK_EQ(read_all(&w, &huge, 1), -EFAULT);
}

/* A wrapped address must not come out at the bottom again. */
static void wrapping_to_a_range_at_zero(void)
{
	static const struct decant_window_range ranges[] = {
		{0, 4096, memory, NULL},
		{UINT64_MAX - 4095, 4096, memory + 32768, NULL},
	};
	struct iovec wraps = at(UINT64_MAX - 3, 8);
	struct decant_window w;

	fill();
	REQUIRE(!decant_window_init(&w, ranges, 2));
	CHECK_EQ(read_all(&w, &wraps, 1), 4);
}

static void bad_tables(void)
{
	struct decant_window w = {NULL, 77};
	struct decant_window_range r[2] = {{0x1000, 16, memory, NULL},
					   {0x1010, 16, memory, NULL}};
	struct decant_iter it;
	struct iovec iov = at(0x1000, 1);

	CHECK_EQ(decant_window_init(&w, NULL, 1), -EFAULT);
	r[1].base = 0x100f;
	CHECK_EQ(decant_window_init(&w, r, 2), -EINVAL);
	r[1].base = 0x10;
	CHECK_EQ(decant_window_init(&w, r, 2), -EINVAL);
	r[1].base = UINT64_MAX - 14;
	CHECK_EQ(decant_window_init(&w, r, 2), -EINVAL);
	r[1].base = UINT64_MAX - 15;
	r[1].len = 0;
	CHECK_EQ(decant_window_init(&w, r, 2), -EINVAL);
	r[1].len = 16;
	r[1].addr = NULL;
	CHECK_EQ(decant_window_init(&w, r, 2), -EFAULT);
	REQUIRE(!decant_region_new(&r[1].region, memory, 15, NULL));
	r[1].addr = memory;
	CHECK_EQ(decant_window_init(&w, r, 2), -EFAULT);
	CHECK_EQ(w.nr, 77);
	decant_region_put(r[1].region);
	r[1].region = NULL;
	CHECK_EQ(decant_window_init(&w, r, 2), 0);
	CHECK_EQ(decant_window_find(&w, 0x100f).len, 1);
	CHECK_EQ(decant_window_find(&w, 0x1010).len, 0);
	CHECK_EQ(decant_iter_remote(&it, DECANT_SOURCE, NULL, &iov, 1), -EINVAL);
	CHECK_EQ(decant_iter_remote(&it, DECANT_SOURCE, &w, NULL, 1), -EFAULT);
	CHECK_EQ(decant_iter_remote(&it, (enum decant_direction)2, &w, &iov, 1), -EINVAL);
	CHECK_EQ(decant_iter_remote(&it, DECANT_SOURCE, &w, &iov, SIZE_MAX), -EOVERFLOW);
	CHECK_EQ(decant_iter_remote(&it, DECANT_SOURCE, &w, &iov, (size_t)1 << 26),
		 -EOVERFLOW);
	CHECK_EQ(decant_window_init(&w, NULL, 0), 0);
	CHECK_EQ(read_all(&w, &iov, 1), -EFAULT);
	CHECK_EQ(read_all(&w, NULL, 0), 0);
}

/* Between two looks the list gets shorter, longer, empty, or points elsewhere. */
static void changed_between(void)
{
	struct decant_window w = window();
	struct iovec iov[3] = {at(0x1000, 100), at(0x1100, 100), at(0x1200, 100)};
	struct decant_iter it;

	REQUIRE(!decant_iter_remote(&it, DECANT_SOURCE, &w, iov, 3));
	/* The current one was read: what it says now is not looked at. */
	iov[0] = at(0xdead0000, SIZE_MAX);
	iov[1].iov_len = 10;
	CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX), 210);
	CHECK_EQ(decant_iter_count(&it), 90);
	CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX), -EFAULT);
	CHECK(!decant_iter_advance(&it, 90));
	CHECK_EQ(decant_iter_count(&it), 0);
	/* Back over a list that is much longer, and one that is empty by now. */
	iov[2].iov_len = SIZE_MAX;
	CHECK(!decant_iter_revert(&it, 300));
	CHECK(!decant_iter_advance(&it, 300));
	iov[0] = iov[1] = iov[2] = at(0x1000, 0);
	CHECK(!decant_iter_revert(&it, 300));
	CHECK_EQ(decant_iter_count(&it), 300);
	CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX), -EFAULT);
	iov[1] = at(0x1000, SIZE_MAX);
	CHECK(!decant_iter_advance(&it, 300));
	CHECK(!decant_iter_seek(&it, 0));
	iov[1] = at(0x1000, 4096);
	CHECK(!decant_iter_seek(&it, 1));
	CHECK_EQ(decant_copy_to(out, &it, SIZE_MAX) <= 299, 1);
}

#define RANGES 5000
#define EACH   12

/* More ranges than can be remembered by number, near and far, in any order. */
static void many_ranges(void)
{
	static struct decant_window_range ranges[RANGES];
	static struct iovec iov[2000];
	struct decant_window w;
	struct decant_iter it;
	size_t total = 0;

	fill();
	for (size_t i = 0; i < RANGES; i++)
		ranges[i] = (struct decant_window_range){
			0x10000 + EACH * i + (i / 100) * 64, EACH,
			memory + i * 7919 % RANGES * EACH, NULL};
	REQUIRE(!decant_window_init(&w, ranges, RANGES));
	for (size_t i = 0; i < 2000; i++) {
		size_t at_range = i % 3 ? check_below(RANGES) : i * 2 % RANGES;
		size_t skip = check_below(EACH);

		iov[i] = at(ranges[at_range].base + skip, EACH - skip);
		memcpy(out + total, (unsigned char *)ranges[at_range].addr + skip,
		       EACH - skip);
		total += EACH - skip;
	}
	REQUIRE(!decant_iter_remote(&it, DECANT_SOURCE, &w, iov, 2000));
	CHECK_EQ(decant_iter_count(&it), total);
	for (size_t i = 0; i < 5000 && !check_failed; i++) {
		size_t pos = check_below(total), len = check_below(3 * EACH);
		unsigned char got[3 * EACH];
		ssize_t n;

		len = len < total - pos ? len : total - pos;
		CHECK(!decant_iter_seek(&it, pos));
		n = decant_copy_to(got, &it, len);
		CHECK_EQ(n, len);
		CHECK(!memcmp(got, out + pos, len));
	}
}

#define DESCRIPTORS 64

static struct iovec shared[DESCRIPTORS];
static int stop;

/* The guest: scribbles over its descriptors. */
__attribute__((no_sanitize("thread"))) static void *scribble(void *arg)
{
	uint64_t x = 88172645463325252ull;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		volatile struct iovec *iov = shared;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		iov += x % DESCRIPTORS;
		iov->iov_base = (void *)(uintptr_t)(x >> 20 & 0x3fff);
		iov->iov_len = x >> 40 & (x >> 63 ? 0xfff : 0x7fffffffffff);
		if (x >> 61 == 0)
			iov->iov_len = 0;
	}
	return arg;
}

static bool inside(const struct decant_bvec *el)
{
	const unsigned char *addr = el->addr;

	if (addr >= memory && addr + el->len <= memory + 4096)
		return true;
	if (addr >= memory + 16384 && addr + el->len <= memory + 16384 + 4096)
		return true;
	return addr >= memory + 32768 && addr + el->len <= memory + 32768 + 4096;
}

/*
 * Whatever the guest writes, what comes out lies in its memory and never exceeds the sum.
 */
__attribute__((no_sanitize("thread"))) static void changed_by_a_thread(void)
{
	struct decant_window w = window();
	size_t total = 0, rounds = check_cases(100000);
	struct decant_bvec table[128];
	struct decant_sink sink;
	struct decant_iter it;
	pthread_t thread;

	for (size_t i = 0; i < DESCRIPTORS; i++)
		shared[i] = at(0x1000 + i * 16, 64);
	REQUIRE(!pthread_create(&thread, NULL, scribble, NULL));
	for (size_t i = 0; i < rounds && !check_failed; i++) {
		size_t count;
		ssize_t got;

		if (decant_iter_remote(&it, DECANT_SOURCE, &w, shared, DESCRIPTORS))
			continue;
		count = decant_iter_count(&it);
		decant_sink_bvec(&sink, table, 128);
		got = decant_extract(&it, &sink, SIZE_MAX);
		CHECK(got < 0 || (size_t)got <= count);
		CHECK_EQ(decant_iter_count(&it), count - (got > 0 ? (size_t)got : 0));
		for (size_t j = 0; j < sink.nr; j++)
			CHECK(inside(&table[j]));
		CHECK(!decant_iter_seek(&it, check_below(count + 1)));
		CHECK(!decant_iter_seek(&it, check_below(count + 1)));
		total += got > 0 ? (size_t)got : 0;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	printf("# %zu bytes in %zu rounds\n", total, rounds);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"an element spans adjacent ranges", spans_adjacent_ranges},
		{"an address outside is a fault after progress", outside},
		{"the last byte of the address space, and beyond", the_last_byte},
		{"a wrapped address is not one at the bottom",
		 wrapping_to_a_range_at_zero},
		{"thousands of ranges, back and forth", many_ranges},
		{"bad tables and lists are refused", bad_tables},
		{"descriptors changed between two looks", changed_between},
		{"descriptors changed by a racing thread", changed_by_a_thread},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
