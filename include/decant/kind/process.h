/* SPDX-License-Identifier: MIT */
/*
 * kind process: memory of another process. at.iov and offset as in iovec, word[0] is the
 * process's number. Nothing can be pointed at.
 */
#ifdef DECANT_KIND
DECANT_KIND(PROCESS, process)
#else
#include <decant/kind/ends.h>

static inline struct decant_span decant_process_peek(const struct decant_iter *it)
{
	return (struct decant_span){NULL, decant_vector_left(it), NULL};
}

static inline void decant_process_advance(struct decant_iter *it, size_t n)
{
	decant_vector_advance(it, n, sizeof(struct iovec));
}

static inline void decant_process_retreat(struct decant_iter *it, size_t n)
{
	decant_vector_retreat(it, n, sizeof(struct iovec));
}

static inline void decant_process_mark(struct decant_iter *it)
{
	decant_ends_mark(it, sizeof(struct iovec));
}

/* process.c */
ssize_t decant_process_move(const struct decant_iter *it, const struct iovec *local,
			    size_t nr);
int decant_process_build(struct decant_iter *it, enum decant_direction direction,
			 const struct decant_span *spans, size_t nr, void *room);

static const struct decant_kind decant_process_kind = {
	.name = "process",
	.bytes = DECANT_BYTES_COPIED,
	.peek = decant_process_peek,
	.advance = decant_process_advance,
	.retreat = decant_process_retreat,
	.truncate = decant_ends_truncate,
	.mark = decant_process_mark,
	.end = decant_ends_go,
	.move = decant_process_move,
	.build = decant_process_build,
	.room_each = sizeof(struct iovec),
};
#endif
