/* SPDX-License-Identifier: MIT */
/*
 * manager.c - a connection manager for device.c's device, in this process alone: whoever
 * listens can be called by another thread, and by number only.
 */
#include "device.h"
#include "model.h"
#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <rdma/rdma_cma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct channel {
	struct rdma_event_channel base; /* first */
	int other_end;
	struct event *first;
};

struct event {
	struct rdma_cm_event base; /* first */
	struct event *next;
	unsigned char data[256];
};

struct id {
	struct rdma_cm_id base; /* first */
	struct id *peer, *next;
	uint16_t port; /* where it listens or calls, in host byte order */
	bool listens;
	uint32_t number; /* of the queue pair */
	unsigned unacknowledged;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct id *ids;
static uint16_t next_port = 20000;

struct rdma_event_channel *rdma_create_event_channel(void)
{
	struct channel *c = calloc(1, sizeof(*c));
	int fds[2];

	assert(c && !pipe(fds));
	c->base.fd = fds[0];
	c->other_end = fds[1];
	return &c->base;
}

void rdma_destroy_event_channel(struct rdma_event_channel *channel)
{
	struct channel *c = (struct channel *)channel;

	/* ends with the last of its identifiers' events acknowledged */
	assert(!c->first);
	close(c->base.fd);
	close(c->other_end);
	free(c);
}

static void tell_with(struct id *to, enum rdma_cm_event_type type, int status,
		      const struct rdma_conn_param *param)
{
	struct channel *c = (struct channel *)to->base.channel;
	struct event *event = calloc(1, sizeof(*event)), **link = &c->first;

	assert(event);
	event->base.id = &to->base;
	event->base.event = type;
	event->base.status = status;
	if (param) {
		event->base.param.conn = *param;
		event->base.param.conn.private_data = event->data;
		if (param->private_data_len)
			memcpy(event->data, param->private_data, param->private_data_len);
	}
	while (*link)
		link = &(*link)->next;
	*link = event;
	assert(write(c->other_end, "", 1) == 1);
}

static void tell(struct id *to, enum rdma_cm_event_type type)
{
	tell_with(to, type, 0, NULL);
}

int rdma_get_cm_event(struct rdma_event_channel *channel, struct rdma_cm_event **out)
{
	struct channel *c = (struct channel *)channel;
	struct event *event;
	char byte;

	if (read(c->base.fd, &byte, 1) != 1)
		return -1;
	pthread_mutex_lock(&lock);
	event = c->first;
	c->first = event->next;
	((struct id *)event->base.id)->unacknowledged++;
	pthread_mutex_unlock(&lock);
	*out = &event->base;
	return 0;
}

int rdma_ack_cm_event(struct rdma_cm_event *event)
{
	pthread_mutex_lock(&lock);
	((struct id *)event->id)->unacknowledged--;
	pthread_mutex_unlock(&lock);
	free(event);
	return 0;
}

static struct id *id_new(struct rdma_event_channel *channel)
{
	struct id *id = calloc(1, sizeof(*id));

	assert(id);
	id->base.channel = channel;
	id->next = ids;
	ids = id;
	return id;
}

int rdma_create_id(struct rdma_event_channel *channel, struct rdma_cm_id **out,
		   void *context, enum rdma_port_space space)
{
	assert(space == RDMA_PS_TCP);
	pthread_mutex_lock(&lock);
	*out = &id_new(channel)->base;
	pthread_mutex_unlock(&lock);
	(*out)->context = context;
	return 0;
}

/* Events of this identifier that nobody took move along, or go. */
static void drain(struct id *id, struct channel *to)
{
	struct event **link = &((struct channel *)id->base.channel)->first, *event;
	char byte;

	while ((event = *link)) {
		if (event->base.id != &id->base) {
			link = &event->next;
			continue;
		}
		*link = event->next;
		assert(read(id->base.channel->fd, &byte, 1) == 1);
		if (to)
			tell_with((struct id *)event->base.id, event->base.event,
				  event->base.status, NULL);
		free(event);
	}
}

int rdma_destroy_id(struct rdma_cm_id *base)
{
	struct id *id = (struct id *)base, **link = &ids;

	pthread_mutex_lock(&lock);
	assert(!id->unacknowledged);
	while (*link != id)
		link = &(*link)->next;
	*link = id->next;
	drain(id, NULL);
	if (id->peer) {
		id->peer->peer = NULL;
		if (id->peer->base.channel)
			tell(id->peer, RDMA_CM_EVENT_DISCONNECTED);
	}
	pthread_mutex_unlock(&lock);
	free(id);
	return 0;
}

int rdma_migrate_id(struct rdma_cm_id *id, struct rdma_event_channel *channel)
{
	pthread_mutex_lock(&lock);
	drain((struct id *)id, NULL);
	id->channel = channel;
	pthread_mutex_unlock(&lock);
	return 0;
}

/* --- addresses -------------------------------------------------------------------- */

int rdma_getaddrinfo(const char *node, const char *service,
		     const struct rdma_addrinfo *hints, struct rdma_addrinfo **out)
{
	struct rdma_addrinfo *info = calloc(1, sizeof(*info));
	struct sockaddr_in *addr = calloc(1, sizeof(*addr));

	(void)hints;
	assert(info && addr);
	addr->sin_family = AF_INET;
	addr->sin_port = htons((uint16_t)(service ? atoi(service) : 0));
	info->ai_src_addr = info->ai_dst_addr = (struct sockaddr *)addr;
	*out = info;
	if (!node || inet_pton(AF_INET, node, &addr->sin_addr) == 1)
		return 0;
	rdma_freeaddrinfo(info);
	errno = EINVAL;
	return -1;
}

void rdma_freeaddrinfo(struct rdma_addrinfo *info)
{
	free(info->ai_dst_addr);
	free(info);
}

static uint16_t port_of(const struct sockaddr *addr)
{
	return ntohs(((const struct sockaddr_in *)addr)->sin_port);
}

static struct id *listener_at(uint16_t port)
{
	struct id *id = ids;

