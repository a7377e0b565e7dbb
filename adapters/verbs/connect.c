/* SPDX-License-Identifier: MIT */
/*
 * connect.c - connections by address. The queue pair stays ours: the connection manager
 * says which attributes it needs in which state, and is told its number.
 */
#include "internal.h"
#include "manager.h"
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/epoll.h>

#define TIMEOUT_MS 10000

/* One end point more on an event channel of its own, which the queue's sleepers watch. */
static int begin(struct decant_verbs_pair *pair, struct rdma_cm_id *id)
{
	struct epoll_event event = {.events = EPOLLIN};

	verbs_forget(pair);
	pair->managed = true;
	pair->private_len = 0;
	errno = ENOMEM;
	pair->channel = rdma_create_event_channel();
	if (!pair->channel)
		return -errno;
	if (id ? rdma_migrate_id(id, pair->channel)
	       : rdma_create_id(pair->channel, &pair->id, pair, RDMA_PS_TCP))
		return -errno;
	if (id)
		pair->id = id;
	if (manager_unblock(pair->channel) ||
	    epoll_ctl(pair->queue->epoll, EPOLL_CTL_ADD, pair->channel->fd, &event))
		return -errno;
	return 0;
}

void verbs_forget(struct decant_verbs_pair *pair)
{
	if (pair->id)
		rdma_destroy_id(pair->id);
	pair->id = NULL;
	if (pair->channel)
		rdma_destroy_event_channel(pair->channel);
	pair->channel = NULL;
}

/* Tell the peer, if there is one to be told. */
void verbs_hang_up(struct decant_verbs_pair *pair)
{
	if (pair->id && pair->state != VERBS_NEW && !pair->hung_up)
		rdma_disconnect(pair->id);
	pair->hung_up = true;
}

/* Whether the peer hung up, or the device is gone. */
void verbs_watch(struct decant_verbs_pair *pair)
{
	struct rdma_cm_event *event;

	while (pair->channel && !rdma_get_cm_event(pair->channel, &event)) {
		enum rdma_cm_event_type type = event->event;

		rdma_ack_cm_event(event);
		if (pair->state == VERBS_DEAD)
			continue;
		if (type == RDMA_CM_EVENT_DISCONNECTED)
			verbs_die(pair,
				  verbs_fail(pair, -ECONNRESET, "the peer hung up"));
		else if (type == RDMA_CM_EVENT_DEVICE_REMOVAL)
			verbs_die(pair,
				  verbs_fail(pair, -ENODEV, "the device was removed"));
	}
}

static void keep_private(struct decant_verbs_pair *pair,
			 const struct rdma_cm_event *event)
{
	size_t len =
		event->param.conn.private_data ? event->param.conn.private_data_len : 0;

	if (!len)
		return;
	memcpy(pair->private_data, event->param.conn.private_data, len);
	pair->private_len = len;
}

const void *decant_verbs_private(const struct decant_verbs_pair *pair, size_t *len)
{
	*len = pair->private_len;
	return pair->private_data;
}

/*
 * Wait for one event. What comes instead of it says why it won't: rdma_get_cm_event(3)
 * gives an errno for some, and for others the connection manager's reason.
 */
static int expect(struct decant_verbs_pair *pair, enum rdma_cm_event_type wanted,
		  struct rdma_conn_param *param, int64_t until)
{
	struct rdma_cm_event *event;
	enum rdma_cm_event_type type;
	int rc = manager_wait(pair->channel, &event, until), status;

	if (rc)
		return rc;
	type = event->event;
	status = event->status;
	keep_private(pair, event);
	if (param)
		*param = event->param.conn;
	rdma_ack_cm_event(event);
	if (type == wanted)
		return 0;
	if (type == RDMA_CM_EVENT_ESTABLISHED && wanted == RDMA_CM_EVENT_CONNECT_RESPONSE)
		return 1;
	return manager_error(type, status);
}

