/* SPDX-License-Identifier: MIT */
/*
 * deadline.c - which operations must end when: a binary heap with the first one on top.
 * The back end keeps one alarm, for that one.
 */
#include <errno.h>
#include <time.h>
#include "internal.h"

int64_t uring_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void put(struct decant_uring *ring, unsigned place, struct operation *op)
{
	ring->deadlines[place] = op;
	op->place = place;
}

static void sift_up(struct decant_uring *ring, unsigned place, struct operation *op)
{
	while (place) {
		unsigned parent = (place - 1) / 2;

		if (ring->deadlines[parent]->deadline <= op->deadline)
			break;
		put(ring, place, ring->deadlines[parent]);
		place = parent;
	}
	put(ring, place, op);
}

static unsigned sooner_child(const struct decant_uring *ring, unsigned place)
{
	unsigned child = 2 * place + 1;

	if (child + 1 < ring->nr_deadlines &&
	    ring->deadlines[child + 1]->deadline < ring->deadlines[child]->deadline)
		child++;
	return child;
}

static void sift_down(struct decant_uring *ring, unsigned place, struct operation *op)
{
	unsigned child;

	while ((child = sooner_child(ring, place)) < ring->nr_deadlines &&
	       ring->deadlines[child]->deadline < op->deadline) {
		put(ring, place, ring->deadlines[child]);
		place = child;
	}
	put(ring, place, op);
}

void uring_deadline_add(struct operation *op)
{
	struct decant_uring *ring = op->ring;

	sift_up(ring, ring->nr_deadlines++, op);
	if (!op->place)
		ring->ops->alarm(ring->backend, op->deadline);
}

void uring_deadline_remove(struct operation *op)
{
	struct decant_uring *ring = op->ring;
	struct operation *last;

	if (!op->deadline)
		return;
	op->deadline = 0;
	last = ring->deadlines[--ring->nr_deadlines];
	if (last == op)
		return;
	/* It may belong above or below the gap. */
	sift_down(ring, op->place, last);
	sift_up(ring, last->place, last);
}

void uring_deadlines(struct decant_uring *ring)
{
	int64_t now = ring->nr_deadlines ? uring_now() : 0;
	struct operation *op;

	while (ring->nr_deadlines) {
		op = ring->deadlines[0];
		if (op->deadline > now) {
			ring->ops->alarm(ring->backend, op->deadline);
			break;
		}
		uring_deadline_remove(op);
		uring_stop(op, -ETIMEDOUT);
	}
}
