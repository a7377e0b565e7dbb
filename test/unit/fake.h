/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FAKE_H
#define DECANT_TEST_FAKE_H
/* fake.h - a domain whose keys are made up: the n-th mapping gets key n. */
#include <errno.h>
#include <decant/decant.h>

#define FAKE_IOVA 0x100000000ull

struct fake_domain {
	struct decant_domain domain;
	unsigned maps, unmaps;
	int error;	 /* what map returns next */
	unsigned *order; /* counts calls, for who asks what came first */
	unsigned unmapped_at;
};

static int fake_map(struct decant_domain *domain, const struct decant_span *span,
		    struct decant_mapping *mapping)
{
	struct fake_domain *fake = (struct fake_domain *)domain;

	if (fake->error)
		return fake->error;
	fake->maps++;
	*mapping = (struct decant_mapping){.iova = FAKE_IOVA * fake->maps,
					   .rkey = 1000 + fake->maps,
					   .lkey = fake->maps,
					   .handle = span->region};
	return 0;
}

static void fake_unmap(struct decant_domain *domain, struct decant_mapping *mapping)
{
	struct fake_domain *fake = (struct fake_domain *)domain;

	(void)mapping;
	fake->unmaps++;
	if (fake->order)
		fake->unmapped_at = ++*fake->order;
}

static const struct decant_domain_ops fake_ops = {"fake", fake_map, fake_unmap};

static void fake_init(struct fake_domain *fake)
{
	memset(fake, 0, sizeof(*fake));
	decant_domain_init(&fake->domain, &fake_ops);
}
#endif
