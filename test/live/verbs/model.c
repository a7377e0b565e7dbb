/* SPDX-License-Identifier: MIT */
/*
 * model.c - queue pairs and queues of the device. A broken rule that a device may leave
 * unchecked is an assertion; one that it must report is a status.
 */
#include "model.h"
#include "device.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_SGES   64
#define MOST_INLINE 1024

struct request {
	struct ibv_send_wr send;
	uint64_t id;
	struct ibv_sge sges[MOST_SGES];
	int nr;
	unsigned char bytes[MOST_INLINE];
};

struct ring {
	struct request *slots;
	size_t size, first, nr;
};

struct pair {
	struct ibv_qp base; /* first */
	struct pair *next;
	struct ibv_qp_cap cap;
	struct ring sends, receives;
	struct ring answers; /* iWARP's reads, whose requests have left */
	size_t occupied;     /* slots of the send queue that no completion freed yet */
	size_t ended;	     /* of them, since the last completion */
	size_t reads, most_reads;
	uint32_t peer;
	unsigned rnr_retry;
};

struct queue {
	struct ibv_cq base; /* first */
	struct ibv_wc *wcs;
	size_t *frees; /* slots of the send queue that reading it frees */
	struct pair **pairs;
	size_t size, first, nr;
	bool armed;
	unsigned unacknowledged;
};

static struct pair *pairs;
static uint32_t numbers = 17;

static bool ring_uses(const struct ring *ring, uint32_t lkey)
{
	for (size_t i = 0; i < ring->nr; i++) {
		const struct request *r = &ring->slots[(ring->first + i) % ring->size];

		for (int j = 0; j < r->nr; j++)
			if (r->sges[j].lkey == lkey && r->sges[j].addr)
				return true;
	}
	return false;
}

/* Nobody lets go of memory that a request under way points at. */
void model_deregister(struct ibv_mr *mr)
{
	for (struct pair *p = pairs; p; p = p->next)
		assert(!ring_uses(&p->sends, mr->lkey) &&
		       !ring_uses(&p->answers, mr->lkey) &&
		       !ring_uses(&p->receives, mr->lkey));
	model_forget(mr);
}

/* --- completion queues ------------------------------------------------------------ */

struct ibv_cq *model_queue_new(struct ibv_context *context, int entries, void *user,
			       struct ibv_comp_channel *channel)
{
	struct queue *q = calloc(1, sizeof(*q));

	assert(q && entries > 0);
	q->size = (size_t)entries;
	q->wcs = calloc(q->size, sizeof(*q->wcs));
	q->frees = calloc(q->size, sizeof(*q->frees));
	q->pairs = calloc(q->size, sizeof(struct pair *));
	assert(q->wcs && q->frees && q->pairs);
	q->base.context = context;
	q->base.channel = channel;
	q->base.cq_context = user;
	return &q->base;
}

void model_queue_free(struct ibv_cq *cq)
{
	struct queue *q = (struct queue *)cq;

	assert(!q->unacknowledged);
	for (struct pair *p = pairs; p; p = p->next)
		assert(p->base.send_cq != cq);
	free(q->wcs);
	free(q->frees);
	free(q->pairs);
	free(q);
}

void model_got_event(struct ibv_cq *cq)
{
	((struct queue *)cq)->unacknowledged++;
}

void model_acknowledge(struct ibv_cq *cq, unsigned nr)
{
	struct queue *q = (struct queue *)cq;

	assert(nr <= q->unacknowledged);
	q->unacknowledged -= nr;
}

static void complete(struct pair *p, uint64_t id, enum ibv_wc_status status,
		     enum ibv_wc_opcode opcode, size_t len, const struct request *from,
		     size_t frees)
{
	struct queue *q = (struct queue *)p->base.send_cq;
	size_t at = (q->first + q->nr) % q->size;

	/* an overrun queue loses completions */
	assert(q->nr < q->size);
	q->wcs[at] = (struct ibv_wc){.wr_id = id,
				     .status = status,
				     .opcode = opcode,
				     .byte_len = (uint32_t)len,
				     .qp_num = p->base.qp_num};
	if (from && (from->send.opcode == IBV_WR_SEND_WITH_IMM ||
		     from->send.opcode == IBV_WR_RDMA_WRITE_WITH_IMM)) {
		q->wcs[at].wc_flags = IBV_WC_WITH_IMM;
		q->wcs[at].imm_data = from->send.imm_data;
	}
	q->frees[at] = frees;
	q->pairs[at] = p;
	q->nr++;
	if (!q->armed)
		return;
	q->armed = false;
	assert(write(((struct model_channel *)q->base.channel)->other_end, &q,
		     sizeof(q)) == sizeof(q));
}

/* --- carrying out ----------------------------------------------------------------- */

