/* SPDX-License-Identifier: MIT */
/* compare.c - verbs that look at two sources, or at what is left of one. */
#include <errno.h>
#include <string.h>
#include <decant/copy.h>
#include "kinds.h"
#include "util.h"

#define BLOCK 1024

/* A piece of a source: where it lies, or a copy of it in block. */
struct piece {
	struct decant_span span;
	const unsigned char *addr;
	size_t len;
	unsigned char block[BLOCK];
};

/* A negative errno if the next byte can't be had. */
static int piece_get(struct piece *p, const struct decant_iter *it)
{
	struct iovec iov = {p->block, min_size(it->count, sizeof(p->block))};
	ssize_t n;

	p->span = kind_peek(it);
	p->addr = (const unsigned char *)p->span.addr;
	p->len = p->span.len;
	if (!p->len)
		return span_error(&p->span);
	if (p->addr)
		return 0;
	n = kind_move(it, &iov, 1);
	if (n < 0)
		return (int)n;
	p->addr = p->block;
	p->len = (size_t)n;
	return 0;
}

/* In a time that depends on n alone. */
static bool same_slowly(const unsigned char *a, const unsigned char *b, size_t n)
{
	unsigned char differ = 0;

	for (size_t i = 0; i < n; i++) {
		differ |= (unsigned char)(a[i] ^ b[i]);
		__asm__("" : "+r"(differ)); /* keep the compiler from leaving early */
	}
	return !differ;
}

/* Compare the next piece of both and go on behind it. Its length, or a negative errno. */
static ssize_t compare_step(struct decant_iter *x, struct decant_iter *y, size_t len,
			    bool constant_time, bool *same)
{
	struct piece a, b;
	int err_a = piece_get(&a, x), err_b = piece_get(&b, y);
	size_t n = 0;

	if (!err_a && !err_b) {
		n = min_size(len, min_size(a.len, b.len));
		*same = constant_time ? same_slowly(a.addr, b.addr, n)
				      : !memcmp(a.addr, b.addr, n);
	}
	kind_put(x, &a.span);
	kind_put(y, &b.span);
	if (!n)
		return err_a ? err_a : err_b;
	kind_advance(x, n);
	kind_advance(y, n);
	return (ssize_t)n;
}

static int compare(const struct decant_iter *a, const struct decant_iter *b, size_t len,
		   bool constant_time)
{
	struct decant_iter x = *a, y = *b;
	bool all = true, same = true;

	if (a->direction != DECANT_SOURCE || b->direction != DECANT_SOURCE)
		return -EINVAL;
	if (len > min_size(kind_refresh(&x), kind_refresh(&y)))
		return 0;
	while (len && (all || constant_time)) {
		ssize_t n = compare_step(&x, &y, len, constant_time, &same);

		if (n < 0)
			return (int)n;
		all &= same;
		len -= (size_t)n;
	}
	return all;
}

int decant_equal(const struct decant_iter *a, const struct decant_iter *b, size_t len)
{
	return compare(a, b, len, false);
}

int decant_equal_ct(const struct decant_iter *a, const struct decant_iter *b, size_t len)
{
	return compare(a, b, len, true);
}

ssize_t decant_iter_elements(const struct decant_iter *it,
			     const struct decant_limits *limits)
{
	struct decant_iter copy = *it;
	struct decant_sink sink;
	ssize_t got;

	decant_sink_count(&sink);
	if (limits)
		sink.limits = *limits;
	got = decant_extract_all(&copy, &sink, SIZE_MAX);
	return got < 0 ? got : (ssize_t)sink.nr;
}

/* A run's first address and its end have the same low bits as its address and length. */
size_t decant_iter_alignment(const struct decant_iter *it)
{
	struct decant_iter at = *it;
	uintptr_t end = 0, bits = 0;
	size_t copied = 0;

	kind_refresh(&at);
	while (at.count) {
		struct decant_span span = kind_peek(&at);

		kind_put(&at, &span);
		if (!span.len)
			return 1;
		if (!span.addr)
			copied += span.len;
		else if ((uintptr_t)span.addr != end)
			bits |= end | (uintptr_t)span.addr;
		if (span.addr)
			end = (uintptr_t)span.addr + span.len;
		kind_advance(&at, span.len);
	}
	bits |= end | copied;
	return bits & -bits;
}
