/* SPDX-License-Identifier: MIT */
/* crc.c - CRC-32C over iterators: runs go to ISA-L as they lie, small pieces gathered. */
#include <errno.h>
#include <string.h>
#include <isa-l/crc.h>
#include <decant/crc.h>

#define PIECES 4096 /* whose owners are held at a time */
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

/* A sink without a table: what is put is summed. */
static void absorb(struct decant_sink *sink, size_t index,
		   const struct decant_element *el)
{
	struct running *r = sink->table;

	(void)index;
	if (el->len < DIRECT) {
		if (el->len > BLOCK - r->used)
			flush(r);
		copy_small(r->block + r->used, el->addr, el->len);
		r->used += el->len;
	} else {
		flush(r);
		sum(r, el->addr, el->len);
	}
}

static const struct decant_sink_ops absorbing = {
	.name = "crc32c",
	.max_element_bytes = SIZE_MAX,
	.put = absorb,
};

/* Memory that can be pointed at. */
static ssize_t absorb_memory(struct running *r, struct decant_iter *it, size_t len)
{
	struct decant_hold hold = {0};
	struct decant_sink sink = {.ops = &absorbing, .table = r, .max = PIECES};
	ssize_t got;

	sink.hold = &hold;
	got = decant_extract(it, &sink, len);
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
