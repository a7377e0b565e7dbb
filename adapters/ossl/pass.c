/* SPDX-License-Identifier: MIT */
/*
 * pass.c - what is contiguous on both sides for long enough is used where it lies. At
 * anything smaller a batch goes through the scratch: a call of a cipher costs more than
 * copying some hundred bytes.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include "side.h"

#define CALL_BYTES (1u << 30) /* EVP's lengths are int */

void scratch_clean(struct scratch *scratch)
{
	if (scratch->batch_used)
		OPENSSL_cleanse(scratch->batch, scratch->batch_used);
	if (scratch->src_used)
		OPENSSL_cleanse(scratch->src, scratch->src_used);
	if (scratch->dst_used)
		OPENSSL_cleanse(scratch->dst, scratch->dst_used);
	scratch->batch_used = scratch->src_used = scratch->dst_used = 0;
}

/* Of n bytes, what one call may take: whole grains, and enough left for the last one. */
static size_t fit(const struct pass *p, size_t n, size_t left)
{
	if (n == left)
		return n;
	if (left - n < p->tail)
		n = left > p->tail ? left - p->tail : 0;
	return n & ~(p->grain - 1);
}

static bool is_small(const struct side *side, size_t direct)
{
	return side->ready < (side->nr - side->at) * direct / 2;
}

/*
 * How far the small pieces go. Where all are small nobody looks: the next large one is
 * cut then, which costs less than looking.
 */
static size_t small_run(const struct pass *p, const struct side *src,
			const struct side *dst, size_t run)
{
	size_t i = src->at, j = dst->at, a = src->iov[i].iov_len - src->offset,
	       b = dst->iov[j].iov_len - dst->offset, n = 0;

	if (is_small(src, p->direct) || is_small(dst, p->direct))
		return run;
	while (n < run) {
		size_t piece = least(a, b);

		if (piece >= p->direct && n) {
			n = (n + p->grain - 1) & ~(p->grain - 1);
			break;
		}
		n += piece;
		a = a > piece ? a - piece : ++i < src->nr ? src->iov[i].iov_len : 0;
		b = b > piece ? b - piece : ++j < dst->nr ? dst->iov[j].iov_len : 0;
		if (!a || !b)
			break;
	}
	return least(n, run);
}

/* One batch by way of the scratch; a side that is one piece needs no copy. */
static int batch(const struct pass *p, struct side *src, struct side *dst, size_t n,
		 bool last)
{
	struct scratch *scratch = p->scratch;
	size_t a, b;
	uint8_t *in = side_piece(src, &a), *out = side_piece(dst, &b);
	int err;

	if (a < n || b < n)
		scratch->batch_used = most(scratch->batch_used, n);
	if (a < n) {
		in = scratch->batch;
		side_gather(src, in, n);
	} else {
		side_skip(src, n);
	}
	err = p->feed(p->state, b < n ? scratch->batch : out, in, n, last);
	if (err)
		return err;
	if (b < n)
		side_scatter(dst, scratch->batch, n);
	else
		side_skip(dst, n);
	return 0;
}

/* Bytes done, or a negative errno. */
static ssize_t step(const struct pass *p, struct side *src, struct side *dst, size_t left)
{
	size_t a, b, n, run;
	uint8_t *in = side_piece(src, &a), *out = side_piece(dst, &b);
	int err;

	n = fit(p, least(least(a, b), least(left, CALL_BYTES)), left);
	if (n == left || n >= p->direct) {
		err = p->feed(p->state, out, in, n, n == left);
		side_skip(src, n);
		side_skip(dst, n);
	} else {
		run = least(least(src->ready, dst->ready), least(left, PASS_BATCH));
		n = fit(p, small_run(p, src, dst, run), left);
		err = batch(p, src, dst, n, n == left);
	}
	return err ? err : (ssize_t)n;
}

static int both(struct pass *p, struct side *src, struct side *dst)
{
	size_t want = p->grain + p->tail, left = p->len;
	ssize_t n;
	int err;

	while (left) {
		err = side_fill(src, least(left, want));
		if (!err)
			err = side_fill(dst, least(left, want));
		n = err ? err : step(p, src, dst, left);
		if (n < 0)
			return (int)n;
		left -= (size_t)n;
	}
	return side_end(dst);
}

static int pass_both(struct pass *p)
{
	struct side src, dst;
	int err;

	side_begin(&src, &p->src, p->len, p->scratch);
	side_begin(&dst, &p->dst, p->len, p->scratch);
	err = both(p, &src, &dst);
	side_drop(&src);
	side_drop(&dst);
	p->src = src.it;
	p->dst = dst.it;
	return err;
}

static ssize_t absorb_step(const struct pass *p, struct side *src, size_t left)
{
	size_t n;
	const uint8_t *in = side_piece(src, &n);
	int err;

	n = fit(p, least(n, least(left, CALL_BYTES)), left);
	if (n == left || n >= p->direct) {
		side_skip(src, n);
	} else {
		n = fit(p, least(least(src->ready, left), PASS_BATCH), left);
		p->scratch->batch_used = most(p->scratch->batch_used, n);
		in = p->scratch->batch;
		side_gather(src, p->scratch->batch, n);
	}
	err = p->feed(p->state, NULL, in, n, n == left);
	return err ? err : (ssize_t)n;
}

static int absorb(struct pass *p, struct side *src)
{
	size_t want = p->grain + p->tail, left = p->len;

	while (left) {
		ssize_t n = side_fill(src, least(left, want));

		if (!n)
			n = absorb_step(p, src, left);
		if (n < 0)
			return (int)n;
		left -= (size_t)n;
	}
	return 0;
}

int pass_run(struct pass *p)
{
	struct side src;
	int err;

	if (!p->absorb)
		return pass_both(p);
	side_begin(&src, &p->src, p->len, p->scratch);
	err = absorb(p, &src);
	side_drop(&src);
	p->src = src.it;
	return err;
}
