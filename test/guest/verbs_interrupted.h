/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_INTERRUPTED_H
#define DECANT_TEST_GUEST_VERBS_INTERRUPTED_H
/*
 * verbs_interrupted.h - signals while a connection is waited for: each wait ends as often
 * as it is tried, leaves nothing behind, and the same queue pairs connect afterwards.
 */
#include <rdma/rdma_cma.h>
#include "verbs_rig.h"
#include <interrupt.h>

#define INTERRUPTED_ATTEMPTS 2 /* siw takes seconds to give up a call */
#define INTERRUPTED_MS	     (10 * 60 * 1000) /* far more than any wait takes */

/* What is waited for, in the rig's queue pairs, and never comes. */
typedef int interrupted_fn(struct decant_verbs_listener *listener, const char *port);

static int nobody_calls(struct decant_verbs_listener *listener, const char *port)
{
	struct decant_verbs_call *call;

	(void)port;
	return decant_verbs_call(listener, &call, INTERRUPTED_MS);
}

static int nobody_answers(struct decant_verbs_listener *listener, const char *port)
{
	(void)listener;
	return rig_call(port, INTERRUPTED_MS);
}

static void await_event(struct rdma_event_channel *channel)
{
	struct rdma_cm_event *event;

	while (rdma_get_cm_event(channel, &event))
		REQUIRE(errno == EINTR);
	rdma_ack_cm_event(event);
}

/* Somebody calls who will not say that he has the answer, nor has a queue pair. */
static struct rdma_cm_id *call_mutely(struct rdma_event_channel *channel,
				      const char *port)
{
	struct rdma_conn_param param = {.retry_count = 7};
	struct rdma_addrinfo *to;
	struct rdma_cm_id *id;

	REQUIRE(!rdma_create_id(channel, &id, NULL, RDMA_PS_TCP));
	REQUIRE(!rdma_getaddrinfo(RIG_ADDRESS, port, NULL, &to));
	REQUIRE(!rdma_resolve_addr(id, NULL, to->ai_dst_addr, RIG_PATIENCE * 1000));
	rdma_freeaddrinfo(to);
	await_event(channel);
	REQUIRE(!rdma_resolve_route(id, RIG_PATIENCE * 1000));
	await_event(channel);
	REQUIRE(!rdma_connect(id, &param));
	return id;
}

static int nobody_confirms(struct decant_verbs_listener *listener, const char *port)
{
	struct rdma_event_channel *channel = rdma_create_event_channel();
	struct decant_verbs_call *call;
	struct rdma_cm_id *id;
	int rc;

	REQUIRE(channel);
	id = call_mutely(channel, port);
	do
		rc = decant_verbs_call(listener, &call, RIG_PATIENCE * 1000);
	while (rc == -EINTR);
	REQUIRE(!rc);
	rc = decant_verbs_accept(rig.peer, call, NULL, 0, INTERRUPTED_MS);
	rdma_destroy_id(id);
	rdma_destroy_event_channel(channel);
	return rc;
}

static void interrupted_in(interrupted_fn *wait)
{
	struct decant_verbs_listener *listener;
	char port[8];
	size_t before;

	rig.options = (struct decant_verbs_pair_options){.uses = RIG_USES};
	rig_pairs(true);
	before = interrupt_descriptors();
	for (int i = 0; i < INTERRUPTED_ATTEMPTS; i++) {
		listener = rig_listen(port);
		interrupt_begin(i ? SA_RESTART : 0);
		CHECK_EQ(wait(listener, port), -EINTR);
		interrupt_end();
		decant_verbs_listener_free(listener);
		CHECK_EQ(interrupt_descriptors(), before);
	}
	rig_connect();
	rig_end();
}

static void interrupted(void)
{
	static interrupted_fn *const waits[] = {nobody_calls, nobody_answers,
						nobody_confirms};

	/* iWARP devices confirm by themselves */
	for (size_t i = 0; i < COUNT(waits) - rig_is_iwarp(); i++)
		interrupted_in(waits[i]);
}
#endif
