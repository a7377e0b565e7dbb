/* SPDX-License-Identifier: MIT */
/* threads.c - regions come and go while others look them up, map them and extract. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include "check.h"
#include "fake.h"

#define PARTS 8
#define PART  4096

static unsigned char memory[PARTS * PART];
static struct decant_space *space;
static struct fake_domain fake;
static atomic_bool stop;
static atomic_uint released;
static unsigned made;
static size_t extracted;

static void on_release(void *user, void *addr, size_t len)
{
	(void)user;
	/* Nobody may be reading this memory any more. */
	memset(addr, 0xdd, len);
	atomic_fetch_add(&released, 1);
}

/* Add and remove every second region, over and over; its memory is reused at once. */
static void *changer(void *arg)
{
	struct decant_region_options options = {sizeof(options), on_release, NULL};

	(void)arg;
	for (size_t n = 0; n < 200; n++) {
		for (size_t i = 0; i < PARTS; i += 2) {
			struct decant_region *region;

			memset(memory + i * PART, 0x11, PART);
			REQUIRE(!decant_region_new(&region, memory + i * PART, PART,
						   &options));
			REQUIRE(!decant_domain_map(&fake.domain, region));
			REQUIRE(!decant_space_add(space, region));
			made++;
			usleep(20);
			REQUIRE(!decant_space_remove(space, region));
			decant_region_put(region);
			/* Its memory is ours again once the last holder is gone. */
			while (atomic_load(&released) < 1)
				sched_yield();
			atomic_fetch_sub(&released, 1);
		}
	}
	return NULL;
}

static void extract_once(void)
{
	struct decant_hold hold = {0};
	struct decant_sge sge[2 * PARTS];
	struct decant_sink sink;
	struct decant_iter it;

	for (size_t i = 0; i < PARTS; i++) {
		REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory + i * PART, PART));
		decant_sink_sge(&sink, sge, 2 * PARTS);
		sink.space = space;
		sink.domain = &fake.domain;
		sink.hold = &hold;
		sink.policy = DECANT_REFUSE;
		if (decant_extract(&it, &sink, SIZE_MAX) != PART)
			continue;
		extracted++;
		/* Held: nothing writes here until it is given back. */
		CHECK_EQ(memory[i * PART] + memory[i * PART + PART - 1], 0x22);
		CHECK(sge[0].lkey);
	}
	decant_hold_release(&hold);
}

static void *extractor(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop))
		extract_once();
	return NULL;
}

/* The changer must get its turn although somebody is always looking up. */
static void extract_while_regions_change(void)
{
	pthread_t change, extract;

	atomic_store(&stop, false);
	REQUIRE(!pthread_create(&change, NULL, changer, NULL));
	REQUIRE(!pthread_create(&extract, NULL, extractor, NULL));
	pthread_join(change, NULL);
	atomic_store(&stop, true);
	pthread_join(extract, NULL);
	printf("# %u regions, %zu extractions\n", made, extracted);
	CHECK(extracted > 0);
	CHECK_EQ(fake.maps, fake.unmaps);
}

/* Regions that are only added, looked up and removed, two threads at a time. */
static void *adder(void *arg)
{
	size_t first = *(size_t *)arg;
	struct decant_region *region, *other;

	for (size_t n = 0; n < 500; n++) {
		for (size_t i = first; i < PARTS; i += 2) {
			REQUIRE(!decant_region_new(&region, memory + i * PART, PART,
						   NULL));
			REQUIRE(!decant_space_add(space, region));
			REQUIRE(!decant_domain_map(&fake.domain, region));
			other = decant_space_find(space, memory + (i ^ 1) * PART);
			if (other && !decant_domain_mapping(&fake.domain, other))
				REQUIRE(!decant_domain_map(&fake.domain, other));
			decant_region_put(other);
			REQUIRE(!decant_space_remove(space, region));
			decant_region_put(region);
		}
	}
	return NULL;
}

static void *prober(void *arg)
{
	struct decant_hold hold = {0};
	struct decant_sink sink;
	struct decant_iter it;

	(void)arg;
	while (!atomic_load(&stop)) {
		REQUIRE(!decant_iter_buf(&it, DECANT_DEST, memory, sizeof(memory)));
		decant_sink_count(&sink);
		sink.space = space;
		sink.hold = &hold;
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), sizeof(memory));
		decant_hold_release(&hold);
	}
	return NULL;
}

static void two_add_one_extracts(void)
{
	size_t first[2] = {0, 1};
	pthread_t threads[2], probe;

	atomic_store(&stop, false);
	REQUIRE(!pthread_create(&probe, NULL, prober, NULL));
	for (size_t i = 0; i < 2; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, adder, &first[i]));
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&stop, true);
	pthread_join(probe, NULL);
	CHECK_EQ(fake.maps, fake.unmaps);
}

static void *clone_and_drop(void *arg)
{
	for (size_t i = 0; i < 20000; i++)
		decant_owned_put(decant_owned_get(arg));
	return NULL;
}

static void owned_in_two_threads(void)
{
	struct decant_owned *owned;
	struct decant_iter it;
	pthread_t threads[2];

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, 100));
	owned = decant_iter_own(&it, 100, NULL);
	REQUIRE(owned);
	for (size_t i = 0; i < 2; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, clone_and_drop, owned));
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	decant_owned_put(owned);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"extraction while a region comes and goes",
		 extract_while_regions_change},
		{"two threads add and remove, a third extracts", two_add_one_extracts},
		{"an owned form in two threads", owned_in_two_threads},
	};
	int failed;

	REQUIRE(!decant_space_new(&space));
	fake_init(&fake);
	failed = check_run(cases, sizeof(cases) / sizeof(*cases));
	decant_space_free(space);
	decant_domain_fini(&fake.domain);
	return failed;
}
