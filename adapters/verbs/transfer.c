/* SPDX-License-Identifier: MIT */
/* transfer.c - operations begin. */
#include "internal.h"

/* Whether its memory is written to. */
static bool is_filled(enum decant_verbs_kind kind)
{
	return kind == DECANT_VERBS_RECV || kind == DECANT_VERBS_READ;
}

static int check_state(const struct decant_verbs_pair *pair, enum decant_verbs_kind kind)
{
	if (pair->state == VERBS_DEAD)
		return pair->error;
	if (kind != DECANT_VERBS_RECV)
		return pair->state == VERBS_CONNECTED ? 0 : -ENOTCONN;
	return pair->options.pool ? -EINVAL : 0;
}

static int check_how(const struct decant_verbs_pair *pair, enum decant_verbs_kind kind,
		     const struct decant_verbs_how *how)
{
	if (!how)
		return 0;
	if (how->size != sizeof(*how) || (how->with_imm && is_filled(kind)))
		return -EINVAL;
	if (how->with_imm && !pair->verbs->caps.write_imm)
		return -EOPNOTSUPP;
	return 0;
}

static int check(const struct decant_verbs_pair *pair, enum decant_verbs_kind kind,
		 const struct decant_iter *it, const struct decant_verbs_how *how)
{
	int rc = check_state(pair, kind);

	if (!rc)
		rc = check_how(pair, kind, how);
	if (!rc && it->direction != (is_filled(kind) ? DECANT_DEST : DECANT_SOURCE))
		rc = -EINVAL;
	return rc;
}

/* It can't be refused any more: there will be an event. */
static void enqueue(struct decant_verbs_pair *pair, struct verbs_op *op,
		    const struct decant_verbs_how *how)
{
	if (!op->nr_cuts) {
		verbs_settle(op);
		return;
	}
	op->queued = true;
	STAILQ_INSERT_TAIL(op->kind == DECANT_VERBS_RECV ? &pair->rx : &pair->tx, op,
			   next);
	if (how && how->more)
		pair->queue->needy = true;
	else if (op->kind == DECANT_VERBS_RECV)
		verbs_post_receives(pair);
	else
		verbs_post_sends(pair);
}

static int begin(struct decant_verbs_pair *pair, enum decant_verbs_kind kind,
		 struct decant_iter *it, size_t len, const struct verbs_want *want,
		 void *user)
{
	struct verbs_op *op = verbs_op_get(pair, kind, user);
	int rc;

	if (!op)
		return -EAGAIN;
	op->len = len;
	if (want->how) {
		op->with_imm = want->how->with_imm;
		op->imm = want->how->imm;
	}
	rc = verbs_cut(op, it, want);
	if (rc)
		verbs_op_put(op);
	else
		enqueue(pair, op, want->how);
	return rc;
}

static int begin_message(struct decant_verbs_pair *pair, enum decant_verbs_kind kind,
			 struct decant_iter *it, size_t len,
			 const struct decant_verbs_how *how, void *user)
{
	const struct verbs_want want = {.how = how};
	int rc = check(pair, kind, it, how);

	if (rc)
		return rc;
	len = verbs_least(len, decant_iter_count(it));
	if (len > pair->limits.max_bytes)
		return -EMSGSIZE;
	return begin(pair, kind, it, len, &want, user);
}

int decant_verbs_send(struct decant_verbs_pair *pair, struct decant_iter *it, size_t len,
		      const struct decant_verbs_how *how, void *user)
{
	return begin_message(pair, DECANT_VERBS_SEND, it, len, how, user);
}

int decant_verbs_recv(struct decant_verbs_pair *pair, struct decant_iter *it, size_t len,
		      const struct decant_verbs_how *how, void *user)
{
	return begin_message(pair, DECANT_VERBS_RECV, it, len, how, user);
}

/* Bytes in all ranges, as far as that can be counted. */
static int sum(const struct decant_verbs_remote *remote, size_t nr, size_t *out)
{
	uint64_t all = 0, end;

	for (size_t i = 0; i < nr; i++) {
		if (__builtin_add_overflow(remote[i].addr, remote[i].len, &end) ||
		    __builtin_add_overflow(all, remote[i].len, &all))
			return -EOVERFLOW;
	}
	*out = all;
	return 0;
}

static int begin_rdma(struct decant_verbs_pair *pair, enum decant_verbs_kind kind,
		      struct decant_iter *it, size_t len, const struct verbs_want *want,
		      void *user)
{
	int rc = check(pair, kind, it, want->how);
	size_t there = 0;

	if (!rc)
		rc = sum(want->remote, want->nr, &there);
	if (rc)
		return rc;
	len = verbs_least(verbs_least(len, decant_iter_count(it)), there);
	return begin(pair, kind, it, len, want, user);
}

int decant_verbs_write(struct decant_verbs_pair *pair, struct decant_iter *it, size_t len,
		       const struct decant_verbs_remote *remote, size_t nr,
		       const struct decant_verbs_how *how, void *user)
{
	const struct verbs_want want = {remote, nr, how};

	return begin_rdma(pair, DECANT_VERBS_WRITE, it, len, &want, user);
}

int decant_verbs_read(struct decant_verbs_pair *pair, struct decant_iter *it, size_t len,
		      const struct decant_verbs_remote *remote, size_t nr,
		      const struct decant_verbs_how *how, void *user)
{
	const struct verbs_want want = {remote, nr, how};

	return begin_rdma(pair, DECANT_VERBS_READ, it, len, &want, user);
}
