/* SPDX-License-Identifier: MIT */
/* operation.c - an operation from its beginning to its event. */
#include <errno.h>
#include <poll.h>
#include "internal.h"
#include "probes.h"

/* Edges go after the body, else the kernel would first have to write their pages back. */
static const unsigned char leg_order[LEG_COUNT] = {LEG_BODY, LEG_HEAD, LEG_TAIL};

static size_t leg_left(const struct leg *leg)
{
	return decant_iter_count(&leg->iter);
}

static struct leg *next_leg(struct operation *op)
{
	for (unsigned i = 0; i < LEG_COUNT; i++) {
		struct leg *leg = &op->legs[leg_order[i]];

		if (leg == &op->legs[LEG_TAIL] && leg_left(&op->legs[LEG_BODY]))
			break;
		if ((leg_left(leg) || (op->single && leg == &op->legs[LEG_BODY])) &&
		    !leg->ended)
			return leg;
	}
	return NULL;
}

static void end_leg(struct leg *leg, int error)
{
	leg->ended = true;
	leg->error = error;
}

static void queue(struct operation *op)
{
	struct decant_uring *ring = op->ring;

	if (op->request.code != REQUEST_NOP && op->request.code != REQUEST_POLL)
		ring->stats.submissions++;
	probe_uring_submit(ring, op->user, op->request.code, op->request.fd,
			   op->request.offset, op->request.nr);
	op->state = OPERATION_QUEUED;
	ring->ops->queue(ring->backend, &op->request);
}

/* Queue the next request, or wait for scratch memory. False: there is nothing left to do.
 */
static bool proceed(struct operation *op)
{
	int err;

	while ((op->leg = next_leg(op))) {
		err = uring_plan(op);
		if (!err) {
			queue(op);
			return true;
		}
		if (err == -EBUSY) {
			request_push(&op->ring->starved, &op->request);
			op->state = OPERATION_STARVED;
			return true;
		}
		end_leg(op->leg, err);
	}
	return false;
}

/* Nothing more begins; what there is of the result stays. */
static void end_legs(struct operation *op, int error)
{
	for (unsigned i = 0; i < LEG_COUNT; i++)
		if (!op->legs[i].ended)
			end_leg(&op->legs[i], error);
}

static void wait_for_claim(struct operation *op)
{
	op->request.code = REQUEST_POLL;
	op->request.fd = op->claim.wake_fd;
	op->request.poll = POLLIN;
	queue(op);
}

/* Also what has nothing to do completes in the back end, so that its fd becomes readable.
 */
void uring_start(struct operation *op)
{
	bool moves = op->code != REQUEST_FSYNC;

	if (op->plain && !op->stopped && !op->claim.polled) {
		queue(op);
		return;
	}
	if (op->plain)
		uring_plain_end(op);
	if (op->stopped) {
		op->claim.polled = false;
		end_legs(op, op->stopped);
	}
	if (op->claim.polled) {
		wait_for_claim(op);
		return;
	}
	if (moves && proceed(op))
		return;
	op->request.code = moves || op->stopped ? REQUEST_NOP : REQUEST_FSYNC;
	op->request.fd = op->file->fd;
	op->request.offset = 0;
	queue(op);
}

void uring_feed(struct decant_uring *ring)
{
	struct request *request = request_pop(&ring->starved);

	if (request)
		uring_start(request_operation(request));
}

static void lay_leg(struct leg *leg, struct decant_iter *it, uint64_t *pos, size_t len,
		    bool direct)
{
	leg->iter = *it;
	leg->pos = *pos;
	leg->direct = direct;
	decant_iter_truncate(&leg->iter, len);
	decant_iter_advance(it, len);
	*pos += len;
}

/*
 * Which edges of a write go through the page cache: those that can't be read and written
 * back, with the end of the file among them. It ends where the write says, not with a
 * block.
 */
static void lay_edges(struct operation *op, uint64_t pos, size_t len, size_t *head,
		      size_t *tail)
{
	uint64_t mask = op->file->info.offset_align - 1, end = pos + len;

	*head = -pos & mask;
	*tail = end & mask;
	if (*head > len)
		*head = *tail = len;
	if (*head && uring_file_rewrites(op->file, (pos + mask) & ~mask))
		*head = 0;
	if (*tail && uring_file_rewrites(op->file, (end + mask) & ~mask))
		*tail = 0;
}

static bool writes_directly(const struct operation *op)
{
	return op->code == REQUEST_WRITE && op->file->info.direct;
}

