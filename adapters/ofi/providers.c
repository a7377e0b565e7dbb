/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <stdio.h>
#include <string.h>

/* Everything this adapter can live with; a provider drops the mode bits it does not need.
 */
static struct fi_info *hints_new(const char *provider, const struct fabric_wish *wish)
{
	struct fi_info *hints = fi_allocinfo();

	if (!hints)
		return NULL;
	hints->caps = FI_MSG | FI_RMA | (wish->tagged ? FI_TAGGED : 0);
	hints->mode = FI_CONTEXT | FI_CONTEXT2;
	hints->ep_attr->type = wish->type;
	hints->domain_attr->mr_mode =
		FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY;
	if (wish->type == FI_EP_RDM)
		hints->domain_attr->mr_mode |= FI_MR_ENDPOINT;
	if (wish->delivery)
		hints->tx_attr->op_flags = FI_DELIVERY_COMPLETE;
	if (provider && !(hints->fabric_attr->prov_name = strdup(provider))) {
		fi_freeinfo(hints);
		return NULL;
	}
	return hints;
}

/* Shared memory has no hosts to bind to. */
static const char *node_for(const char *provider, const char *node)
{
	return provider && !strcmp(provider, "shm") ? NULL : node;
}

static struct fi_info *query(const char *provider, const struct fabric_wish *wish)
{
	struct fi_info *hints = hints_new(provider, wish), *list = NULL;
	const char *node = node_for(provider, wish->node);

	if (!hints)
		return NULL;
	if (fi_getinfo(FABRIC_VERSION, node, NULL, node ? FI_SOURCE : 0, hints, &list))
		list = NULL;
	fi_freeinfo(hints);
	return list;
}

/*
 * The first match of exactly this provider, for the caller to free. libfabric itself
 * would take "tcp" for "tcp;ofi_rxm" as well when the end point type suits.
 */
struct fi_info *fabric_find(const char *provider, const struct fabric_wish *wish)
{
	struct fi_info *list = query(provider, wish), *at, *found = NULL;

	for (at = list; at && !found; at = at->next)
		if (!strcmp(at->fabric_attr->prov_name, provider))
			found = fi_dupinfo(at);
	fi_freeinfo(list);
	return found;
}

static const char *type_name(enum fi_ep_type type)
{
	return type == FI_EP_RDM ? "rdm" : "msg";
}

/*
 * libfabric 1.17's tcp and net say that they go on by themselves, but a target that isn't
 * driven doesn't answer.
 */
static bool driven(const struct fi_info *info)
{
	const char *name = info->fabric_attr->prov_name;

	return info->domain_attr->data_progress == FI_PROGRESS_MANUAL ||
	       !strcmp(name, "tcp") || !strcmp(name, "net");
}

void fabric_describe(const struct fi_info *info, struct decant_ofi_info *out)
{
	uint64_t mr_mode = info->domain_attr->mr_mode;

	*out = (struct decant_ofi_info){
		.provider = info->fabric_attr->prov_name,
		.endpoint = type_name(info->ep_attr->type),
		.iov_limit = info->tx_attr->iov_limit,
		.rma_iov_limit = info->tx_attr->rma_iov_limit,
		.max_msg_bytes = info->ep_attr->max_msg_size,
		.inject_bytes = info->tx_attr->inject_size,
		.mr_local = mr_mode & FI_MR_LOCAL,
		.mr_virt_addr = mr_mode & FI_MR_VIRT_ADDR,
		.manual_progress = driven(info),
		.address_bytes = info->src_addrlen,
	};
}

/* libfabric gives an entry for each address of the machine; one for each provider will
 * do. */
static bool seen_before(const struct fi_info *list, const struct fi_info *entry)
{
	for (; list != entry; list = list->next)
		if (!strcmp(list->fabric_attr->prov_name, entry->fabric_attr->prov_name))
			return true;
	return false;
}

static int walk(enum fi_ep_type type, int (*fn)(void *, const struct decant_ofi_info *),
		void *user)
{
	struct fi_info *list = query(NULL, &(struct fabric_wish){.type = type}), *at;
	struct decant_ofi_info info;
	int rc = 0;

	for (at = list; at && !rc; at = at->next) {
		if (seen_before(list, at))
			continue;
		fabric_describe(at, &info);
		rc = fn(user, &info);
	}
	fi_freeinfo(list);
	return rc;
}

int decant_ofi_providers(int (*fn)(void *user, const struct decant_ofi_info *info),
			 void *user)
{
	int rc = walk(FI_EP_RDM, fn, user);

	return rc ? rc : walk(FI_EP_MSG, fn, user);
}

static int append_name(void *user, const struct decant_ofi_info *info)
{
	struct decant_ofi *ofi = user;
	size_t used = strlen(ofi->error);

	snprintf(ofi->error + used, sizeof(ofi->error) - used, " \"%s\" (%s)",
		 info->provider, info->endpoint);
	return 0;
}

static bool offered(const char *provider)
{
	struct fabric_wish wish = {.type = FI_EP_RDM};
	struct fi_info *info = fabric_find(provider, &wish);

	wish.type = FI_EP_MSG;
	if (!info)
		info = fabric_find(provider, &wish);
	fi_freeinfo(info);
	return info;
}

/* Say why there is no such provider; -ENODATA, -ELIBACC if there can be none at all, or
 * -EADDRNOTAVAIL if it is only the node.
 */
int fabric_unknown(struct decant_ofi *ofi, const char *provider, const char *node)
{
	if (!fabric_loaded()) {
		snprintf(ofi->error, sizeof(ofi->error),
			 FABRIC_LIBRARY
			 " can't be loaded; Debian's package is libfabric1");
		return -ELIBACC;
	}
	if (provider && ofi->tagged && offered(provider)) {
		snprintf(ofi->error, sizeof(ofi->error),
			 "fabric provider \"%.64s\" has no tags, or no local address "
			 "\"%.128s\"",
			 provider, node ? node : "");
		return -ENODATA;
	}
	if (provider && node && offered(provider)) {
		snprintf(ofi->error, sizeof(ofi->error),
			 "fabric provider \"%.64s\" has no local address \"%.128s\"",
			 provider, node);
		return -EADDRNOTAVAIL;
	}
	if (provider)
		snprintf(ofi->error, sizeof(ofi->error),
			 "no fabric provider \"%.64s\" on this machine; it offers:",
			 provider);
	else
		snprintf(ofi->error, sizeof(ofi->error),
			 "no fabric provider for reliable transfer between "
			 "hosts%s%.128s; this "
			 "machine offers:",
			 node ? " at " : "", node ? node : "");
	decant_ofi_providers(append_name, ofi);
	return -ENODATA;
}
