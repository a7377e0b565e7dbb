/* SPDX-License-Identifier: MIT */
/* copy.c - verbs on top of peek and advance. */
#include <errno.h>
#include <string.h>
#include <decant/copy.h>
#include "kinds.h"
#include "util.h"

static size_t least(size_t a, size_t b, size_t c)
{
	return min_size(a, min_size(b, c));
}

/* What copying a piece comes to, given what the kinds' bytes are. */
static void copy_piece(const struct decant_iter *dst, void *to, const struct decant_iter *src,
		       const void *from, size_t n)
{
	if (dst->kind == DECANT_KIND_DISCARD || to == from)
		return;
	if (src->kind == DECANT_KIND_ZERO)
		memset(to, 0, n);
	else
		memcpy(to, from, n);
}

ssize_t decant_copy(struct decant_iter *dst, struct decant_iter *src, size_t len)
{
	size_t done = 0;

	if (dst->direction != DECANT_DEST || src->direction != DECANT_SOURCE)
		return -EINVAL;
	len = least(len, dst->count, src->count);
	while (done < len) {
		struct decant_span to = kind_peek(dst), from = kind_peek(src);
		size_t n = least(to.len, from.len, len - done);

		if (!n)
			return done ? (ssize_t)done : -ENXIO;
		copy_piece(dst, to.addr, src, from.addr, n);
		kind_advance(dst, n);
		kind_advance(src, n);
		done += n;
	}
	return (ssize_t)done;
}

ssize_t decant_zero(struct decant_iter *dst, size_t len)
{
	struct decant_iter zeroes;

	decant_iter_zero(&zeroes, min_size(len, dst->count));
	return decant_copy(dst, &zeroes, len);
}

ssize_t decant_copy_to(void *addr, struct decant_iter *src, size_t len)
{
	struct decant_iter dst;
	int err;

	if (src->direction != DECANT_SOURCE)
		return -EINVAL;
	len = min_size(len, src->count);
	err = decant_iter_buf(&dst, DECANT_DEST, addr, len);
	return err ? err : decant_copy(&dst, src, len);
}

ssize_t decant_copy_from(struct decant_iter *dst, const void *addr, size_t len)
{
	struct decant_iter src;
	int err;

	if (dst->direction != DECANT_DEST)
		return -EINVAL;
	len = min_size(len, dst->count);
	err = decant_iter_buf(&src, DECANT_SOURCE, (void *)(uintptr_t)addr, len);
	return err ? err : decant_copy(dst, &src, len);
}

int decant_equal(const struct decant_iter *a, const struct decant_iter *b, size_t len)
{
	struct decant_iter x = *a, y = *b;

	if (a->direction != DECANT_SOURCE || b->direction != DECANT_SOURCE)
		return -EINVAL;
	if (len > min_size(a->count, b->count))
		return 0;
	while (len) {
		struct decant_span s = kind_peek(&x), t = kind_peek(&y);
		size_t n = least(s.len, t.len, len);

		if (!n || memcmp(s.addr, t.addr, n))
			return 0;
		kind_advance(&x, n);
		kind_advance(&y, n);
		len -= n;
	}
	return 1;
}

ssize_t decant_for_each(struct decant_iter *it, size_t len,
			int (*fn)(void *user, struct decant_span span), void *user)
{
	size_t done = 0;

	len = min_size(len, it->count);
	while (done < len) {
		struct decant_span span = kind_peek(it);
		int ended;

		span.len = min_size(span.len, len - done);
		if (!span.len)
			return done ? (ssize_t)done : -ENXIO;
		ended = fn(user, span);
		if (ended)
			return !done && ended < 0 ? ended : (ssize_t)done;
		kind_advance(it, span.len);
		done += span.len;
	}
	return (ssize_t)done;
}
