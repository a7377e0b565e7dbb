/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include "probes.h"

#define BATCH 32
/* How much of a dying end point's queue is still read, so that what is done counts as
 * done. */
#define LAST_BATCHES 64

/* For the caller to hear of, but for what is only counted. */
static void hand_over(struct decant_ofi *ofi, struct fabric_op *op)
{
	bool silent = fabric_counts(ofi, op) && op->result >= 0;

	if (silent) {
		ofi->counted++;
		probe_ofi_complete(ofi, op->user, op->kind, op->result);
	}
	STAILQ_INSERT_TAIL(silent ? &ofi->free_ops : &ofi->done, op, next);
}

/* An operation with nothing left to post and nothing under way is over. */
void fabric_settle(struct decant_ofi *ofi, struct fabric_op *op)
{
	if (op->queued || op->inflight)
		return;
	if (!op->result && op->kind != DECANT_OFI_RECV)
		op->result = (ssize_t)op->len;
	fabric_bounce_put(ofi, &op->bounce);
	decant_owned_put(op->owned);
	op->owned = NULL;
	hand_over(ofi, op);
}

static void arrived(struct fabric_op *op, size_t len)
{
	if (len > op->len)
		len = op->len; /* never trust a length that came from outside */
	if (op->bounce.addr)
		decant_copy_from(&op->rest, op->bounce.addr, len);
	op->result = (ssize_t)len;
}

/* One request is over. The length is meaningful for what was received only. */
static void complete(struct decant_ofi *ofi, void *context, size_t len, int error)
{
	struct fabric_request *request = fabric_request_of(ofi, context);
	struct fabric_op *op;

	ofi->idle = 0;
	ofi->polled = 0;
	if (!request)
		return;
	op = request->op;
	if (error) {
		if (op->result >= 0)
			op->result = error;
		/* what is not posted yet shall not be */
		decant_iter_truncate(&op->rest, 0);
	} else if (op->kind == DECANT_OFI_RECV) {
		arrived(op, len);
	}
	if (fabric_counts(ofi, op)) {
		ofi->failures += error != 0; /* it is over when all are: see count() */
		return;
	}
	fabric_request_put(ofi, request);
	fabric_settle(ofi, op);
}

/*
 * A counter says how many requests are over, not which, and they needn't end in the order
 * they were posted: so they are when all of them are. It does not count failures; these
 * are taken from the queue. Whether there is something new.
 */
static bool count(struct decant_ofi *ofi)
{
	uint64_t over = fi_cntr_read(ofi->counter) + ofi->failures;
	bool moved = over != ofi->over;
	struct fabric_request *request;

	if (moved) {
		ofi->over = over;
		ofi->idle = 0;
		ofi->polled = 0;
	}
	if (over > ofi->posted)
		ofi->dead = fabric_fail(ofi, -EPROTO, "more counted than was posted");
	while (over == ofi->posted && (request = STAILQ_FIRST(&ofi->uncounted))) {
		struct fabric_op *op = request->op;

		STAILQ_REMOVE_HEAD(&ofi->uncounted, next);
		fabric_request_put(ofi, request);
		fabric_settle(ofi, op);
	}
	return moved;
}

/* In words, as far as the provider has any. */
static int explain(struct decant_ofi *ofi, const struct fi_cq_err_entry *entry)
{
	char text[128] = "";

	fi_cq_strerror(ofi->cq, entry->prov_errno, entry->err_data, text, sizeof(text));
	text[sizeof(text) - 1] = 0;
	if (entry->err == FI_ECANCELED)
		return fabric_fail(
			ofi, -entry->err,
			"transfer ended by the peer, which hung up or refused the "
			"address or the key (provider's code %d)",
			entry->prov_errno);
	return fabric_fail(ofi, -entry->err, "transfer failed (%s%sprovider's code %d)",
			   text, text[0] ? ", " : "", entry->prov_errno);
}

static void failed(struct decant_ofi *ofi)
{
	struct fi_cq_err_entry entry = {0};
	ssize_t n = fi_cq_readerr(ofi->cq, &entry, 0);
	int error;

	if (n == -FI_EAGAIN)
		return;
	if (n < 0) {
		ofi->dead = fabric_fail(ofi, n, "completion queue");
		return;
	}
	error = explain(ofi, &entry);
	if (fabric_peer_gone(error))
		ofi->dead = error;
	complete(ofi, entry.op_context, 0, error);
}

/* Which tag came, where several would have been taken. */
static void complete_tagged(struct decant_ofi *ofi,
			    const struct fi_cq_tagged_entry *entry)
{
	struct fabric_request *request = fabric_request_of(ofi, entry->op_context);

	if (request && request->op->tagged && request->op->kind == DECANT_OFI_RECV)
		request->op->tag = entry->tag;
	complete(ofi, entry->op_context, entry->len, 0);
}

/* Read one batch; whether there may be more. */
static bool reap(struct decant_ofi *ofi)
{
	struct fi_cq_tagged_entry tagged[BATCH];
	struct fi_cq_msg_entry plain[BATCH];
	ssize_t n = fi_cq_read(ofi->cq, ofi->tagged ? (void *)tagged : plain, BATCH);

	for (ssize_t i = 0; i < n; i++) {
		if (ofi->tagged)
			complete_tagged(ofi, &tagged[i]);
		else
			complete(ofi, plain[i].op_context, plain[i].len, 0);
	}
	if (n == -FI_EAVAIL)
		failed(ofi);
	else if (n < 0 && n != -FI_EAGAIN && n != -FI_EINTR)
		ofi->dead = fabric_fail(ofi, n, "completion queue");
	return n == BATCH || n == -FI_EAVAIL;
}

