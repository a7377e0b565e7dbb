/* SPDX-License-Identifier: MIT */
/*
 * kind remote: addresses of another address space. word[0] is the table, word[1] the
 * list; the halves of word[2] are the number of the current descriptor and of all. That
 * descriptor, as it was read, is in at (its address) and extra (its length); offset is
 * the position in it. Lengths have 48 bits: no table reaches further, so a longer one is
 * a fault.
 */
#ifdef DECANT_KIND
DECANT_KIND(REMOTE, remote)
#else
#include <endian.h>
#include <string.h>
#include <decant/window.h>

#define DECANT_REMOTE_HALF    (4 * sizeof(uintptr_t))
#define DECANT_REMOTE_MAX     (((uintptr_t)1 << DECANT_REMOTE_HALF) - 1)
#define DECANT_REMOTE_LONGEST ((uint64_t)0xffffffffffff)

static inline size_t decant_remote_len(const struct decant_iter *it)
{
	uint64_t len = 0;

	memcpy(&len, it->extra, sizeof(it->extra));
	return (size_t)le64toh(len);
}

/* Read a descriptor, once. */
static inline size_t decant_remote_read(struct decant_iter *it, size_t index)
{
	const volatile struct iovec *iov = (const volatile struct iovec *)it->word[1];
	uint64_t len = iov[index].iov_len, kept;

	it->at.any = iov[index].iov_base;
	len = len < DECANT_REMOTE_LONGEST ? len : DECANT_REMOTE_LONGEST;
	kept = htole64(len);
	memcpy(it->extra, &kept, sizeof(it->extra));
	it->word[2] = (it->word[2] & DECANT_REMOTE_MAX) | index << DECANT_REMOTE_HALF;
	return (size_t)len;
}

static inline struct decant_span decant_remote_peek(const struct decant_iter *it)
{
	uint64_t base = (uintptr_t)it->at.any, addr = base + it->offset;
	size_t len = decant_remote_len(it), left = len - it->offset;
	struct decant_span span;

	/* The list got shorter, nobody can have so much, or the address wraps. */
	if (!left || len == DECANT_REMOTE_LONGEST || addr < base)
		return decant_span_stop(-EFAULT);
	span = decant_window_find((const struct decant_window *)it->word[0], addr);
	left = left < it->count ? left : it->count;
	span.len = span.len < left ? span.len : left;
	return span;
}

static inline void decant_remote_advance(struct decant_iter *it, size_t n)
{
	size_t index = it->word[2] >> DECANT_REMOTE_HALF,
	       nr = it->word[2] & DECANT_REMOTE_MAX;
	size_t len = decant_remote_len(it);

	n += it->offset;
	while (n >= len && (n > len || it->count)) {
		if (index + 1 >= nr) {
			n = len;
			break;
		}
		n -= len;
		len = decant_remote_read(it, ++index);
	}
	it->offset = n;
}

static inline void decant_remote_retreat(struct decant_iter *it, size_t n)
{
	size_t index = it->word[2] >> DECANT_REMOTE_HALF, offset = it->offset;

	while (n > offset && index) {
		n -= offset;
		offset = decant_remote_read(it, --index);
	}
	it->offset = n < offset ? offset - n : 0;
}

/* remote.c: all spans in a row, up to the last byte of the other address space. */
struct decant_remote_room {
	struct decant_window_range range;
	struct iovec iov;
};

int decant_remote_build(struct decant_iter *it, enum decant_direction direction,
			const struct decant_span *spans, size_t nr, void *room);

static const struct decant_kind decant_remote_kind = {
	.name = "remote",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_remote_peek,
	.advance = decant_remote_advance,
	.retreat = decant_remote_retreat,
	.build = decant_remote_build,
	.room_base = sizeof(struct decant_window),
	.room_each = sizeof(struct decant_remote_room),
};
#endif
