/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <string.h>

/* Whether every byte lies in memory that has a key, where the provider asks for keys. */
static int check_keys(struct decant_ofi *ofi, const struct fabric_op *op)
{
	struct decant_iter it = op->rest;
	struct decant_sink count;
	ssize_t n;

	if (!fabric_needs_keys(ofi, op))
		return 0;
	decant_sink_count(&count);
	count.domain = &ofi->domain;
	count.policy = DECANT_REFUSE;
	n = decant_extract_all(&it, &count, SIZE_MAX);
	return n < 0 ? (int)n : 0;
}

/* A message has to fit into one request: if it is in too many pieces, go through a
 * bounce. */
static int fit(struct decant_ofi *ofi, struct fabric_op *op)
{
	bool recv = op->kind == DECANT_OFI_RECV;
	struct decant_sink *sink = fabric_sink(ofi, op);
	struct decant_iter it = op->rest;
	ssize_t n = decant_extract(&it, sink, op->len);
	int rc;

	if (n < 0)
		return (int)n;
	if ((size_t)n == op->len)
		return 0;
	rc = fabric_bounce_get(ofi, &op->bounce, op->len, false);
	if (rc || recv)
		return rc;
	it = op->rest;
	n = decant_copy_to(op->bounce.addr, &it, op->len);
	return n == (ssize_t)op->len ? 0 : n < 0 ? (int)n : -EFAULT;
}

static int prepare(struct decant_ofi *ofi, struct fabric_op *op, struct decant_iter *it,
		   size_t len)
{
	struct decant_own_options own = {
		.size = sizeof(own), .space = ofi->space, .policy = DECANT_TRUST};
	int rc;

	op->owned = decant_iter_own(it, len, &own);
	if (!op->owned)
		return own.error ? own.error : -ENOMEM;
	op->rest = decant_owned_iter(op->owned);
	op->len = decant_iter_count(&op->rest);
	rc = check_keys(ofi, op);
	if (!rc && (op->kind == DECANT_OFI_SEND || op->kind == DECANT_OFI_RECV))
		rc = fit(ofi, op);
	return rc;
}

static int may_begin(struct decant_ofi *ofi, const struct decant_iter *it,
		     enum decant_ofi_kind kind)
{
	if (ofi->dead)
		return ofi->dead;
	if (!ofi->connected)
		return -ENOTCONN;
	if (it->direction != (kind == DECANT_OFI_RECV || kind == DECANT_OFI_READ
				      ? DECANT_DEST
				      : DECANT_SOURCE))
		return -EINVAL;
	return STAILQ_EMPTY(&ofi->free_ops) ? -EAGAIN : 0;
}

static struct fabric_op *take_op(struct decant_ofi *ofi, enum decant_ofi_kind kind,
				 void *user)
{
	struct fabric_op *op = fabric_list_pop(&ofi->free_ops);

	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->user = user;
	return op;
}

/* Everything that can be refused is refused here; from then on there will be an event. */
static int begin(struct decant_ofi *ofi, struct fabric_op *op, struct decant_iter *it,
		 size_t len)
{
	struct decant_iter before = *it;
	int rc = prepare(ofi, op, it, len);

	if (rc) {
		*it = before;
		fabric_bounce_put(ofi, &op->bounce);
		decant_owned_put(op->owned);
		op->owned = NULL;
		STAILQ_INSERT_TAIL(&ofi->free_ops, op, next);
		return rc;
	}
	op->queued = true;
	STAILQ_INSERT_TAIL(op->kind == DECANT_OFI_RECV ? &ofi->rx : &ofi->tx, op, next);
	fabric_post(ofi);
	return 0;
}

/* How messages are matched; NULL: in the order of the receives. */
struct match {
	uint64_t tag;
	uint64_t ignore;
};

static int begin_message(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
			 const struct match *match, void *user, enum decant_ofi_kind kind)
{
	int rc = may_begin(ofi, it, kind);
	struct fabric_op *op;

	if (rc)
		return rc;
	if (match && !ofi->tagged)
		return -EOPNOTSUPP;
	if (fabric_least(len, decant_iter_count(it)) > ofi->info->ep_attr->max_msg_size)
		return -EMSGSIZE;
	op = take_op(ofi, kind, user);
	if (match) {
		op->tagged = true;
		op->tag = match->tag;
		op->ignore = match->ignore;
	}
	return begin(ofi, op, it, len);
}

int decant_ofi_send(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
		    void *user)
{
	return begin_message(ofi, it, len, NULL, user, DECANT_OFI_SEND);
}

int decant_ofi_recv(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
		    void *user)
{
	return begin_message(ofi, it, len, NULL, user, DECANT_OFI_RECV);
}

int decant_ofi_send_tagged(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
			   uint64_t tag, void *user)
{
	const struct match match = {.tag = tag};

	return begin_message(ofi, it, len, &match, user, DECANT_OFI_SEND);
}

int decant_ofi_recv_tagged(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
			   uint64_t tag, uint64_t ignore, void *user)
{
	const struct match match = {tag, ignore};

	return begin_message(ofi, it, len, &match, user, DECANT_OFI_RECV);
}

static int begin_rma(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
		     const struct decant_ofi_remote *remote, uint64_t offset, void *user,
		     enum decant_ofi_kind kind)
{
	int rc = may_begin(ofi, it, kind);
	struct fabric_op *op;
	uint64_t addr, end;

	if (rc)
		return rc;
	if (__builtin_add_overflow(remote->addr, offset, &addr) ||
	    __builtin_add_overflow(addr, fabric_least(len, decant_iter_count(it)), &end))
		return -EOVERFLOW;
	op = take_op(ofi, kind, user);
	op->addr = addr;
	op->key = remote->key;
	return begin(ofi, op, it, len);
}

int decant_ofi_write(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
		     const struct decant_ofi_remote *remote, uint64_t offset, void *user)
{
	return begin_rma(ofi, it, len, remote, offset, user, DECANT_OFI_WRITE);
}

int decant_ofi_read(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
		    const struct decant_ofi_remote *remote, uint64_t offset, void *user)
{
	return begin_rma(ofi, it, len, remote, offset, user, DECANT_OFI_READ);
}
