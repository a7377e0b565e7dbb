/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_CUTS_H
#define DECANT_TEST_OSSL_CUTS_H
/* cuts.h - a text in random pieces. */
#include "check.h"
#include <decant/iter.h>

#define MOST_PIECES 4096
#define GAP	    0xee

/* A text in pieces that lie in memory in reverse order, with gaps that must not change.
 */
struct cuts {
	struct iovec iov[MOST_PIECES];
	struct decant_bvec bvec[MOST_PIECES];
	size_t nr, room;
	uint8_t *memory;
};

static void scatter(const struct cuts *c, uint8_t *memory, const uint8_t *text)
{
	memset(memory, GAP, c->room);
	for (size_t i = 0; i < c->nr; i++) {
		size_t at = (size_t)((uint8_t *)c->iov[i].iov_base - c->memory);

		memcpy(memory + at, text, c->iov[i].iov_len);
		text += c->iov[i].iov_len;
	}
}

__attribute__((unused)) static bool holds(const struct cuts *c, const uint8_t *text)
{
	uint8_t *wanted = malloc(c->room + 1);
	bool same;

	REQUIRE(wanted);
	scatter(c, wanted, text);
	same = !memcmp(wanted, c->memory, c->room);
	free(wanted);
	return same;
}

/* Lengths 0 to most, some of them empty by chance. */
static void cut(struct cuts *c, size_t len, size_t most)
{
	uint8_t *at;

	c->room = 1;
	for (c->nr = 0; len || !c->nr; c->nr++) {
		size_t n = check_below(most + 1);

		n = n > len || c->nr == MOST_PIECES - 1 ? len : n;
		c->iov[c->nr].iov_len = n;
		c->room += n + 3;
		len -= n;
	}
	c->memory = malloc(c->room);
	REQUIRE(c->memory);
	at = c->memory + c->room;
	for (size_t i = 0; i < c->nr; i++) {
		at -= c->iov[i].iov_len + check_below(4);
		c->iov[i].iov_base = at;
		c->bvec[i] = (struct decant_bvec){at, c->iov[i].iov_len, NULL};
	}
}

/* Cut the same memory again, elsewhere. */
__attribute__((unused)) static void recut(struct cuts *c, const struct cuts *from)
{
	c->memory = from->memory;
	c->room = from->room;
	c->nr = 0;
	for (size_t i = 0; i < from->nr; i++) {
		uint8_t *base = from->iov[i].iov_base;
		size_t len = from->iov[i].iov_len, half = check_below(len + 1);

		if (c->nr + 2 * (from->nr - i) > MOST_PIECES)
			half = len;
		c->iov[c->nr++] = (struct iovec){base, half};
		if (half < len)
			c->iov[c->nr++] = (struct iovec){base + half, len - half};
	}
	for (size_t i = 0; i < c->nr; i++)
		c->bvec[i] =
			(struct decant_bvec){c->iov[i].iov_base, c->iov[i].iov_len, NULL};
}

static struct decant_iter view(const struct cuts *c, enum decant_direction direction)
{
	struct decant_iter it;

	if (check_below(2))
		REQUIRE(!decant_iter_iovec(&it, direction, c->iov, c->nr));
	else
		REQUIRE(!decant_iter_bvec(&it, direction, c->bvec, c->nr));
	return it;
}

#endif
