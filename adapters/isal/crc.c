/* SPDX-License-Identifier: MIT */
/* crc.c - CRC-32C over iterators: runs go to ISA-L as they lie, small pieces gathered. */
#include <errno.h>
#include <string.h>
#include <isa-l/crc.h>
#include <decant/crc.h>

#define PIECES 256  /* extracted in one go */
#define BLOCK  8192 /* gathered before it is summed */
#define DIRECT 512  /* from here on gathering costs more than a call */

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

/* Small pieces without a call: sixteen bytes at a time, the last eight overlapping. */
static inline void copy_small(unsigned char *to, const unsigned char *from, size_t len)
{
	size_t i;

	if (len > CALL) {
		memcpy(to, from, len);
		return;
	}
	if (len < 8) {
		for (i = 0; i < len; i++)
			to[i] = from[i];
		return;
	}
	for (i = 0; i + 16 <= len; i += 16)
		memcpy(to + i, from + i, 16);
	if (i + 8 <= len)
		memcpy(to + i, from + i, 8);
	memcpy(to + len - 8, from + len - 8, 8);
}

static inline void absorb(struct running *r, unsigned char *addr, size_t len)
{
	if (len < DIRECT) {
		if (len > BLOCK - r->used)
			flush(r);
		copy_small(r->block + r->used, addr, len);
		r->used += len;
	} else {
		flush(r);
		sum(r, addr, len);
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
	for (size_t i = 0; i < sink.nr; i++)
		absorb(r, iov[i].iov_base, iov[i].iov_len);
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
