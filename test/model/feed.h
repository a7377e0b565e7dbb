/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FEED_H
#define DECANT_TEST_FEED_H
/*
 * feed.h - where a test takes its decisions from: the random numbers of check.h, or the
 * bytes that a fuzzer made up. Bytes that have run out are zeroes, and every test takes
 * zero for "no more" where it could go on for long.
 */
#include "check.h"

static const uint8_t *feed_data;
static size_t feed_left;

static size_t feed_bytes(unsigned nr)
{
	size_t value = 0;

	for (; nr && feed_left; nr--, feed_left--)
		value = value << 8 | *feed_data++;
	return value;
}

/* A number below n, n at least 1. */
static size_t feed_below(size_t n)
{
	if (!feed_data)
		return check_below(n);
	return feed_bytes(n <= 256 ? 1 : n <= 65536 ? 2 : 4) % n;
}

/* Whether there is something left to decide with. */
__attribute__((unused)) static bool feed_more(void)
{
	return !feed_data || feed_left;
}

/* One time in n. */
static bool feed_one_in(size_t n)
{
	return feed_below(n) == n - 1;
}

/* A power of two up to 2^max, or 0. */
__attribute__((unused)) static size_t feed_pow2(unsigned max)
{
	size_t exponent = feed_below(max + 2);

	return exponent ? (size_t)1 << (exponent - 1) : 0;
}
#endif
