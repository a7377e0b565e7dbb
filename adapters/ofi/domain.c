/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <sys/random.h>

static struct decant_ofi *ofi_of(struct decant_domain *domain)
{
	return (struct decant_ofi *)domain;
}

_Static_assert(offsetof(struct decant_ofi, domain) == 0, "ofi_of() relies on it");

/*
 * A key where the provider leaves the choice to us. A peer that was granted one region
 * must not be able to guess the key of another, so it is random where the width allows.
 */
static uint64_t choose_key(struct decant_ofi *ofi)
{
	size_t width = ofi->info->domain_attr->mr_key_size;
	uint64_t key = 0;

	if (fabric_asks(ofi, FI_MR_PROV_KEY))
		return 0;
	if (width < 4 || getrandom(&key, sizeof(key), GRND_NONBLOCK) != sizeof(key))
		key = __atomic_add_fetch(&ofi->next_key, 1, __ATOMIC_RELAXED);
	return width < sizeof(key) ? key & ((UINT64_C(1) << (8 * width)) - 1) : key;
}

static int register_memory(struct decant_ofi *ofi, const struct decant_span *span,
			   struct fid_mr **mr)
{
	uint64_t access = FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_WRITE |
			  (ofi->granted ? FI_REMOTE_READ : 0);
	int rc, tries = 4;

	if (fabric_asks(ofi, FI_MR_ENDPOINT) &&
	    __atomic_load_n(&ofi->buried, __ATOMIC_RELAXED))
		return -FI_ENOTCONN;
	/* a key that we chose may be taken */
	do
		rc = fi_mr_reg(ofi->access, span->addr, span->len, access, 0,
			       choose_key(ofi), 0, mr, NULL);
	while (rc == -FI_ENOKEY && --tries);
	if (rc || !fabric_asks(ofi, FI_MR_ENDPOINT))
		return rc;
	rc = fi_mr_bind(*mr, &ofi->ep->fid, 0);
	if (!rc)
		rc = fi_mr_enable(*mr);
	if (rc)
		fi_close(&(*mr)->fid);
	return rc;
}

static int map(struct decant_domain *domain, const struct decant_span *span,
	       struct decant_mapping *mapping)
{
	struct decant_ofi *ofi = ofi_of(domain);
	struct fid_mr *mr;
	int rc = register_memory(ofi, span, &mr);

	/* not fabric_fail(): this may be any thread, and the text is the owner's */
	if (rc)
		return fabric_errno(rc);
	*mapping = (struct decant_mapping){
		.rkey = fi_mr_key(mr), .handle = mr, .desc = fi_mr_desc(mr)};
	if (fabric_asks(ofi, FI_MR_VIRT_ADDR))
		mapping->iova = (uintptr_t)span->addr;
	if (mapping->rkey == FI_KEY_NOTAVAIL) {
		fi_close(&mr->fid);
		return -EOVERFLOW; /* a raw key, wider than 64 bits */
	}
	return 0;
}

static void unmap(struct decant_domain *domain, struct decant_mapping *mapping)
{
	struct fid_mr *mr = mapping->handle;

	(void)domain;
	fi_close(&mr->fid);
}

static const struct decant_domain_ops domain_ops = {
	.name = "ofi",
	.map = map,
	.unmap = unmap,
};

void fabric_domain_init(struct decant_ofi *ofi)
{
	decant_domain_init(&ofi->domain, &domain_ops);
}

struct decant_domain *decant_ofi_domain(struct decant_ofi *ofi)
{
	return &ofi->domain;
}

int decant_ofi_grant(struct decant_ofi *ofi, struct decant_region *region,
		     struct decant_ofi_remote *remote)
{
	const struct decant_mapping *mapping;
	int rc = decant_domain_map(&ofi->domain, region);

	if (rc)
		return fabric_fail(ofi, rc, "memory can't be registered");
	mapping = decant_domain_mapping(&ofi->domain, region);
	*remote = (struct decant_ofi_remote){mapping->iova, mapping->rkey};
	return 0;
}
