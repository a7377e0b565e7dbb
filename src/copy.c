/* SPDX-License-Identifier: MIT */
/*
 * copy.c - verbs on top of peek and advance.
 *
 * What can't be pointed at is moved by its kind, into or out of as many pieces of the
 * other side at once as an extraction gives.
 */
#include <errno.h>
#include <string.h>
#include <decant/copy.h>
#include "kinds.h"
#include "util.h"

#define MOVE_PIECES 256
#define BLOCK	    4096

static size_t least(size_t a, size_t b, size_t c)
{
	return min_size(a, min_size(b, c));
}

/* Progress wins over error. */
static ssize_t outcome(size_t done, ssize_t error)
{
	return done ? (ssize_t)done : error;
}

static void copy_piece(void *to, const void *from, size_t n)
{
	if (to == from || to == discard_bucket)
		return;
	memcpy(to, from, n);
}

/* Between a kind that moves its bytes itself and memory of any other kind. */
static ssize_t move(struct decant_iter *mover, struct decant_iter *memory, size_t len)
{
	struct iovec iov[MOVE_PIECES];
	struct decant_iter ahead = *memory;
	struct decant_hold hold = {0};
	struct decant_sink sink;
	ssize_t n;

	decant_sink_iovec(&sink, iov, MOVE_PIECES);
	sink.hold = &hold;
	n = decant_extract(&ahead, &sink, min_size(len, mover->count));
	if (n > 0)
		n = kind_move(mover, iov, sink.nr);
	decant_hold_release(&hold);
	if (n <= 0)
		return n ? n : -EFAULT;
	kind_advance(mover, (size_t)n);
	kind_advance(memory, (size_t)n);
	return n;
}

/* Neither side can be pointed at. */
static ssize_t move_both(struct decant_iter *dst, struct decant_iter *src, size_t len)
{
	unsigned char block[BLOCK];
	struct iovec iov = {block, least(len, src->count, sizeof(block))};
	ssize_t n = kind_move(src, &iov, 1);

	if (n < 0)
		return n;
	iov.iov_len = (size_t)n;
	n = kind_move(dst, &iov, 1);
	if (n < 0)
		return n;
	kind_advance(dst, (size_t)n);
	kind_advance(src, (size_t)n);
	return n;
}

/* One step where plain memory ends: bytes, or why there are none. */
static ssize_t copy_hard(struct decant_iter *dst, struct decant_iter *src, size_t len)
{
	struct decant_span to = kind_peek(dst), from = kind_peek(src);

	kind_put(dst, &to);
	kind_put(src, &from);
	if (!to.len)
		return span_error(&to);
	if (!from.len)
		return span_error(&from);
	if (to.addr)
		return move(src, dst, len);
	return from.addr ? move(dst, src, len) : move_both(dst, src, len);
}

/* One step; 0 where plain memory ends. */
static inline size_t copy_step(struct decant_iter *dst, struct decant_iter *src,
			       size_t len)
{
	struct decant_span to = kind_peek(dst), from = kind_peek(src);
	size_t n = least(to.len, from.len, len);

	if (unlikely(!n || !to.addr || !from.addr))
		return 0;
	copy_piece(to.addr, from.addr, n);
	kind_advance(dst, n);
	kind_advance(src, n);
	return n;
}

/* As much as both can be pointed at, where looking again costs nothing. */
static size_t copy_plain(struct decant_iter *dst, struct decant_iter *src, size_t len)
{
	size_t done = 0, n = 1;

	while (done < len && n) {
		n = copy_step(dst, src, len - done);
		done += n;
	}
	return done;
}

/* A span stays in use until all of it is done; only then the cursor moves. */
struct side {
	struct decant_iter *it;
	struct decant_span span;
	size_t used;
};

static void side_leave(struct side *side)
{
	kind_put(side->it, &side->span);
	if (side->used)
		kind_advance(side->it, side->used);
	side->span = (struct decant_span){0};
	side->used = 0;
}

/* Bytes of the span that are not done, or of the next one. */
static size_t side_look(struct side *side)
{
	if (side->used == side->span.len) {
		side_leave(side);
		side->span = kind_peek(side->it);
	}
	return side->span.len - side->used;
}

static unsigned char *side_at(const struct side *side)
{
	return (unsigned char *)side->span.addr + side->used;
}