static struct pair *find(uint32_t number)
{
	struct pair *p = pairs;

	while (p && p->base.qp_num != number)
		p = p->next;
	return p;
}

static struct request *front(struct ring *ring)
{
	return ring->nr ? &ring->slots[ring->first] : NULL;
}

static void drop(struct ring *ring)
{
	ring->first = (ring->first + 1) % ring->size;
	ring->nr--;
}

/* The request in front is over. Failed ones complete whether or not they asked for it. */
static void end_from(struct pair *p, struct ring *ring, enum ibv_wc_status status)
{
	struct request *r = front(ring);
	bool told = status || (r->send.send_flags & IBV_SEND_SIGNALED);
	static const enum ibv_wc_opcode opcodes[] = {
		[IBV_WR_RDMA_WRITE] = IBV_WC_RDMA_WRITE,
		[IBV_WR_RDMA_WRITE_WITH_IMM] = IBV_WC_RDMA_WRITE,
		[IBV_WR_SEND] = IBV_WC_SEND,
		[IBV_WR_SEND_WITH_IMM] = IBV_WC_SEND,
		[IBV_WR_RDMA_READ] = IBV_WC_RDMA_READ};

	p->reads -= r->send.opcode == IBV_WR_RDMA_READ;
	p->ended++;
	drop(ring);
	if (!told)
		return;
	complete(p, r->id, status, opcodes[r->send.opcode], 0, NULL, p->ended);
	p->ended = 0;
}

static void end_send(struct pair *p, enum ibv_wc_status status)
{
	end_from(p, &p->sends, status);
}

static void end_receive(struct pair *p, enum ibv_wc_status status,
			const struct request *from, size_t len)
{
	uint64_t id = front(&p->receives)->id;
	bool written = from && from->send.opcode == IBV_WR_RDMA_WRITE_WITH_IMM;

	drop(&p->receives);
	complete(p, id, status, written ? IBV_WC_RECV_RDMA_WITH_IMM : IBV_WC_RECV, len,
		 from, 0);
}

static void flush(struct pair *p)
{
	p->base.state = IBV_QPS_ERR;
	if (device.forgetful)
		return;
	while (p->answers.nr)
		end_from(p, &p->answers, IBV_WC_WR_FLUSH_ERR);
	while (p->sends.nr)
		end_send(p, IBV_WC_WR_FLUSH_ERR);
	while (p->receives.nr)
		end_receive(p, IBV_WC_WR_FLUSH_ERR, NULL, 0);
}

static void fail(struct pair *p, enum ibv_wc_status status)
{
	end_send(p, status);
	flush(p);
}

static size_t length(const struct request *r)
{
	size_t len = 0;

	for (int i = 0; i < r->nr; i++)
		len += r->sges[i].length;
	return len;
}

static bool keys_fit(const struct request *r, int access)
{
	for (int i = 0; i < r->nr; i++)
		if (!model_lkey_covers(&r->sges[i], access))
			return false;
	return true;
}

static void *at(uint64_t addr)
{
	return (void *)(uintptr_t)addr;
}

/* Between elements and flat memory. */
static void move(const struct request *r, unsigned char *flat, size_t len, bool gather)
{
	for (int i = 0; i < r->nr && len; i++) {
		size_t n = r->sges[i].length < len ? r->sges[i].length : len;

		if (gather)
			memcpy(flat, at(r->sges[i].addr), n);
		else
			memcpy(at(r->sges[i].addr), flat, n);
		flat += n;
		len -= n;
	}
}

static unsigned char *gathered(const struct request *r, size_t len)
{
	unsigned char *flat = malloc(len + 1);

	assert(flat);
	if (r->send.send_flags & IBV_SEND_INLINE)
		memcpy(flat, r->bytes, len);
	else
		move(r, flat, len, true);
	return flat;
}

/* A receive that a message, or a write's immediate data, uses up. 0: go on, 1: wait. */
static int receive(struct pair *p, struct pair *to, const struct request *r, size_t len,
		   bool data)
{
	struct request *into = front(&to->receives);
	unsigned char *flat;

	if (!into) {
		if (p->rnr_retry == 7)
			return 1;
		fail(p, IBV_WC_RNR_RETRY_EXC_ERR);
		return 1;
	}
	if (data && (len > length(into) || !keys_fit(into, IBV_ACCESS_LOCAL_WRITE))) {
		end_receive(to, IBV_WC_LOC_LEN_ERR, NULL, 0);
		fail(p, IBV_WC_REM_INV_REQ_ERR);
		flush(to);
		return 1;
	}
	if (data) {
		flat = gathered(r, len);
		move(into, flat, len, false);
		free(flat);
	}
	end_receive(to, IBV_WC_SUCCESS, r, len);
	return 0;
}

