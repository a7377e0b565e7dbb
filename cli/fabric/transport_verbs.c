/* SPDX-License-Identifier: MIT */
/*
 * transport_verbs.c - a reliable queue pair as a transport. The addresses of both queue
 * pairs travel over the control channel, so no connection manager is needed. iWARP has no
 * other way than one: there the passive side listens, and what travels is where.
 *
 * Over iWARP a write that is complete need not have arrived (RFC 5040, 5.5), but a
 * message behind it is delivered only when it has: so the note that follows a chunk says
 * the same everywhere.
 */
#include <decant/verbs.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "meeting.h"
#include "transport.h"
#include "wire.h"

#define EVENTS 32
#define USES   DECANT_VERBS_PEER_WRITES

_Static_assert(MEETING_TOKEN <= DECANT_VERBS_CONNECT_PRIVATE, "it goes with the call");

struct verbs {
	struct transport base;
	struct decant_verbs *device;
	struct decant_verbs_queue *queue;
	struct decant_verbs_pair *pair;
	struct decant_verbs_listener *listener;
	struct meeting meeting;
	int timeout; /* milliseconds */
	int accept_timeout;
};

static struct verbs *verbs_of(struct transport *t)
{
	return (struct verbs *)t;
}

static const char *verbs_error(const struct transport *t)
{
	const char *text = decant_verbs_error(((const struct verbs *)t)->pair);

	return *text ? text : t->error;
}

static int fail(struct verbs *v, int err, const char *what)
{
	return transport_fail(&v->base, err, "%s", what);
}

static bool is_iwarp(const struct verbs *v)
{
	return decant_verbs_caps(v->device)->transport == DECANT_VERBS_IWARP;
}

static int open_pair(struct verbs *v, const struct transport_options *options)
{
	struct decant_verbs_pair_options o = {
		.size = sizeof(o),
		.depth = options->depth - options->receives,
		.receives = options->receives,
		.requests = 2 * options->depth,
		.uses = USES,
		.space = options->space,
	};
	const struct decant_verbs_caps *caps = decant_verbs_caps(v->device);
	int err;

	if (o.requests > caps->requests)
		o.requests = (unsigned)caps->requests;
	err = decant_verbs_queue_new(&v->queue, v->device, o.requests + o.receives);
	if (!err)
		err = decant_verbs_pair_new(&v->pair, v->queue, &o);
	return err ? fail(v, err, "a queue pair") : 0;
}

/* A port that is taken may be called an address that can't be had (rdma_bind_addr(3)). */
static int listen_at(struct verbs *v, const char *node, const struct inet_ports *ports)
{
	struct decant_verbs_listen_options o = {.size = sizeof(o), .node = node};
	int err = -EADDRINUSE;
	char service[16];

	o.service = service;
	for (unsigned port = ports->low;
	     port <= ports->high && (err == -EADDRINUSE || err == -EADDRNOTAVAIL);
	     port++) {
		snprintf(service, sizeof(service), "%u", port);
		err = decant_verbs_listen(&v->listener, v->device, &o);
	}
	return err;
}

static int open_listener(struct verbs *v, const char *node,
			 const struct inet_ports *ports)
{
	int err = meeting_token(&v->meeting);

	if (!err)
		err = listen_at(v, node, ports);
	/* Behind an address translation the node is not ours. */
	if (err == -EADDRNOTAVAIL && node)
		err = listen_at(v, NULL, ports);
	if (err == -EADDRNOTAVAIL && ports->low)
		err = -EADDRINUSE;
	if (err)
		return fail(v, err, "listening for RDMA connections");
	meeting_at(&v->meeting, node, decant_verbs_listener_port(v->listener));
	return 0;
}

/* The device of that name. The other side's may have another: then the first that is up.
 */
static int open_device(struct verbs *v, const struct transport_options *options)
{
	struct decant_verbs_options o = {.size = sizeof(o), .device = options->what};
	int err;

	if (!*options->what)
		o.device = NULL;
	err = decant_verbs_open(&v->device, &o);
	if (err == -ENODEV && options->passive && o.device) {
		o.device = NULL;
		err = decant_verbs_open(&v->device, &o);
	}
	if (err)
		return transport_fail(&v->base, err, "RDMA device %s",
				      o.device ? o.device : "(any that is up)");
	return 0;
}