static int resolve(struct decant_verbs_pair *pair,
		   const struct decant_verbs_connect_options *options, int64_t until)
{
	struct rdma_addrinfo *there = NULL, *here = NULL;
	int rc = manager_address(options->node, options->service, false, &there);

	if (!rc && options->source)
		rc = manager_address(options->source, NULL, true, &here);
	if (!rc && rdma_resolve_addr(pair->id, here ? here->ai_src_addr : NULL,
				     there->ai_dst_addr, manager_left(until)))
		rc = -errno;
	if (there)
		rdma_freeaddrinfo(there);
	if (here)
		rdma_freeaddrinfo(here);
	if (!rc)
		rc = expect(pair, RDMA_CM_EVENT_ADDR_RESOLVED, NULL, until);
	if (rc)
		return rc;
	if (pair->id->verbs != pair->verbs->context)
		return -EXDEV;
	if (rdma_resolve_route(pair->id, manager_left(until)))
		return -errno;
	return expect(pair, RDMA_CM_EVENT_ROUTE_RESOLVED, NULL, until);
}

static int to_ready(struct decant_verbs_pair *pair)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT};
	int mask;

	if (rdma_init_qp_attr(pair->id, &attr, &mask))
		return -errno;
	return verbs_pair_init(pair, &attr, mask);
}

/* On to a state for which the connection manager knows what else is needed. */
static int to_state(struct decant_verbs_pair *pair, enum ibv_qp_state state, size_t serve,
		    size_t reads)
{
	struct ibv_qp_attr attr = {.qp_state = state};
	int mask;

	if (rdma_init_qp_attr(pair->id, &attr, &mask))
		return -errno;
	attr.max_dest_rd_atomic = (uint8_t)serve;
	attr.max_rd_atomic = (uint8_t)reads;
	/* the connection manager has the peer's wishes here; ours are ours */
	attr.retry_cnt = (uint8_t)pair->options.retries;
	attr.rnr_retry = (uint8_t)pair->options.rnr_retries;
	return verbs_errno(ibv_modify_qp(pair->qp, &attr, mask));
}

/* What both sides can do; each says how many reads it serves and how many it begins. */
static struct rdma_conn_param offer(const struct decant_verbs_pair *pair)
{
	const struct decant_verbs_caps *caps = &pair->verbs->caps;
	size_t reads = pair->options.reads ? pair->options.reads : caps->reads;

	return (struct rdma_conn_param){
		.responder_resources = (uint8_t)verbs_least(caps->served, 255),
		.initiator_depth =
			(uint8_t)verbs_least(verbs_least(caps->reads, reads), 255),
		.retry_count = (uint8_t)pair->options.retries,
		.rnr_retry_count = (uint8_t)pair->options.rnr_retries,
		.qp_num = pair->qp->qp_num,
	};
}

static int go(struct decant_verbs_pair *pair, const struct rdma_conn_param *agreed)
{
	int rc = 0;

	/* iWARP's queue pairs are moved on by the kernel */
	if (pair->verbs->caps.transport != DECANT_VERBS_IWARP)
		rc = to_state(pair, IBV_QPS_RTR, agreed->responder_resources,
			      agreed->initiator_depth);
	if (!rc && pair->verbs->caps.transport != DECANT_VERBS_IWARP)
		rc = to_state(pair, IBV_QPS_RTS, agreed->responder_resources,
			      agreed->initiator_depth);
	return rc;
}

/* What the peer's side of an agreement is for us: its depth is what we serve. */
static struct rdma_conn_param mirrored(const struct decant_verbs_pair *pair,
				       const struct rdma_conn_param *theirs)
{
	struct rdma_conn_param ours = offer(pair);

	ours.responder_resources = (uint8_t)verbs_least(ours.responder_resources,
							theirs->responder_resources);
	ours.initiator_depth =
		(uint8_t)verbs_least(ours.initiator_depth, theirs->initiator_depth);
	return ours;
}

