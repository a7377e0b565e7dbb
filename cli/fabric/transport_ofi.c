/* SPDX-License-Identifier: MIT */
/* transport_ofi.c - libfabric's providers as transports. */
#include <decant/ofi.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "transport.h"

#define EVENTS 32

struct ofi {
	struct transport base;
	struct decant_ofi *end;
};

static struct ofi *ofi_of(struct transport *t)
{
	return (struct ofi *)t;
}

static const char *ofi_error(const struct transport *t)
{
	const struct ofi *o = (const struct ofi *)t;

	return decant_ofi_error(o->end);
}

/* What takes ports and can be told which, or takes none. Datagrams over TCP connect back
 * to the client as well. */
static int ofi_ports(const char *what)
{
	return !strcmp(what, "tcp") ? 1 : !strcmp(what, "shm") ? 0 : -1;
}

/* fi_tcp(7): it reads this once, when libfabric is first used in a process. */
static int keep_ports(const struct inet_ports *ports)
{
	char low[16], high[16];

	snprintf(low, sizeof(low), "%u", ports->low);
	snprintf(high, sizeof(high), "%u", ports->high);
	return ports->low && (setenv("FI_TCP_PORT_LOW_RANGE", low, 1) ||
			      setenv("FI_TCP_PORT_HIGH_RANGE", high, 1))
		       ? -errno
		       : 0;
}

static int ofi_open(struct transport **out, const struct transport_options *options)
{
	struct decant_ofi_options o = {
		.size = sizeof(o),
		.provider = *options->what ? options->what : NULL,
		.node = options->node,
		.depth = options->depth,
		.passive = options->passive,
		.timeout = options->timeout,
		.accept_timeout = options->accept_timeout,
		.space = options->space,
	};
	struct ofi *ofi = calloc(1, sizeof(*ofi));
	int err;

	if (!ofi)
		return -ENOMEM;
	ofi->base.ops = &transport_ofi;
	*out = &ofi->base;
	err = keep_ports(&options->ports);
	if (!err)
		err = decant_ofi_new(&ofi->end, &o);
	if (err != -EADDRNOTAVAIL)
		return err;
	/* Behind an address translation the node is not ours. */
	decant_ofi_free(ofi->end);
	o.node = NULL;
	return decant_ofi_new(&ofi->end, &o);
}

static void ofi_close(struct transport *t)
{
	decant_ofi_free(ofi_of(t)->end);
	free(t);
}

static void ofi_describe(const struct transport *t, char *room, size_t max)
{
	struct decant_ofi_info info;

	decant_ofi_info(((const struct ofi *)t)->end, &info);
	snprintf(room, max, "ofi:%s", info.provider);
}

static int ofi_address(struct transport *t, void *address, size_t *len)
{
	return decant_ofi_address(ofi_of(t)->end, address, len);
}

static int ofi_connect(struct transport *t, const void *address, size_t len)
{
	return decant_ofi_connect(ofi_of(t)->end, address, len);
}

static int ofi_accept(struct transport *t, const void *address, size_t len)
{
	return decant_ofi_accept(ofi_of(t)->end, address, len);
}

static int ofi_map(struct transport *t, struct decant_region *region)
{
	return decant_domain_map(decant_ofi_domain(ofi_of(t)->end), region);
}

static int ofi_grant(struct transport *t, struct decant_region *region,
		     struct transport_remote *remote)
{
	struct decant_ofi_remote grant = {0};
	int err = decant_ofi_grant(ofi_of(t)->end, region, &grant);

	*remote = (struct transport_remote){grant.addr, grant.key};
	return err;
}

static int ofi_send(struct transport *t, struct decant_iter *it, size_t len, void *user)
{
	return decant_ofi_send(ofi_of(t)->end, it, len, user);
}

static int ofi_recv(struct transport *t, struct decant_iter *it, size_t len, void *user)
{
	return decant_ofi_recv(ofi_of(t)->end, it, len, user);
}

static int ofi_write(struct transport *t, struct decant_iter *it, size_t len,
		     const struct transport_remote *remote, uint64_t offset, void *user)
{
	const struct decant_ofi_remote grant = {remote->addr, remote->key};

	return decant_ofi_write(ofi_of(t)->end, it, len, &grant, offset, user);
}

static enum transport_kind kind_of(enum decant_ofi_kind kind)
{
	switch (kind) {
	case DECANT_OFI_SEND:
		return TRANSPORT_SENT;
	case DECANT_OFI_RECV:
		return TRANSPORT_RECEIVED;
	default:
		return TRANSPORT_WRITTEN;
	}
}

static int ofi_poll(struct transport *t, struct transport_event *events, unsigned max)
{
	struct decant_ofi_event got[EVENTS];
	int nr = decant_ofi_poll(ofi_of(t)->end, got, max < EVENTS ? max : EVENTS);

	for (int i = 0; i < nr; i++)
		events[i] = (struct transport_event){got[i].user, kind_of(got[i].kind),
						     got[i].result};
	return nr;
}

static int ofi_fd(struct transport *t, bool *may_sleep)
{
	return decant_ofi_fd(ofi_of(t)->end, may_sleep);
}

const struct transport_ops transport_ofi = {
	.name = "ofi",
	.ports = ofi_ports,
	.open = ofi_open,
	.close = ofi_close,
	.error = ofi_error,
	.describe = ofi_describe,
	.address = ofi_address,
	.connect = ofi_connect,
	.accept = ofi_accept,
	.map = ofi_map,
	.grant = ofi_grant,
	.send = ofi_send,
	.recv = ofi_recv,
	.write = ofi_write,
	.poll = ofi_poll,
	.fd = ofi_fd,
};
