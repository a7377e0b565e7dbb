/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_CUTS_H
#define DECANT_TEST_OSSL_CUTS_H
/* cuts.h - a text in random pieces, seen through every kind of iterator. */
#include "check.h"
#include <decant/registry.h>

#define MOST_PIECES 4096
#define GAP	    0xee

/* A text in pieces that lie in memory in reverse order, with gaps that must not change.
 */
struct cuts {
	struct decant_span spans[MOST_PIECES];
	size_t nr, room;
	uint8_t *memory;
	void *lists; /* what the kind needs for it */
};

__attribute__((unused)) static void scatter(const struct cuts *c, uint8_t *memory,
					    const uint8_t *text)
{
	memset(memory, GAP, c->room);
	for (size_t i = 0; i < c->nr; i++) {
		size_t at = (size_t)((uint8_t *)c->spans[i].addr - c->memory);

		memcpy(memory + at, text, c->spans[i].len);
		text += c->spans[i].len;
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
__attribute__((unused)) static void cut(struct cuts *c, size_t len, size_t most)
{
	uint8_t *at;

	c->room = 1;
	for (c->nr = 0; len || !c->nr; c->nr++) {
		size_t n = check_below(most + 1);

		n = n > len || c->nr == MOST_PIECES - 1 ? len : n;
		c->spans[c->nr].len = n;
		c->room += n + 3;
		len -= n;
	}
	c->memory = malloc(c->room);
	REQUIRE(c->memory);
	c->lists = NULL;
	memset(c->memory, GAP, c->room);
	at = c->memory + c->room;
	for (size_t i = 0; i < c->nr; i++) {
		at -= c->spans[i].len + check_below(4);
		c->spans[i].addr = at;
		c->spans[i].region = NULL;
	}
}

/* Cut the same memory again, elsewhere. */
__attribute__((unused)) static void recut(struct cuts *c, const struct cuts *from)
{
	c->memory = from->memory;
	c->room = from->room;
	c->lists = NULL;
	c->nr = 0;
	for (size_t i = 0; i < from->nr; i++) {
		uint8_t *base = from->spans[i].addr;
		size_t len = from->spans[i].len, half = check_below(len + 1);

		if (c->nr + 2 * (from->nr - i) > MOST_PIECES)
			half = len;
		c->spans[c->nr++] = (struct decant_span){base, half, NULL};
		if (half < len)
			c->spans[c->nr++] =
				(struct decant_span){base + half, len - half, NULL};
	}
}

/* As this kind sees it; false if it can't. */
__attribute__((unused)) static bool view_as(struct cuts *c, struct decant_iter *it,
					    enum decant_direction direction,
					    unsigned kind_id)
{
	const struct decant_kind *kind = decant_kind_get(kind_id);

	if (kind->bytes != DECANT_BYTES_MEMORY && kind->bytes != DECANT_BYTES_COPIED)
		return false;
	free(c->lists);
	c->lists = malloc(kind->room_base + c->nr * kind->room_each + 1);
	REQUIRE(c->lists);
	return !kind->build(it, direction, c->spans, c->nr, c->lists);
}

/* As a list of spans. */
__attribute__((unused)) static struct decant_iter view(const struct cuts *c,
						       enum decant_direction direction)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_bvec(&it, direction,
				  (const struct decant_bvec *)(const void *)c->spans,
				  c->nr));
	return it;
}

/* As any kind sees it, the plain ones more often. */
__attribute__((unused)) static struct decant_iter
view_any(struct cuts *c, enum decant_direction direction)
{
	struct decant_iter it;

	if (check_below(4) == 0)
		return view(c, direction);
	if (check_below(2) &&
	    view_as(c, &it, direction, (unsigned)check_below(DECANT_KIND_COUNT)))
		return it;
	REQUIRE(view_as(c, &it, direction, DECANT_KIND_IOVEC));
	return it;
}

/* Of several that share their memory, only one. */
__attribute__((unused)) static void cuts_free(struct cuts *c)
{
	free(c->memory);
	free(c->lists);
}
#endif
