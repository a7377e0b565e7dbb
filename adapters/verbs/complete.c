/* SPDX-License-Identifier: MIT */
/*
 * complete.c - completions become events, one for each operation, and memory is let go
 * of.
 *
 * Work requests of a send queue complete in the order they were posted, so one completion
 * is also that of all requests before it that asked for none. Over iWARP a read waits for
 * its answer, and what follows is complete when it has left: that order holds only among
 * the reads and among the others.
 */
#include "internal.h"
#include <arpa/inet.h>

#define BATCH 32

/* What was received through the stage goes to where it belongs. */
static void scatter(struct verbs_op *op)
{
	size_t staged;

	if (!op->scratch || op->result <= 0 || op->written || !op->scratch->records)
		return;
	staged = decant_stage_scatter(&op->scratch->stage, (size_t)op->result);
	if ((size_t)op->result == op->len && staged < op->scratch->stage.bytes)
		op->result = -EFAULT;
}

/* A buffer of the pool that nothing came in is nobody's event. */
static bool settle_buffer(struct verbs_op *op)
{
	struct decant_pool *pool = op->pair->options.pool;

	if (op->kind != DECANT_VERBS_MESSAGE || op->result >= 0)
		return false;
	decant_pool_put(pool, op->buffer.addr);
	op->buffer = (struct decant_span){0};
	if (op->result != -ECANCELED)
		return false;
	verbs_op_put(op);
	return true;
}

/* The operation is over: nobody touches its memory any more. */
void verbs_settle(struct verbs_op *op)
{
	if (op->result >= 0 && !verbs_is_receive(op->kind))
		op->result = (ssize_t)op->len;
	scatter(op);
	if (settle_buffer(op))
		return;
	verbs_op_let_go(op);
	op->busy = false;
	op->pair->handed += !op->counted;
	op->counted = true;
	STAILQ_INSERT_TAIL(&op->pair->queue->done, op, next);
}

static void cancel_list(struct verbs_list *list)
{
	struct verbs_op *op;

	while ((op = verbs_list_pop(list))) {
		op->queued = false;
		if (op->result >= 0) {
			op->result = -ECANCELED;
			op->failed = op->next_cut;
		}
		if (!op->under_way)
			verbs_settle(op);
	}
}

/* What a dead queue pair never posted ends behind what it did. */
void verbs_flush(struct decant_verbs_pair *pair)
{
	if (pair->state != VERBS_DEAD)
		return;
	if (pair->retired == pair->posted)
		cancel_list(&pair->tx);
	if (pair->nr_spare == pair->options.receives)
		cancel_list(&pair->rx);
}

/* From here on the device ends all requests, and each of them completes. */
void verbs_die(struct decant_verbs_pair *pair, int error)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};

	if (pair->state == VERBS_DEAD || pair->state == VERBS_NEW)
		return;
	pair->state = VERBS_DEAD;
	pair->error = error;
	pair->died = verbs_now();
	if (ibv_modify_qp(pair->qp, &attr, IBV_QP_STATE))
		verbs_kill(pair, error);
	else
		verbs_flush(pair);
}

static void settle_all(struct decant_verbs_pair *pair)
{
	size_t nr = (size_t)pair->options.depth + pair->options.receives;

	STAILQ_INIT(&pair->tx);
	STAILQ_INIT(&pair->rx);
	for (size_t i = 0; i < nr; i++) {
		struct verbs_op *op = &pair->ops[i];

		if (!op->busy)
			continue;
		op->queued = false;
		op->under_way = 0;
		if (op->result >= 0)
			op->result = -ECANCELED;
		verbs_settle(op);
	}
}

/*
 * Take the queue pair from the device at once, so that it touches no memory any more, and
 * end everything. Completions that are still to be read are old ones then.
 */
void verbs_kill(struct decant_verbs_pair *pair, int error)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};

	pair->state = VERBS_DEAD;
	pair->error = error;
	pair->generation = ++pair->queue->generation;
	if (pair->qp && ibv_modify_qp(pair->qp, &attr, IBV_QP_STATE)) {
		ibv_destroy_qp(pair->qp);
		pair->qp = NULL;
	}
	pair->retired = pair->posted;
	pair->reads_under_way = 0;
	pair->nr_spare = pair->options.receives;
	for (uint32_t i = 0; i < pair->options.receives; i++) {
		pair->receives[i] = NULL;
		pair->spare[i] = i;
	}
	settle_all(pair);
}

static void blame(struct verbs_op *op, enum ibv_wc_status status, size_t request)
{
	if (op->result >= 0) {
		op->result = verbs_status_errno(status);
		op->status = status;
		op->failed = request;
	}
	if (op->pair->state == VERBS_DEAD)
		return;
	verbs_die(op->pair, verbs_fail(op->pair, verbs_status_errno(status),
				       "%s: request %zu of %zu: %s (status %u)",
				       verbs_kind_name(op->kind), request + 1,
				       op->nr_cuts, ibv_wc_status_str(status), status));
}

