/* SPDX-License-Identifier: MIT */
/*
 * memory.c - the n-th allocation or mapping fails, for every n: each entry point reports
 * it, leaves everything as it was and leaks nothing.
 */
#include "each.h"
#include "../unit/fake.h"

#define REGIONS 100
#define EACH	32

static unsigned char memory[REGIONS * EACH];
static struct decant_region *regions[REGIONS];
static struct decant_bvec bvecs[REGIONS];

static void make_regions(void)
{
	for (size_t i = 0; i < REGIONS; i++) {
		REQUIRE(!decant_region_new(&regions[i], memory + i * EACH, EACH, NULL));
		bvecs[i] = (struct decant_bvec){memory + i * EACH, EACH - 1, regions[i]};
	}
}

static void put_regions(void)
{
	for (size_t i = 0; i < REGIONS; i++) {
		CHECK_EQ(decant_region_refs(regions[i]), 1);
		decant_region_put(regions[i]);
	}
}

static size_t all_refs(void)
{
	size_t sum = 0;

	for (size_t i = 0; i < REGIONS; i++)
		sum += decant_region_refs(regions[i]);
	return sum;
}

static int new_region(void)
{
	struct decant_region *region = (void *)memory;
	int err = decant_region_new(&region, memory, 1, NULL);

	if (!err)
		decant_region_put(region);
	else
		CHECK(region == (void *)memory);
	return err;
}

static int new_space(void)
{
	struct decant_space *space = (void *)memory;
	int err = decant_space_new(&space);

	if (!err)
		decant_space_free(space);
	else
		CHECK(space == (void *)memory);
	return err;
}

static struct decant_space *space;

static int add_to_space(void)
{
	struct decant_region *found;
	int err;

	for (size_t i = 0; i < REGIONS; i++) {
		err = decant_space_add(space, regions[i]);
		if (!err)
			continue;
		CHECK_EQ(decant_region_refs(regions[i]), 1);
		CHECK(!decant_space_find(space, memory + i * EACH));
		while (i-- > 0) {
			found = decant_space_find(space, memory + i * EACH);
			CHECK(found == regions[i]);
			decant_region_put(found);
			CHECK_EQ(decant_space_remove(space, regions[i]), 0);
		}
		return err;
	}
	return 0;
}

static int map_in_domains(void)
{
	struct fake_domain fake[3];
	int err = 0;

	for (size_t i = 0; i < 3; i++)
		fake_init(&fake[i]);
	for (size_t i = 0; i < 3 && !err; i++) {
		err = decant_domain_map(&fake[i].domain, regions[0]);
		CHECK_EQ(decant_domain_mapping(&fake[i].domain, regions[0]) == NULL,
			 err != 0);
	}
	for (size_t i = 0; i < 3; i++) {
		decant_domain_fini(&fake[i].domain);
		CHECK_EQ(fake[i].maps, fake[i].unmaps);
	}
	return err;
}

static int grow_hold(void)
{
	struct decant_hold hold = {0};
	int err = 0;

	for (size_t i = 0; i < REGIONS && !err; i++) {
		size_t nr = hold.nr, refs = decant_region_refs(regions[i]);

		err = decant_hold_add(&hold, regions[i]);
		CHECK_EQ(hold.nr, nr + !err);
		CHECK_EQ(decant_region_refs(regions[i]), refs + !err);
	}
	decant_hold_release(&hold);
	return err;
}

/* Progress wins: what could be held is in the table, the rest follows in the next call.
 */
static int extract(void)
{
	struct decant_hold hold = {0};
	struct decant_bvec table[REGIONS];
	struct decant_sink sink;
	struct decant_iter it;
	ssize_t got = 1, done = 0;

	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bvecs, REGIONS));
	decant_sink_bvec(&sink, table, REGIONS);
	sink.hold = &hold;
	while (got > 0) {
		got = decant_extract(&it, &sink, SIZE_MAX);
		done += got > 0 ? got : 0;
		CHECK_EQ(sink.bytes, done);
		CHECK_EQ(sink.nr, hold.nr);
		CHECK_EQ(sink.nr, done / (EACH - 1));
		CHECK_EQ(decant_iter_consumed(&it), done);
		CHECK(got < 0 || sink.stop == DECANT_STOP_END ||
		      sink.stop == DECANT_STOP_MEMORY);
	}
	CHECK_EQ(done, REGIONS * (EACH - 1));
	decant_hold_release(&hold);
	return (int)got;
}

static int extract_all(void)
{
	struct decant_hold hold = {0};
	struct decant_bvec table[REGIONS];
	size_t refs = all_refs();
	struct decant_sink sink;
	struct decant_iter it;
	ssize_t got;

	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bvecs, REGIONS));
	decant_sink_bvec(&sink, table, REGIONS);
	sink.hold = &hold;
	got = decant_extract_all(&it, &sink, SIZE_MAX);
	if (got < 0) {
		CHECK_EQ(sink.stop, DECANT_STOP_MEMORY);
		CHECK_EQ(sink.nr + sink.bytes + hold.nr, 0);
		CHECK_EQ(decant_iter_consumed(&it), 0);
		CHECK_EQ(all_refs(), refs);
	}
	decant_hold_release(&hold);
	return got < 0 ? (int)got : 0;
}

