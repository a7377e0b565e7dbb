/* SPDX-License-Identifier: MIT */
/* device.c - the devices of this machine, and one of them opened. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>

/* What a call gave, of either sign, as a negative errno; 0 stays. */
int verbs_errno(int rc)
{
	return rc > 0 ? -rc : rc;
}

static enum decant_verbs_transport transport(const struct ibv_device *device,
					     const struct ibv_port_attr *port)
{
	if (device->transport_type == IBV_TRANSPORT_IWARP)
		return DECANT_VERBS_IWARP;
	return port->link_layer == IBV_LINK_LAYER_ETHERNET ? DECANT_VERBS_ROCE
							   : DECANT_VERBS_INFINIBAND;
}

static size_t positive(int n, size_t otherwise)
{
	return n > 0 ? (size_t)n : otherwise;
}

/*
 * Faults are served for everything that a reliable connection does, or it doesn't count.
 */
static bool on_demand(struct ibv_context *context)
{
	const uint32_t all = IBV_ODP_SUPPORT_SEND | IBV_ODP_SUPPORT_RECV |
			     IBV_ODP_SUPPORT_WRITE | IBV_ODP_SUPPORT_READ;
	struct ibv_device_attr_ex attr = {0};

	return !ibv_query_device_ex(context, NULL, &attr) &&
	       (attr.odp_caps.general_caps & IBV_ODP_SUPPORT) &&
	       (attr.odp_caps.per_transport_caps.rc_odp_caps & all) == all;
}

static void rules(struct decant_limits *limits, size_t elements,
		  const struct ibv_port_attr *port)
{
	*limits = (struct decant_limits){
		.max_elements = elements < VERBS_ELEMENTS ? elements : VERBS_ELEMENTS,
		.max_bytes = port->max_msg_sz ? port->max_msg_sz : 1u << 30,
	};
}

static int describe(struct ibv_context *context, unsigned port_number,
		    struct decant_verbs_caps *caps, struct ibv_port_attr *port)
{
	struct ibv_device_attr attr;
	int rc = ibv_query_device(context, &attr);

	if (!rc)
		rc = ibv_query_port(context, (uint8_t)port_number, port);
	if (rc)
		return verbs_errno(rc);
	*caps = (struct decant_verbs_caps){
		.device = ibv_get_device_name(context->device),
		.transport = transport(context->device, port),
		.port = port_number,
		.active = port->state == IBV_PORT_ACTIVE,
		.requests = positive(attr.max_qp_wr, 16),
		.completions = positive(attr.max_cqe, 16),
		.reads = positive(attr.max_qp_init_rd_atom, 1),
		.served = positive(attr.max_qp_rd_atom, 1),
		.regions = positive(attr.max_mr, 0),
		.region_bytes = attr.max_mr_size,
		.on_demand = on_demand(context),
	};
	caps->write_imm = caps->transport != DECANT_VERBS_IWARP;
	rules(&caps->send, positive(attr.max_sge, 1), port);
	rules(&caps->read, positive(attr.max_sge_rd, positive(attr.max_sge, 1)), port);
	return 0;
}

static unsigned ports_of(struct ibv_context *context)
{
	struct ibv_device_attr attr;

	return ibv_query_device(context, &attr) ? 0 : attr.phys_port_cnt;
}

static int show_ports(struct ibv_context *context,
		      int (*fn)(void *user, const struct decant_verbs_caps *caps),
		      void *user)
{
	struct decant_verbs_caps caps;
	struct ibv_port_attr port;
	unsigned nr = ports_of(context);
	int rc = 0;

	for (unsigned i = 1; i <= nr && !rc; i++)
		if (!describe(context, i, &caps, &port))
			rc = fn(user, &caps);
	return rc;
}

int decant_verbs_devices(int (*fn)(void *user, const struct decant_verbs_caps *caps),
			 void *user)
{
	int nr = 0, rc = 0;
	struct ibv_device **list = ibv_get_device_list(&nr);

	if (!list)
		return verbs_errno(errno ? errno : ENOSYS);
	for (int i = 0; i < nr && !rc; i++) {
		struct ibv_context *context = ibv_open_device(list[i]);

		if (!context)
			continue;
		rc = show_ports(context, fn, user);
		ibv_close_device(context);
	}
	ibv_free_device_list(list);
	return rc;
}

/*
 * Soft iWARP has TCP send requests that ask for no completion from the memory itself, and
 * answers for later ones before these have left.
 */
