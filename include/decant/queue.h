/* SPDX-License-Identifier: MIT */
#ifndef DECANT_QUEUE_H
#define DECANT_QUEUE_H
#include <pthread.h>
#include <decant/iter.h>

DECANT_BEGIN

/**
 * struct decant_segment - one piece of a queue; embed it in what carries the bytes
 * @span: the bytes; set before the segment is appended
 * @next: the library's own
 * @prev: the library's own
 * @begin: the library's own
 *
 * Since: 0.1
 */
struct decant_segment {
	struct decant_span span;
	struct decant_segment *next;
	struct decant_segment *prev;
	size_t begin;
};

/**
 * struct decant_queue - linked segments: a producer appends, a consumer reads
 * @release: called with each segment that was given back; NULL for none. The segment is
 *	the callee's then.
 * @user: handed to @release
 * @lock: over appending and giving back; the library's own
 * @head: the library's own
 * @tail: the library's own
 * @first: the library's own
 * @appended: the library's own
 *
 * Any thread may append. One thread at a time reads, with iterators over the queue, and
 * gives back; reading takes no lock and never waits.
 *
 * Since: 0.1
 */
struct decant_queue {
	void (*release)(void *user, struct decant_segment *segment);
	void *user;
	pthread_mutex_t lock;
	struct decant_segment *head;
	struct decant_segment *tail;
	size_t first;
	size_t appended;
};

/**
 * decant_queue_init - begin an empty queue
 * @queue: the caller's memory
 * @release: called with each segment that was given back, or NULL
 * @user: handed to @release
 *
 * Since: 0.1
 */
DECANT_API void decant_queue_init(struct decant_queue *queue,
				  void (*release)(void *user,
						  struct decant_segment *segment),
				  void *user);

/**
 * decant_queue_fini - give back every segment and end the queue
 * @queue: the queue; nobody else is using it
 *
 * Since: 0.1
 */
DECANT_API void decant_queue_fini(struct decant_queue *queue);

/**
 * decant_queue_append - add a segment at the end
 * @queue: the queue
 * @segment: the caller's until it is released; it may be empty. If its span names a
 *	region, the queue takes a reference, and drops it after the segment was released.
 *
 * Safe from any thread. What was written to the segment's bytes before is seen by whoever
 * reads them through the queue.
 *
 * Return: 0; -EFAULT for NULL with a length or a range that wraps, -EOVERFLOW if the
 * queue would hold more than SSIZE_MAX bytes.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_queue_append(struct decant_queue *queue,
					       struct decant_segment *segment);

/**
 * decant_queue_give_back - release the segments that lie wholly behind an iterator
 * @queue: the queue
 * @it: an iterator over @queue: what it has consumed is given back. It goes on where it
 *	stands, also at the end, and can be reverted as far as the segment it stands in.
 *
 * For the consumer. Other iterators over the queue, and copies of @it, that stand in a
 * segment that is given back must not be used any more. Holds keep the regions that were
 * extracted.
 *
 * Return: how many segments were released; -EINVAL if @it is not over @queue or stands
 * where bytes were given back already.
 * Since: 0.1
 */
DECANT_API ssize_t decant_queue_give_back(struct decant_queue *queue,
					  struct decant_iter *it);

/**
 * decant_iter_queue - iterate over a queue
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @queue: the queue; must stay while the iterator is in use
 *
 * Begins at the first byte that was not given back. What is left is what was appended by
 * now: an iterator at the end has nothing left, and goes on when there is more. A verb
 * takes what is there when it begins. Truncation is a limit for good: beyond it, growth
 * does not show. Revert is bounded by what was consumed and not given back.
 *
 * Return: 0; -EINVAL for an unknown direction or no queue.
 * Since: 0.1
 */
DECANT_API int decant_iter_queue(struct decant_iter *it, enum decant_direction direction,
				 struct decant_queue *queue);

DECANT_END
#endif
