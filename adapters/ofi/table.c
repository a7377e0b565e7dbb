/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <stdlib.h>

struct fabric_op *fabric_list_pop(struct fabric_list *list)
{
	struct fabric_op *op = STAILQ_FIRST(list);

	if (op)
		STAILQ_REMOVE_HEAD(list, next);
	return op;
}

/* Requests: @window for sends and writes, and one for each operation that may be a recv.
 */
int fabric_tables_new(struct decant_ofi *ofi)
{
	size_t nr = (size_t)ofi->depth + ofi->window;

	STAILQ_INIT(&ofi->free_tx);
	STAILQ_INIT(&ofi->free_rx);
	STAILQ_INIT(&ofi->uncounted);
	STAILQ_INIT(&ofi->free_ops);
	STAILQ_INIT(&ofi->tx);
	STAILQ_INIT(&ofi->rx);
	STAILQ_INIT(&ofi->done);

	ofi->ops = calloc(ofi->depth, sizeof(*ofi->ops));
	ofi->requests = calloc(nr, sizeof(*ofi->requests));
	if (!ofi->ops || !ofi->requests)
		return fabric_fail(ofi, -FI_ENOMEM, "tables for %u operations",
				   ofi->depth);
	for (unsigned i = 0; i < ofi->depth; i++)
		STAILQ_INSERT_TAIL(&ofi->free_ops, &ofi->ops[i], next);
	while (nr--)
		STAILQ_INSERT_HEAD(nr < ofi->window ? &ofi->free_tx : &ofi->free_rx,
				   &ofi->requests[nr], next);
	return 0;
}

/* How many the provider takes at a time; shm says that there is no memory for more. */
static bool full(const struct decant_ofi *ofi, bool tx)
{
	size_t most = tx ? ofi->window : ofi->info->rx_attr->size;

	return most && (tx ? ofi->tx_inflight : ofi->rx_inflight) >= most;
}

static void count(struct decant_ofi *ofi, bool tx, int by)
{
	unsigned *at = tx ? &ofi->tx_inflight : &ofi->rx_inflight;

	*at = (unsigned)((int)*at + by);
}

/*
 * A request's slot is for sends, writes and reads, or for receives, for good: a provider
 * that reports what it should only count does so when the slot may be in use again, and
 * must not complete a receive by that.
 */
static struct fabric_requests *free_list(struct decant_ofi *ofi, bool tx)
{
	return tx ? &ofi->free_tx : &ofi->free_rx;
}

/* NULL when so many are under way that one more has to wait. */
struct fabric_request *fabric_request_get(struct decant_ofi *ofi, struct fabric_op *op)
{
	bool tx = op->kind != DECANT_OFI_RECV;
	struct fabric_request *request = STAILQ_FIRST(free_list(ofi, tx));

	if (!request || full(ofi, tx))
		return NULL;
	STAILQ_REMOVE_HEAD(free_list(ofi, tx), next);
	count(ofi, tx, 1);
	op->inflight++;
	request->op = op;
	return request;
}

/* The provider has it. */
void fabric_request_posted(struct decant_ofi *ofi, struct fabric_request *request)
{
	if (!fabric_counts(ofi, request->op))
		return;
	STAILQ_INSERT_TAIL(&ofi->uncounted, request, next);
	ofi->posted++;
}

void fabric_request_put(struct decant_ofi *ofi, struct fabric_request *request)
{
	struct fabric_op *op = request->op;
	bool tx = op->kind != DECANT_OFI_RECV;

	ofi->gathered -= request->bounce.addr != NULL;
	fabric_bounce_put(ofi, &request->bounce);
	count(ofi, tx, -1);
	op->inflight--;
	request->op = NULL;
	STAILQ_INSERT_HEAD(free_list(ofi, tx), request, next);
}

/* The request a completion belongs to; NULL if it is none of ours. */
struct fabric_request *fabric_request_of(struct decant_ofi *ofi, void *context)
{
	uintptr_t at = (uintptr_t)context - (uintptr_t)ofi->requests;
	size_t nr = (size_t)ofi->depth + ofi->window;

	if (at % sizeof(struct fabric_request) ||
	    at / sizeof(struct fabric_request) >= nr)
		return NULL;
	return ofi->requests[at / sizeof(struct fabric_request)].op ? context : NULL;
}