static void lay_legs(struct operation *op, uint64_t pos)
{
	struct decant_iter it = uring_memory(op);
	size_t len = decant_iter_count(&it), head = 0, tail = 0;
	bool direct = op->file->info.direct;

	if (writes_directly(op))
		lay_edges(op, pos, len, &head, &tail);
	if (head + tail >= len) {
		lay_leg(&op->legs[LEG_BODY], &it, &pos, len, direct && !head && !tail);
		return;
	}
	lay_leg(&op->legs[LEG_HEAD], &it, &pos, head, false);
	lay_leg(&op->legs[LEG_BODY], &it, &pos, len - head - tail, direct);
	lay_leg(&op->legs[LEG_TAIL], &it, &pos, tail, false);
}

static void reset(struct operation *op)
{
	for (unsigned i = 0; i < LEG_COUNT; i++)
		op->legs[i] = (struct leg){0};
	op->edges.reading = 0;
	op->given_up = false;
}

void uring_lay(struct operation *op, uint64_t pos)
{
	reset(op);
	lay_legs(op, pos);
	if (writes_directly(op))
		uring_edges_begin(op);
}

/* What an earlier operation left. */
static void take_error(struct operation *op)
{
	struct decant_uring_file *file = op->file;

	int error = 0;

	if (!file->positions)
		error = __atomic_exchange_n(&file->error[op->code == REQUEST_READ], 0,
					    __ATOMIC_RELAXED);
	if (error)
		end_leg(&op->legs[LEG_BODY], error);
}

/*
 * All that can fail before the operation has begun. -EBUSY: another write changes a part
 * of the same block.
 */
static int prepare(struct operation *op, struct decant_iter *it, size_t len, uint64_t pos)
{
	int err = uring_own(op, it, len);

	if (!err)
		err = uring_fixed_map(op);
	if (err)
		return err;
	uring_lay(op, op->file->positions ? pos : 0);
	return writes_directly(op) ? uring_claim(op, pos, len) : 0;
}

int uring_prepare(struct operation *op, struct decant_iter *it, size_t len, uint64_t pos)
{
	struct decant_iter before;
	int err;

	op->one.len = 0;
	if (!len) {
		reset(op);
		return 0;
	}
	before = *it;
	err = prepare(op, it, len, pos);
	if (err && err != -EBUSY) {
		uring_disown(op);
		*it = before;
		return err;
	}
	take_error(op);
	return 0;
}

/*
 * Interrupted, or not ready: neither is the caller's problem. io_uring also gives up what
 * a thread began that has ended since; nobody asked for that, so it goes on.
 */
static bool is_passing(const struct operation *op)
{
	ssize_t n = op->request.result;

	return op->request.code == REQUEST_POLL || n == -EAGAIN || n == -EINTR ||
	       (n == -ECANCELED && (op->stopped || !op->given_up));
}

static void retry(struct operation *op)
{
	struct request *request = &op->request;

	op->given_up = request->result == -ECANCELED;
	if (request->code == REQUEST_POLL) {
		request->code = op->polled;
	} else if (request->result == -EAGAIN) {
		op->polled = request->code;
		request->poll = uring_awaited(request);
		request->code = REQUEST_POLL;
	}
	queue(op);
}

static void failed(struct operation *op, int error)
{
	struct leg *leg = op->leg;

	uring_scratch_put(op);
	/* A file system that demands more than it says. */
	if (error == -EINVAL && leg->direct && op->file->fallback)
		leg->direct = false;
	else
		end_leg(leg, error);
}

static void short_read(struct operation *op, struct leg *leg, size_t result, size_t block)
{
	op->file->size = 0; /* it may have shrunk: ask again */
	/* Only the end of the file cuts a block. */
	if (!result || (leg->direct && result % block))
		end_leg(leg, 0);
}

static void short_write(struct leg *leg, size_t result, size_t block)
{
	if (!result)
		end_leg(leg, -EIO);
	else if (result % block)
		leg->direct = false;
}

static void transferred(struct operation *op, size_t result)
{
	size_t block = op->file->info.offset_align;
	struct leg *leg = op->leg;

	uring_arrived(op, result);
	if (op->file->socket && uring_socket_arrived(op))
		end_leg(leg, 0);
	if (!leg_left(leg) || leg->ended)
		return;
	if (op->flags & DECANT_URING_SHORT &&
	    (!op->file->positions || result < op->sink.bytes))
		end_leg(leg, 0);
	if (leg->ended || result == op->sink.bytes)
		return;
	if (op->code == REQUEST_READ)
		short_read(op, leg, result, block);
	else
		short_write(leg, result, block);
	if (!leg->ended)
		op->ring->stats.resumed++;
}

