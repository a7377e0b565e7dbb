/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_PIECES_H
#define DECANT_TEST_GUEST_PIECES_H
/*
 * pieces.h - scattered pieces of the rig's memory, disjoint and in random order.
 */
#include "../check.h"
#include "rig.h"

#define PIECES_MAX   8192
#define PIECES_PAGES (RIG_MEMORY_LEN / NVME_PAGE)

struct pieces {
	struct iovec iov[PIECES_MAX];
	size_t nr;
	size_t len; /* of all that is used: whole blocks */
};

/* One piece, itself cut at random into up to three; empty ones in between. */
static void pieces_add(struct pieces *p, unsigned char *addr, size_t len)
{
	p->len += len;
	for (int left = 2; len && p->nr < PIECES_MAX; left--) {
		size_t part = left ? check_below(len + 1) : len;

		p->iov[p->nr++] = (struct iovec){addr, part};
		addr += part;
		len -= part;
	}
}

/* The numbers below nr, shuffled. */
static void pieces_order(size_t *order, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		order[i] = i;
	for (size_t i = nr; i > 1; i--) {
		size_t j = check_below(i), at = order[j];

		order[j] = order[i - 1];
		order[i - 1] = at;
	}
}

/* len bytes in scattered pages, the first of which begins offset bytes into its page. */
static void pieces_pages(struct pieces *p, unsigned char *memory, size_t offset,
			 size_t len)
{
	static size_t order[PIECES_PAGES];

	p->nr = p->len = 0;
	pieces_order(order, PIECES_PAGES);
	for (size_t i = 0; p->len < len; i++, offset = 0) {
		size_t part = NVME_PAGE - offset;

		if (part > len - p->len)
			part = len - p->len;
		REQUIRE(i < PIECES_PAGES);
		pieces_add(p, memory + order[i] * NVME_PAGE + offset, part);
	}
}

/* About len bytes in nr pieces, whose addresses and lengths are multiples of unit. */
static void pieces_odd(struct pieces *p, unsigned char *memory, size_t room, size_t nr,
		       size_t len, size_t unit)
{
	static size_t order[PIECES_PAGES];
	size_t slot = room / nr / unit, most = 2 * len / nr / unit;

	REQUIRE(nr <= PIECES_PAGES && most && most <= slot);
	p->nr = p->len = 0;
	pieces_order(order, nr);
	for (size_t i = 0; i < nr; i++) {
		size_t at = order[i] * slot + check_below(slot - most + 1);

		pieces_add(p, memory + at * unit, (1 + check_below(most)) * unit);
	}
	p->len = p->len / NVME_BLOCK * NVME_BLOCK;
}
#endif
