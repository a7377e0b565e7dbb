/* SPDX-License-Identifier: MIT */
/* crc.c - CRC-32C over iterators: runs go to ISA-L as they lie, small pieces gathered. */
#include <errno.h>
#include <string.h>
#include <isa-l/crc.h>
#include <decant/crc.h>

#define PIECES 256  /* extracted in one go */
#define BLOCK  8192 /* gathered before it is summed */
#define DIRECT 768  /* from here on gathering costs more than a call */

/* Pieces beyond this are copied by the C library. */
#define CALL 128

/* ISA-L's lengths are int. */
#define MOST ((size_t)1 << 30)

struct running {
	uint32_t raw; /* without the inversion at the end */
	size_t used;
	unsigned char block[BLOCK];
};

static void sum(struct running *r, unsigned char *addr, size_t len)
{
	while (len) {
		size_t n = len < MOST ? len : MOST;

		r->raw = crc32_iscsi(addr, (int)n, r->raw);
		addr += n;
		len -= n;
	}
}

static void flush(struct running *r)
{
	sum(r, r->block, r->used);
	r->used = 0;
}

/* Both ends of a piece, which meet or overlap; a copy of each size is a move or two. */
static inline void copy_ends(unsigned char *to, const unsigned char *from, size_t len,
			     size_t end)
{
	unsigned char first[64], last[64];

	memcpy(first, from, end);
	memcpy(last, from + len - end, end);
	memcpy(to, first, end);
	memcpy(to + len - end, last, end);
}

/* Small pieces without a call. */
static inline void copy_small(unsigned char *to, const unsigned char *from, size_t len)
{
	if (len >= 16 && len <= 32)
		copy_ends(to, from, len, 16);
	else if (len > 32 && len <= 64)
		copy_ends(to, from, len, 32);
	else if (len > 64 && len <= CALL)
		copy_ends(to, from, len, 64);
	else if (len > CALL)
		memcpy(to, from, len);
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
	size_t used = r->used, i;

	for (i = 0; i < nr; i++) {
		size_t len = iov[i].iov_len;

		if (len >= DIRECT || len > BLOCK - used)
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
		if (iov[i].iov_len < DIRECT)
			continue;
		sum(r, iov[i].iov_base, iov[i].iov_len);
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
	got = decant_copy_to(r->block, it, len < BLOCK ? len : BLOCK);
	r->used = got > 0 ? (size_t)got : 0;
	return got;
}

ssize_t decant_crc32c(struct decant_iter *it, size_t len, uint32_t *crc)
{
	struct running r;
	size_t done = 0;
	ssize_t got = 0;

	if (it->direction != DECANT_SOURCE)
		return -EINVAL;
	r.raw = ~*crc;
	r.used = 0;
	if (len > decant_iter_count(it))
		len = decant_iter_count(it);
	while (done < len) {
		got = absorb_memory(&r, it, len - done);
		if (got <= 0)
			got = absorb_copy(&r, it, len - done);
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	flush(&r);
	*crc = ~r.raw;
	return done ? (ssize_t)done : got;
}