/* The same where a look is a search and a reference: one for each span, however cut. */
static size_t copy_held(struct decant_iter *dst, struct decant_iter *src, size_t len)
{
	struct side to = {.it = dst}, from = {.it = src};
	size_t done = 0;

	while (done < len) {
		size_t into = side_look(&to), out = side_look(&from);
		size_t n = least(into, out, len - done);

		if (!n || !to.span.addr || !from.span.addr)
			break;
		if (to.span.addr != discard_bucket)
			copy_piece(side_at(&to), side_at(&from), n);
		to.used += n;
		from.used += n;
		done += n;
	}
	side_leave(&to);
	side_leave(&from);
	return done;
}

ssize_t decant_copy(struct decant_iter *dst, struct decant_iter *src, size_t len)
{
	size_t (*copy)(struct decant_iter * dst, struct decant_iter * src, size_t len);
	size_t done = 0;
	ssize_t n = 0;

	if (dst->direction != DECANT_DEST || src->direction != DECANT_SOURCE)
		return -EINVAL;
	len = least(len, kind_refresh(dst), kind_refresh(src));
	copy = kind_gives_back(dst) || kind_gives_back(src) ? copy_held : copy_plain;
	while (n >= 0) {
		done += (size_t)n;
		done += copy(dst, src, len - done);
		if (done == len)
			break;
		n = copy_hard(dst, src, len - done);
	}
	return outcome(done, n);
}

ssize_t decant_copy_to(void *addr, struct decant_iter *src, size_t len)
{
	struct decant_iter dst;
	int err;

	if (src->direction != DECANT_SOURCE)
		return -EINVAL;
	len = min_size(len, kind_refresh(src));
	err = decant_iter_buf(&dst, DECANT_DEST, addr, len);
	return err ? err : decant_copy(&dst, src, len);
}

ssize_t decant_copy_from(struct decant_iter *dst, const void *addr, size_t len)
{
	struct decant_iter src;
	int err;

	if (dst->direction != DECANT_DEST)
		return -EINVAL;
	len = min_size(len, kind_refresh(dst));
	err = decant_iter_buf(&src, DECANT_SOURCE, (void *)(uintptr_t)addr, len);
	return err ? err : decant_copy(dst, &src, len);
}

/* What can't be pointed at gets the same block over and over. */
static ssize_t fill_hard(const struct decant_iter *dst, unsigned char byte, size_t len)
{
	unsigned char block[BLOCK];
	struct iovec iov[16];
	size_t nr = 0;

	memset(block, byte, sizeof(block));
	for (; len && nr < 16; nr++) {
		iov[nr] = (struct iovec){block, min_size(len, sizeof(block))};
		len -= iov[nr].iov_len;
	}
	return kind_move(dst, iov, nr);
}

static ssize_t fill_step(struct decant_iter *dst, unsigned char byte, size_t len)
{
	struct decant_span to = kind_peek(dst);
	ssize_t n = (ssize_t)min_size(to.len, len);

	if (to.len && to.addr && to.addr != discard_bucket)
		memset(to.addr, byte, (size_t)n);
	kind_put(dst, &to);
	if (!to.len)
		return span_error(&to);
	return to.addr ? n : fill_hard(dst, byte, len);
}

ssize_t decant_fill(struct decant_iter *dst, unsigned char byte, size_t len)
{
	size_t done = 0;

	if (dst->direction != DECANT_DEST)
		return -EINVAL;
	len = min_size(len, kind_refresh(dst));
	while (done < len) {
		ssize_t n = fill_step(dst, byte, len - done);

		if (n < 0)
			return outcome(done, n);
		kind_advance(dst, (size_t)n);
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t decant_zero(struct decant_iter *dst, size_t len)
{
	return decant_fill(dst, 0, len);
}

static int each_step(struct decant_iter *it, struct decant_span *span, size_t len,
		     int (*fn)(void *user, struct decant_span span), void *user)
{
	struct decant_span whole = *span = kind_peek(it);
	int ended = 0;

	span->len = min_size(span->len, len);
	if (span->len && span->addr)
		ended = fn(user, *span);
	kind_put(it, &whole);
	return ended;
}

ssize_t decant_for_each(struct decant_iter *it, size_t len,
			int (*fn)(void *user, struct decant_span span), void *user)
{
	size_t done = 0;

	len = min_size(len, kind_refresh(it));
	while (done < len) {
		struct decant_span span;
		int ended = each_step(it, &span, len - done, fn, user);

		if (!span.len || !span.addr)
			return outcome(done, span.len ? -EFAULT : span_error(&span));
		if (ended)
			return outcome(done, ended < 0 ? ended : 0);
		kind_advance(it, span.len);
		done += span.len;
	}
	return (ssize_t)done;
}
