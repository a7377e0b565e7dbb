/* SPDX-License-Identifier: MIT */
/* uring.c - the public calls: rings and events. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include "internal.h"
#include "opcodes.h"
#include "probes.h"

#define DEPTH_DEFAULT	    64u
#define DEPTH_MAX	    4096u
#define BATCH_DEFAULT	    4u /* bench/uring: neither device nor processor waits */
#define STAGE_BYTES_DEFAULT (256u << 10)
#define STAGE_BYTES_MIN	    (2 * OFFSET_ALIGN_MAX)
#define STAGE_BYTES_MAX	    (64u << 20)
#define ASK_AGAIN	    100		/* milliseconds */
#define PATIENCE	    10		/* times as long, for a peer */
#define ZERO_COPY_DEFAULT   (32u << 10) /* bench/uring_send.c */

/* Why io_uring can't be had, where threads can take its place. */
static const char *why_threads(int err)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return "io_uring is forbidden here";
	case -ENOSYS:
		return "this kernel has no io_uring, or an old one";
	case -ENOMEM:
		return "not enough memory may be locked for io_uring";
	default:
		return NULL;
	}
}

static int start_backend(struct decant_uring *ring,
			 const struct decant_uring_options *options)
{
	bool one = options->one_thread;
	int err;

	if (options->backend != DECANT_URING_THREADS) {
		ring->ops = &uring_backend_ring;
		err = ring->ops->start(&ring->backend, ring->depth, one);
		if (!err || options->backend == DECANT_URING_RING)
			return err;
		ring->reason = why_threads(err);
		if (!ring->reason)
			return err;
	}
	ring->ops = &uring_backend_threads;
	return ring->ops->start(&ring->backend, ring->depth, one);
}

static int check_options(const struct decant_uring_options *options)
{
	if (options->size != sizeof(*options) || options->depth > DEPTH_MAX ||
	    options->backend > DECANT_URING_THREADS ||
	    options->buffers > DECANT_URING_BUFFERS_NEVER ||
	    options->regions > URING_BUFFERS_MAX ||
	    options->stage_bytes > STAGE_BYTES_MAX)
		return -EINVAL;
	return 0;
}

static size_t stage_bytes(size_t wanted)
{
	if (!wanted)
		return STAGE_BYTES_DEFAULT;
	if (wanted < STAGE_BYTES_MIN)
		return STAGE_BYTES_MIN;
	return (wanted + SCRATCH_ALIGN - 1) & ~(size_t)(SCRATCH_ALIGN - 1);
}

static int ring_init(struct decant_uring *ring,
		     const struct decant_uring_options *options)
{
	int err;

	ring->depth = options->depth ? options->depth : DEPTH_DEFAULT;
	ring->space = options->space;
	ring->batch = options->batch ? options->batch : BATCH_DEFAULT;
	ring->small_piece = options->small_piece;
	ring->stage_bytes = stage_bytes(options->stage_bytes);
	TAILQ_INIT(&ring->idle);
	TAILQ_INIT(&ring->starved);
	ring->operations = calloc(ring->depth, sizeof(*ring->operations));
	ring->deadlines = calloc(ring->depth, sizeof(*ring->deadlines));
	if (!ring->operations || !ring->deadlines)
		return -ENOMEM;
	for (unsigned i = 0; i < ring->depth; i++) {
		ring->operations[i].ring = ring;
		ring->operations[i].hold.name = "decant_uring";
		uring_idle(&ring->operations[i]);
	}
	err = uring_fork_init(ring);
	if (err)
		return err;
	err = start_backend(ring, options);
	if (err)
		return err;
	ring->zero_copy = ring->ops->zero_copy && ring->ops->zero_copy(ring->backend);
	ring->zero_copy_bytes = options->zero_copy_bytes;
	if (!ring->zero_copy_bytes)
		ring->zero_copy_bytes = ZERO_COPY_DEFAULT;
	err = uring_fixed_init(ring, options);
	if (err)
		ring->ops->stop(ring->backend);
	return err;
}

static void release(struct decant_uring *ring)
{
	for (unsigned i = 0; i < ring->depth && ring->operations; i++) {
		free(ring->operations[i].many);
		decant_hold_release(&ring->operations[i].hold);
		uring_claim_fini(&ring->operations[i]);
		uring_edges_fini(&ring->operations[i]);
	}
	uring_fork_fini(ring);
	free(ring->operations);
	free(ring->deadlines);
	free(ring);
}

