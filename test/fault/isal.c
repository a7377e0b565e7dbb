/* SPDX-License-Identifier: MIT */
/* isal.c - the checksum of what can not all be read: of the bytes that it counted. */
#include <decant/crc.h>
#include "each.h"

#define LEN    20000
#define PIECES 50

static unsigned char bytes[LEN];
static struct iovec iov[PIECES];

static uint32_t crc_of(size_t len)
{
	struct decant_iter it;
	uint32_t crc = 0;

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, bytes, len));
	REQUIRE(decant_crc32c(&it, len, &crc) == (ssize_t)len);
	return crc;
}

static int sum_process(void)
{
	struct decant_iter it;
	uint32_t crc = 0;
	ssize_t n;

	REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, getpid(), iov, PIECES));
	n = decant_crc32c(&it, SIZE_MAX, &crc);
	CHECK_EQ(decant_iter_consumed(&it), n < 0 ? 0 : n);
	CHECK_EQ(crc, n < 0 ? 0 : crc_of((size_t)n));
	return n < 0 ? (int)n : 0;
}

static bool may(void)
{
	int err = sum_process();

	if (err == -EPERM || err == -ENOSYS)
		check_skip("process_vm_readv(2) is not allowed here");
	return !err;
}

static void reading_fails(void)
{
	static const int errors[] = {EFAULT, EPERM, ESRCH};

	for (size_t i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){bytes + i * (LEN / PIECES), LEN / PIECES};
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t i = 0; i < 3 && may(); i++) {
		fault_errno = errors[i];
		with_each_failing(sum_process, -errors[i]);
	}
}

static void reading_is_short(void)
{
	static const size_t most[] = {1, 100, 4095};

	for (size_t i = 0; i < 3 && may(); i++) {
		fault_most = most[i];
		CHECK_EQ(sum_process(), 0);
		fault_most = 0;
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		{"each call fails, for three reasons", reading_fails},
		{"each call reads less", reading_is_short},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