/* One if the device needs connections. That it can't be had is said by verbs_open(). */
static int verbs_ports(const char *what)
{
	const struct transport_options options = {.what = what, .passive = true};
	struct verbs v = {0};
	int ports = !open_device(&v, &options) && is_iwarp(&v);

	decant_verbs_close(v.device);
	return ports;
}

static int verbs_open(struct transport **out, const struct transport_options *options)
{
	struct verbs *v = calloc(1, sizeof(*v));
	int err;

	if (!v)
		return -ENOMEM;
	v->base.ops = &transport_verbs;
	v->timeout = options->timeout;
	v->accept_timeout = options->accept_timeout;
	*out = &v->base;
	err = open_device(v, options);
	if (!err)
		err = open_pair(v, options);
	if (!err && is_iwarp(v) && options->passive)
		err = open_listener(v, options->node, &options->ports);
	return err;
}

static void verbs_close(struct transport *t)
{
	struct verbs *v = verbs_of(t);

	decant_verbs_pair_free(v->pair);
	decant_verbs_queue_free(v->queue);
	decant_verbs_listener_free(v->listener);
	decant_verbs_close(v->device);
	free(v);
}

static void verbs_describe(const struct transport *t, char *room, size_t max)
{
	const struct verbs *v = (const struct verbs *)t;

	snprintf(room, max, "verbs:%s", decant_verbs_caps(v->device)->device);
}

static int pair_address(struct verbs *v, struct wire *wire)
{
	struct decant_verbs_address at;
	int err = decant_verbs_address(v->pair, &at);

	if (err)
		return fail(v, err, "the queue pair's address");
	wire_put_u64(wire, at.number);
	wire_put_u64(wire, at.psn);
	wire_put_u64(wire, at.lid);
	wire_put_u64(wire, at.mtu);
	wire_put_u64(wire, at.reads);
	wire_put_bytes(wire, at.gid, sizeof(at.gid));
	return 0;
}

static int verbs_address(struct transport *t, void *room, size_t *len)
{
	struct verbs *v = verbs_of(t);
	struct wire wire = {.len = 0};
	int err;

	if (is_iwarp(v))
		return meeting_put(&v->meeting, room, len);
	err = pair_address(v, &wire);
	if (!err && wire.len > *len)
		err = -ENOSPC;
	if (err)
		return err;
	memcpy(room, wire.data, wire.len);
	*len = wire.len;
	return 0;
}

static int bad_address(struct verbs *v)
{
	return fail(v, -EINVAL,
		    is_iwarp(v) ? "the other side's address, for iWARP"
				: "the other side's address");
}

static int join(struct verbs *v, const void *address, size_t len)
{
	struct decant_verbs_address at = {0};
	struct wire wire = {.len = len};
	int err;

	if (len > TRANSPORT_ADDRESS_MAX)
		return bad_address(v);
	memcpy(wire.data, address, len);
	at.number = (uint32_t)wire_get_u64(&wire);
	at.psn = (uint32_t)wire_get_u64(&wire);
	at.lid = (uint16_t)wire_get_u64(&wire);
	at.mtu = (uint8_t)wire_get_u64(&wire);
	at.reads = (uint8_t)wire_get_u64(&wire);
	if (wire_get_bytes(&wire, at.gid, sizeof(at.gid)) != sizeof(at.gid) || wire.bad)
		return bad_address(v);
	err = decant_verbs_join(v->pair, &at);
	return err ? fail(v, err, "joining the queue pairs") : 0;
}

static int call(struct verbs *v, const void *address, size_t len)
{
	struct decant_verbs_connect_options o = {.size = sizeof(o),
						 .private_data = v->meeting.token,
						 .private_len = MEETING_TOKEN,
						 .timeout = v->timeout};
	char room[MEETING_NAME];

	if (!meeting_get(&v->meeting, address, len) ||
	    !meeting_split(&v->meeting, room, &o.node, &o.service))
		return bad_address(v);
	return decant_verbs_connect(v->pair, &o);
}

