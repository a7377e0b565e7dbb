/* SPDX-License-Identifier: MIT */
/* listen.c - who calls, and who is refused. */
#include "manager.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define BACKLOG 16

struct decant_verbs_listener {
	struct decant_verbs *verbs;
	struct rdma_event_channel *channel;
	struct rdma_cm_id *id;
	bool listens;
};

static int bind_to(struct rdma_cm_id *id,
		   const struct decant_verbs_listen_options *options)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct rdma_addrinfo *here;
	int rc;

	if (!options->node && !options->service)
		return rdma_bind_addr(id, (struct sockaddr *)&any) ? -errno : 0;
	rc = manager_address(options->node, options->service, true, &here);
	if (rc)
		return rc;
	if (rdma_bind_addr(id, here->ai_src_addr))
		rc = -errno;
	rdma_freeaddrinfo(here);
	return rc;
}

static int begin(struct decant_verbs_listener *listener,
		 const struct decant_verbs_listen_options *options)
{
	int rc;

	errno = ENOMEM;
	listener->channel = rdma_create_event_channel();
	if (!listener->channel ||
	    rdma_create_id(listener->channel, &listener->id, NULL, RDMA_PS_TCP))
		return -errno;
	rc = manager_unblock(listener->channel);
	if (!rc)
		rc = bind_to(listener->id, options);
	if (!rc &&
	    rdma_listen(listener->id, options->backlog ? options->backlog : BACKLOG))
		rc = -errno;
	listener->listens = !rc;
	return rc;
}

int decant_verbs_listen(struct decant_verbs_listener **out, struct decant_verbs *verbs,
			const struct decant_verbs_listen_options *options)
{
	static const struct decant_verbs_listen_options defaults = {
		.size = sizeof(defaults)};
	struct decant_verbs_listener *listener;
	int rc;

	if (!options)
		options = &defaults;
	if (options->size != sizeof(*options) || options->backlog < 0)
		return -EINVAL;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->verbs = verbs;
	rc = begin(listener, options);
	if (rc) {
		decant_verbs_listener_free(listener);
		return rc;
	}
	*out = listener;
	return 0;
}

void decant_verbs_listener_free(struct decant_verbs_listener *listener)
{
	struct decant_verbs_call *call;

	if (!listener)
		return;
	while (listener->listens && !decant_verbs_call(listener, &call, 0))
		decant_verbs_reject(call, NULL, 0);
	if (listener->id)
		rdma_destroy_id(listener->id);
	if (listener->channel)
		rdma_destroy_event_channel(listener->channel);
	free(listener);
}

unsigned decant_verbs_listener_port(const struct decant_verbs_listener *listener)
{
	return ntohs(rdma_get_src_port(listener->id));
}

int decant_verbs_listener_fd(const struct decant_verbs_listener *listener)
{
	return listener->channel->fd;
}

/* Take over what an event says about who calls. */
static int take(struct rdma_cm_event *event, struct decant_verbs_call **out)
{
	struct decant_verbs_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->id = event->id;
	call->param = event->param.conn;
	if (event->param.conn.private_data) {
		call->private_len = event->param.conn.private_data_len;
		memcpy(call->private_data, event->param.conn.private_data,
		       call->private_len);
	}
	call->param.private_data = NULL;
	*out = call;
	return 0;
}

/* One event: 1 if it was not somebody who calls through our device. */
static int next(struct decant_verbs_listener *listener, struct decant_verbs_call **out,
		int64_t until)
{
	struct rdma_cm_event *event;
	struct rdma_cm_id *refused = NULL;
	int rc = manager_wait(listener->channel, &event, until);

	if (rc)
		return rc;
	rc = 1;
	if (event->event == RDMA_CM_EVENT_CONNECT_REQUEST) {
		if (event->id->verbs == listener->verbs->context)
			rc = take(event, out);
		if (rc)
			refused = event->id;
	}
	rdma_ack_cm_event(event);
	if (refused) {
		rdma_reject(refused, NULL, 0);
		rdma_destroy_id(refused);
	}
	return rc;
}

int decant_verbs_call(struct decant_verbs_listener *listener,
		      struct decant_verbs_call **out, int timeout)
{
	int64_t until = manager_deadline(timeout);
	int rc = 1;

	while (rc > 0)
		rc = next(listener, out, until);
	return rc;
}

const void *decant_verbs_call_private(const struct decant_verbs_call *call, size_t *len)
{
	*len = call->private_len;
	return call->private_data;
}

int decant_verbs_reject(struct decant_verbs_call *call, const void *private_data,
			size_t private_len)
{
	int rc = 0;

	if (private_len > DECANT_VERBS_REJECT_PRIVATE)
		rc = -EINVAL;
	if (rdma_reject(call->id, rc ? NULL : private_data,
			(uint8_t)(rc ? 0 : private_len)) &&
	    !rc)
		rc = -errno;
	rdma_destroy_id(call->id);
	manager_call_free(call);
	return rc;
}
