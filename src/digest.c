/* SPDX-License-Identifier: MIT */
/*
 * digest.c - any algorithm that takes bytes in a row, over iterators: runs go to it as
 * they lie, small pieces are gathered first, since a call costs as much as some hundred
 * bytes.
 */
#include <string.h>
#include <decant/digest.h>
#include "util.h"

#define PIECES 256  /* extracted in one go */
#define BLOCK  8192 /* gathered before it is taken in */

/* Pieces beyond this are copied by the C library. */
#define CALL 128

/* The most that an algorithm takes in one call. */
#define MOST ((size_t)1 << 30)

struct running {
	struct decant_digest *digest;
	size_t used, most;
	int err;
	_Alignas(64) unsigned char block[BLOCK];
};

static void take(struct running *r, const unsigned char *addr, size_t len)
{
	while (len && !r->err) {
		size_t n = min_size(len, MOST);

		r->err = r->digest->ops->update(r->digest, addr, n);
		addr += n;
		len -= n;
	}
}

static void flush(struct running *r)
{
	r->most = max_size(r->most, r->used);
	take(r, r->block, r->used);
	r->used = 0;
}

/* Both ends of a piece, which meet or overlap; a copy of each size is a move or two. */
static inline __attribute__((always_inline)) void
copy_ends(unsigned char *to, const unsigned char *from, size_t len, size_t end)
{
	memcpy(to, from, end);
	memcpy(to + len - end, from + len - end, end);
}

/* Small pieces without a call. */
static inline void copy_small(unsigned char *to, const unsigned char *from, size_t len)
{
	if (len > CALL)
		memcpy(to, from, len);
	else if (len > 64)
		copy_ends(to, from, len, 64);
	else if (len >= 32)
		copy_ends(to, from, len, 32);
	else if (len >= 16)
		copy_ends(to, from, len, 16);
	else if (len >= 8)
		copy_ends(to, from, len, 8);
	else if (len >= 4)
		copy_ends(to, from, len, 4);
	else
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
}

/* As many pieces as are small and fit; how full the block is stays in a register. */
static size_t gather(struct running *r, const struct iovec *iov, size_t nr)
{
	size_t used = r->used, direct = r->digest->ops->direct, i;

	for (i = 0; i < nr; i++) {
		size_t len = iov[i].iov_len;

		if (len >= direct || len > BLOCK - used)
			break;
		copy_small(r->block + used, iov[i].iov_base, len);
		used += len;
	}
	r->used = used;
	return i;
}

static void absorb(struct running *r, const struct iovec *iov, size_t nr)
{
	for (size_t i = 0;;) {
		i += gather(r, iov + i, nr - i);
		if (i == nr)
			break;
		flush(r);
		if (iov[i].iov_len < r->digest->ops->direct && iov[i].iov_len <= BLOCK)
			continue;
		take(r, iov[i].iov_base, iov[i].iov_len);
		i++;
	}
}

/* Memory that can be pointed at. */
static ssize_t absorb_memory(struct running *r, struct decant_iter *it, size_t len)
{
	struct iovec iov[PIECES];
	struct decant_hold hold = {0};
	struct decant_sink sink;
	ssize_t got;

	decant_sink_iovec(&sink, iov, PIECES);
	sink.hold = &hold;
	got = decant_extract(it, &sink, len);
	absorb(r, iov, sink.nr);
	decant_hold_release(&hold);
	return got;
}

/* What can't be pointed at is copied. */
static ssize_t absorb_copy(struct running *r, struct decant_iter *it, size_t len)
{
	ssize_t got;

	flush(r);
	got = decant_copy_to(r->block, it, min_size(len, BLOCK));
	r->used = got > 0 ? (size_t)got : 0;
	return got;
}

static int begin(struct decant_digest *digest)
{
	int err = 0;

	if (!digest->begun && digest->ops->begin)
		err = digest->ops->begin(digest);
	digest->begun |= !err;
	return err;
}

static void wipe(struct running *r)
{
	if (r->digest->ops->secret)
		explicit_bzero(r->block, max_size(r->most, r->used));
}

ssize_t decant_digest_update(struct decant_digest *digest, struct decant_iter *src,
			     size_t len)
{
	struct running r;
	size_t done = 0;
	ssize_t got = 0;

	if (src->direction != DECANT_SOURCE)
		return -EINVAL;
	r.digest = digest;
	r.used = r.most = 0;
	r.err = begin(digest);
	len = min_size(len, decant_iter_count(src));
	while (done < len && !r.err) {
		got = absorb_memory(&r, src, len - done);
		if (got <= 0)
			got = absorb_copy(&r, src, len - done);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	flush(&r);
	wipe(&r);
	if (r.err)
		return r.err;
	return done ? (ssize_t)done : got;
}

/* What was written is what goes in, no more. Bytes, 0 if there are none, or an error. */
static ssize_t copy_block(struct running *r, struct decant_iter *dst,
			  struct decant_iter *src, size_t len)
{
	struct decant_iter ahead = *src;
	ssize_t got = decant_copy_to(r->block, &ahead, min_size(len, BLOCK));

	if (got <= 0)
		return got;
	r->most = max_size(r->most, (size_t)got);
	got = decant_copy_from(dst, r->block, (size_t)got);
	if (got <= 0)
		return got;
	take(r, r->block, (size_t)got);
	(void)!decant_iter_advance(src, (size_t)got);
	return r->err ? r->err : got;
}

ssize_t decant_digest_copy(struct decant_digest *digest, struct decant_iter *dst,
			   struct decant_iter *src, size_t len)
{
	struct running r;
	size_t done = 0;
	ssize_t got = 0;

	if (src->direction != DECANT_SOURCE || dst->direction != DECANT_DEST)
		return -EINVAL;
	r.digest = digest;
	r.used = r.most = 0;
	r.err = begin(digest);
	if (r.err)
		return r.err;
	len = min_size(len, min_size(decant_iter_count(src), decant_iter_count(dst)));
	while (done < len) {
		got = copy_block(&r, dst, src, len - done);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	wipe(&r);
	if (r.err)
		return r.err;
	return done ? (ssize_t)done : got;
}

int decant_digest_final(struct decant_digest *digest, void *out)
{
	int err = begin(digest);

	if (!err)
		err = digest->ops->final(digest, out);
	digest->begun = false;
	return err;
}

size_t decant_digest_bytes(const struct decant_digest *digest)
{
	return digest->ops->bytes;
}

int decant_digest_clone(struct decant_digest *to, const struct decant_digest *from)
{
	struct decant_digest clone = *from;
	int err;

	if (!from->ops->clone)
		return -ENOTSUP;
	err = from->ops->clone(&clone, from);
	if (!err)
		*to = clone;
	return err;
}

void decant_digest_fini(struct decant_digest *digest)
{
	if (digest->ops && digest->ops->fini)
		digest->ops->fini(digest);
	explicit_bzero(digest, sizeof(*digest));
}
