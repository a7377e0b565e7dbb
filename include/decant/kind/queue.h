/* SPDX-License-Identifier: MIT */
/*
 * kind queue: linked segments that grow at the end. at.any is the current segment, or
 * NULL for the queue's first; offset is the position in it, at its end while nothing
 * follows. word[0] is the position of the limit that truncation set (all ones: none),
 * word[1] the queue, word[2] the position of the beginning. Positions count from the
 * queue's first byte.
 */
#ifdef DECANT_KIND
DECANT_KIND(QUEUE, queue)
#else
#include <decant/queue.h>

static inline struct decant_queue *decant_queue_of(const struct decant_iter *it)
{
	return (struct decant_queue *)it->word[1];
}

static inline size_t decant_queue_pos(const struct decant_iter *it)
{
	return it->word[2] + it->consumed;
}

/*
 * The segment where a cursor at position pos stands, or stood last; NULL: there is none.
 */
static inline const struct decant_segment *
decant_queue_segment(const struct decant_iter *it, size_t pos, size_t *offset)
{
	const struct decant_segment *segment = (const struct decant_segment *)it->at.any;

	*offset = it->offset;
	if (segment)
		return segment;
	segment = __atomic_load_n(&decant_queue_of(it)->head, __ATOMIC_ACQUIRE);
	if (segment)
		*offset = pos - segment->begin;
	return segment;
}

static inline struct decant_span decant_queue_peek(const struct decant_iter *it)
{
	size_t offset, left;
	const struct decant_segment *segment =
		decant_queue_segment(it, decant_queue_pos(it), &offset);

	while (segment && offset >= segment->span.len) {
		offset -= segment->span.len;
		segment = __atomic_load_n(&segment->next, __ATOMIC_ACQUIRE);
	}
	if (!segment)
		return decant_span_stop(-EFAULT); /* given back meanwhile */
	left = segment->span.len - offset;
	return (struct decant_span){(unsigned char *)segment->span.addr + offset,
				    left < it->count ? left : it->count,
				    segment->span.region};
}

static inline void decant_queue_advance(struct decant_iter *it, size_t n)
{
	size_t offset;
	const struct decant_segment *next,
		*segment = decant_queue_segment(it, decant_queue_pos(it) - n, &offset);

	offset += n;
	while (segment && offset > segment->span.len) {
		next = __atomic_load_n(&segment->next, __ATOMIC_ACQUIRE);
		if (!next)
			break;
		offset -= segment->span.len;
		segment = next;
	}
	it->at.any = segment;
	it->offset = segment ? offset : 0;
}

static inline void decant_queue_retreat(struct decant_iter *it, size_t n)
{
	size_t offset;
	const struct decant_segment *segment =
		decant_queue_segment(it, decant_queue_pos(it) + n, &offset);

	while (segment && n > offset && segment->prev) {
		n -= offset;
		segment = segment->prev;
		offset = segment->span.len;
	}
	it->at.any = segment;
	it->offset = n < offset ? offset - n : 0;
}

static inline size_t decant_queue_ahead(const struct decant_iter *it)
{
	size_t end = __atomic_load_n(&decant_queue_of(it)->appended, __ATOMIC_ACQUIRE);
	size_t left = end - decant_queue_pos(it),
	       most = it->word[0] - decant_queue_pos(it);

	return it->word[0] == SIZE_MAX || left < most ? left : most;
}

static inline size_t decant_queue_behind(const struct decant_iter *it)
{
	size_t first = __atomic_load_n(&decant_queue_of(it)->first, __ATOMIC_RELAXED);
	size_t kept = decant_queue_pos(it) - first;

	return kept < it->consumed ? kept : it->consumed;
}

static inline void decant_queue_truncate(struct decant_iter *it, size_t n)
{
	size_t pos = decant_queue_pos(it);

	if (n > SIZE_MAX / 2 || (it->word[0] != SIZE_MAX && n >= it->word[0] - pos))
		return;
	it->word[0] = pos + n;
}

/* queue.c */
bool decant_queue_end(struct decant_iter *it);
int decant_queue_build(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_span *spans, size_t nr, void *room);

static const struct decant_kind decant_queue_kind = {
	.name = "queue",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_queue_peek,
	.advance = decant_queue_advance,
	.retreat = decant_queue_retreat,
	.ahead = decant_queue_ahead,
	.behind = decant_queue_behind,
	.truncate = decant_queue_truncate,
	.end = decant_queue_end,
	.build = decant_queue_build,
	.room_base = sizeof(struct decant_queue),
	.room_each = sizeof(struct decant_segment),
};
#endif