static int verbs_connect(struct transport *t, const void *address, size_t len)
{
	struct verbs *v = verbs_of(t);

	return (is_iwarp(v) ? call : join)(v, address, len);
}

/* Who calls and has the token is the other side; all others are sent away. */
static int answer(struct verbs *v)
{
	struct decant_verbs_call *call;
	const void *token;
	size_t len;
	int err = decant_verbs_call(v->listener, &call, v->accept_timeout);

	if (err)
		return transport_fail(&v->base, err, "waiting for a connection at %s",
				      v->meeting.name);
	token = decant_verbs_call_private(call, &len);
	if (!meeting_knows(&v->meeting, token, len)) {
		decant_verbs_reject(call, NULL, 0);
		return -ETIMEDOUT;
	}
	err = decant_verbs_accept(v->pair, call, NULL, 0, v->timeout);
	if (!err) {
		decant_verbs_listener_free(v->listener);
		v->listener = NULL;
	}
	return err;
}

static int verbs_accept(struct transport *t, const void *address, size_t len)
{
	struct verbs *v = verbs_of(t);

	return is_iwarp(v) ? answer(v) : join(v, address, len);
}

static int verbs_map(struct transport *t, struct decant_region *region)
{
	return decant_domain_map(decant_verbs_domain(verbs_of(t)->device, USES), region);
}

static int verbs_grant(struct transport *t, struct decant_region *region,
		       struct transport_remote *remote)
{
	struct decant_verbs_remote grant = {0};
	int err = decant_verbs_grant(verbs_of(t)->device, USES, region, &grant);

	*remote = (struct transport_remote){grant.addr, grant.rkey};
	return err;
}

static int verbs_send(struct transport *t, struct decant_iter *it, size_t len, void *user)
{
	return decant_verbs_send(verbs_of(t)->pair, it, len, NULL, user);
}

static int verbs_recv(struct transport *t, struct decant_iter *it, size_t len, void *user)
{
	return decant_verbs_recv(verbs_of(t)->pair, it, len, NULL, user);
}

static int verbs_write(struct transport *t, struct decant_iter *it, size_t len,
		       const struct transport_remote *remote, uint64_t offset, void *user)
{
	const struct decant_verbs_remote range = {remote->addr + offset, len,
						  (uint32_t)remote->key};

	return decant_verbs_write(verbs_of(t)->pair, it, len, &range, 1, NULL, user);
}

static enum transport_kind kind_of(enum decant_verbs_kind kind)
{
	switch (kind) {
	case DECANT_VERBS_SEND:
		return TRANSPORT_SENT;
	case DECANT_VERBS_RECV:
		return TRANSPORT_RECEIVED;
	default:
		return TRANSPORT_WRITTEN;
	}
}

static int verbs_poll(struct transport *t, struct transport_event *events, unsigned max)
{
	struct decant_verbs_event got[EVENTS];
	int nr = decant_verbs_poll(verbs_of(t)->queue, got, max < EVENTS ? max : EVENTS);

	for (int i = 0; i < nr; i++)
		events[i] = (struct transport_event){got[i].user, kind_of(got[i].kind),
						     got[i].result};
	return nr;
}

static int verbs_fd(struct transport *t, bool *may_sleep)
{
	return decant_verbs_fd(verbs_of(t)->queue, may_sleep);
}

const struct transport_ops transport_verbs = {
	.name = "verbs",
	.ports = verbs_ports,
	.open = verbs_open,
	.close = verbs_close,
	.error = verbs_error,
	.describe = verbs_describe,
	.address = verbs_address,
	.connect = verbs_connect,
	.accept = verbs_accept,
	.map = verbs_map,
	.grant = verbs_grant,
	.send = verbs_send,
	.recv = verbs_recv,
	.write = verbs_write,
	.poll = verbs_poll,
	.fd = verbs_fd,
};
