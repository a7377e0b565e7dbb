/* SPDX-License-Identifier: MIT */
/*
 * overlap.c - whether two iterators share memory otherwise than byte for byte.
 *
 * Three answers, from cheap to dear: all of one lies below the other; both are the same
 * memory all along; else one side's runs are sorted, as many at a time as the scratch
 * holds, and the other's are looked up among them.
 */
#include "pass.h"

#define WALK_PIECES 64

struct run {
	uintptr_t from, to;
	size_t pos; /* of its first byte in the text */
};

/* Runs of adjacent bytes, one after the other. */
struct walk {
	struct decant_iter it;
	size_t left, pos, nr, at;
	struct iovec iov[WALK_PIECES];
};

static void walk_begin(struct walk *w, const struct decant_iter *it, size_t len)
{
	w->it = *it;
	w->left = len;
	w->pos = w->nr = w->at = 0;
}

static bool walk_more(struct walk *w)
{
	struct decant_sink sink;
	ssize_t got;

	struct decant_span whole;

	if (!w->left)
		return false;
	whole = decant_iter_peek(&w->it);
	w->at = 0;
	if (whole.addr && whole.len >= w->left) {
		w->iov[0] = (struct iovec){whole.addr, w->left};
		w->nr = 1;
		w->left = 0;
		return true;
	}
	decant_sink_iovec(&sink, w->iov, WALK_PIECES);
	got = decant_extract(&w->it, &sink, w->left);
	if (got <= 0)
		return false; /* no addresses from here on: nothing to compare */
	w->left -= (size_t)got;
	w->nr = sink.nr;
	return true;
}

static bool walk_next(struct walk *w, struct run *run)
{
	const struct iovec *iov;

	if (w->at == w->nr && !walk_more(w))
		return false;
	iov = &w->iov[w->at++];
	run->from = (uintptr_t)iov->iov_base;
	run->to = run->from + iov->iov_len;
	run->pos = w->pos;
	w->pos += iov->iov_len;
	return true;
}

static void widen(struct run *box, const struct run *run)
{
	if (run->from < box->from)
		box->from = run->from;
	if (run->to > box->to)
		box->to = run->to;
}

static struct run box_of(const struct decant_iter *it, size_t len)
{
	struct run box = {UINTPTR_MAX, 0, 0}, run;
	struct walk w;

	walk_begin(&w, it, len);
	while (walk_next(&w, &run))
		widen(&box, &run);
	return box;
}

static bool touch(const struct run *a, const struct run *b)
{
	return a->from < b->to && b->from < a->to;
}

/* Same memory at the same position is in place; same memory anywhere else is overlap. */
static bool clash(const struct run *a, const struct run *b)
{
	return touch(a, b) && a->from - a->pos != b->from - b->pos;
}

/* Byte for byte the same memory, however it is cut. */
static bool same(const struct decant_iter *a, const struct decant_iter *b, size_t len)
{
	struct run x = {0}, y = {0};
	struct walk v, w;
	size_t n;

	walk_begin(&v, a, len);
	walk_begin(&w, b, len);
	for (; len; len -= n) {
		if (x.from == x.to && !walk_next(&v, &x))
			return false;
		if (y.from == y.to && !walk_next(&w, &y))
			return false;
		if (x.from != y.from)
			return false;
		n = least(least(x.to - x.from, y.to - y.from), len);
		x.from += n;
		y.from += n;
	}
	return true;
}

/* The largest of the first nr sinks to where it belongs below at. */
static void sift(struct run *runs, size_t at, size_t nr)
{
	struct run moved = runs[at];
	size_t child;

	for (; (child = 2 * at + 1) < nr; at = child) {
		if (child + 1 < nr && runs[child + 1].from > runs[child].from)
			child++;
		if (runs[child].from <= moved.from)
			break;
		runs[at] = runs[child];
	}
	runs[at] = moved;
}

/* By address, without an allocation, which qsort(3) may need. */
static void sort(struct run *runs, size_t nr)
{
	for (size_t i = nr / 2; i--;)
		sift(runs, i, nr);
	for (size_t i = nr; i-- > 1;) {
		struct run last = runs[i];

		runs[i] = runs[0];
		runs[0] = last;
		sift(runs, 0, i);
	}
}

/* The first of the sorted runs that ends behind from. */
static size_t find(const struct run *runs, size_t nr, uintptr_t from)
{
	size_t low = 0;

	while (nr) {
		size_t half = nr / 2;

		if (runs[low + half].to > from) {
			nr = half;
		} else {
			low += half + 1;
			nr -= half + 1;
		}
	}
	return low;
}

static bool clash_any(const struct run *runs, size_t nr, const struct run *run)
{
	for (size_t i = find(runs, nr, run->from); i < nr && runs[i].from < run->to; i++)
		if (clash(&runs[i], run))
			return true;
	return false;
}

static bool clash_all(const struct run *runs, size_t nr, const struct run *box,
		      const struct decant_iter *src, size_t len)
{
	struct walk w;
	struct run run;

	walk_begin(&w, src, len);
	while (walk_next(&w, &run))
		if (touch(box, &run) && clash_any(runs, nr, &run))
			return true;
	return false;
}

static bool mixed(const struct decant_iter *dst, size_t len,
		  const struct decant_iter *src, size_t src_len, struct scratch *scratch)
{
	struct run *runs = (struct run *)(void *)scratch->batch;
	size_t nr, room = sizeof(scratch->batch) / sizeof(*runs);
	struct walk w;

	walk_begin(&w, dst, len);
	do {
		struct run box = {UINTPTR_MAX, 0, 0};

		for (nr = 0; nr < room && walk_next(&w, &runs[nr]); nr++)
			widen(&box, &runs[nr]);
		sort(runs, nr);
		if (clash_all(runs, nr, &box, src, src_len))
			return true;
	} while (nr == room);
	return false;
}

bool overlaps(const struct decant_iter *dst, size_t len, const struct decant_iter *src,
	      size_t src_len, struct scratch *scratch)
{
	struct run to = box_of(dst, len), from = box_of(src, src_len);

	if (!touch(&to, &from))
		return false;
	if (len == src_len && same(dst, src, len))
		return false;
	return mixed(dst, len, src, src_len, scratch);
}
