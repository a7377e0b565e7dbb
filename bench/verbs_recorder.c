/* SPDX-License-Identifier: MIT */
/*
 * verbs_recorder.c - a device that is always done at once and moves nothing (the names
 * are those of test/live/verbs/device.c): what is left is the price of getting there.
 */
#include <stdlib.h>
#include "model.h"
#include "verbs_recorder.h"

struct recorder recorder;

#define WAITING 1024

static struct {
	struct ibv_cq base;
	struct ibv_wc wcs[WAITING];
	size_t first, nr;
} queue;

void model_deregister(struct ibv_mr *mr)
{
	model_forget(mr);
}

struct ibv_cq *model_queue_new(struct ibv_context *context, int entries, void *user,
			       struct ibv_comp_channel *channel)
{
	(void)entries;
	queue.base.context = context;
	queue.base.cq_context = user;
	queue.base.channel = channel;
	return &queue.base;
}

void model_queue_free(struct ibv_cq *cq)
{
	(void)cq;
}

void model_got_event(struct ibv_cq *cq)
{
	(void)cq;
}

void model_acknowledge(struct ibv_cq *cq, unsigned nr)
{
	(void)cq;
	(void)nr;
}

int model_notify(struct ibv_cq *cq, int solicited)
{
	(void)cq;
	return solicited;
}

int model_poll(struct ibv_cq *cq, int max, struct ibv_wc *wc)
{
	int n = 0;

	(void)cq;
	for (; n < max && queue.nr; n++, queue.nr--)
		wc[n] = queue.wcs[queue.first++ % WAITING];
	return n;
}

struct ibv_qp *model_pair_new(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct ibv_qp *qp = calloc(1, sizeof(*qp));

	if (qp) {
		qp->context = pd->context;
		qp->pd = pd;
		qp->send_cq = attr->send_cq;
		qp->recv_cq = attr->recv_cq;
	}
	return qp;
}

void model_pair_free(struct ibv_qp *qp)
{
	free(qp);
}

int model_modify(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	(void)mask;
	qp->state = attr->qp_state;
	return 0;
}

/* Every element is looked at, as a driver does that copies it into a queue. */
int model_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	(void)bad;
	recorder.posts++;
	for (; wr; wr = wr->next) {
		recorder.requests++;
		recorder.elements += (size_t)wr->num_sge;
		for (int i = 0; i < wr->num_sge; i++)
			recorder.sum += wr->sg_list[i].addr ^ wr->sg_list[i].lkey;
		if (!(wr->send_flags & IBV_SEND_SIGNALED))
			continue;
		recorder.completions++;
		queue.wcs[(queue.first + queue.nr++) % WAITING] =
			(struct ibv_wc){.wr_id = wr->wr_id, .qp_num = qp->qp_num};
	}
	return 0;
}

int model_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	(void)qp;
	(void)wr;
	(void)bad;
	return 0;
}