/* Whether something moved. */
static bool carry_out(struct pair *p)
{
	struct request *r = front(&p->sends);
	struct pair *to = find(p->peer);
	bool read = r && r->send.opcode == IBV_WR_RDMA_READ;
	bool inlined = r && (r->send.send_flags & IBV_SEND_INLINE);
	uint64_t addr;
	size_t len, before = p->sends.nr;
	unsigned char *flat;

	if (!r || p->base.state != IBV_QPS_RTS || device.stuck)
		return false;
	if (!to || to->base.state == IBV_QPS_ERR) {
		fail(p, IBV_WC_RETRY_EXC_ERR);
		return true;
	}
	addr = r->send.wr.rdma.remote_addr;
	len = length(r);
	if (!inlined && !keys_fit(r, read ? IBV_ACCESS_LOCAL_WRITE : 0)) {
		fail(p, IBV_WC_LOC_PROT_ERR);
		return true;
	}
	if (r->send.opcode == IBV_WR_SEND || r->send.opcode == IBV_WR_SEND_WITH_IMM) {
		if (!receive(p, to, r, len, true))
			end_send(p, IBV_WC_SUCCESS);
		return p->sends.nr != before;
	}
	if (len &&
	    !model_rkey_covers(r->send.wr.rdma.rkey, addr, len,
			       read ? IBV_ACCESS_REMOTE_READ : IBV_ACCESS_REMOTE_WRITE)) {
		fail(p, IBV_WC_REM_ACCESS_ERR);
		return true;
	}
	if (r->send.opcode == IBV_WR_RDMA_WRITE_WITH_IMM && receive(p, to, r, len, false))
		return p->sends.nr != before;
	if (read && device.iwarp) {
		p->answers.slots[(p->answers.first + p->answers.nr++) % p->answers.size] =
			*r;
		drop(&p->sends);
		return true;
	}
	if (read) {
		move(r, at(addr), len, false);
	} else {
		flat = gathered(r, len);
		memcpy(at(addr), flat, len);
		free(flat);
	}
	end_send(p, IBV_WC_SUCCESS);
	return true;
}

/* Some time after what followed it has left, an answer comes. */
static bool answer(struct pair *p)
{
	struct request *r = front(&p->answers);

	if (!r || p->base.state != IBV_QPS_RTS || device.stuck)
		return false;
	move(r, at(r->send.wr.rdma.remote_addr), length(r), false);
	end_from(p, &p->answers, IBV_WC_SUCCESS);
	return true;
}

static void progress(void)
{
	static unsigned turn;

	for (struct pair *p = pairs; p; p = p->next)
		for (unsigned i = ++turn * 2654435761u >> 30; i && answer(p); i--)
			;
	for (struct pair *p = pairs; p; p = p->next)
		for (unsigned i = ++turn * 2654435761u >> 28; i && carry_out(p); i--)
			;
}

int model_poll(struct ibv_cq *cq, int max, struct ibv_wc *wc)
{
	struct queue *q = (struct queue *)cq;
	int n = 0;

	progress();
	while (n < max && q->nr) {
		if (q->pairs[q->first])
			q->pairs[q->first]->occupied -= q->frees[q->first];
		wc[n++] = q->wcs[q->first];
		q->first = (q->first + 1) % q->size;
		q->nr--;
	}
	return n;
}

int model_notify(struct ibv_cq *cq, int solicited)
{
	assert(!solicited);
	((struct queue *)cq)->armed = true;
	return 0;
}

/* --- queue pairs ------------------------------------------------------------------ */

struct ibv_qp *model_pair_new(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct pair *p = calloc(1, sizeof(*p));

	assert(p && attr->send_cq == attr->recv_cq && !attr->sq_sig_all);
	p->cap = attr->cap;
	p->sends.size = attr->cap.max_send_wr;
	p->receives.size = attr->cap.max_recv_wr;
	p->sends.slots = calloc(p->sends.size, sizeof(struct request));
	p->receives.slots = calloc(p->receives.size, sizeof(struct request));
	p->answers.size = p->sends.size;
	p->answers.slots = calloc(p->answers.size, sizeof(struct request));
	assert(p->sends.slots && p->receives.slots && p->answers.slots);
	p->base = (struct ibv_qp){.context = pd->context,
				  .pd = pd,
				  .send_cq = attr->send_cq,
				  .recv_cq = attr->recv_cq,
				  .qp_num = numbers++,
				  .qp_type = attr->qp_type};
	p->next = pairs;
	pairs = p;
	device.pairs++;
	return &p->base;
}

static void empty(struct pair *p)
{
	struct queue *q = (struct queue *)p->base.send_cq;

	for (size_t i = 0; i < q->nr; i++)
		if (q->pairs[(q->first + i) % q->size] == p)
			q->pairs[(q->first + i) % q->size] = NULL;
	p->sends.nr = p->receives.nr = p->answers.nr = 0;
	p->occupied = p->ended = p->reads = 0;
}

