/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DEPTH	64
#define DEFAULT_TIMEOUT 30000
#define WINDOW_MAX	256

/* Best first. Neither shm (the peer may be another host) nor rxd (loses data on errors).
 */
static const char *const preferred[] = {
	"cxi",		 "efa",		"opx", "psm2",	  "verbs",
	"verbs;ofi_rxm", "tcp;ofi_rxm", "net", "sockets",
};

static size_t element_limit(size_t limit)
{
	return limit ? fabric_least(limit, FABRIC_ELEMENTS) : 1;
}

/*
 * A read over iWARP has one place to put what it reads (RFC 5040, 4.4), and RxM receives
 * what is long by reads. libfabric 1.17 doesn't say so, and siw takes more elements and
 * fills the first.
 */
static bool reads_into_one(const struct fi_info *info)
{
	const char *name = info->fabric_attr->name;

	return name && !strcmp(name, "Ethernet-iWARP");
}

static void set_limits(struct decant_ofi *ofi)
{
	const struct fi_info *info = ofi->info;
	size_t tx = element_limit(info->tx_attr->iov_limit);
	size_t rx = element_limit(info->rx_attr->iov_limit);
	bool one = reads_into_one(info);

	ofi->limit[DECANT_OFI_SEND] = ofi->limit[DECANT_OFI_WRITE] = tx;
	ofi->limit[DECANT_OFI_READ] = one ? 1 : tx;
	ofi->limit[DECANT_OFI_RECV] = one && !ofi->msg ? 1 : rx;
}

static void close_fid(struct fid *fid)
{
	if (fid)
		fi_close(fid);
}

#define CLOSE(object) close_fid((object) ? &(object)->fid : NULL)

/* Undo everything that open_info() and connecting did, as far as it came. */
static void close_all(struct decant_ofi *ofi)
{
	CLOSE(ofi->pep);
	/* memory first: some providers bind it to the end point */
	decant_pool_free(ofi->pool);
	decant_domain_fini(&ofi->domain);
	CLOSE(ofi->ep);
	CLOSE(ofi->av);
	CLOSE(ofi->counter);
	CLOSE(ofi->cq);
	CLOSE(ofi->eq);
	CLOSE(ofi->access);
	CLOSE(ofi->fabric);
	fi_freeinfo(ofi->info);
	ofi->pep = NULL;
	ofi->pool = NULL;
	ofi->ep = NULL;
	ofi->av = NULL;
	ofi->counter = NULL;
	ofi->cq = NULL;
	ofi->eq = NULL;
	ofi->access = NULL;
	ofi->fabric = NULL;
	ofi->info = NULL;
}

static int open_cq(struct decant_ofi *ofi)
{
	struct fi_cq_attr attr = {.size = (size_t)ofi->depth + ofi->window,
				  .format = ofi->tagged ? FI_CQ_FORMAT_TAGGED
							: FI_CQ_FORMAT_MSG,
				  .wait_obj = FI_WAIT_FD};
	int rc = fi_cq_open(ofi->access, &attr, &ofi->cq, NULL);

	ofi->fd = -1;
	if (!rc && !fi_control(&ofi->cq->fid, FI_GETWAIT, &ofi->fd))
		return 0;
	/* the provider can't wake anybody: then the caller has to poll */
	CLOSE(ofi->cq);
	ofi->cq = NULL;
	ofi->fd = -1;
	attr.wait_obj = FI_WAIT_NONE;
	rc = fi_cq_open(ofi->access, &attr, &ofi->cq, NULL);
	return rc ? fabric_fail(ofi, rc, "completion queue") : 0;
}

/*
 * libfabric 1.17's net jumps to nowhere when it receives with a tag and has a counter,
 * and reports some of what it counts as well.
 */
static bool counters_work(const struct fi_info *info)
{
	return strcmp(info->fabric_attr->prov_name, "net");
}

static int open_counter(struct decant_ofi *ofi)
{
	struct fi_cntr_attr attr = {.events = FI_CNTR_EVENTS_COMP,
				    .wait_obj = FI_WAIT_NONE};
	int rc = -FI_ENOSYS;

	if (!ofi->counters)
		return 0;
	if (counters_work(ofi->info))
		rc = fi_cntr_open(ofi->access, &attr, &ofi->counter, NULL);
	if (rc == -FI_ENOSYS || rc == -FI_EOPNOTSUPP)
		return fabric_fail(ofi, -FI_EOPNOTSUPP, "no counters in provider \"%s\"",
				   ofi->info->fabric_attr->prov_name);
	return rc ? fabric_fail(ofi, rc, "counter") : 0;
}

static int open_rdm(struct decant_ofi *ofi)
{
	struct fi_av_attr attr = {.type = FI_AV_TABLE, .count = 1};
	int rc = fi_av_open(ofi->access, &attr, &ofi->av, NULL);

	if (rc)
		return fabric_fail(ofi, rc, "address vector");
	return fabric_endpoint(ofi, ofi->info);
}

static int open_msg(struct decant_ofi *ofi)
{
	struct fi_eq_attr attr = {.wait_obj = FI_WAIT_UNSPEC};
	int rc = fi_eq_open(ofi->fabric, &attr, &ofi->eq, NULL);

	if (rc)
		return fabric_fail(ofi, rc, "event queue");
	if (!ofi->passive)
		return 0;
	rc = fi_passive_ep(ofi->fabric, ofi->info, &ofi->pep, NULL);
	if (!rc)
		rc = fi_pep_bind(ofi->pep, &ofi->eq->fid, 0);
	if (!rc)
		rc = fi_listen(ofi->pep);
	return rc ? fabric_fail(ofi, rc, "can't listen") : 0;
}

