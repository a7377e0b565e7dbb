/* SPDX-License-Identifier: MIT */
/*
 * queue.c - a completion queue, the queue pairs on it, and a way to sleep until they
 * move.
 */
#include "internal.h"
#include "probes.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ENTRIES 4096
/* Batches of completions that are read in one poll. */
#define BATCHES 8
/* After how many polls that found nothing the connections are looked at. */
#define IDLE 64
/* Notifications are acknowledged so many at a time: each time takes a lock. */
#define UNACKED 64

static int make_cq(struct decant_verbs_queue *queue)
{
	struct epoll_event event = {.events = EPOLLIN};
	int flags;

	errno = ENOMEM;
	queue->channel = ibv_create_comp_channel(queue->verbs->context);
	if (!queue->channel)
		return -errno;
	flags = fcntl(queue->channel->fd, F_GETFL);
	if (flags < 0 || fcntl(queue->channel->fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	queue->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (queue->epoll < 0 ||
	    epoll_ctl(queue->epoll, EPOLL_CTL_ADD, queue->channel->fd, &event))
		return -errno;
	errno = ENOMEM;
	queue->cq = ibv_create_cq(queue->verbs->context, (int)queue->entries, NULL,
				  queue->channel, 0);
	return queue->cq ? 0 : -errno;
}

int decant_verbs_queue_new(struct decant_verbs_queue **out, struct decant_verbs *verbs,
			   size_t entries)
{
	size_t most = verbs->caps.completions;
	struct decant_verbs_queue *queue;
	int rc;

	if (entries > most)
		return -EINVAL;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->verbs = verbs;
	queue->epoll = -1;
	STAILQ_INIT(&queue->done);
	queue->entries = entries ? entries : most < ENTRIES ? most : ENTRIES;
	rc = make_cq(queue);
	if (rc) {
		decant_verbs_queue_free(queue);
		return rc;
	}
	*out = queue;
	return 0;
}

void decant_verbs_queue_free(struct decant_verbs_queue *queue)
{
	if (!queue)
		return;
	if (queue->unacked)
		ibv_ack_cq_events(queue->cq, queue->unacked);
	if (queue->cq)
		ibv_destroy_cq(queue->cq);
	if (queue->channel)
		ibv_destroy_comp_channel(queue->channel);
	if (queue->epoll >= 0)
		close(queue->epoll);
	free(queue->pairs);
	free(queue);
}

static int more_pairs(struct decant_verbs_queue *queue)
{
	size_t max = queue->max_pairs ? 2 * queue->max_pairs : 8;
	struct decant_verbs_pair **pairs;

	if (max > UINT16_MAX)
		return -ENOSPC;
	pairs = realloc(queue->pairs, max * sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	memset(pairs + queue->max_pairs, 0, (max - queue->max_pairs) * sizeof(*pairs));
	queue->pairs = pairs;
	queue->max_pairs = max;
	return 0;
}

static size_t needs(const struct decant_verbs_pair *pair)
{
	return (size_t)pair->options.requests + pair->options.receives;
}

/* Every request may complete with an error: there must be room for all of them. */
int verbs_queue_add(struct decant_verbs_queue *queue, struct decant_verbs_pair *pair)
{
	size_t index = 0;
	int rc;

	if (needs(pair) > queue->entries - queue->reserved)
		return -ENOSPC;
	while (index < queue->max_pairs && queue->pairs[index])
		index++;
	rc = index == queue->max_pairs ? more_pairs(queue) : 0;
	if (rc)
		return rc;
	queue->pairs[index] = pair;
	queue->reserved += needs(pair);
	pair->index = (uint16_t)index;
	pair->generation = ++queue->generation;
	return 0;
}

/* Nobody will ask for it any more: a buffer of the pool goes back there. */
static void forget_event(struct verbs_op *op)
{
	if (op->buffer.addr)
		decant_pool_put(op->pair->options.pool, op->buffer.addr);
}

void verbs_queue_remove(struct decant_verbs_queue *queue, struct decant_verbs_pair *pair)
{
	struct verbs_list kept = STAILQ_HEAD_INITIALIZER(kept);
	struct verbs_op *op;

	while ((op = verbs_list_pop(&queue->done)))
		if (op->pair == pair)
			forget_event(op);
		else
			STAILQ_INSERT_TAIL(&kept, op, next);
	STAILQ_CONCAT(&queue->done, &kept);
	queue->reserved -= needs(pair);
	queue->pairs[pair->index] = NULL;
}

/* What no completion announces: operations that were held back, buffers of pools. */
static void serve_needy(struct decant_verbs_queue *queue)
{
	queue->needy = false;
	for (size_t i = 0; i < queue->max_pairs; i++) {
		struct decant_verbs_pair *pair = queue->pairs[i];

		if (!pair)
			continue;
		verbs_refill(pair);
		verbs_post_receives(pair);
		verbs_post_sends(pair);
	}
}

static void watch_all(struct decant_verbs_queue *queue)
{
	for (size_t i = 0; i < queue->max_pairs; i++)
		if (queue->pairs[i] && queue->pairs[i]->channel)
			verbs_watch(queue->pairs[i]);
}

/*
 * Requests of dead pairs that a device forgot are taken from it; whether there are any
 * that it may still answer for.
 */
static bool bury(struct decant_verbs_queue *queue)
{
	bool waiting = false;

	for (size_t i = 0; i < queue->max_pairs; i++) {
		struct decant_verbs_pair *pair = queue->pairs[i];

		if (!pair || pair->state != VERBS_DEAD || verbs_quiet(pair))
			continue;
		if (verbs_now() - pair->died < VERBS_LINGER)
			waiting = true;
		else
			verbs_kill(pair, pair->error);
	}
	return waiting;
}

/* Whether all completions were read that there were. */
static bool progress(struct decant_verbs_queue *queue)
{
	int i = 0;

	if (queue->needy)
		serve_needy(queue);
	while (i < BATCHES && verbs_reap(queue))
		i++;
	if (queue->needy)
		serve_needy(queue);
	queue->idle = i ? 0 : queue->idle + 1;
	if (queue->idle >= IDLE) {
		queue->idle = 0;
		watch_all(queue);
		bury(queue);
	}
	return i < BATCHES;
}

static struct decant_verbs_event event_of(struct verbs_op *op)
{
	struct decant_verbs_event event = {
		.user = op->user,
		.pair = op->pair,
		.kind = op->kind,
		.result = op->result,
		.status = op->status,
		.request = op->failed,
		.requests = op->nr_cuts,
		.buffer = op->buffer,
	};

	if (verbs_is_receive(op->kind)) {
		event.with_imm = op->with_imm;
		event.written = op->written;
		event.imm = op->imm;
	}
	return event;
}

int decant_verbs_poll(struct decant_verbs_queue *queue, struct decant_verbs_event *events,
		      unsigned max)
{
	unsigned n = 0;

	progress(queue);
	while (n < max && !STAILQ_EMPTY(&queue->done)) {
		struct verbs_op *op = verbs_list_pop(&queue->done);

		events[n++] = event_of(op);
		probe_verbs_complete(op->pair, op->user, op->kind, op->result);
		verbs_op_put(op);
	}
	return n || !STAILQ_EMPTY(&queue->done) ? (int)n : queue->broken;
}

/* Take notifications that are there; each says only that there was one. */
static void drain_channel(struct decant_verbs_queue *queue)
{
	struct ibv_cq *cq;
	void *context;

	while (!ibv_get_cq_event(queue->channel, &cq, &context))
		queue->unacked++;
	if (queue->unacked < UNACKED)
		return;
	ibv_ack_cq_events(queue->cq, queue->unacked);
	queue->unacked = 0;
}

int decant_verbs_fd(struct decant_verbs_queue *queue, bool *may_sleep)
{
	bool all_read;

	drain_channel(queue);
	watch_all(queue);
	if (ibv_req_notify_cq(queue->cq, 0))
		queue->broken = -EIO;
	/* what came before the request announces itself no more */
	all_read = progress(queue);
	*may_sleep = !bury(queue) && all_read && STAILQ_EMPTY(&queue->done) &&
		     !queue->broken && !queue->needy;
	return queue->epoll;
}
