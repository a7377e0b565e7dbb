/* SPDX-License-Identifier: MIT */
/* compare.c - verbs that look at two sources, or at what is left of one. */
#include <errno.h>
#include <string.h>
#include <decant/copy.h>
#include "kinds.h"
#include "util.h"

#define BLOCK 1024

/*
 * A piece of a source: where it lies, or a copy of it in block. It stays in use until all
 * of it is done, then the cursor moves.
 */
struct piece {
	struct decant_iter it;
	struct decant_span span;
	const unsigned char *addr;
	size_t len;
	size_t used;
	unsigned char block[BLOCK];
};

static void piece_leave(struct piece *p)
{
	kind_put(&p->it, &p->span);
	if (p->used)
		kind_advance(&p->it, p->used);
	p->span = (struct decant_span){0};
	p->used = p->len = 0;
}

static int piece_copy(struct piece *p)
{
	struct iovec iov = {p->block, min_size(p->it.count, sizeof(p->block))};
	ssize_t n = kind_move(&p->it, &iov, 1);

	if (n < 0)
		return (int)n;
	p->addr = p->block;
	p->len = (size_t)n;
	return 0;
}

/* A negative errno if the next byte can't be had. */
static int piece_get(struct piece *p)
{
	if (p->used < p->len)
		return 0;
	p->span = kind_peek(&p->it);
	if (!p->span.len)
		return span_error(&p->span);
	if (!p->span.addr)
		return piece_copy(p);
	p->addr = (const unsigned char *)p->span.addr;
	p->len = p->span.len;
	return 0;
}

static void piece_use(struct piece *p, size_t n)
{
	p->used += n;
	if (p->used == p->len)
		piece_leave(p);
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

/* Compare what both have of their pieces. Its length, or a negative errno. */
static ssize_t compare_step(struct piece *a, struct piece *b, size_t len,
			    bool constant_time, bool *same)
{
	int err_a = piece_get(a), err_b = piece_get(b);
	const unsigned char *x, *y;
	size_t n;

	if (err_a || err_b)
		return err_a ? err_a : err_b;
	n = min_size(len, min_size(a->len - a->used, b->len - b->used));
	x = a->addr + a->used;
	y = b->addr + b->used;
	*same = constant_time ? same_slowly(x, y, n) : !memcmp(x, y, n);
	piece_use(a, n);
	piece_use(b, n);
	return (ssize_t)n;
}

static void piece_begin(struct piece *p, const struct decant_iter *it)
{
	p->it = *it;
	p->span = (struct decant_span){0};
	p->len = p->used = 0;
	kind_refresh(&p->it);
}

static int compare(const struct decant_iter *a, const struct decant_iter *b, size_t len,
		   bool constant_time)
{
	bool all = true, same = true;
	struct piece x, y;
	ssize_t n = 0;

	if (a->direction != DECANT_SOURCE || b->direction != DECANT_SOURCE)
		return -EINVAL;
	piece_begin(&x, a);
	piece_begin(&y, b);
	if (len > min_size(x.it.count, y.it.count))
		return 0;
	while (len && n >= 0 && (all || constant_time)) {
		n = compare_step(&x, &y, len, constant_time, &same);
		all &= same;
		len -= n > 0 ? (size_t)n : 0;
	}
	piece_leave(&x);
	piece_leave(&y);
	return n < 0 ? (int)n : all;
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
