/* SPDX-License-Identifier: MIT */
/* domain.c - regions become memory regions of the device. */
#include "internal.h"

#define PEER_USES (DECANT_VERBS_PEER_READS | DECANT_VERBS_PEER_WRITES)

/* What the next registration of this memory shall be: map() runs in the same thread. */
struct dmabuf {
	const void *addr;
	size_t len;
	uint64_t offset;
	int fd;
};

static _Thread_local struct dmabuf announced;

static struct verbs_domain *domain_of(struct decant_domain *domain)
{
	return (struct verbs_domain *)domain;
}

_Static_assert(offsetof(struct verbs_domain, domain) == 0, "domain_of() relies on it");

static int access_of(unsigned uses)
{
	int access = IBV_ACCESS_LOCAL_WRITE;

	if (uses & DECANT_VERBS_PEER_READS)
		access |= IBV_ACCESS_REMOTE_READ;
	if (uses & DECANT_VERBS_PEER_WRITES)
		access |= IBV_ACCESS_REMOTE_WRITE;
	if (uses & DECANT_VERBS_ON_DEMAND)
		access |= IBV_ACCESS_ON_DEMAND;
	return access;
}

/* Memory that can only be read serves as a source. */
static struct ibv_mr *register_memory(struct verbs_domain *d,
				      const struct decant_span *span)
{
	int access = access_of(d->uses);
	struct ibv_mr *mr = ibv_reg_mr(d->verbs->pd, span->addr, span->len, access);

	if (mr || errno != EFAULT || (d->uses & DECANT_VERBS_PEER_WRITES))
		return mr;
	access &= ~IBV_ACCESS_LOCAL_WRITE;
	return ibv_reg_mr(d->verbs->pd, span->addr, span->len, access);
}

/* What a transfer says itself, to mean something else, must not come from here. */
static int refusal(int err)
{
	return err == EAGAIN || err == ENOSPC || !err ? -ENOMEM : -err;
}

static int map(struct decant_domain *domain, const struct decant_span *span,
	       struct decant_mapping *mapping)
{
	struct verbs_domain *d = domain_of(domain);
	struct ibv_mr *mr;

	errno = 0;
	if (announced.addr == span->addr && announced.len == span->len)
		mr = ibv_reg_dmabuf_mr(d->verbs->pd, announced.offset, span->len,
				       (uintptr_t)span->addr, announced.fd,
				       access_of(d->uses));
	else
		mr = register_memory(d, span);
	if (!mr)
		return refusal(errno);
	*mapping = (struct decant_mapping){
		.iova = (uintptr_t)span->addr,
		.rkey = d->uses & PEER_USES ? mr->rkey : 0,
		.lkey = mr->lkey,
		.handle = mr,
	};
	return 0;
}

static void unmap(struct decant_domain *domain, struct decant_mapping *mapping)
{
	(void)domain;
	ibv_dereg_mr(mapping->handle);
}

static const struct decant_domain_ops domain_ops = {
	.name = "verbs",
	.map = map,
	.unmap = unmap,
};

void verbs_domains_init(struct decant_verbs *verbs)
{
	for (unsigned i = 0; i < VERBS_DOMAINS; i++) {
		verbs->domains[i].verbs = verbs;
		verbs->domains[i].uses = i;
		decant_domain_init(&verbs->domains[i].domain, &domain_ops);
	}
}

void verbs_domains_fini(struct decant_verbs *verbs)
{
	for (unsigned i = 0; i < VERBS_DOMAINS; i++)
		decant_domain_fini(&verbs->domains[i].domain);
}

struct decant_domain *decant_verbs_domain(struct decant_verbs *verbs, unsigned uses)
{
	if (uses >= VERBS_DOMAINS ||
	    ((uses & DECANT_VERBS_ON_DEMAND) && !verbs->caps.on_demand))
		return NULL;
	return &verbs->domains[uses].domain;
}

int decant_verbs_map_dmabuf(struct decant_verbs *verbs, unsigned uses,
			    struct decant_region *region, int fd, uint64_t offset)
{
	struct decant_span span = decant_region_span(region);
	struct decant_domain *domain = decant_verbs_domain(verbs, uses);
	int rc;

	if (!domain || (uses & DECANT_VERBS_ON_DEMAND))
		return -EINVAL;
	if (decant_domain_mapping(domain, region))
		return -EEXIST;
	announced = (struct dmabuf){span.addr, span.len, offset, fd};
	rc = decant_domain_map(domain, region);
	announced = (struct dmabuf){0};
	return rc;
}

int decant_verbs_grant(struct decant_verbs *verbs, unsigned uses,
		       struct decant_region *region, struct decant_verbs_remote *remote)
{
	struct decant_domain *domain = decant_verbs_domain(verbs, uses);
	const struct decant_mapping *mapping;
	int rc;

	if (!domain || !(uses & PEER_USES))
		return -EINVAL;
	rc = decant_domain_map(domain, region);
	if (rc)
		return rc;
	mapping = decant_domain_mapping(domain, region);
	*remote = (struct decant_verbs_remote){
		mapping->iova, decant_region_span(region).len, (uint32_t)mapping->rkey};
	return 0;
}