#define SIW_VENDOR 0x626d74

static void find_habits(struct decant_verbs *verbs)
{
	struct ibv_device_attr attr;

	verbs->unordered = verbs->caps.transport == DECANT_VERBS_IWARP;
	verbs->signal_all = verbs->unordered &&
			    !ibv_query_device(verbs->context, &attr) &&
			    attr.vendor_id == SIW_VENDOR;
}

/* Take the port that was asked for, or the first that is up. */
static int choose_port(struct decant_verbs *verbs, unsigned wanted)
{
	unsigned nr = ports_of(verbs->context);

	if (wanted > nr)
		return -EINVAL;
	if (wanted)
		return describe(verbs->context, wanted, &verbs->caps, &verbs->port);
	for (unsigned i = 1; i <= nr; i++)
		if (!describe(verbs->context, i, &verbs->caps, &verbs->port) &&
		    verbs->caps.active)
			return 0;
	return -ENODEV;
}

static bool is_named(const struct ibv_context *context, const char *name)
{
	return !name || !strcmp(ibv_get_device_name(context->device), name);
}

/*
 * librdmacm opens each device itself, and its connections know no other opening: so it is
 * one of these that is taken, where there are any.
 */
static int open_shared(struct decant_verbs *verbs,
		       const struct decant_verbs_options *options)
{
	int nr = 0, rc = -ENODEV;

	verbs->shared = rdma_get_devices(&nr);
	for (int i = 0; i < nr && rc; i++) {
		if (!is_named(verbs->shared[i], options->device))
			continue;
		verbs->context = verbs->shared[i];
		rc = choose_port(verbs, options->port);
	}
	if (!rc)
		return 0;
	verbs->context = NULL;
	if (verbs->shared)
		rdma_free_devices(verbs->shared);
	verbs->shared = NULL;
	return rc;
}

static int open_one(struct decant_verbs *verbs, struct ibv_device *device,
		    const struct decant_verbs_options *options)
{
	int rc;

	if (options->device && strcmp(ibv_get_device_name(device), options->device) != 0)
		return -ENODEV;
	verbs->context = ibv_open_device(device);
	if (!verbs->context)
		return errno ? -errno : -EIO;
	rc = choose_port(verbs, options->port);
	if (rc) {
		ibv_close_device(verbs->context);
		verbs->context = NULL;
	}
	return rc;
}

static int open_own(struct decant_verbs *verbs,
		    const struct decant_verbs_options *options)
{
	int nr = 0, rc = -ENODEV;
	struct ibv_device **list = ibv_get_device_list(&nr);

	for (int i = 0; i < nr && !verbs->context; i++)
		rc = open_one(verbs, list[i], options);
	if (list)
		ibv_free_device_list(list);
	return rc;
}

static void close_context(struct decant_verbs *verbs)
{
	if (verbs->shared)
		rdma_free_devices(verbs->shared);
	else if (verbs->context)
		ibv_close_device(verbs->context);
}

static int open_device(struct decant_verbs *verbs,
		       const struct decant_verbs_options *options)
{
	int rc = open_shared(verbs, options);

	if (rc == -ENODEV)
		rc = open_own(verbs, options);
	if (rc)
		return rc;
	errno = 0;
	verbs->pd = ibv_alloc_pd(verbs->context);
	if (verbs->pd)
		return 0;
	close_context(verbs);
	return errno ? -errno : -ENOMEM;
}

int decant_verbs_open(struct decant_verbs **out,
		      const struct decant_verbs_options *options)
{
	static const struct decant_verbs_options defaults = {.size = sizeof(defaults)};
	struct decant_verbs *verbs;
	int rc;

	if (!options)
		options = &defaults;
	if (options->size != sizeof(*options))
		return -EINVAL;
	verbs = calloc(1, sizeof(*verbs));
	if (!verbs)
		return -ENOMEM;
	rc = open_device(verbs, options);
	if (rc) {
		free(verbs);
		return rc;
	}
	verbs_domains_init(verbs);
	find_habits(verbs);
	*out = verbs;
	return 0;
}

void decant_verbs_close(struct decant_verbs *verbs)
{
	if (!verbs)
		return;
	verbs_domains_fini(verbs);
	ibv_dealloc_pd(verbs->pd);
	close_context(verbs);
	free(verbs);
}

const struct decant_verbs_caps *decant_verbs_caps(const struct decant_verbs *verbs)
{
	return &verbs->caps;
}