int decant_uring_new(struct decant_uring **out,
		     const struct decant_uring_options *options)
{
	struct decant_uring_options defaults = {.size = sizeof(defaults)};
	struct decant_uring *ring;
	int err;

	if (!options)
		options = &defaults;
	err = check_options(options);
	if (err)
		return err;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	err = ring_init(ring, options);
	if (err) {
		release(ring);
		return err;
	}
	*out = ring;
	return 0;
}

static unsigned nr_held(const struct decant_uring *ring)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < ring->depth; i++)
		nr += ring->operations[i].state == OPERATION_HELD;
	return nr;
}

/*
 * Some can't be asked at the moment they are: once more from time to time. What only a
 * peer can end is left as it is after a while, and its memory is never given back.
 */
static int finish(struct decant_uring *ring)
{
	struct decant_uring_event event;
	unsigned patience = PATIENCE;
	int n;

	uring_stop_all(ring, -ECANCELED);
	while (ring->active) {
		n = decant_uring_wait(ring, &event, 1, ASK_AGAIN);
		if (n < 0)
			return n;
		if (n)
			continue;
		if (nr_held(ring) == ring->active && !--patience)
			break;
		uring_ask(ring, true);
	}
	return 0;
}

void decant_uring_free(struct decant_uring *ring)
{
	if (!ring)
		return;
	uring_files_forget(ring);
	if (uring_forked(ring)) {
		decant_pool_free(ring->pool);
		decant_pool_free(ring->gather);
		uring_fixed_fini(ring);
		uring_fork_free(ring);
		release(ring);
		return;
	}
	if (finish(ring))
		return; /* the kernel may still write: better leaked than freed */
	decant_pool_free(ring->pool);
	decant_pool_free(ring->gather);
	uring_fixed_fini(ring);
	ring->ops->stop(ring->backend);
	release(ring);
}

enum decant_uring_backend decant_uring_backend(const struct decant_uring *ring)
{
	return ring->ops->id;
}

const char *decant_uring_reason(const struct decant_uring *ring)
{
	return ring->reason;
}

int decant_uring_fd(struct decant_uring *ring)
{
	if (uring_forked(ring))
		return -ECHILD;
	return ring->ops->fd(ring->backend);
}

void decant_uring_stats(const struct decant_uring *ring, struct decant_uring_stats *stats)
{
	*stats = ring->stats;
}

int decant_uring_submit(struct decant_uring *ring)
{
	if (uring_forked(ring))
		return -ECHILD;
	ring->begun = 0;
	uring_ask(ring, false);
	return ring->ops->flush(ring->backend);
}

static unsigned gather(struct decant_uring *ring, struct decant_uring_event *events,
		       unsigned max)
{
	struct request *request;
	struct operation *op;
	unsigned n = 0;

	while (n < max && (request = ring->ops->reap(ring->backend))) {
		op = request_operation(request);
		if (uring_complete(op, &events[n].result)) {
			events[n].user = op->user;
			probe_uring_complete(ring, op->user, events[n].result);
			n++;
			uring_retire(op);
		}
		uring_feed(ring);
	}
	uring_deadlines(ring);
	return n;
}

/* Wait once; the number of events, 0 if there is none yet, or a negative errno. */
static int wait_once(struct decant_uring *ring, struct decant_uring_event *events,
		     unsigned max, int64_t timeout)
{
	int err;

	uring_ask(ring, false);
	err = ring->ops->wait(ring->backend, timeout);
	return err ? err : (int)gather(ring, events, max);
}

static int wait_until(struct decant_uring *ring, struct decant_uring_event *events,
		      unsigned max, int64_t end)
{
	int64_t left = -1;
	int n = 0;

	while (!n && ring->active && left) {
		if (end >= 0)
			left = end - uring_now();
		if (end >= 0 && left < 0)
			left = 0;
		n = wait_once(ring, events, max, left);
	}
	return n;
}

int decant_uring_wait(struct decant_uring *ring, struct decant_uring_event *events,
		      unsigned max, int timeout)
{
	int n;

	if (!max || max > INT_MAX)
		return -EINVAL;
	if (uring_forked(ring))
		return -ECHILD;
	uring_fixed_tidy(ring);
	n = (int)gather(ring, events, max);
	if (!n && !timeout && ring->active)
		n = wait_once(ring, events, max, 0);
	else if (!n)
		n = wait_until(ring, events, max,
			       timeout < 0 ? -1 : uring_now() + timeout * 1000000ll);
	/* What goes on in the meantime: the caller may poll(2) next. */
	if (n >= 0)
		decant_uring_submit(ring);
	return n;
}