void model_pair_free(struct ibv_qp *qp)
{
	struct pair **link = &pairs, *p = (struct pair *)qp;

	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	empty(p);
	free(p->sends.slots);
	free(p->receives.slots);
	free(p->answers.slots);
	free(p);
	device.pairs--;
}

int model_modify(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	struct pair *p = (struct pair *)qp;

	assert(mask & IBV_QP_STATE);
	switch (attr->qp_state) {
	case IBV_QPS_RESET:
		if (device.iwarp)
			return EINVAL;
		empty(p);
		break;
	case IBV_QPS_INIT:
		assert(qp->state == IBV_QPS_RESET);
		break;
	case IBV_QPS_RTR:
		assert(qp->state == IBV_QPS_INIT && (mask & IBV_QP_DEST_QPN));
		p->peer = attr->dest_qp_num;
		break;
	case IBV_QPS_RTS:
		assert(qp->state == IBV_QPS_RTR);
		p->most_reads = attr->max_rd_atomic;
		p->rnr_retry = attr->rnr_retry;
		break;
	default:
		flush(p);
	}
	qp->state = attr->qp_state;
	return 0;
}

/* What the kernel does where queue pairs are not the program's to move on. */
void model_join(uint32_t number, uint32_t peer)
{
	struct pair *p = find(number);

	assert(p && p->base.state == IBV_QPS_INIT);
	p->base.state = IBV_QPS_RTS;
	p->peer = peer;
	p->most_reads = device.max_reads;
	p->rnr_retry = 7;
}

static void take(struct ring *ring, uint64_t id, const struct ibv_sge *sges, int nr)
{
	struct request *r = &ring->slots[(ring->first + ring->nr) % ring->size];

	*r = (struct request){.id = id, .nr = nr};
	for (int i = 0; i < nr; i++) {
		/* one driver of Linux falls over these */
		assert(sges[i].length);
		r->sges[i] = sges[i];
	}
	ring->nr++;
}

static bool refused(void)
{
	return device.refuse && !--device.refuse;
}

static void check_send(const struct pair *p, const struct ibv_send_wr *wr)
{
	bool read = wr->opcode == IBV_WR_RDMA_READ;
	size_t len = 0;

	for (int i = 0; i < wr->num_sge; i++)
		len += wr->sg_list[i].length;
	assert(wr->num_sge <= (int)(read && device.max_sge_rd < p->cap.max_send_sge
					    ? device.max_sge_rd
					    : p->cap.max_send_sge));
	assert(p->occupied < p->cap.max_send_wr && len <= 1u << 30);
	assert(!read || p->reads < p->most_reads);
	assert(!device.iwarp || (wr->opcode != IBV_WR_SEND_WITH_IMM &&
				 wr->opcode != IBV_WR_RDMA_WRITE_WITH_IMM));
	if (wr->send_flags & IBV_SEND_INLINE)
		assert(!read && len <= p->cap.max_inline_data);
}

int model_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	struct pair *p = (struct pair *)qp;
	struct request *r;

	assert(qp->state == IBV_QPS_RTS || qp->state == IBV_QPS_ERR);
	for (; wr; wr = wr->next) {
		if (refused()) {
			*bad = wr;
			return device.refusal;
		}
		check_send(p, wr);
		take(&p->sends, wr->wr_id, wr->sg_list, wr->num_sge);
		r = &p->sends.slots[(p->sends.first + p->sends.nr - 1) % p->sends.size];
		r->send = *wr;
		p->occupied++;
		p->reads += wr->opcode == IBV_WR_RDMA_READ;
		if (wr->send_flags & IBV_SEND_INLINE) {
			move(r, r->bytes, MOST_INLINE, true);
			for (int i = 0; i < r->nr; i++)
				r->sges[i].addr = 0;
		}
	}
	if (qp->state == IBV_QPS_ERR)
		flush(p);
	/* who sleeps does not poll */
	while (((struct queue *)qp->send_cq)->armed && carry_out(p))
		;
	return 0;
}

int model_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct pair *p = (struct pair *)qp;

	assert(qp->state != IBV_QPS_RESET);
	for (; wr; wr = wr->next) {
		if (refused()) {
			*bad = wr;
			return device.refusal;
		}
		assert(wr->num_sge <= (int)p->cap.max_recv_sge &&
		       p->receives.nr < p->receives.size);
		assert(wr->num_sge || !device.iwarp);
		take(&p->receives, wr->wr_id, wr->sg_list, wr->num_sge);
	}
	if (qp->state == IBV_QPS_ERR)
		flush(p);
	return 0;
}
