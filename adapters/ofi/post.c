/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include "probes.h"

/* What a request is made of: the elements, or one bounce buffer. */
struct elements {
	struct iovec one;
	const struct iovec *iov;
	void **desc;
	size_t nr;
	size_t len;
};

static void through_bounce(struct elements *el, struct fabric_bounce *bounce, size_t len)
{
	el->one = (struct iovec){bounce->addr, len};
	el->iov = &el->one;
	el->desc = &bounce->desc;
	el->nr = 1;
	el->len = len;
}

/* Direct elements from the front of the operation; it is advanced past them. */
static int direct(struct decant_ofi *ofi, struct fabric_op *op, struct elements *el)
{
	struct decant_sink *sink = fabric_sink(ofi, op);
	ssize_t n = decant_extract(&op->rest, sink, SIZE_MAX);

	if (n < 0)
		return (int)n;
	el->iov = ofi->table.iov;
	el->desc = ofi->table.desc;
	el->nr = sink->nr;
	el->len = (size_t)n;
	return 0;
}

/*
 * Elements of a read or a write. Tiny ones of a write are not worth a request: gather
 * them if there is room.
 */
static int rma_elements(struct decant_ofi *ofi, struct fabric_op *op,
			struct fabric_request *request, struct elements *el)
{
	struct decant_iter before = op->rest;
	int rc = direct(ofi, op, el);
	size_t most = FABRIC_GATHER;

	if (rc || op->kind == DECANT_OFI_READ || el->len >= FABRIC_TINY ||
	    !decant_iter_count(&op->rest) || most > ofi->info->ep_attr->max_msg_size)
		return rc;
	/* without a buffer wait for one, or go without if none of ours will come back */
	if (fabric_bounce_get(ofi, &request->bounce, most, true))
		return ofi->gathered ? -FI_EAGAIN : 0;
	ofi->gathered++;
	op->rest = before;
	through_bounce(el, &request->bounce,
		       (size_t)decant_copy_to(request->bounce.addr, &op->rest, most));
	return 0;
}

/* Bytes that are posted, from the front of the operation, or a negative errno. */
static ssize_t post_rma_request(struct decant_ofi *ofi, struct fabric_op *op,
				struct fabric_request *request)
{
	struct fi_rma_iov remote = {.addr = op->addr, .key = op->key};
	struct fi_msg_rma message = {.addr = ofi->peer,
				     .rma_iov = &remote,
				     .rma_iov_count = 1,
				     .context = &request->context};
	struct elements el;
	ssize_t rc = rma_elements(ofi, op, request, &el);

	if (rc)
		return rc;
	message.msg_iov = el.iov;
	message.desc = el.desc;
	message.iov_count = el.nr;
	remote.len = el.len;
	rc = op->kind == DECANT_OFI_READ
		     ? fi_readmsg(ofi->ep, &message, fabric_report(ofi, op))
		     : fi_writemsg(ofi->ep, &message,
				   fabric_report(ofi, op) | ofi->delivery);
	return rc ? rc : (ssize_t)el.len;
}

/* 0: all of it is posted; -FI_EAGAIN: not yet. */
static ssize_t post_rma(struct decant_ofi *ofi, struct fabric_op *op)
{
	while (decant_iter_count(&op->rest)) {
		struct decant_iter before = op->rest;
		struct fabric_request *request = fabric_request_get(ofi, op);
		ssize_t n;

		if (!request)
			return -FI_EAGAIN;
		n = post_rma_request(ofi, op, request);
		if (n < 0) {
			op->rest = before;
			fabric_request_put(ofi, request);
			return n;
		}
		fabric_request_posted(ofi, request);
		op->addr += (size_t)n;
	}
	return 0;
}

static ssize_t post_tagged(struct decant_ofi *ofi, const struct fabric_op *op,
			   const struct fi_msg *m, uint64_t flags)
{
	const struct fi_msg_tagged message = {.msg_iov = m->msg_iov,
					      .desc = m->desc,
					      .iov_count = m->iov_count,
					      .addr = m->addr,
					      .tag = op->tag,
					      .ignore = op->ignore,
					      .context = m->context};

	return op->kind == DECANT_OFI_RECV ? fi_trecvmsg(ofi->ep, &message, flags)
					   : fi_tsendmsg(ofi->ep, &message, flags);
}

static ssize_t give_message(struct decant_ofi *ofi, const struct fabric_op *op,
			    const struct fi_msg *message)
{
	uint64_t flags =
		fabric_report(ofi, op) | (fabric_injected(ofi, op) ? FI_INJECT : 0);

	if (op->tagged)
		return post_tagged(ofi, op, message, flags);
	return op->kind == DECANT_OFI_RECV ? fi_recvmsg(ofi->ep, message, flags)
					   : fi_sendmsg(ofi->ep, message, flags);
}

static ssize_t post_message(struct decant_ofi *ofi, struct fabric_op *op)
{
	struct decant_iter before = op->rest;
	struct fi_msg message = {.addr = ofi->peer};
	struct fabric_request *request;
	struct elements el;
	ssize_t rc = 0;

	request = fabric_request_get(ofi, op);
	if (!request)
		return -FI_EAGAIN;
	if (op->bounce.addr)
		through_bounce(&el, &op->bounce, op->len);
	else
		rc = direct(ofi, op, &el);
	op->rest = before;
	if (!rc) {
		message.msg_iov = el.iov;
		/* verbs looks into the list wherever there is one */
		message.desc = fabric_injected(ofi, op) ? NULL : el.desc;
		message.iov_count = el.nr;
		message.context = &request->context;
		rc = give_message(ofi, op, &message);
	}
	if (rc)
		fabric_request_put(ofi, request);
	else
		fabric_request_posted(ofi, request);
	return rc;
}

/* Post from the front only: nothing overtakes what the provider had no room for. */
static void post_list(struct decant_ofi *ofi, struct fabric_list *list)
{
	struct fabric_op *op;

	while ((op = STAILQ_FIRST(list)) && !ofi->dead) {
		bool rma = op->kind == DECANT_OFI_WRITE || op->kind == DECANT_OFI_READ;
		ssize_t rc = rma ? post_rma(ofi, op) : post_message(ofi, op);

		if (rc == -FI_EAGAIN)
			return;
		fabric_list_pop(list);
		op->queued = false;
		if (!rc)
			probe_ofi_submit(ofi, op->user, op->kind, op->len);
		if (rc) {
			op->result = fabric_fail(ofi, rc, "can't transfer");
			if (fabric_peer_gone((int)op->result))
				ofi->dead = (int)op->result;
		}
		fabric_settle(ofi, op);
	}
}

void fabric_post(struct decant_ofi *ofi)
{
	post_list(ofi, &ofi->rx);
	post_list(ofi, &ofi->tx);
}
