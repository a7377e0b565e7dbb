/* SPDX-License-Identifier: MIT */
/*
 * ofi.c - opening a fabric and registering memory with the n-th call failing, for every
 * n: a reason in words, nothing left open, and the next try works.
 */
#define FAULT_ITSELF
#include <decant/ofi.h>
#include "fabric_fault.h"
#include "each.h"

long fault_fids;
int fault_endpoint = FI_ENOMEM;

int fault_opened(int rc)
{
	fault_fids += !rc;
	return rc;
}

int fault_closed(int rc)
{
	fault_fids -= !rc;
	return rc;
}

static const char *provider;
static bool passive, counters;
static struct decant_ofi *opened;
static struct decant_region *region;

static int open_ofi(struct decant_ofi **ofi)
{
	struct decant_ofi_options options = {.size = sizeof(options),
					     .provider = provider,
					     .node = "127.0.0.1",
					     .passive = passive,
					     .counters = counters,
					     .depth = 8,
					     .timeout = 500};

	return decant_ofi_new(ofi, &options);
}

static int open_and_free(void)
{
	struct decant_ofi *ofi = NULL;
	int err = open_ofi(&ofi);

	CHECK(ofi || err == -ENOMEM);
	if (err && ofi)
		CHECK(decant_ofi_error(ofi)[0]);
	decant_ofi_free(ofi);
	CHECK_EQ(fault_fids, 0);
	return err;
}

static bool works(void)
{
	struct decant_ofi *ofi;
	int err = open_ofi(&ofi);

	if (err)
		check_skip("the provider can't be opened here");
	decant_ofi_free(ofi);
	return !err;
}

/* No provider is found if looking for it fails: -ENODATA. */
static void opening(void)
{
	static const char *const providers[] = {"tcp", "tcp;ofi_rxm", "sockets"};

	for (size_t i = 0; i < 12; i++) {
		provider = providers[i / 4];
		passive = i % 2;
		counters = i % 4 / 2;
		if (works())
			with_each_failing(open_and_free, -ENODATA);
	}
}

/* A name that is taken: another is tried. That there is no end point is not that. */
static int open_busy(void)
{
	int err = open_and_free();

	CHECK(!fault_name || strcmp(fault_name, "fi_enable") || !err);
	return err;
}

static void taken(void)
{
	fault_endpoint = FI_EBUSY;
	passive = counters = false;
	provider = "tcp;ofi_rxm";
	if (works())
		with_each_failing(open_busy, -EBUSY);
	fault_endpoint = FI_ENOMEM;
}

static int map(void)
{
	struct decant_domain *domain = decant_ofi_domain(opened);
	long before = fault_fids;
	int err = decant_domain_map(domain, region);

	CHECK_EQ(decant_domain_mapping(domain, region) == NULL, err != 0);
	if (!err)
		decant_domain_unmap(domain, region);
	CHECK_EQ(fault_fids, before);
	CHECK_EQ(decant_region_refs(region), 1);
	return err;
}

static void registering(void)
{
	static unsigned char memory[8192];

	provider = "tcp;ofi_rxm";
	passive = counters = false;
	if (!works())
		return;
	REQUIRE(!decant_region_new(&region, memory, sizeof(memory), NULL));
	REQUIRE(!open_ofi(&opened));
	with_each_failing(map, -ENOMEM);
	decant_ofi_free(opened);
	decant_region_put(region);
	CHECK_EQ(fault_fids, 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"opening, three providers, either side", opening},
		{"a name that is taken", taken},
		{"registering memory", registering},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
