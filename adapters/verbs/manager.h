/* SPDX-License-Identifier: MIT */
#ifndef DECANT_VERBS_MANAGER_H
#define DECANT_VERBS_MANAGER_H
/*
 * manager.h - the connection manager's events with a deadline, and its words as errnos.
 */
#include "internal.h"

struct decant_verbs_call {
	struct rdma_cm_id *id;
	struct rdma_conn_param param;
	size_t private_len;
	unsigned char private_data[256];
};

/* @ms from now, as manager_left() and manager_wait() count. */
int64_t manager_deadline(int ms);

/* Milliseconds that are left, at least 1. */
int manager_left(int64_t until);

/* Let rdma_get_cm_event() never wait. */
int manager_unblock(struct rdma_event_channel *channel);

/* The next event, to be acknowledged; -ETIMEDOUT, -EINTR. */
int manager_wait(struct rdma_event_channel *channel, struct rdma_cm_event **event,
		 int64_t until);

/* What an event that nobody wished for means. */
int manager_error(enum rdma_cm_event_type type, int status);

/* What a name and a port mean; either may be NULL. */
int manager_address(const char *node, const char *service, bool passive,
		    struct rdma_addrinfo **out);

void manager_call_free(struct decant_verbs_call *call);
#endif
