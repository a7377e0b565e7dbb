/* SPDX-License-Identifier: MIT */
/*
 * post.c - work requests to the device, many in one call. Completions are asked for only
 * where an operation ends, or where the queue does before it.
 */
#include "internal.h"
#include "probes.h"
#include <arpa/inet.h>

_Static_assert(sizeof(struct decant_sge) == sizeof(struct ibv_sge) &&
		       offsetof(struct decant_sge, length) ==
			       offsetof(struct ibv_sge, length) &&
		       offsetof(struct decant_sge, lkey) ==
			       offsetof(struct ibv_sge, lkey),
	       "elements are handed out as they are");

static uint64_t id_of(const struct decant_verbs_pair *pair, uint64_t slot)
{
	return (uint64_t)pair->index << 48 | (uint64_t)pair->generation << 32 | slot;
}

static enum ibv_wr_opcode opcode_of(const struct verbs_op *op, bool last)
{
	bool imm = op->with_imm && last;

	switch (op->kind) {
	case DECANT_VERBS_READ:
		return IBV_WR_RDMA_READ;
	case DECANT_VERBS_WRITE:
		return imm ? IBV_WR_RDMA_WRITE_WITH_IMM : IBV_WR_RDMA_WRITE;
	default:
		return imm ? IBV_WR_SEND_WITH_IMM : IBV_WR_SEND;
	}
}

/*
 * How many work requests of an operation may be posted now. Rather than a few as soon as
 * there is room for a few, it waits for half of the queue.
 */
static size_t budget(const struct decant_verbs_pair *pair, const struct verbs_op *op)
{
	size_t want = op->nr_cuts - op->next_cut, all = pair->options.requests;
	size_t room = all - (size_t)(pair->posted - pair->retired);

	if (op->kind == DECANT_VERBS_READ) {
		if (pair->reads < all)
			all = pair->reads;
		if (pair->reads - pair->reads_under_way < room)
			room = pair->reads - pair->reads_under_way;
	}
	if (want > (all + 1) / 2)
		want = (all + 1) / 2;
	return room < want ? 0 : room;
}

/* The operation's next request, with its place in the send queue. */
static void next_request(struct decant_verbs_pair *pair, struct verbs_op *op,
			 struct ibv_send_wr *wr)
{
	const struct verbs_cut *cut = &op->cuts[op->next_cut];
	size_t at = (size_t)(pair->posted % pair->options.requests);
	bool last = op->next_cut + 1 == op->nr_cuts;

	*wr = (struct ibv_send_wr){
		.wr_id = id_of(pair, at),
		.sg_list = (struct ibv_sge *)(op->sges + op->next_sge),
		.num_sge = (int)cut->elements,
		.opcode = opcode_of(op, last),
		.imm_data = htonl(op->imm),
	};
	if (last || pair->budget == 1 || pair->verbs->signal_all)
		wr->send_flags |= IBV_SEND_SIGNALED;
	if (op->inlined)
		wr->send_flags |= IBV_SEND_INLINE;
	wr->wr.rdma.remote_addr = cut->addr;
	wr->wr.rdma.rkey = cut->rkey;
	pair->slots[at] = (struct verbs_slot){op, pair->posted, op->next_cut, false};
	pair->counts.elements += cut->elements;
	pair->counts.signalled += wr->send_flags & IBV_SEND_SIGNALED ? 1 : 0;
	op->next_sge += cut->elements;
	op->next_cut++;
	op->under_way++;
	pair->reads_under_way += op->kind == DECANT_VERBS_READ;
	pair->posted++;
	pair->budget--;
}

/* A chain of what there is room for, from the front of the list only. */
static unsigned gather(struct decant_verbs_pair *pair, struct ibv_send_wr *chain)
{
	struct verbs_op *op;
	unsigned nr = 0;

	while (nr < VERBS_CHAIN && (op = STAILQ_FIRST(&pair->tx))) {
		if (!pair->budget)
			pair->budget = budget(pair, op);
		if (!pair->budget)
			break;
		next_request(pair, op, &chain[nr]);
		if (nr)
			chain[nr - 1].next = &chain[nr];
		nr++;
		if (op->next_cut == op->nr_cuts) {
			probe_verbs_submit(pair, op->user, op->kind, op->len);
			verbs_list_pop(&pair->tx);
			op->queued = false;
			pair->budget = 0;
		}
	}
	return nr;
}

/*
 * The device takes no more: whose request it was gets the blame, the others end with it.
 */
static void refused(struct decant_verbs_pair *pair, const struct ibv_send_wr *bad, int rc)
{
	const struct verbs_slot *slot =
		&pair->slots[verbs_place(bad->wr_id) % pair->options.requests];
	int error = verbs_errno(rc);

	slot->op->result = error;
	slot->op->failed = slot->cut;
	verbs_kill(pair, verbs_fail(pair, error, "%s: request %zu of %zu was refused",
				    verbs_kind_name(slot->op->kind), slot->cut + 1,
				    slot->op->nr_cuts));
}

