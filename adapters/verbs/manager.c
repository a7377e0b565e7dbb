/* SPDX-License-Identifier: MIT */
#include "manager.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

int64_t manager_deadline(int ms)
{
	return verbs_now() + ms;
}

int manager_left(int64_t until)
{
	int64_t left = until - verbs_now();

	return left < 1 ? 1 : left > 3600000 ? 3600000 : (int)left;
}

int manager_unblock(struct rdma_event_channel *channel)
{
	int flags = fcntl(channel->fd, F_GETFL);

	return flags < 0 || fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) ? -errno : 0;
}

int manager_wait(struct rdma_event_channel *channel, struct rdma_cm_event **event,
		 int64_t until)
{
	struct pollfd fd = {.fd = channel->fd, .events = POLLIN};
	bool late = false;

	for (;;) {
		if (!rdma_get_cm_event(channel, event))
			return 0;
		if (errno != EAGAIN)
			return -errno;
		if (late)
			return -ETIMEDOUT;
		late = verbs_now() >= until;
		if (!late && poll(&fd, 1, manager_left(until)) < 0)
			return -errno;
	}
}

int manager_error(enum rdma_cm_event_type type, int status)
{
	switch (type) {
	case RDMA_CM_EVENT_REJECTED:
		return -ECONNREFUSED;
	case RDMA_CM_EVENT_ADDR_ERROR:
	case RDMA_CM_EVENT_ROUTE_ERROR:
	case RDMA_CM_EVENT_UNREACHABLE:
		return status == -ETIMEDOUT ? -ETIMEDOUT : -EHOSTUNREACH;
	case RDMA_CM_EVENT_CONNECT_ERROR:
	case RDMA_CM_EVENT_DISCONNECTED:
		return -ECONNABORTED;
	case RDMA_CM_EVENT_DEVICE_REMOVAL:
		return -ENODEV;
	default:
		return status < 0 && status > -4096 ? status : -EPROTO;
	}
}

int manager_address(const char *node, const char *service, bool passive,
		    struct rdma_addrinfo **out)
{
	struct rdma_addrinfo hints = {.ai_port_space = RDMA_PS_TCP,
				      .ai_flags = passive ? RAI_PASSIVE : 0};

	if (!rdma_getaddrinfo(node, service, &hints, out))
		return 0;
	*out = NULL;
	return -EADDRNOTAVAIL;
}

void manager_call_free(struct decant_verbs_call *call)
{
	free(call);
}
