/* SPDX-License-Identifier: MIT */
/*
 * extract.c - what one fragment costs from a list to SGEs: 256 scattered fragments,
 * without look-up, with owners given, and with owners looked up among 64 regions.
 *
 * Prints one JSON object; times are nanoseconds per fragment, best and median of many
 * runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <decant/decant.h>

#define FRAGMENTS 256
#define REGIONS	  64
#define REGION	  65536
#define FRAGMENT  512
#define RUNS	  400
#define REPEAT	  50

struct setting {
	const char *name;
	bool owners;  /* fragments name their regions */
	bool look_up; /* regions are found by address */
	bool hold;
	bool limits;
	bool pairs; /* every second fragment continues the one before */
};

static unsigned char *memory;
static struct decant_region *regions[REGIONS];
static struct decant_space *space;
static struct decant_domain domain;
static struct decant_bvec bvecs[FRAGMENTS];
static struct iovec iovs[FRAGMENTS];
static struct decant_sge sges[FRAGMENTS];

static int map(struct decant_domain *d, const struct decant_span *span,
	       struct decant_mapping *mapping)
{
	(void)d;
	mapping->iova = (uintptr_t)span->addr;
	mapping->lkey = 7;
	return 0;
}

static void unmap(struct decant_domain *d, struct decant_mapping *mapping)
{
	(void)d;
	(void)mapping;
}

static const struct decant_domain_ops ops = {"bench", map, unmap};

static void must(bool ok)
{
	if (!ok) {
		fprintf(stderr, "extract: something the benchmark needs failed\n");
		exit(1);
	}
}

static void set_up(void)
{
	memory = aligned_alloc(REGION, (size_t)REGIONS * REGION);
	must(memory && !decant_space_new(&space));
	decant_domain_init(&domain, &ops);
	for (size_t i = 0; i < REGIONS; i++) {
		must(!decant_region_new(&regions[i], memory + i * REGION, REGION, NULL));
		must(!decant_space_add(space, regions[i]));
		must(!decant_domain_map(&domain, regions[i]));
	}
}

/* Fragments in an order that no predictor knows by heart. */
static void scatter(bool pairs, bool owners)
{
	uint32_t random = 12345;

	for (size_t i = 0; i < FRAGMENTS; i++) {
		size_t at;

		random = random * 1664525 + 1013904223;
		at = (size_t)(random >> 8) % ((size_t)REGIONS * REGION / 2048) * 2048;
		if (pairs && i % 2)
			at = (size_t)((unsigned char *)bvecs[i - 1].addr - memory) +
			     FRAGMENT;
		bvecs[i] = (struct decant_bvec){memory + at, FRAGMENT,
						owners ? regions[at / REGION] : NULL};
		iovs[i] = (struct iovec){memory + at, FRAGMENT};
	}
}

static size_t extract(const struct setting *set, struct decant_hold *hold)
{
	struct decant_sink sink;
	struct decant_iter it;

	if (set->owners)
		must(!decant_iter_bvec(&it, DECANT_SOURCE, bvecs, FRAGMENTS));
	else
		must(!decant_iter_iovec(&it, DECANT_SOURCE, iovs, FRAGMENTS));
	decant_sink_sge(&sink, sges, FRAGMENTS);
	if (set->look_up)
		sink.space = space;
	if (set->look_up || set->owners)
		sink.domain = &domain;
	if (set->hold)
		sink.hold = hold;
	if (set->limits)
		sink.limits = (struct decant_limits){.max_element_bytes = 1 << 20,
						     .boundary = 1 << 21};
	must(decant_extract(&it, &sink, SIZE_MAX) == FRAGMENTS * FRAGMENT);
	return sink.nr;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct setting *set, bool last)
{
	struct decant_hold hold = {0};
	double times[RUNS];
	size_t nr = 0;

	scatter(set->pairs, set->owners);
	must(!decant_hold_reserve(&hold, FRAGMENTS));
	for (size_t run = 0; run < RUNS; run++) {
		double start = now();

		for (size_t i = 0; i < REPEAT; i++) {
			nr = extract(set, &hold);
			decant_hold_truncate(&hold, 0);
		}
		times[run] = (now() - start) / REPEAT / FRAGMENTS;
	}
	decant_hold_release(&hold);
	qsort(times, RUNS, sizeof(*times), by_value);
	printf("  {\"name\": \"%s\", \"fragments\": %d, \"elements\": %zu, "
	       "\"best_ns\": %.2f, \"median_ns\": %.2f}%s\n",
	       set->name, FRAGMENTS, nr, times[0], times[RUNS / 2], last ? "" : ",");
}

int main(void)
{
	static const struct setting settings[] = {
		{.name = "iovec to sge"},
		{.name = "iovec to sge, limits", .limits = true},
		{.name = "bvec to sge, owners given", .owners = true},
		{.name = "bvec to sge, owners given, held", .owners = true, .hold = true},
		{.name = "iovec to sge, looked up", .look_up = true},
		{.name = "iovec to sge, looked up, limits, pairs",
		 .look_up = true,
		 .limits = true,
		 .pairs = true},
		{.name = "iovec to sge, looked up, held, limits, pairs",
		 .look_up = true,
		 .hold = true,
		 .limits = true,
		 .pairs = true},
	};
	size_t nr = sizeof(settings) / sizeof(*settings);

	set_up();
	printf("{\"benchmark\": \"extract\", \"version\": \"%s\", \"regions\": %d, "
	       "\"results\": [\n",
	       decant_version(), REGIONS);
	for (size_t i = 0; i < nr; i++)
		measure(&settings[i], i + 1 == nr);
	printf("]}\n");
	decant_space_free(space);
	for (size_t i = 0; i < REGIONS; i++)
		decant_region_put(regions[i]);
	decant_domain_fini(&domain);
	free(memory);
	return 0;
}