static struct verbs_slot *slot_of(struct decant_verbs_pair *pair, uint64_t number)
{
	return &pair->slots[number % pair->options.requests];
}

static void done_with(struct decant_verbs_pair *pair, struct verbs_op *op)
{
	op->under_way--;
	pair->reads_under_way -= op->kind == DECANT_VERBS_READ;
	if (!op->under_way && !op->queued)
		verbs_settle(op);
}

/*
 * Of the work requests up to number @last, the reads have completed, or all others: each
 * sort is in order among its own.
 */
static void retire_sort(struct decant_verbs_pair *pair, uint64_t last)
{
	bool reads = slot_of(pair, last)->op->kind == DECANT_VERBS_READ;

	for (uint64_t i = pair->retired; i <= last; i++) {
		struct verbs_slot *slot = slot_of(pair, i);

		if (slot->done || (slot->op->kind == DECANT_VERBS_READ) != reads)
			continue;
		slot->done = true;
		done_with(pair, slot->op);
	}
	while (pair->retired < pair->posted && slot_of(pair, pair->retired)->done)
		pair->retired++;
}

/* Everything up to work request number @last has completed. */
static void retire(struct decant_verbs_pair *pair, uint64_t last)
{
	if (pair->verbs->unordered)
		retire_sort(pair, last);
	else
		while (pair->retired <= last)
			done_with(pair, slot_of(pair, pair->retired++)->op);
}

static void sent(struct decant_verbs_pair *pair, const struct ibv_wc *wc)
{
	const struct verbs_slot slot =
		pair->slots[verbs_place(wc->wr_id) % pair->options.requests];

	if (slot.number < pair->retired || slot.number >= pair->posted || slot.done)
		return;
	if (wc->status)
		blame(slot.op, wc->status, slot.cut);
	/* That may have been the end of all. */
	if (slot.number < pair->retired)
		return;
	retire(pair, slot.number);
	if (pair->state == VERBS_DEAD)
		verbs_flush(pair);
	else
		verbs_post_sends(pair);
}

/* Never trust a length that came from outside. */
static bool too_long(const struct verbs_op *op, const struct ibv_wc *wc)
{
	return wc->opcode != IBV_WC_RECV_RDMA_WITH_IMM && wc->byte_len > op->len;
}

static void received(struct decant_verbs_pair *pair, const struct ibv_wc *wc)
{
	uint32_t at = verbs_place(wc->wr_id) % pair->options.receives;
	struct verbs_op *op = pair->receives[at];

	if (!op)
		return;
	if (wc->status)
		blame(op, wc->status, 0);
	else if (too_long(op, wc))
		blame(op, IBV_WC_LOC_LEN_ERR, 0);
	if (pair->receives[at] != op)
		return;
	pair->receives[at] = NULL;
	pair->spare[pair->nr_spare++] = at;
	op->under_way = 0;
	if (!wc->status && op->result >= 0) {
		op->written = wc->opcode == IBV_WC_RECV_RDMA_WITH_IMM;
		op->with_imm = wc->wc_flags & IBV_WC_WITH_IMM;
		op->imm = op->with_imm ? ntohl(wc->imm_data) : 0;
		op->result = wc->byte_len;
	}
	verbs_settle(op);
	if (pair->state == VERBS_DEAD)
		verbs_flush(pair);
}

static void complete(struct decant_verbs_queue *queue, const struct ibv_wc *wc)
{
	size_t index = (size_t)(wc->wr_id >> 48);
	struct decant_verbs_pair *pair =
		index < queue->max_pairs ? queue->pairs[index] : NULL;

	if (!pair || pair->generation != (uint16_t)(wc->wr_id >> 32))
		return;
	if (wc->wr_id & VERBS_RECEIVE)
		received(pair, wc);
	else
		sent(pair, wc);
}

/* Read one batch; whether there was anything. */
bool verbs_reap(struct decant_verbs_queue *queue)
{
	struct ibv_wc wc[BATCH];
	int n = ibv_poll_cq(queue->cq, BATCH, wc);

	for (int i = 0; i < n; i++)
		complete(queue, &wc[i]);
	if (n < 0)
		queue->broken = n == -1 ? -EIO : n;
	return n > 0;
}

/* Read all that there was, so that its room is there for others. */
void verbs_drain(struct decant_verbs_queue *queue)
{
	size_t batches = queue->entries / BATCH + 1;

	while (batches && verbs_reap(queue))
		batches--;
}
