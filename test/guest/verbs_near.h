/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_NEAR_H
#define DECANT_TEST_GUEST_VERBS_NEAR_H
/* verbs_near.h - what takes a peer on this machine, and what is left when all is over. */
#include "verbs_connections.h"

static void nobody(void)
{
	struct decant_verbs_connect_options options = {
		.size = sizeof(options), .node = "256.0.0.1", .service = "1"};
	struct decant_verbs_pair *pair;

	if (no_peer())
		return;
	pair = fresh_pair((struct decant_verbs_pair_options){0});
	CHECK_EQ(decant_verbs_connect(pair, &options), -EADDRNOTAVAIL);
	options.service = NULL;
	CHECK_EQ(decant_verbs_connect(pair, &options), -EINVAL);
	options.service = peer.port;
	options.node = peer.node;
	options.private_len = DECANT_VERBS_CONNECT_PRIVATE + 1;
	CHECK_EQ(decant_verbs_connect(pair, &options), -EINVAL);
	kill(peer.pid, SIGSTOP);
	CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 300), -ETIMEDOUT);
	kill(peer.pid, SIGCONT);
	CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 0), 0);
	decant_verbs_pair_free(pair);
}

/* Everything ends, soon or after the retries, when the peer is no more. */
static void killed(void)
{
	unsigned under_way = 0, failed = 0;
	struct decant_verbs_event event;
	struct decant_verbs_remote remote;
	struct decant_verbs_pair *pair;
	struct decant_iter it;

	if (no_peer())
		return;
	pair = fresh_pair((struct decant_verbs_pair_options){.retries = 2});
	CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 0), 0);
	remote = granted(pair);
	it = rig_buf(DECANT_DEST, rig.memory, 100);
	under_way += !decant_verbs_recv(pair, &it, 100, NULL, NULL);
	for (int i = 0; i < 20; i++) {
		it = rig_buf(DECANT_SOURCE, rig.memory, PEER_BYTES);
		under_way += !decant_verbs_write(pair, &it, PEER_BYTES, &remote, 1, NULL,
						 NULL);
	}
	CHECK_EQ(under_way, 21);
	peer_end();
	for (; under_way && rig_event(&event); under_way--)
		failed += event.result < 0;
	CHECK(failed >= 1 && rig_quiet());
	decant_verbs_pair_free(pair);
}

/* Somebody calls who is not answered, and somebody who is not there. */
static void listener(void)
{
	struct decant_verbs_listen_options where = {.size = sizeof(where), .backlog = -1};
	struct decant_verbs_listener *one, *two;
	struct decant_verbs_call *call;
	char port[8];

	if (no_peer())
		return;
	CHECK_EQ(decant_verbs_listen(&one, rig.verbs, &where), -EINVAL);
	REQUIRE(!decant_verbs_listen(&one, rig.verbs, NULL));
	CHECK(decant_verbs_listener_port(one) > 0);
	CHECK_EQ(decant_verbs_call(one, &call, 0), -ETIMEDOUT);
	snprintf(port, sizeof(port), "%u", decant_verbs_listener_port(one));
	where = (struct decant_verbs_listen_options){
		.size = sizeof(where), .node = peer.node, .service = port};
	CHECK(decant_verbs_listen(&two, rig.verbs, &where) < 0);
	decant_verbs_listener_free(one);
}
struct near_resources {
	unsigned pd, cq, qp, cm_id, mr, ctx, srq;
};

static struct near_resources near_before;

/* What the kernel knows of objects that the device has; false if it knows nothing. */
static bool near_count(struct near_resources *r)
{
	FILE *f = popen("rdma resource show 2>/dev/null", "r");
	int n = 0;

	*r = (struct near_resources){0};
	if (f)
		n = fscanf(f,
			   "%*d: %*[^:]: pd %u cq %u qp %u cm_id %u mr %u ctx %u srq %u",
			   &r->pd, &r->cq, &r->qp, &r->cm_id, &r->mr, &r->ctx, &r->srq);
	if (f)
		pclose(f);
	return n == 7;
}

/* librdmacm keeps the device open, with a protection domain, as long as there is us. */
static bool near_nothing(void)
{
	struct near_resources now;

	if (!near_count(&now) || now.pd > near_before.pd + 1 ||
	    now.ctx > near_before.ctx + 1)
		return false;
	now.pd = near_before.pd;
	now.ctx = near_before.ctx;
	return !memcmp(&now, &near_before, sizeof(now));
}

/* The last case: after it there is neither a rig nor a peer. */
static void nothing_left(void)
{
	time_t until = time(NULL) + RIG_PATIENCE;
	bool nothing = false;

	peer_end();
	rig_close();
	if (!near_count(&(struct near_resources){0})) {
		check_skip("the kernel here knows nothing of it");
		return;
	}
	/* a process that was killed is cleaned up after behind our back */
	while (!nothing && time(NULL) < until)
		nothing = near_nothing();
	if (!CHECK(nothing))
		system("rdma resource show | sed 's/^/# /'");
}
#endif
