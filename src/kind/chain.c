/* SPDX-License-Identifier: MIT */
/*
 * chain.c - iterators in a row as one.
 *
 * The current part's iterator is put together when it is needed: the part as it was
 * given, with the cursor that the chain carries. So a chain's copies are independent of
 * one another, and any step costs the same however many parts there are.
 */
#include <string.h>
#include "../kinds.h"
#include "../make.h"

/* The current part where the cursor stands, with at most so many bytes ahead. */
static struct decant_iter part_here(const struct decant_iter *it, size_t most)
{
	struct decant_iter part = *decant_chain_part(it);

	part.count = min_size(decant_chain_left(it), most);
	part.consumed += it->word[1];
	part.offset = it->offset;
	part.at = it->at;
	part.word[2] = it->word[2];
	memcpy(part.extra, it->extra, sizeof(part.extra));
	return part;
}

/* Stand where a part's iterator stands, done bytes behind its beginning. */
static void stand(struct decant_iter *it, const struct decant_iter *part, size_t done)
{
	it->word[1] = done;
	it->offset = part->offset;
	it->at = part->at;
	it->word[2] = part->word[2];
	memcpy(it->extra, part->extra, sizeof(it->extra));
}

static void stand_at_start(struct decant_iter *it, const struct decant_iter *part)
{
	it->word[0] = (uintptr_t)part;
	stand(it, part, 0);
}

struct decant_span decant_chain_peek_any(const struct decant_iter *it)
{
	struct decant_iter part = part_here(it, it->count);

	return kind_peek(&part);
}

void decant_chain_put_any(const struct decant_iter *it, const struct decant_span *span)
{
	struct decant_iter part = part_here(it, it->count);

	kind_put(&part, span);
}

ssize_t decant_chain_move(const struct decant_iter *it, const struct iovec *local,
			  size_t nr)
{
	struct decant_iter part = part_here(it, it->count);

	return kind_move(&part, local, nr);
}

/* The cursor is never at a part's end while the chain has more. */
void decant_chain_advance_any(struct decant_iter *it, size_t n)
{
	size_t left = decant_chain_left(it);
	struct decant_iter part;

	while (n >= left && (n > left || it->count)) {
		n -= left;
		stand_at_start(it, decant_chain_part(it) + 1);
		left = decant_chain_part(it)->count;
	}
	if (!n)
		return;
	part = part_here(it, it->count + n);
	kind_advance(&part, n);
	stand(it, &part, it->word[1] + n);
}

/* From its end: what that takes depends on n, not on the part. */
static void enter_from_behind(struct decant_iter *it, size_t n)
{
	const struct decant_iter *last = decant_chain_part(it) - 1;
	struct decant_iter part;

	for (; n > last->count; last--)
		n -= last->count;
	part = *last;
	kind_end(&part);
	kind_retreat(&part, n);
	it->word[0] = (uintptr_t)last;
	stand(it, &part, last->count - n);
}

void decant_chain_retreat(struct decant_iter *it, size_t n)
{
	struct decant_iter part;

	if (n > it->word[1]) {
		enter_from_behind(it, n - it->word[1]);
		return;
	}
	if (!n)
		return;
	part = part_here(it, SIZE_MAX);
	kind_retreat(&part, n);
	stand(it, &part, it->word[1] - n);
}

static int check_part(struct decant_iter *part, enum decant_direction direction)
{
	const struct decant_kind *kind = decant_kind_get(part->kind);

	if (part->kind == DECANT_KIND_CHAIN)
		return -ELOOP;
	if (!kind || part->direction != direction)
		return -EINVAL;
	kind_refresh(part);
	if (kind->mark)
		kind->mark(part);
	return 0;
}

int decant_iter_chain(struct decant_iter *it, enum decant_direction direction,
		      struct decant_iter *parts, size_t nr)
{
	struct decant_iter made = {.kind = DECANT_KIND_CHAIN,
				   .direction = (uint8_t)direction};
	int err = check_direction(direction);

	if (!err && nr && !parts)
		err = -EFAULT;
	for (size_t i = 0; i < nr && !err; i++) {
		err = check_part(&parts[i], direction);
		if (!err)
			err = add_len(&made.count, parts[i].count);
	}
	if (err)
		return err;
	if (nr)
		stand_at_start(&made, parts);
	kind_begin(it, &made);
	return 0;
}

/* A part over nr spans, as a list of one kind or another, or as the memory itself. */
static int build_part(struct decant_iter *part, enum decant_direction direction,
		      const struct decant_span *spans, size_t nr,
		      struct decant_bvec *room)
{
	const struct decant_kind *kind = &decant_bvec_kind;
	bool owned = false;

	for (size_t i = 0; i < nr; i++)
		owned |= spans[i].region != NULL;
	if (!owned)
		kind = spans[0].len % 2 ? &decant_iovec_kind : &decant_buf_kind;
	if (!kind->build(part, direction, spans, nr, room))
		return 0;
	return decant_bvec_build(part, direction, spans, nr, room);
}

int decant_chain_build(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_span *spans, size_t nr, void *room)
{
	struct decant_iter *parts = room;
	struct decant_bvec *bvecs = (struct decant_bvec *)(parts + nr);
	size_t used = 0;

	for (size_t i = 0; i < nr;) {
		size_t n = min_size(nr - i, 1 + spans[i].len % 3);

		if (build_part(&parts[used++], direction, &spans[i], n, &bvecs[i]))
			return -ENOTSUP;
		i += n;
	}
	return decant_iter_chain(it, direction, parts, used);
}
