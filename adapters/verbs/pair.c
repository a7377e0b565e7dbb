/* SPDX-License-Identifier: MIT */
/* pair.c - queue pairs: made, joined without a connection manager, ended. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/random.h>

#define DEPTH	     64
#define REQUESTS     256
#define INLINE_BYTES 256
#define STAGE_BYTES  ((size_t)16 << 20)
#define MOST	     65536
/*
 * A second, as an exponent (4.096 us << 18). Lost packets are mostly asked for again
 * before; with less, what a busy host only answers late is sent once more.
 */
#define ACK_TIMEOUT 18

static unsigned either(unsigned wanted, unsigned otherwise)
{
	return wanted ? wanted : otherwise;
}

static size_t stricter(size_t wanted, size_t limit)
{
	return wanted && wanted < limit ? wanted : limit;
}

static int take_options(struct decant_verbs_pair *pair,
			const struct decant_verbs_pair_options *given)
{
	const struct decant_verbs_caps *caps = &pair->verbs->caps;
	struct decant_verbs_pair_options *o = &pair->options;

	if (given)
		*o = *given;
	o->depth = either(o->depth, DEPTH);
	o->receives = either(o->receives, DEPTH);
	o->requests = either(o->requests, REQUESTS);
	if (o->depth > MOST || o->receives > MOST || o->requests > MOST ||
	    o->requests > caps->requests || o->receives > caps->requests ||
	    o->retries > 7 || o->rnr_retries > 6 || o->policy < DECANT_TRUST ||
	    o->policy > DECANT_REGISTER)
		return -EINVAL;
	o->retries = either(o->retries, 7);
	o->rnr_retries = either(o->rnr_retries, 7);
	if (!o->stage_bytes)
		o->stage_bytes = STAGE_BYTES;
	if (!o->inline_bytes)
		o->inline_bytes = INLINE_BYTES;
	pair->domain = decant_verbs_domain(pair->verbs, o->uses);
	pair->limits = caps->send;
	pair->read_limits = caps->read;
	pair->reads = stricter(o->reads, caps->reads);
	return pair->domain ? 0 : -EINVAL;
}

static int try_qp(struct decant_verbs_pair *pair, size_t elements, size_t inline_bytes)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = pair->queue->cq,
		.recv_cq = pair->queue->cq,
		.qp_type = IBV_QPT_RC,
		.cap = {.max_send_wr = pair->options.requests,
			.max_recv_wr = pair->options.receives,
			.max_send_sge = (uint32_t)elements,
			.max_recv_sge = (uint32_t)elements,
			.max_inline_data = (uint32_t)inline_bytes},
	};

	errno = EINVAL;
	pair->qp = ibv_create_qp(pair->verbs->pd, &attr);
	if (!pair->qp)
		return -errno;
	pair->inline_bytes = inline_bytes ? attr.cap.max_inline_data : 0;
	pair->limits.max_elements = elements;
	return 0;
}

/* A device may not give all it has at once: with less, but with something. */
static int make_qp(struct decant_verbs_pair *pair)
{
	const struct decant_verbs_pair_options *o = &pair->options;
	size_t elements = stricter(o->elements, pair->limits.max_elements);
	size_t most_inline = o->inline_bytes < 4096	   ? o->inline_bytes
			     : o->inline_bytes == SIZE_MAX ? 0
							   : 4096;
	int rc = -EINVAL;

	for (; rc && rc != -ENOMEM && elements; elements /= 2)
		for (size_t n = most_inline; rc && rc != -ENOMEM; n /= 2) {
			rc = try_qp(pair, elements, n);
			if (!n)
				break;
		}
	return rc;
}

/* What was wanted and what there is; a request has no more than the queue pair takes. */
static void settle_limits(struct decant_verbs_pair *pair)
{
	size_t elements = pair->limits.max_elements;
	size_t bytes = stricter(pair->options.request_bytes, pair->limits.max_bytes);

	pair->write_limits = pair->limits;
	pair->write_limits.max_bytes = bytes;
	pair->read_limits.max_bytes = bytes;
	pair->read_limits.max_elements =
		stricter(elements, pair->read_limits.max_elements);
}

/* Milliseconds. */
int64_t verbs_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int build(struct decant_verbs_pair *pair)
{
	struct decant_pool *pool = pair->options.pool;
	int rc = make_qp(pair);

	if (getrandom(&pair->psn, sizeof(pair->psn), GRND_NONBLOCK) < 0)
		pair->psn = (uint32_t)verbs_now();
	pair->psn &= 0xffffff;
	if (!rc) {
		settle_limits(pair);
		rc = verbs_tables_new(pair);
	}
	if (!rc && pool)
		rc = decant_domain_map(pair->domain, decant_pool_region(pool));
	if (!rc)
		rc = verbs_queue_add(pair->queue, pair);
	return rc;
}