/* Whether the peer of a connection hung up. */
static void watch(struct decant_ofi *ofi)
{
	struct fi_eq_cm_entry entry;
	struct fi_eq_err_entry error = {0};
	uint32_t event;
	ssize_t n = fi_eq_read(ofi->eq, &event, &entry, sizeof(entry), 0);

	if (n == -FI_EAVAIL && fi_eq_readerr(ofi->eq, &error, 0) > 0)
		ofi->dead = fabric_fail(ofi, -error.err, "connection");
	else if (n >= 0 && event == FI_SHUTDOWN)
		ofi->dead = fabric_fail(ofi, -ENOTCONN, "the peer hung up");
	else if (n >= 0 && event == FI_CONNREQ)
		fi_freeinfo(entry.info);
}

static bool waiting_for_peer(const struct decant_ofi *ofi)
{
	return !STAILQ_EMPTY(&ofi->tx) || ofi->tx_inflight;
}

/*
 * Sends and writes may not take for ever. Time between polls counts, but no single gap
 * for more than a quarter of the limit: a caller that was away must get the chance to
 * progress.
 */
static void grow_impatient(struct decant_ofi *ofi)
{
	int64_t now, gap;

	if (!waiting_for_peer(ofi)) {
		ofi->idle = 0;
		ofi->polled = 0;
		return;
	}
	now = fabric_now();
	gap = ofi->polled ? now - ofi->polled : 0;
	ofi->polled = now;
	ofi->idle += gap < ofi->timeout / 4 + 1 ? gap : ofi->timeout / 4 + 1;
	if (ofi->idle > ofi->timeout)
		ofi->dead = fabric_fail(ofi, -ETIMEDOUT, "no progress for %d ms",
					ofi->timeout);
}

static void unqueue(struct fabric_list *list)
{
	struct fabric_op *op;

	while ((op = fabric_list_pop(list)))
		op->queued = false;
}

/* What is under way gets its event; the first that was waiting for the peer says why. */
static void flush(struct decant_ofi *ofi, int error)
{
	size_t nr = (size_t)ofi->depth + ofi->window;

	unqueue(&ofi->tx);
	unqueue(&ofi->rx);
	STAILQ_INIT(&ofi->uncounted);
	for (size_t i = 0; ofi->requests && i < nr; i++)
		if (ofi->requests[i].op)
			fabric_request_put(ofi, &ofi->requests[i]);
	for (unsigned i = 0; ofi->ops && i < ofi->depth; i++) {
		struct fabric_op *op = &ofi->ops[i];

		if (!op->owned)
			continue;
		if (op->result >= 0)
			op->result = op->kind == DECANT_OFI_RECV ? -ECANCELED : error;
		fabric_settle(ofi, op);
	}
}

/*
 * Close the end point, so that the provider lets go of all memory; then flush. Memory
 * that is bound to it has to go before.
 */
void fabric_die(struct decant_ofi *ofi, int error)
{
	ofi->dead = error;
	for (int i = 0; ofi->connected && i < LAST_BATCHES && reap(ofi); i++)
		;
	if (ofi->connected && ofi->counter)
		count(ofi);
	ofi->dead = error;
	__atomic_store_n(&ofi->buried, true, __ATOMIC_RELAXED);
	if (fabric_asks(ofi, FI_MR_ENDPOINT))
		decant_domain_clear(&ofi->domain);
	fabric_endpoint_close(ofi);
	flush(ofi, error);
}

void fabric_progress(struct decant_ofi *ofi)
{
	bool more = true, moved = ofi->counter && count(ofi);

	/* what is counted is in the queue only where it failed, and then nothing moves */
	for (int i = 0; i < 4 && (!moved || ofi->rx_inflight) && more && !ofi->dead; i++)
		more = reap(ofi);
	if (!ofi->dead)
		fabric_post(ofi);
	if (!ofi->dead && !more && ofi->msg)
		watch(ofi);
	if (!ofi->dead && STAILQ_EMPTY(&ofi->done))
		grow_impatient(ofi);
	if (ofi->dead)
		fabric_die(ofi, ofi->dead);
}

int decant_ofi_poll(struct decant_ofi *ofi, struct decant_ofi_event *events, unsigned max)
{
	struct fabric_op *op;
	unsigned n = 0;

	if (ofi->connected && !ofi->buried)
		fabric_progress(ofi);
	while (n < max && (op = fabric_list_pop(&ofi->done))) {
		probe_ofi_complete(ofi, op->user, op->kind, op->result);
		events[n++] = (struct decant_ofi_event){op->user, op->kind, op->result,
							op->tag};
		STAILQ_INSERT_TAIL(&ofi->free_ops, op, next);
	}
	return n || !STAILQ_EMPTY(&ofi->done) ? (int)n : ofi->dead;
}

uint64_t decant_ofi_counted(const struct decant_ofi *ofi)
{
	return ofi->counted;
}

int decant_ofi_fd(struct decant_ofi *ofi, bool *may_sleep)
{
	struct fid *fids[1];

	*may_sleep = false;
	if (!ofi->cq)
		return -1;
	/* what waits to be posted is posted by poll(), and that nobody announces */
	if (ofi->fd >= 0 && STAILQ_EMPTY(&ofi->done) && STAILQ_EMPTY(&ofi->tx) &&
	    STAILQ_EMPTY(&ofi->rx) && STAILQ_EMPTY(&ofi->uncounted) && !ofi->dead) {
		fids[0] = &ofi->cq->fid;
		*may_sleep = !fi_trywait(ofi->fabric, fids, 1);
	}
	return ofi->fd;
}
