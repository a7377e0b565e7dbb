/* SPDX-License-Identifier: MIT */
/* crc.c - CRC-32C over iterators, against RFC 3720 and a bit by bit reference. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <decant/crc.h>
#include "check.h"

#define MOST   200000
#define PIECES 4096

static unsigned char text[MOST];
static unsigned char scattered[2 * MOST + PIECES];
static struct iovec iov[PIECES];

/* The polynomial 0x1edc6f41, reflected, one bit after the other. */
static uint32_t reference(const unsigned char *data, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* The same of zero bytes only, however many: squaring the matrix of one zero bit. */
static uint32_t times(const uint32_t matrix[32], uint32_t vector)
{
	uint32_t sum = 0;

	for (int i = 0; vector; i++, vector >>= 1)
		if (vector & 1)
			sum ^= matrix[i];
	return sum;
}

static uint32_t reference_zeroes(uint64_t len)
{
	uint32_t matrix[32] = {0x82f63b78}, square[32], crc = ~0u;

	for (int i = 1; i < 32; i++)
		matrix[i] = 1u << (i - 1);
	for (uint64_t bits = 8 * len; bits; bits >>= 1) {
		if (bits & 1)
			crc = times(matrix, crc);
		for (int i = 0; i < 32; i++)
			square[i] = times(matrix, matrix[i]);
		memcpy(matrix, square, sizeof(matrix));
	}
	return ~crc;
}

static uint32_t crc_of(const void *data, size_t len)
{
	struct decant_iter it;
	uint32_t crc = 0;

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, (void *)(uintptr_t)data, len));
	CHECK_EQ(decant_crc32c(&it, SIZE_MAX, &crc), len);
	return crc;
}

/* Appendix B.4; the RFC prints the bytes as they go over the wire, lowest first. */
static void vectors(void)
{
	static const unsigned char command[48] = {
		0x01,	     0xc0,	  [16] = 0x14, [22] = 0x04,
		[27] = 0x14, [31] = 0x18, 0x28,	       [40] = 0x02,
	};
	unsigned char data[32];

	memset(data, 0, 32);
	CHECK_EQ(crc_of(data, 32), 0x8a9136aau);
	memset(data, 0xff, 32);
	CHECK_EQ(crc_of(data, 32), 0x62a8ab43u);
	for (unsigned char i = 0; i < 32; i++)
		data[i] = i;
	CHECK_EQ(crc_of(data, 32), 0x46dd794eu);
	for (unsigned char i = 0; i < 32; i++)
		data[i] = 31 - i;
	CHECK_EQ(crc_of(data, 32), 0x113fdb5cu);
	CHECK_EQ(crc_of(command, 48), 0xd9963a56u);
	CHECK_EQ(crc_of("123456789", 9), 0xe3069283u);
	CHECK_EQ(crc_of("", 0), 0);
}

/* Pieces of random lengths, in memory that is not in their order. */
static size_t cut(size_t len)
{
	static const size_t usual[] = {1,  3,  4,  7,  8,   9,	 15,  16,  31,
				       32, 33, 64, 65, 128, 129, 767, 768, 8192};
	unsigned char *at = scattered + sizeof(scattered);
	size_t nr = 0, done = 0, most = 1 + check_below(check_below(2) ? 100 : 20000);

	while (done < len) {
		size_t n =
			check_below(3) ? check_below(most + 1) : usual[check_below(18)];

		if (n > len - done || nr == PIECES - 1)
			n = len - done;
		at -= n + check_below(2);
		memcpy(at, text + done, n);
		iov[nr++] = (struct iovec){at, n};
		done += n;
	}
	return nr;
}

static void random_cuts(void)
{
	for (size_t i = 0; i < check_cases(1500) && !check_failed; i++) {
		size_t from = check_below(1000),
		       len = check_below(check_below(4) ? 9000 : MOST - 1000);
		size_t nr, first = check_below(len + 1);
		struct decant_iter it;
		uint32_t crc = 0, half = 0;

		memmove(text, text + from, len);
		nr = cut(len);
		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
		CHECK_EQ(decant_crc32c(&it, SIZE_MAX, &crc), len);
		CHECK_EQ(crc, reference(text, len));
		CHECK_EQ(decant_iter_count(&it), 0);
		/* In two calls, and with an over-asking third. */
		REQUIRE(!decant_iter_seek(&it, 0));
		CHECK_EQ(decant_crc32c(&it, first, &half), first);
		CHECK_EQ(half, reference(text, first));
		CHECK_EQ(decant_iter_consumed(&it), first);
		CHECK_EQ(decant_crc32c(&it, len, &half), len - first);
		CHECK_EQ(half, crc);
		CHECK_EQ(decant_crc32c(&it, 1, &half), 0);
		CHECK_EQ(half, crc);
	}
}

