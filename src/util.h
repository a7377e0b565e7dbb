/* SPDX-License-Identifier: MIT */
#ifndef SRC_UTIL_H
#define SRC_UTIL_H
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <decant/span.h>

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

static inline size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* 0 counts as a power of two: no rule. */
static inline bool is_pow2_or_0(size_t n)
{
	return !(n & (n - 1));
}

/* The low bits that a multiple of n leaves clear. */
static inline size_t low_mask(size_t n)
{
	return n ? n - 1 : 0;
}

/* See decant_span_stop(). */
static inline struct decant_span span_stop(int error)
{
	return (struct decant_span){(void *)(intptr_t)error, 0, NULL};
}

static inline int span_error(const struct decant_span *span)
{
	if (span->len)
		return 0;
	return span->addr ? (int)(intptr_t)span->addr : -ENXIO;
}

static inline bool wraps(const void *addr, size_t len)
{
	return (uintptr_t)addr + len < (uintptr_t)addr;
}
#endif
