/* SPDX-License-Identifier: MIT */
/*
 * cancel.c - an operation that ends before it is done. Wherever it is, it comes to its
 * event through the back end like any other: what is under way is asked back, what waits
 * for scratch memory goes on as one that has nothing to do, and what the kernel can't
 * give back completes by itself and is not continued.
 */
#include <errno.h>
#include "internal.h"

static void ask(struct operation *op)
{
	struct decant_uring *ring = op->ring;
	bool asked = ring->ops->cancel(ring->backend, &op->request);

	if (op->unasked && asked)
		ring->unasked--;
	else if (!op->unasked && !asked)
		ring->unasked++;
	op->unasked = !asked;
}

/* What is held is done, and the kernel gives nothing back. */
static bool can_stop(const struct operation *op)
{
	return !op->stopped && !uring_forked(op->ring) &&
	       (op->state == OPERATION_QUEUED || op->state == OPERATION_STARVED);
}

void uring_stop(struct operation *op, int reason)
{
	if (!can_stop(op))
		return;
	op->stopped = reason;
	if (op->state == OPERATION_QUEUED) {
		ask(op);
	} else {
		request_take(&op->request);
		uring_start(op);
	}
}

void uring_ask(struct decant_uring *ring, bool again)
{
	if (!ring->unasked && !again)
		return;
	for (unsigned i = 0; i < ring->depth; i++) {
		struct operation *op = &ring->operations[i];

		if (op->state == OPERATION_QUEUED && op->stopped &&
		    (again || op->unasked))
			ask(op);
	}
}

unsigned uring_stop_all(struct decant_uring *ring, int reason)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < ring->depth; i++) {
		struct operation *op = &ring->operations[i];

		nr += can_stop(op);
		uring_stop(op, reason);
	}
	return nr;
}

int decant_uring_cancel(struct decant_uring *ring, void *user)
{
	int nr = 0;

	for (unsigned i = 0; i < ring->depth; i++) {
		struct operation *op = &ring->operations[i];

		if (op->user != user || !can_stop(op))
			continue;
		uring_stop(op, -ECANCELED);
		nr++;
	}
	return nr;
}

int decant_uring_cancel_all(struct decant_uring *ring)
{
	return (int)uring_stop_all(ring, -ECANCELED);
}