static void over_4g(void)
{
	size_t len = (4ull << 30) + 12345;
	struct decant_iter it;
	uint32_t crc = 0;
	void *memory = mmap(NULL, len, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		check_skip("no room for 4 GiB of addresses");
		return;
	}
	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, len));
	CHECK_EQ(decant_crc32c(&it, SIZE_MAX, &crc), (ssize_t)len);
	CHECK_EQ(crc, reference_zeroes(len));
	munmap(memory, len);
}

static void zeroes(void)
{
	struct decant_iter it;
	uint32_t crc = 0;

	CHECK_EQ(reference_zeroes(32), 0x8a9136aau);
	decant_iter_zero(&it, 1234567);
	CHECK_EQ(decant_crc32c(&it, 1000, &crc), 1000);
	CHECK_EQ(decant_crc32c(&it, SIZE_MAX, &crc), 1233567);
	CHECK_EQ(crc, reference_zeroes(1234567));
}

static void wrong_direction(void)
{
	struct decant_iter it;
	uint32_t crc = 77;

	REQUIRE(!decant_iter_buf(&it, DECANT_DEST, text, 10));
	CHECK_EQ(decant_crc32c(&it, 10, &crc), -EINVAL);
	CHECK(crc == 77 && decant_iter_count(&it) == 10);
}

/* Memory of a process can't be pointed at, not even if it is this one; a hole ends it. */
static void process_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *memory = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec all = {memory, 5 * page};
	struct decant_iter it;
	uint32_t crc = 0;
	ssize_t got;

	REQUIRE(memory != MAP_FAILED);
	memcpy(memory, text, 5 * page);
	munmap(memory + 4 * page, page);
	REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, getpid(), &all, 1));
	got = decant_crc32c(&it, SIZE_MAX, &crc);
	if (got == -EPERM || got == -ENOSYS) {
		check_skip("process_vm_readv is not allowed");
	} else {
		CHECK_EQ(got, 4 * page);
		CHECK_EQ(crc, reference(text, 4 * page));
		CHECK_EQ(decant_crc32c(&it, SIZE_MAX, &crc), -EFAULT);
		CHECK_EQ(crc, reference(text, 4 * page));
	}
	munmap(memory, 4 * page);
}

/* As a digest: on the way through a copy, message after message, cloned half-way. */
static void as_digest(void)
{
	static unsigned char to[1000];
	struct decant_digest digest, half;
	struct decant_iter src, dst;
	uint32_t crc;

	for (size_t i = 0; i < 1000; i++)
		text[i] = (unsigned char)check_random();
	decant_digest_crc32c(&digest);
	for (int i = 0; i < 2; i++) {
		REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, text, 1000));
		REQUIRE(!decant_iter_buf(&dst, DECANT_DEST, to, 1000));
		CHECK_EQ(decant_digest_copy(&digest, &dst, &src, 600), 600);
		CHECK_EQ(decant_digest_clone(&half, &digest), 0);
		CHECK_EQ(decant_digest_copy(&digest, &dst, &src, 400), 400);
		CHECK_EQ(decant_digest_final(&digest, &crc), 0);
		CHECK_EQ(crc, reference(text, 1000));
		CHECK(!memcmp(to, text, 1000));
		CHECK_EQ(decant_digest_final(&half, &crc), 0);
		CHECK_EQ(crc, reference(text, 600));
	}
	CHECK_EQ(decant_digest_bytes(&digest), 4);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"as a digest", as_digest},
		{"RFC 3720's vectors", vectors},
		{"random cuts give what one piece gives", random_cuts},
		{"more than 4 GiB in one piece", over_4g},
		{"zeroes that are nowhere", zeroes},
		{"a destination is refused", wrong_direction},
		{"memory of a process, up to where it ends", process_memory},
	};

	check_seed_init();
	for (size_t i = 0; i < MOST; i++)
		text[i] = (unsigned char)check_random();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