	while (id && !(id->listens && id->port == port))
		id = id->next;
	return id;
}

int rdma_bind_addr(struct rdma_cm_id *base, struct sockaddr *addr)
{
	struct id *id = (struct id *)base;
	bool taken;

	pthread_mutex_lock(&lock);
	id->port = port_of(addr);
	taken = id->port && listener_at(id->port);
	if (!id->port)
		id->port = next_port++;
	pthread_mutex_unlock(&lock);
	errno = EADDRINUSE;
	return taken ? -1 : 0;
}

int rdma_listen(struct rdma_cm_id *base, int backlog)
{
	assert(backlog > 0);
	((struct id *)base)->listens = true;
	return 0;
}

__be16 rdma_get_src_port(struct rdma_cm_id *base)
{
	return htons(((struct id *)base)->port);
}

int rdma_resolve_addr(struct rdma_cm_id *base, struct sockaddr *from, struct sockaddr *to,
		      int timeout)
{
	(void)from;
	assert(timeout > 0);
	pthread_mutex_lock(&lock);
	((struct id *)base)->port = port_of(to);
	base->verbs = model_context();
	tell((struct id *)base, RDMA_CM_EVENT_ADDR_RESOLVED);
	pthread_mutex_unlock(&lock);
	return 0;
}

int rdma_resolve_route(struct rdma_cm_id *base, int timeout)
{
	assert(timeout > 0);
	pthread_mutex_lock(&lock);
	tell((struct id *)base, RDMA_CM_EVENT_ROUTE_RESOLVED);
	pthread_mutex_unlock(&lock);
	return 0;
}

/* --- connections ------------------------------------------------------------------ */

int rdma_init_qp_attr(struct rdma_cm_id *base, struct ibv_qp_attr *attr, int *mask)
{
	struct id *id = (struct id *)base;

	*mask = IBV_QP_STATE;
	pthread_mutex_lock(&lock);
	if (attr->qp_state == IBV_QPS_RTR) {
		assert(id->peer);
		attr->dest_qp_num = id->peer->number;
		*mask |= IBV_QP_DEST_QPN;
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

int rdma_connect(struct rdma_cm_id *base, struct rdma_conn_param *param)
{
	struct id *id = (struct id *)base, *listener, *call;

	pthread_mutex_lock(&lock);
	id->number = param->qp_num;
	listener = listener_at(id->port);
	if (listener) {
		call = id_new(listener->base.channel);
		call->base.verbs = base->verbs;
		call->peer = id;
		id->peer = call;
		tell_with(call, RDMA_CM_EVENT_CONNECT_REQUEST, 0, param);
	} else {
		tell_with(id, RDMA_CM_EVENT_REJECTED, 28, NULL);
	}
	pthread_mutex_unlock(&lock);
	if (listener && device.called)
		device.called();
	return 0;
}

/* Over iWARP nobody but the device moves queue pairs on. */
static void join(struct id *id)
{
	if (device.iwarp)
		model_join(id->number, id->peer->number);
}

int rdma_accept(struct rdma_cm_id *base, struct rdma_conn_param *param)
{
	struct id *id = (struct id *)base;
	bool gone;

	pthread_mutex_lock(&lock);
	id->number = param->qp_num;
	gone = !id->peer;
	if (!gone && device.iwarp) {
		join(id);
		join(id->peer);
		tell_with(id->peer, RDMA_CM_EVENT_ESTABLISHED, 0, param);
	} else if (!gone) {
		tell_with(id->peer, RDMA_CM_EVENT_CONNECT_RESPONSE, 0, param);
	}
	/* the caller's word is taken for given, so that one thread can be both sides: but
	 * not that of one who has no queue pair to get ready */
	if (!gone && id->peer->number)
		tell(id, RDMA_CM_EVENT_ESTABLISHED);
	pthread_mutex_unlock(&lock);
	errno = ENOTCONN;
	return gone ? -1 : 0;
}

int rdma_establish(struct rdma_cm_id *base)
{
	assert(!device.iwarp && ((struct id *)base)->number);
	return 0;
}

int rdma_reject(struct rdma_cm_id *base, const void *data, uint8_t len)
{
	struct id *id = (struct id *)base;
	const struct rdma_conn_param param = {.private_data = data,
					      .private_data_len = len};

	pthread_mutex_lock(&lock);
	if (id->peer) {
		tell_with(id->peer, RDMA_CM_EVENT_REJECTED, 28, &param);
		id->peer->peer = NULL;
		id->peer = NULL;
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

int rdma_disconnect(struct rdma_cm_id *base)
{
	struct id *id = (struct id *)base;

	pthread_mutex_lock(&lock);
	if (id->peer)
		tell(id->peer, RDMA_CM_EVENT_DISCONNECTED);
	pthread_mutex_unlock(&lock);
	return 0;
}