/* Blocks that straddle two owners, through the stage, both held. */
static int extract_staged(void)
{
	struct decant_hold hold = {0};
	struct decant_bvec table[2 * REGIONS];
	struct decant_staged records[REGIONS];
	unsigned char bytes[sizeof(memory)];
	struct decant_span scratch = {bytes, sizeof(bytes), NULL};
	struct decant_stage stage;
	size_t refs = all_refs();
	struct decant_sink sink;
	struct decant_iter it;
	ssize_t got;

	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bvecs, REGIONS));
	decant_stage_init(&stage, scratch, records, REGIONS);
	decant_sink_bvec(&sink, table, 2 * REGIONS);
	sink.hold = &hold;
	sink.stage = &stage;
	sink.limits.len_align = 4;
	got = decant_extract_all(&it, &sink, SIZE_MAX);
	if (got < 0) {
		CHECK_EQ(sink.nr + sink.bytes + hold.nr + stage.nr + stage.used, 0);
		CHECK_EQ(decant_iter_consumed(&it), 0);
		CHECK_EQ(all_refs(), refs);
	} else {
		CHECK_EQ(hold.nr, REGIONS);
	}
	decant_hold_release(&hold);
	return got < 0 ? (int)got : 0;
}

static int own_with(enum decant_policy policy)
{
	struct decant_own_options options = {.size = sizeof(options), .policy = policy};
	size_t refs = all_refs();
	struct decant_owned *owned, *slice;
	struct decant_iter it, view;

	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bvecs, REGIONS));
	owned = decant_iter_own(&it, SIZE_MAX, &options);
	if (!owned) {
		CHECK_EQ(decant_iter_consumed(&it), 0);
		CHECK_EQ(all_refs(), refs);
		return options.error;
	}
	CHECK_EQ(options.error, 0);
	view = decant_owned_iter(owned);
	slice = decant_owned_slice(owned, &view, 10);
	decant_owned_put(slice);
	decant_owned_put(owned);
	CHECK_EQ(all_refs(), refs);
	return slice ? 0 : -ENOMEM;
}

static int own_trusted(void)
{
	return own_with(DECANT_TRUST);
}

static int own_staged(void)
{
	return own_with(DECANT_STAGE);
}

static int new_pool(size_t bytes, bool small)
{
	struct decant_pool_options options = {sizeof(options), bytes, 3, small};
	struct decant_pool *pool = (void *)memory;
	long before = fault_mapped - fault_kept;
	int err = decant_pool_new(&pool, &options);

	if (err) {
		CHECK(pool == (void *)memory);
	} else {
		struct decant_span span = decant_pool_get(pool);

		CHECK_EQ(span.len, bytes);
		decant_pool_put(pool, span.addr);
		decant_pool_free(pool);
	}
	CHECK_EQ(fault_mapped - fault_kept, before);
	return err;
}

static int new_pool_small(void)
{
	return new_pool(4096, true);
}

static int new_pool_huge(void)
{
	return new_pool(1 << 20, false);
}

static void creation(void)
{
	with_each_failing(new_region, -ENOMEM);
	with_each_failing(new_space, -ENOMEM);
}

static void spaces(void)
{
	make_regions();
	REQUIRE(!decant_space_new(&space));
	with_each_failing(add_to_space, -ENOMEM);
	decant_space_free(space);
	put_regions();
}

static void domains(void)
{
	struct fake_domain fake;

	/* Each time a region with no spare slots. */
	make_regions();
	with_each_failing(map_in_domains, -ENOMEM);
	fake_init(&fake);
	fake.error = -EIO;
	CHECK_EQ(decant_domain_map(&fake.domain, regions[0]), -EIO);
	decant_domain_fini(&fake.domain);
	put_regions();
}

static void holds(void)
{
	make_regions();
	with_each_failing(grow_hold, -ENOMEM);
	put_regions();
}

static void extraction(void)
{
	make_regions();
	with_each_failing(extract, -ENOMEM);
	with_each_failing(extract_all, -ENOMEM);
	with_each_failing(extract_staged, -ENOMEM);
	put_regions();
}

static void owning(void)
{
	make_regions();
	with_each_failing(own_trusted, -ENOMEM);
	with_each_failing(own_staged, -ENOMEM);
	put_regions();
}

static void pools(void)
{
	with_each_failing(new_pool_small, -ENOMEM);
	with_each_failing(new_pool_huge, -ENOMEM);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"creation of regions and spaces", creation},
		{"adding to a space", spaces},
		{"mapping in domains", domains},
		{"growth of a hold", holds},
		{"extraction", extraction},
		{"owning and slicing", owning},
		{"pools", pools},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