/* What is before a tail that can't be read can be written. */
static void edges_failed(struct operation *op, int error)
{
	size_t mask = op->file->info.offset_align - 1, tail;
	struct leg *body = &op->legs[LEG_BODY];
	struct decant_iter it = body->iter;
	uint64_t pos = body->pos, end = pos + leg_left(body);

	if (!uring_edges_failed(op)) {
		failed(op, error);
		return;
	}
	tail = end & mask;
	lay_leg(body, &it, &pos, leg_left(body) - tail, true);
	lay_leg(&op->legs[LEG_TAIL], &it, &pos, tail, true);
	end_leg(&op->legs[LEG_TAIL], error);
}

static void edges_arrived(struct operation *op, size_t result)
{
	if (uring_edges_arrived(op, result))
		return;
	/* The file was made shorter. */
	op->file->size = 0;
	op->leg->direct = false;
}

static void arrived(struct operation *op, ssize_t n)
{
	if (op->edges.reading && n < 0)
		edges_failed(op, (int)n);
	else if (op->edges.reading)
		edges_arrived(op, (size_t)n);
	else if (n < 0)
		failed(op, (int)n);
	else
		transferred(op, (size_t)n);
}

/* It may write now, unless the waiting failed, or it shall not write any more. */
static void woken(struct operation *op, ssize_t n)
{
	if (!op->stopped && (n == -EINTR || n == -EAGAIN || n == -ECANCELED)) {
		queue(op);
		return;
	}
	op->claim.polled = false;
	if (n < 0 && !op->stopped)
		end_legs(op, (int)n);
	uring_start(op);
}

/* The bytes that are there without a gap; if none, why. */
static ssize_t outcome(const struct operation *op)
{
	const struct leg *leg = op->legs;
	size_t bytes = 0;

	if (op->single && !op->delivered)
		return op->legs[LEG_BODY].error;
	for (unsigned i = 0; i < LEG_COUNT; i++, leg++) {
		bytes += leg->done;
		if (leg_left(leg))
			return bytes ? (ssize_t)bytes : leg->error;
	}
	return (ssize_t)bytes;
}

/*
 * After bytes comes the error on the next call. A file says it again; a socket says once
 * that it was reset, and then that it has ended.
 */
static void keep_error(const struct operation *op, ssize_t result)
{
	const struct leg *leg = &op->legs[LEG_BODY];

	if (result > 0 && leg_left(leg) && !op->file->positions && leg->error &&
	    leg->error != op->stopped)
		__atomic_store_n(&op->file->error[op->code == REQUEST_READ], leg->error,
				 __ATOMIC_RELAXED);
}

static void account(struct operation *op, ssize_t result)
{
	if (op->request.code != REQUEST_NOP)
		arrived(op, result);
	if (op->stopped)
		end_legs(op, op->stopped);
}

/* The kernel may still send from the memory. */
static bool hold(struct operation *op, ssize_t result)
{
	if (!op->request.pending)
		return false;
	op->result = result;
	op->state = OPERATION_HELD;
	op->request.held = true;
	return true;
}

bool uring_complete(struct operation *op, ssize_t *result)
{
	ssize_t n = op->request.result;

	if (op->state == OPERATION_HELD) {
		op->request.held = false;
		*result = op->result;
		return true;
	}
	if (op->plain) {
		if (uring_plain_complete(op)) {
			*result = uring_bounced(op, n);
			return true;
		}
		uring_plain_end(op);
	}
	if (op->claim.polled) {
		woken(op, n);
		return false;
	}
	if (is_passing(op) || uring_zero_copy_refused(op, n)) {
		if (!op->stopped) {
			retry(op);
			return false;
		}
		n = op->stopped;
	}
	op->given_up = false;
	if (op->code == REQUEST_FSYNC) {
		*result = op->request.code == REQUEST_NOP ? op->stopped : n;
		return true;
	}
	account(op, n);
	if (op->request.code != REQUEST_NOP && proceed(op))
		return false;
	*result = outcome(op);
	keep_error(op, *result);
	*result = uring_bounced(op, *result);
	return !hold(op, *result);
}

/* The next one to begin finds it in the processor's cache. */
void uring_idle(struct operation *op)
{
	struct request_list *idle = &op->ring->idle;

	op->request.list = idle;
	TAILQ_INSERT_HEAD(idle, &op->request, link);
}

void uring_retire(struct operation *op)
{
	struct decant_uring *ring = op->ring;

	uring_unclaim(op);
	uring_zero_copy_account(op);
	uring_message_end(op);
	uring_disown(op);
	uring_deadline_remove(op);
	if (op->unasked)
		ring->unasked--;
	op->unasked = false;
	op->state = OPERATION_IDLE;
	uring_idle(op);
	ring->active--;
	ring->stats.operations++;
}
