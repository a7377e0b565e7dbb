/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_DOMAIN_H
#define DECANT_TEST_DOMAIN_H
/* domain.h - a device's address space that a test lays out as it likes. */
#include <decant/decant.h>
#include "check.h"

struct test_domain {
	struct decant_domain domain;
	uint64_t next;
	bool as_here; /* not next, but the address it has here */
};

static int test_domain_do_map(struct decant_domain *domain,
			      const struct decant_span *span,
			      struct decant_mapping *mapping)
{
	const struct test_domain *td = (struct test_domain *)domain;

	mapping->iova = td->as_here ? (uintptr_t)span->addr : td->next;
	mapping->lkey = 7;
	return 0;
}

static void test_domain_do_unmap(struct decant_domain *domain,
				 struct decant_mapping *mapping)
{
	(void)domain;
	(void)mapping;
}

static void test_domain_init(struct test_domain *td)
{
	static const struct decant_domain_ops ops = {"test", test_domain_do_map,
						     test_domain_do_unmap};

	decant_domain_init(&td->domain, &ops);
}

/* The device knows the region's first byte as iova. */
static void test_domain_map(struct test_domain *td, struct decant_region *region,
			    uint64_t iova)
{
	td->next = iova;
	REQUIRE(!decant_domain_map(&td->domain, region));
}

/* How the device knows an address in a region; the address itself if it doesn't. */
__attribute__((unused)) static uint64_t
test_domain_address(const struct test_domain *td, const struct decant_region *region,
		    uint64_t addr)
{
	const struct decant_mapping *mapping = decant_domain_mapping(&td->domain, region);

	if (!mapping)
		return addr;
	return mapping->iova + (addr - (uintptr_t)decant_region_span(region).addr);
}
#endif
