/* SPDX-License-Identifier: MIT */
/* iter.c - constructors and cursor movements. */
#include <errno.h>
#include "kinds.h"
#include "make.h"
#include "util.h"

_Static_assert(sizeof(struct decant_iter) <= 64, "an iterator is at most 64 bytes");
_Static_assert(sizeof(struct decant_span) == sizeof(struct decant_bvec), "one layout");

/* See kinds.h. */
unsigned char discard_bucket[DECANT_ENDLESS_BYTES] __attribute__((aligned(4096)));
static const unsigned char zeroes[DECANT_ENDLESS_BYTES] __attribute__((aligned(4096)));

static struct decant_iter made_of(enum decant_kind_id kind,
				  enum decant_direction direction, const void *at)
{
	return (struct decant_iter){
		.kind = (uint8_t)kind, .direction = (uint8_t)direction, .at.any = at};
}

int decant_iter_buf(struct decant_iter *it, enum decant_direction direction, void *addr,
		    size_t len)
{
	struct decant_iter made = made_of(DECANT_KIND_BUF, direction, addr);
	int err = check_direction(direction);

	if (!err)
		err = check_range(addr, len);
	if (!err)
		err = add_len(&made.count, len);
	if (!err)
		kind_begin(it, &made);
	return err;
}

int decant_iter_iovec(struct decant_iter *it, enum decant_direction direction,
		      const struct iovec *iov, size_t nr)
{
	struct decant_iter made = made_of(DECANT_KIND_IOVEC, direction, iov);
	int err = check_direction(direction);

	if (!err && nr && !iov)
		err = -EFAULT;
	for (size_t i = 0; i < nr && !err; i++)
		err = add_element(&made.count, iov[i].iov_base, iov[i].iov_len);
	if (!err)
		begin_array(it, &made, nr, sizeof(*iov));
	return err;
}

static int check_owner(const struct decant_bvec *bv)
{
	struct decant_span all;
	size_t offset;

	if (!bv->region || !bv->len)
		return 0;
	all = decant_region_span(bv->region);
	offset = (uintptr_t)bv->addr - (uintptr_t)all.addr;
	return offset < all.len && bv->len <= all.len - offset ? 0 : -EFAULT;
}

int decant_iter_bvec(struct decant_iter *it, enum decant_direction direction,
		     const struct decant_bvec *bvec, size_t nr)
{
	struct decant_iter made = made_of(DECANT_KIND_BVEC, direction, bvec);
	int err = check_direction(direction);

	if (!err && nr && !bvec)
		err = -EFAULT;
	for (size_t i = 0; i < nr && !err; i++) {
		err = check_owner(&bvec[i]);
		if (!err)
			err = add_element(&made.count, bvec[i].addr, bvec[i].len);
	}
	if (!err)
		begin_array(it, &made, nr, sizeof(*bvec));
	return err;
}

void iter_over_bvec(struct decant_iter *it, enum decant_direction direction,
		    const struct decant_bvec *bvec, size_t count)
{
	struct decant_iter made = made_of(DECANT_KIND_BVEC, direction, bvec);

	made.count = count;
	kind_begin(it, &made);
}

static int begin_endless(struct decant_iter *it, enum decant_kind_id kind,
			 enum decant_direction direction, const void *bytes, size_t len)
{
	struct decant_iter made = made_of(kind, direction, bytes);
	int err = add_len(&made.count, len);

	if (!err)
		kind_begin(it, &made);
	return err;
}

int decant_iter_zero(struct decant_iter *it, size_t len)
{
	return begin_endless(it, DECANT_KIND_ZERO, DECANT_SOURCE, zeroes, len);
}

int decant_iter_discard(struct decant_iter *it, size_t len)
{
	return begin_endless(it, DECANT_KIND_DISCARD, DECANT_DEST, discard_bucket, len);
}

struct decant_span decant_span_stop(int error)
{
	return span_stop(error);
}

int decant_span_error(const struct decant_span *span)
{
	return span_error(span);
}

size_t decant_iter_count(const struct decant_iter *it)
{
	return kind_count(it);
}

size_t decant_iter_consumed(const struct decant_iter *it)
{
	const struct decant_kind *kind = decant_kind_get(it->kind);

	return kind && kind->behind ? kind->behind(it) : it->consumed;
}

struct decant_span decant_iter_peek(const struct decant_iter *it)
{
	struct decant_iter now = *it;
	struct decant_span span = {0};

	if (kind_refresh(&now))
		span = kind_peek(&now);
	kind_put(&now, &span);
	return span;
}

struct decant_span decant_iter_get(const struct decant_iter *it)
{
	struct decant_iter now = *it;
	struct decant_span span = {0};

	if (kind_refresh(&now))
		span = kind_peek(&now);
	if (span.region)
		decant_region_get(span.region);
	kind_put(&now, &span);
	return span;
}

int decant_iter_advance(struct decant_iter *it, size_t n)
{
	if (n > kind_refresh(it))
		return -EINVAL;
	if (n)
		kind_advance(it, n);
	return 0;
}

int decant_iter_revert(struct decant_iter *it, size_t n)
{
	if (n > decant_iter_consumed(it))
		return -EINVAL;
	kind_refresh(it);
	if (n)
		kind_retreat(it, n);
	return 0;
}

int decant_iter_seek(struct decant_iter *it, size_t pos)
{
	if (pos >= it->consumed)
		return decant_iter_advance(it, pos - it->consumed);
	return decant_iter_revert(it, it->consumed - pos);
}

void decant_iter_truncate(struct decant_iter *it, size_t n)
{
	const struct decant_kind *kind = decant_kind_get(it->kind);

	kind_refresh(it);
	if (kind && kind->truncate)
		kind->truncate(it, n);
	it->count = min_size(it->count, n);
}