static int call(struct decant_verbs_pair *pair,
		const struct decant_verbs_connect_options *options, int64_t until)
{
	struct rdma_conn_param param, theirs = {0};
	int rc = resolve(pair, options, until);

	if (!rc)
		rc = to_ready(pair);
	if (rc)
		return rc;
	param = offer(pair);
	param.private_data = options->private_data;
	param.private_data_len = (uint8_t)options->private_len;
	if (rdma_connect(pair->id, &param))
		return -errno;
	rc = expect(pair, RDMA_CM_EVENT_CONNECT_RESPONSE, &theirs, until);
	if (rc < 0)
		return rc;
	param = mirrored(pair, &theirs);
	if (!rc) {
		rc = go(pair, &param);
		if (!rc && rdma_establish(pair->id))
			rc = -errno;
	} else {
		rc = 0;
	}
	if (!rc)
		verbs_pair_connected(pair, param.initiator_depth);
	return rc;
}

static bool connectable(const struct decant_verbs_connect_options *options)
{
	return options->size == sizeof(*options) && options->node && options->service &&
	       options->timeout >= 0 &&
	       options->private_len <= DECANT_VERBS_CONNECT_PRIVATE;
}

/* After a failure all is as it was before, but for the text and the peer's words. */
static int give_up(struct decant_verbs_pair *pair, int rc)
{
	verbs_unpost(pair);
	verbs_forget(pair);
	return rc;
}

int decant_verbs_connect(struct decant_verbs_pair *pair,
			 const struct decant_verbs_connect_options *options)
{
	int rc;

	if (!connectable(options))
		return -EINVAL;
	if (pair->state != VERBS_NEW)
		return -EISCONN;
	pair->hung_up = false;
	rc = begin(pair, NULL);
	if (!rc)
		rc = call(pair, options,
			  manager_deadline(options->timeout ? options->timeout
							    : TIMEOUT_MS));
	if (!rc)
		return 0;
	return give_up(pair, verbs_fail(pair, rc, "can't connect to %s, port %s",
					options->node, options->service));
}

static int answer(struct decant_verbs_pair *pair, const struct rdma_conn_param *theirs,
		  const void *private_data, size_t private_len, int64_t until)
{
	struct rdma_conn_param param;
	int rc = to_ready(pair);

	if (rc)
		return rc;
	param = mirrored(pair, theirs);
	rc = go(pair, &param);
	if (rc)
		return rc;
	param.private_data = private_data;
	param.private_data_len = (uint8_t)private_len;
	if (rdma_accept(pair->id, &param))
		return -errno;
	rc = expect(pair, RDMA_CM_EVENT_ESTABLISHED, NULL, until);
	if (!rc)
		verbs_pair_connected(pair, param.initiator_depth);
	return rc;
}

int decant_verbs_accept(struct decant_verbs_pair *pair, struct decant_verbs_call *call,
			const void *private_data, size_t private_len, int timeout)
{
	int64_t until = manager_deadline(timeout > 0 ? timeout : TIMEOUT_MS);
	struct rdma_conn_param theirs = call->param;
	int rc = 0;

	if (private_len > DECANT_VERBS_ACCEPT_PRIVATE || timeout < 0)
		rc = -EINVAL;
	else if (pair->state != VERBS_NEW)
		rc = -EISCONN;
	if (rc) {
		decant_verbs_reject(call, NULL, 0);
		return rc;
	}
	pair->hung_up = false;
	rc = begin(pair, call->id);
	if (rc) {
		if (!pair->id)
			rdma_destroy_id(call->id);
	} else {
		memcpy(pair->private_data, call->private_data, call->private_len);
		pair->private_len = call->private_len;
		rc = answer(pair, &theirs, private_data, private_len, until);
	}
	manager_call_free(call);
	if (!rc)
		return 0;
	return give_up(pair, verbs_fail(pair, rc, "can't accept the call"));
}