/* Open everything that @ofi->info describes. */
static int open_info(struct decant_ofi *ofi)
{
	int rc;

	ofi->msg = ofi->info->ep_attr->type == FI_EP_MSG;
	set_limits(ofi);
	ofi->window = (unsigned)fabric_least(ofi->info->tx_attr->size, WINDOW_MAX);
	ofi->window += !ofi->window;
	rc = fi_fabric(ofi->info->fabric_attr, &ofi->fabric, NULL);
	if (rc)
		return fabric_fail(ofi, rc, "fabric %s",
				   ofi->info->fabric_attr->prov_name);
	rc = fi_domain(ofi->fabric, ofi->info, &ofi->access, NULL);
	if (rc)
		return fabric_fail(ofi, rc, "domain %s", ofi->info->domain_attr->name);
	rc = open_cq(ofi);
	if (!rc)
		rc = open_counter(ofi);
	if (rc)
		return rc;
	return ofi->msg ? open_msg(ofi) : open_rdm(ofi);
}

/* Whichever type of end point there is, datagrams that are reliable before connections.
 */
static struct fi_info *find(struct decant_ofi *ofi, const char *provider,
			    const char *node)
{
	static const enum fi_ep_type types[] = {FI_EP_RDM, FI_EP_MSG};
	struct fabric_wish wish = {.node = node, .tagged = ofi->tagged};
	struct fi_info *info = NULL;

	for (int i = 0; i < 4 && !info; i++) {
		wish.type = types[i / 2];
		wish.delivery = i % 2 == 0;
		info = fabric_find(provider, &wish);
		ofi->delivery = wish.delivery ? FI_DELIVERY_COMPLETE : 0;
	}
	return info;
}

static int open_named(struct decant_ofi *ofi, const char *provider, const char *node)
{
	int rc;

	ofi->info = find(ofi, provider, node);
	if (!ofi->info)
		return -ENODATA;
	rc = open_info(ofi);
	if (!rc)
		return 0;
	close_all(ofi);
	fabric_domain_init(ofi);
	return rc;
}

static int open_any(struct decant_ofi *ofi, const char *node)
{
	int rc = -ENODATA, last = -ENODATA;

	for (size_t i = 0; i < sizeof(preferred) / sizeof(*preferred); i++) {
		rc = open_named(ofi, preferred[i], node);
		if (!rc)
			return 0;
		if (rc != -ENODATA)
			last = rc;
	}
	return last;
}

static int open_options(struct decant_ofi *ofi, const struct decant_ofi_options *options)
{
	int rc;

	if (options->provider)
		rc = open_named(ofi, options->provider, options->node);
	else
		rc = open_any(ofi, options->node);
	if (rc == -ENODATA || (rc == -EADDRNOTAVAIL && options->node))
		return fabric_unknown(ofi, options->provider, options->node);
	if (rc)
		return rc;
	fabric_table_init(ofi);
	return fabric_tables_new(ofi);
}

int decant_ofi_new(struct decant_ofi **out, const struct decant_ofi_options *options)
{
	static const struct decant_ofi_options standard = {.size = sizeof(standard)};
	struct decant_ofi *ofi;

	if (!options)
		options = &standard;
	*out = NULL;
	if (options->size != sizeof(*options) || options->timeout < 0 ||
	    options->accept_timeout < 0 || options->depth > FABRIC_DEPTH_MAX)
		return -EINVAL;
	ofi = calloc(1, sizeof(*ofi));
	if (!ofi)
		return -ENOMEM;
	*out = ofi;
	ofi->space = options->space;
	ofi->depth = options->depth ? options->depth : DEFAULT_DEPTH;
	ofi->timeout = options->timeout ? options->timeout : DEFAULT_TIMEOUT;
	ofi->accept_timeout =
		options->accept_timeout ? options->accept_timeout : ofi->timeout;
	ofi->passive = options->passive;
	ofi->tagged = options->tagged;
	ofi->counters = options->counters;
	ofi->granted = options->peer_reads;
	ofi->peer = FI_ADDR_UNSPEC;
	ofi->fd = -1;
	fabric_domain_init(ofi);
	return open_options(ofi, options);
}

void decant_ofi_free(struct decant_ofi *ofi)
{
	if (!ofi)
		return;
	/* nothing may touch the callers' memory any more when their regions are let go */
	if (ofi->info && !ofi->buried)
		fabric_die(ofi, -ECANCELED);
	close_all(ofi);
	free(ofi->ops);
	free(ofi->requests);
	free(ofi);
}

void decant_ofi_info(const struct decant_ofi *ofi, struct decant_ofi_info *info)
{
	unsigned char name[DECANT_OFI_ADDRESS_MAX];
	size_t len = sizeof(name);

	*info = (struct decant_ofi_info){.provider = "", .endpoint = ""};
	if (!ofi->info)
		return;
	fabric_describe(ofi->info, info);
	info->address_bytes = decant_ofi_address(ofi, name, &len) ? 0 : len;
}