void verbs_post_sends(struct decant_verbs_pair *pair)
{
	struct ibv_send_wr chain[VERBS_CHAIN], *bad = chain;
	unsigned nr;
	int rc;

	while (pair->state == VERBS_CONNECTED && (nr = gather(pair, chain))) {
		rc = ibv_post_send(pair->qp, chain, &bad);
		pair->counts.requests += nr;
		pair->counts.posts++;
		if (rc)
			refused(pair, bad ? bad : chain, rc);
	}
	pair->budget = 0;
}

static void next_receive(struct decant_verbs_pair *pair, struct verbs_op *op,
			 struct ibv_recv_wr *wr)
{
	uint32_t at = pair->spare[--pair->nr_spare];

	*wr = (struct ibv_recv_wr){
		.wr_id = id_of(pair, VERBS_RECEIVE | at),
		.sg_list = (struct ibv_sge *)op->sges,
		.num_sge = (int)op->nr_sges,
	};
	pair->receives[at] = op;
	op->queued = false;
	op->under_way = 1;
	op->number = pair->nr_receives++;
	probe_verbs_submit(pair, op->user, op->kind, op->len);
}

static void refused_receive(struct decant_verbs_pair *pair, const struct ibv_recv_wr *bad,
			    int rc)
{
	struct verbs_op *op =
		pair->receives[verbs_place(bad->wr_id) % pair->options.receives];
	int error = verbs_fail(pair, rc, "a receive was refused");

	op->result = error;
	verbs_kill(pair, error);
}

void verbs_post_receives(struct decant_verbs_pair *pair)
{
	struct ibv_recv_wr chain[VERBS_CHAIN], *bad = chain;
	int rc = 0;

	while (!rc && !STAILQ_EMPTY(&pair->rx) &&
	       (pair->state == VERBS_READY || pair->state == VERBS_CONNECTED)) {
		unsigned nr = 0;

		while (nr < VERBS_CHAIN && !STAILQ_EMPTY(&pair->rx)) {
			next_receive(pair, verbs_list_pop(&pair->rx), &chain[nr]);
			if (nr)
				chain[nr - 1].next = &chain[nr];
			nr++;
		}
		rc = ibv_post_recv(pair->qp, chain, &bad);
		if (rc)
			refused_receive(pair, bad ? bad : chain, rc);
	}
}

static int make_message(struct decant_verbs_pair *pair, struct decant_span buffer)
{
	const struct decant_mapping *mapping =
		decant_domain_mapping(pair->domain, buffer.region);
	struct verbs_op *op = verbs_op_get(pair, DECANT_VERBS_MESSAGE, NULL);
	uint64_t offset = (uintptr_t)buffer.addr -
			  (uintptr_t)decant_region_span(buffer.region).addr;

	if (!op)
		return -EAGAIN;
	op->buffer = buffer;
	op->len =
		buffer.len < pair->limits.max_bytes ? buffer.len : pair->limits.max_bytes;
	op->sges[0] = (struct decant_sge){mapping->iova + offset, (uint32_t)op->len,
					  mapping->lkey};
	op->nr_sges = op->nr_cuts = 1;
	op->queued = true;
	STAILQ_INSERT_TAIL(&pair->rx, op, next);
	return 0;
}

/* Buffers of the pool for all receives that there is room for. */
void verbs_refill(struct decant_verbs_pair *pair)
{
	struct decant_pool *pool = pair->options.pool;
	struct decant_span buffer;

	if (!pool || (pair->state != VERBS_READY && pair->state != VERBS_CONNECTED))
		return;
	while (!STAILQ_EMPTY(&pair->free_rx)) {
		buffer = decant_pool_get(pool);
		if (!buffer.addr)
			break;
		if (make_message(pair, buffer))
			decant_pool_put(pool, buffer.addr);
	}
	if (!STAILQ_EMPTY(&pair->free_rx))
		pair->queue->needy = true;
	verbs_post_receives(pair);
}

static struct verbs_op *take_first(struct decant_verbs_pair *pair)
{
	uint32_t first = pair->options.receives;
	struct verbs_op *op;

	for (uint32_t i = 0; i < pair->options.receives; i++)
		if (pair->receives[i] &&
		    (first == pair->options.receives ||
		     pair->receives[i]->number < pair->receives[first]->number))
			first = i;
	if (first == pair->options.receives)
		return NULL;
	op = pair->receives[first];
	pair->receives[first] = NULL;
	pair->spare[pair->nr_spare++] = first;
	return op;
}

/*
 * A connection was not to be: receives that were posted for it wait for the next one, in
 * their order.
 */
void verbs_unpost(struct decant_verbs_pair *pair)
{
	struct verbs_list list = STAILQ_HEAD_INITIALIZER(list);
	struct verbs_op *op;
	int rc;

	if (pair->state != VERBS_READY)
		return;
	rc = verbs_renew(pair);
	if (rc) {
		verbs_kill(pair, rc);
		return;
	}
	pair->generation = ++pair->queue->generation;
	while ((op = take_first(pair)))
		STAILQ_INSERT_TAIL(&list, op, next);
	STAILQ_CONCAT(&list, &pair->rx);
	STAILQ_FOREACH(op, &list, next)
	{
		op->queued = true;
		op->under_way = 0;
	}
	STAILQ_CONCAT(&pair->rx, &list);
}