static void destroy(struct decant_verbs_pair *pair)
{
	if (pair->qp)
		ibv_destroy_qp(pair->qp);
	verbs_forget(pair);
	verbs_tables_free(pair);
	decant_pool_free(pair->scratch);
	free(pair);
}

int decant_verbs_pair_new(struct decant_verbs_pair **out,
			  struct decant_verbs_queue *queue,
			  const struct decant_verbs_pair_options *options)
{
	struct decant_verbs_pair *pair;
	int rc;

	if (options && options->size != sizeof(*options))
		return -EINVAL;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return -ENOMEM;
	pair->verbs = queue->verbs;
	pair->queue = queue;
	rc = take_options(pair, options);
	if (!rc)
		rc = build(pair);
	if (rc) {
		destroy(pair);
		return rc;
	}
	*out = pair;
	return 0;
}

bool verbs_quiet(const struct decant_verbs_pair *pair)
{
	return pair->posted == pair->retired && pair->nr_spare == pair->options.receives;
}

void decant_verbs_pair_free(struct decant_verbs_pair *pair)
{
	int64_t until = verbs_now() + VERBS_LINGER;

	if (!pair)
		return;
	verbs_hang_up(pair);
	verbs_die(pair, -ECANCELED);
	while (!verbs_quiet(pair) && verbs_now() < until)
		verbs_reap(pair->queue);
	if (!verbs_quiet(pair))
		verbs_kill(pair, -ECANCELED);
	pair->state = VERBS_DEAD;
	verbs_flush(pair);
	verbs_drain(pair->queue);
	verbs_queue_remove(pair->queue, pair);
	destroy(pair);
}

void decant_verbs_pair_info(const struct decant_verbs_pair *pair,
			    struct decant_verbs_pair_info *info)
{
	*info = pair->counts;
	info->limits = pair->limits;
	info->write = pair->write_limits;
	info->read = pair->read_limits;
	info->inline_bytes = pair->inline_bytes;
	info->reads = pair->reads;
	info->error = pair->state == VERBS_DEAD ? pair->error : 0;
	info->connected = pair->state == VERBS_CONNECTED;
	info->under_way = pair->handed;
}

/* Receives may be posted from here on. @attr comes from rdma_cm or is ours. */
int verbs_pair_init(struct decant_verbs_pair *pair, struct ibv_qp_attr *attr, int mask)
{
	int rc;

	attr->qp_state = IBV_QPS_INIT;
	attr->qp_access_flags =
		IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE;
	rc = ibv_modify_qp(pair->qp, attr, mask | IBV_QP_STATE | IBV_QP_ACCESS_FLAGS);
	if (rc)
		return verbs_fail(pair, rc, "the queue pair can't be initialised");
	pair->state = VERBS_READY;
	verbs_refill(pair);
	verbs_post_receives(pair);
	return pair->state == VERBS_DEAD ? pair->error : 0;
}

void verbs_pair_connected(struct decant_verbs_pair *pair, size_t reads)
{
	pair->reads = stricter(pair->options.reads,
			       stricter(pair->verbs->caps.reads, reads ? reads : 1));
	pair->state = VERBS_CONNECTED;
	pair->error = 0;
	pair->text[0] = 0;
}

/* Of the port's addresses, one that other networks can reach if there is one. */
static int choose_gid(const struct decant_verbs *verbs, struct ibv_gid_entry *best)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	int rc = -EADDRNOTAVAIL, score = 0;

	for (uint32_t i = 0; i < (uint32_t)verbs->port.gid_tbl_len; i++) {
		struct ibv_gid_entry entry;
		int points = 1;

		if (ibv_query_gid_ex(verbs->context, verbs->caps.port, i, &entry, 0))
			continue;
		if (entry.gid_type == IBV_GID_TYPE_ROCE_V2)
			points = memcmp(entry.gid.raw, mapped, 12) ? 2 : 3;
		if (points <= score)
			continue;
		score = points;
		*best = entry;
		rc = 0;
	}
	return rc;
}

int decant_verbs_address(const struct decant_verbs_pair *pair,
			 struct decant_verbs_address *address)
{
	const struct decant_verbs *verbs = pair->verbs;
	size_t served = verbs->caps.served;
	struct ibv_gid_entry gid = {0};

	if (verbs->caps.transport == DECANT_VERBS_IWARP)
		return -EOPNOTSUPP;
	if (choose_gid(verbs, &gid) && verbs->caps.transport == DECANT_VERBS_ROCE)
		return -EADDRNOTAVAIL;
	*address = (struct decant_verbs_address){
		.number = pair->qp ? pair->qp->qp_num : 0,
		.psn = pair->psn,
		.lid = verbs->port.lid,
		.mtu = (uint8_t)verbs->port.active_mtu,
		.reads = (uint8_t)(served < 255 ? served : 255),
	};
	memcpy(address->gid, gid.gid.raw, sizeof(address->gid));
	return 0;
}

