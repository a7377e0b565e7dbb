/* SPDX-License-Identifier: MIT */
#include "../kinds.h"
#include "../make.h"

void decant_queue_init(struct decant_queue *queue,
		       void (*release)(void *user, struct decant_segment *segment),
		       void *user)
{
	*queue = (struct decant_queue){.release = release, .user = user};
	pthread_mutex_init(&queue->lock, NULL);
}

/*
 * Under the lock. A reader looks at the sum first, then follows the links as far as that
 * goes: so the link is set before the sum.
 */
static void link_segment(struct decant_queue *queue, struct decant_segment *segment)
{
	size_t appended = queue->appended;

	segment->next = NULL;
	segment->prev = queue->tail;
	segment->begin = appended;
	__atomic_store_n(queue->tail ? &queue->tail->next : &queue->head, segment,
			 __ATOMIC_RELEASE);
	queue->tail = segment;
	__atomic_store_n(&queue->appended, appended + segment->span.len,
			 __ATOMIC_RELEASE);
}

int decant_queue_append(struct decant_queue *queue, struct decant_segment *segment)
{
	int err = check_range(segment->span.addr, segment->span.len);
	size_t there;

	if (err)
		return err;
	pthread_mutex_lock(&queue->lock);
	there = queue->appended - queue->first;
	err = add_len(&there, segment->span.len);
	if (!err && segment->span.region)
		decant_region_get(segment->span.region);
	if (!err)
		link_segment(queue, segment);
	pthread_mutex_unlock(&queue->lock);
	return err;
}

/* Outside the lock: callbacks may append again. A segment may lie in its own region. */
static size_t release_all(struct decant_queue *queue, struct decant_segment *segment)
{
	struct decant_segment *next;
	size_t nr = 0;

	for (; segment; segment = next, nr++) {
		struct decant_region *region = segment->span.region;

		next = segment->next;
		if (queue->release)
			queue->release(queue->user, segment);
		decant_region_put(region);
	}
	return nr;
}

/* Take off what lies wholly before a position, as a list of its own. */
static struct decant_segment *unlink_before(struct decant_queue *queue, size_t pos)
{
	struct decant_segment *list = queue->head, *last = NULL, *head = list;

	while (head && pos - head->begin >= head->span.len) {
		last = head;
		head = head->next;
	}
	if (!last)
		return NULL;
	last->next = NULL;
	if (head)
		head->prev = NULL;
	else
		queue->tail = NULL;
	__atomic_store_n(&queue->head, head, __ATOMIC_RELEASE);
	__atomic_store_n(&queue->first, head ? head->begin : queue->appended,
			 __ATOMIC_RELAXED);
	return list;
}

ssize_t decant_queue_give_back(struct decant_queue *queue, struct decant_iter *it)
{
	struct decant_segment *list = NULL;
	bool good;
	size_t pos;

	if (it->kind != DECANT_KIND_QUEUE || decant_queue_of(it) != queue)
		return -EINVAL;
	pos = decant_queue_pos(it);
	pthread_mutex_lock(&queue->lock);
	good = pos - queue->first <= queue->appended - queue->first;
	if (good) {
		list = unlink_before(queue, pos);
		it->at.any = queue->head;
		it->offset = queue->head ? pos - queue->head->begin : 0;
	}
	pthread_mutex_unlock(&queue->lock);
	return good ? (ssize_t)release_all(queue, list) : -EINVAL;
}

void decant_queue_fini(struct decant_queue *queue)
{
	struct decant_segment *list = queue->head;

	queue->head = queue->tail = NULL;
	release_all(queue, list);
	pthread_mutex_destroy(&queue->lock);
}

int decant_iter_queue(struct decant_iter *it, enum decant_direction direction,
		      struct decant_queue *queue)
{
	int err = check_direction(direction);

	if (!err && !queue)
		err = -EINVAL;
	if (err)
		return err;
	*it = (struct decant_iter){
		.kind = DECANT_KIND_QUEUE,
		.direction = (uint8_t)direction,
		.word = {SIZE_MAX, (uintptr_t)queue,
			 __atomic_load_n(&queue->first, __ATOMIC_RELAXED)},
	};
	kind_refresh(it);
	return 0;
}

/* From the tail back: past what was appended since, not past all that is before. */
bool decant_queue_end(struct decant_iter *it)
{
	struct decant_queue *queue = decant_queue_of(it);
	size_t pos = decant_queue_pos(it);
	const struct decant_segment *segment;

	pthread_mutex_lock(&queue->lock);
	segment = queue->tail;
	while (segment && segment->prev && pos - segment->begin - 1 >= segment->span.len)
		segment = segment->prev;
	pthread_mutex_unlock(&queue->lock);
	it->at.any = segment;
	it->offset = segment ? pos - segment->begin : 0;
	return true;
}

/* Without references: the room is not given back. */
int decant_queue_build(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_span *spans, size_t nr, void *room)
{
	struct decant_queue *queue = room;
	struct decant_segment *segments = (struct decant_segment *)(queue + 1);

	decant_queue_init(queue, NULL, NULL);
	for (size_t i = 0; i < nr; i++) {
		segments[i] = (struct decant_segment){.span = spans[i]};
		link_segment(queue, &segments[i]);
	}
	return decant_iter_queue(it, direction, queue);
}
