/* SPDX-License-Identifier: MIT */
/*
 * kind remote: addresses of another address space. word[0] is the table, word[1] the
 * list; word[2] has, from below, the number of all descriptors, that of the current one,
 * whether the iterator ends where the last of them does, and which range of the table was
 * used last, if its number is small enough. The current descriptor, as it was read, is in
 * at (its address) and extra (its length); offset is the position in it. Lengths have 48
 * bits: no table reaches further, so a longer one is a fault.
 */
#ifdef DECANT_KIND
DECANT_KIND(REMOTE, remote)
#else
#include <endian.h>
#include <string.h>
#include <decant/window.h>

#define DECANT_REMOTE_BITS    (sizeof(uintptr_t) == 8 ? 26 : 15)
#define DECANT_REMOTE_MAX     (((uintptr_t)1 << DECANT_REMOTE_BITS) - 1)
#define DECANT_REMOTE_WHOLE   ((uintptr_t)1 << 2 * DECANT_REMOTE_BITS)
#define DECANT_REMOTE_HINT    (2 * DECANT_REMOTE_BITS + 1)
#define DECANT_REMOTE_HINTS   ((size_t)1 << (8 * sizeof(uintptr_t) - DECANT_REMOTE_HINT))
#define DECANT_REMOTE_LONGEST ((uint64_t)0xffffffffffff)

static inline size_t decant_remote_nr(const struct decant_iter *it)
{
	return it->word[2] & DECANT_REMOTE_MAX;
}

static inline size_t decant_remote_index(const struct decant_iter *it)
{
	return it->word[2] >> DECANT_REMOTE_BITS & DECANT_REMOTE_MAX;
}

static inline size_t decant_remote_hint(const struct decant_iter *it)
{
	return it->word[2] >> DECANT_REMOTE_HINT;
}

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
	it->word[2] &= ~(DECANT_REMOTE_MAX << DECANT_REMOTE_BITS);
	it->word[2] |= index << DECANT_REMOTE_BITS;
	return (size_t)len;
}

/* remote.c: the last range that begins at or below an address, or the first. */
size_t decant_window_search(const struct decant_window *window, uint64_t addr);

/* From an address in it to a range's end. */
static inline struct decant_span
decant_window_span(const struct decant_window_range *range, uint64_t addr)
{
	size_t offset = (size_t)(addr - range->base);

	return (struct decant_span){(unsigned char *)range->addr + offset,
				    range->len - offset, range->region};
}

/* Whether a range has an address. */
static inline bool decant_remote_in(const struct decant_window *window, size_t range,
				    uint64_t addr)
{
	return range < window->nr &&
	       addr - window->ranges[range].base < window->ranges[range].len;
}

/* The range that was used last, or the one behind it; else it must be searched for. */
static inline void decant_remote_guess(struct decant_iter *it)
{
	const struct decant_window *window = (const struct decant_window *)it->word[0];
	uint64_t addr = (uintptr_t)it->at.any + it->offset;
	size_t hint = decant_remote_hint(it);

	if (decant_remote_in(window, hint, addr))
		return;
	if (!decant_remote_in(window, ++hint, addr))
		hint = decant_window_search(window, addr);
	if (hint >= DECANT_REMOTE_HINTS)
		return;
	it->word[2] &= ((uintptr_t)1 << DECANT_REMOTE_HINT) - 1;
	it->word[2] |= hint << DECANT_REMOTE_HINT;
}

static inline struct decant_span decant_remote_peek(const struct decant_iter *it)
{
	const struct decant_window *window = (const struct decant_window *)it->word[0];
	uint64_t base = (uintptr_t)it->at.any, addr = base + it->offset;
	size_t len = decant_remote_len(it), left = len - it->offset;
	size_t range = decant_remote_hint(it);
	struct decant_span span;

	/* The list got shorter, nobody can have so much, or the address wraps. */
	if (!left || len == DECANT_REMOTE_LONGEST || addr < base)
		return decant_span_stop(-EFAULT);
	if (decant_remote_in(window, range, addr))
		span = decant_window_span(&window->ranges[range], addr);
	else
		span = decant_window_find(window, addr);
	left = left < it->count ? left : it->count;
	span.len = span.len < left ? span.len : left;
	return span;
}

static inline void decant_remote_advance(struct decant_iter *it, size_t n)
{
	size_t index = decant_remote_index(it), nr = decant_remote_nr(it);
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
	if (it->count)
		decant_remote_guess(it);
}

static inline void decant_remote_retreat(struct decant_iter *it, size_t n)
{
	size_t index = decant_remote_index(it), offset = it->offset;

	while (n > offset && index) {
		n -= offset;
		offset = decant_remote_read(it, --index);
	}
	it->offset = n < offset ? offset - n : 0;
	decant_remote_guess(it);
}

static inline void decant_remote_truncate(struct decant_iter *it, size_t n)
{
	if (n < it->count)
		it->word[2] &= ~DECANT_REMOTE_WHOLE;
}

static inline bool decant_remote_end(struct decant_iter *it)
{
	if (!(it->word[2] & DECANT_REMOTE_WHOLE))
		return false;
	it->offset = decant_remote_read(it, decant_remote_nr(it) - 1);
	return true;
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
	.truncate = decant_remote_truncate,
	.end = decant_remote_end,
	.build = decant_remote_build,
	.room_base = sizeof(struct decant_window),
	.room_each = sizeof(struct decant_remote_room),
};
#endif