static int to_ready(struct decant_verbs_pair *pair)
{
	struct ibv_qp_attr attr = {.port_num = (uint8_t)pair->verbs->caps.port};

	return verbs_pair_init(pair, &attr, IBV_QP_PKEY_INDEX | IBV_QP_PORT);
}

static int to_receive(struct decant_verbs_pair *pair,
		      const struct decant_verbs_address *peer)
{
	const struct decant_verbs *verbs = pair->verbs;
	uint8_t mtu = (uint8_t)verbs->port.active_mtu;
	struct ibv_gid_entry gid = {0};
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = (enum ibv_mtu)(peer->mtu < mtu ? peer->mtu : mtu),
		.dest_qp_num = peer->number,
		.rq_psn = peer->psn,
		.max_dest_rd_atomic = (uint8_t)stricter(verbs->caps.served, 255),
		.min_rnr_timer = 12,
		.ah_attr = {.dlid = peer->lid, .port_num = (uint8_t)verbs->caps.port},
	};

	if (!choose_gid(verbs, &gid)) {
		attr.ah_attr.is_global = 1;
		memcpy(attr.ah_attr.grh.dgid.raw, peer->gid, sizeof(peer->gid));
		attr.ah_attr.grh.sgid_index = (uint8_t)gid.gid_index;
		attr.ah_attr.grh.hop_limit = 64;
	}
	return ibv_modify_qp(pair->qp, &attr,
			     IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
				     IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
				     IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
}

static int to_send(struct decant_verbs_pair *pair, size_t reads)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.sq_psn = pair->psn,
		.timeout = ACK_TIMEOUT,
		.retry_cnt = (uint8_t)pair->options.retries,
		.rnr_retry = (uint8_t)pair->options.rnr_retries,
		.max_rd_atomic = (uint8_t)stricter(reads, 255),
	};

	return ibv_modify_qp(pair->qp, &attr,
			     IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
				     IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
				     IBV_QP_MAX_QP_RD_ATOMIC);
}

int decant_verbs_join(struct decant_verbs_pair *pair,
		      const struct decant_verbs_address *peer)
{
	size_t reads = stricter(pair->verbs->caps.reads, peer->reads ? peer->reads : 1);
	int rc;

	if (pair->verbs->caps.transport == DECANT_VERBS_IWARP)
		return -EOPNOTSUPP;
	if (pair->state != VERBS_NEW)
		return -EISCONN;
	if (peer->number > 0xffffff || peer->psn > 0xffffff || peer->mtu < IBV_MTU_256 ||
	    peer->mtu > IBV_MTU_4096)
		return -EINVAL;
	rc = to_ready(pair);
	if (rc)
		return rc;
	rc = to_receive(pair, peer);
	if (!rc)
		rc = to_send(pair, reads);
	if (rc) {
		rc = verbs_fail(pair, rc, "the queue pair can't be joined to its peer");
		verbs_die(pair, rc);
		return rc;
	}
	verbs_pair_connected(pair, reads);
	return 0;
}

int decant_verbs_disconnect(struct decant_verbs_pair *pair)
{
	if (pair->state == VERBS_NEW)
		return -ENOTCONN;
	verbs_hang_up(pair);
	verbs_die(pair, -ECANCELED);
	return 0;
}

/*
 * From any state to a queue pair that nothing was ever posted to; iWARP has no way back.
 * After a connection by address it gets a new number: the peer's connection manager
 * refuses the old one for a while, as a connection that it believes to be over.
 */
int verbs_renew(struct decant_verbs_pair *pair)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};
	size_t inline_bytes = pair->inline_bytes;
	int rc;

	if (pair->qp && (pair->managed || ibv_modify_qp(pair->qp, &attr, IBV_QP_STATE))) {
		ibv_destroy_qp(pair->qp);
		pair->qp = NULL;
	}
	pair->managed = false;
	rc = pair->qp ? 0 : try_qp(pair, pair->limits.max_elements, inline_bytes);
	/* it may have more now; the operations have not */
	pair->inline_bytes = verbs_least(pair->inline_bytes, inline_bytes);
	if (!rc)
		pair->state = VERBS_NEW;
	return rc;
}

int decant_verbs_pair_reset(struct decant_verbs_pair *pair)
{
	int rc;

	if (pair->state != VERBS_DEAD)
		return pair->state == VERBS_NEW ? 0 : -EBUSY;
	verbs_drain(pair->queue);
	if (pair->handed || !verbs_quiet(pair))
		return -EBUSY;
	verbs_hang_up(pair);
	verbs_forget(pair);
	rc = verbs_renew(pair);
	if (!rc)
		pair->error = 0;
	return rc;
}
