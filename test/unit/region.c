/* SPDX-License-Identifier: MIT */
/* region.c - references, spaces, domains and holds. */
#include "check.h"
#include "fake.h"

static unsigned char memory[1 << 16];
static unsigned order, released_at, releases;

static void on_release(void *user, void *addr, size_t len)
{
	(void)addr;
	(void)len;
	releases++;
	*(unsigned *)user = ++order;
}

static struct decant_region *region_at(size_t offset, size_t len)
{
	struct decant_region_options options = {sizeof(options), on_release,
						&released_at};
	struct decant_region *region;

	REQUIRE(!decant_region_new(&region, memory + offset, len, &options));
	return region;
}

static void refusals(void)
{
	struct decant_region_options options = {.size = 1};
	struct decant_region *region = (void *)memory;

	CHECK_EQ(decant_region_new(&region, NULL, 1, NULL), -EFAULT);
	CHECK_EQ(decant_region_new(&region, memory, 0, NULL), -EINVAL);
	CHECK_EQ(decant_region_new(&region, memory, SIZE_MAX, NULL), -EFAULT);
	CHECK_EQ(decant_region_new(&region, memory, 1, &options), -EINVAL);
	CHECK(region == (void *)memory);
	decant_region_put(NULL);
}

/* The last reference unmaps everywhere, then releases. */
static void order_of_release(void)
{
	struct decant_region *region = region_at(0, 100);
	struct fake_domain a, b;

	order = 0;
	fake_init(&a);
	fake_init(&b);
	a.order = b.order = &order;
	CHECK_EQ(decant_domain_map(&a.domain, region), 0);
	CHECK_EQ(decant_domain_map(&b.domain, region), 0);
	CHECK_EQ(decant_domain_map(&a.domain, region), 0);
	CHECK_EQ(a.maps, 1);
	CHECK(decant_region_get(region) == region);
	decant_region_put(region);
	CHECK_EQ(releases, 0);
	decant_region_put(region);
	CHECK_EQ(releases, 1);
	CHECK_EQ(released_at, 3);
	CHECK_EQ(a.unmapped_at + b.unmapped_at, 3);
	decant_domain_fini(&a.domain);
	decant_domain_fini(&b.domain);
	CHECK_EQ(a.unmaps + b.unmaps, 2);
}

static void mappings(void)
{
	struct decant_region *regions[3] = {region_at(0, 10), region_at(10, 10),
					    region_at(20, 10)};
	struct fake_domain fake[3];

	for (size_t i = 0; i < 3; i++) {
		fake_init(&fake[i]);
		for (size_t j = 0; j < 3; j++)
			CHECK_EQ(decant_domain_map(&fake[i].domain, regions[j]), 0);
	}
	CHECK_EQ(decant_domain_mapping(&fake[1].domain, regions[2])->lkey, 3);
	CHECK_EQ(decant_domain_unmap(&fake[1].domain, regions[2]), 0);
	CHECK_EQ(decant_domain_unmap(&fake[1].domain, regions[2]), -ENOENT);
	CHECK(!decant_domain_mapping(&fake[1].domain, regions[2]));
	CHECK_EQ(decant_domain_mapping(&fake[2].domain, regions[2])->rkey, 1003);
	fake[1].error = -EIO;
	CHECK_EQ(decant_domain_map(&fake[1].domain, regions[2]), -EIO);
	CHECK(!decant_domain_mapping(&fake[1].domain, regions[2]));
	fake[1].error = 0;
	CHECK_EQ(decant_domain_map(&fake[1].domain, regions[2]), 0);
	CHECK_EQ(decant_domain_mapping(&fake[1].domain, regions[2])->lkey, 4);
	decant_domain_clear(&fake[0].domain);
	CHECK_EQ(fake[0].unmaps, 3);
	CHECK(!decant_domain_mapping(&fake[0].domain, regions[0]));
	CHECK_EQ(decant_domain_map(&fake[0].domain, regions[0]), 0);
	decant_domain_fini(&fake[0].domain);
	CHECK_EQ(fake[0].unmaps, 4);
	for (size_t j = 0; j < 3; j++)
		decant_region_put(regions[j]);
	CHECK_EQ(fake[1].unmaps, fake[1].maps);
	CHECK_EQ(fake[2].unmaps, 3);
	decant_domain_fini(&fake[1].domain);
	decant_domain_fini(&fake[2].domain);
}

static bool found(struct decant_space *space, size_t offset,
		  const struct decant_region *want)
{
	struct decant_region *region = decant_space_find(space, memory + offset);

	decant_region_put(region);
	return region == want;
}

static void empty_space(void)
{
	unsigned char byte = 0;
	struct decant_space *space;
	struct decant_iter it;
	struct decant_sink sink;

	REQUIRE(!decant_space_new(&space));
	CHECK(!decant_space_find(space, &byte));
	decant_sink_count(&sink);
	sink.space = space;
	decant_iter_buf(&it, DECANT_SOURCE, &byte, 1);
	CHECK_EQ(decant_extract(&it, &sink, 1), 1);
	sink.policy = DECANT_REFUSE;
	decant_iter_buf(&it, DECANT_SOURCE, &byte, 1);
	CHECK_EQ(decant_extract(&it, &sink, 1), -ENOKEY);
	decant_space_free(space);
}

static void overlaps_and_borders(void)
{
	struct decant_region *a = region_at(100, 100), *b = region_at(300, 100), *c;
	static const size_t bad[][2] = {{100, 100}, {50, 51},  {199, 1}, {150, 10},
					{50, 500},  {250, 51}, {399, 2}};
	struct decant_space *space;

	REQUIRE(!decant_space_new(&space));
	CHECK_EQ(decant_space_add(space, b), 0);
	CHECK_EQ(decant_space_add(space, a), 0);
	CHECK_EQ(decant_space_add(space, a), -EEXIST);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		c = region_at(bad[i][0], bad[i][1]);
		CHECK_EQ(decant_space_add(space, c), -EEXIST);
		CHECK_EQ(decant_space_remove(space, c), -ENOENT);
		decant_region_put(c);
	}
	c = region_at(200, 100);
	CHECK_EQ(decant_space_add(space, c), 0);
	CHECK(found(space, 99, NULL) && found(space, 100, a) && found(space, 199, a));
	CHECK(found(space, 200, c) && found(space, 299, c) && found(space, 300, b));
	CHECK(found(space, 399, b) && found(space, 400, NULL));
	CHECK_EQ(decant_space_remove(space, c), 0);
	CHECK_EQ(decant_space_remove(space, c), -ENOENT);
	CHECK(found(space, 200, NULL));
	decant_space_free(space);
	decant_space_free(NULL);
	CHECK_EQ(decant_region_refs(a), 1);
	decant_region_put(a);
	decant_region_put(b);
	decant_region_put(c);
}

/* What a hold has stays, also when the space and the owner have let go. */
static void removal_while_held(void)
{
	struct decant_region *region = region_at(0, 100);
	struct decant_hold hold = {0}, moved;
	struct decant_space *space;
	struct decant_sink sink;
	struct decant_iter it;

	releases = 0;
	REQUIRE(!decant_space_new(&space) && !decant_space_add(space, region));
	REQUIRE(!decant_iter_buf(&it, DECANT_DEST, memory, 100));
	decant_sink_count(&sink);
	sink.space = space;
	sink.hold = &hold;
	CHECK_EQ(decant_extract(&it, &sink, 100), 100);
	CHECK_EQ(decant_space_remove(space, region), 0);
	decant_region_put(region);
	decant_space_free(space);
	moved = hold;
	CHECK_EQ(releases, 0);
	decant_hold_release(&moved);
	CHECK_EQ(releases, 1);
}

#define MANY 3000

static void many_regions(void)
{
	static struct decant_region *regions[MANY];
	struct decant_hold hold = {0};
	struct decant_space *space;

	REQUIRE(!decant_space_new(&space));
	for (size_t i = 0; i < MANY; i++) {
		size_t at = i * 1999 % MANY;

		regions[at] = region_at(at * 20, 19);
		CHECK_EQ(decant_space_add(space, regions[at]), 0);
	}
	for (size_t i = 0; i < MANY; i++) {
		CHECK(found(space, i * 20, regions[i]) &&
		      found(space, i * 20 + 18, regions[i]));
		CHECK(found(space, i * 20 + 19, NULL));
		CHECK_EQ(decant_hold_add(&hold, regions[i]), 0);
		CHECK_EQ(decant_hold_add(&hold, regions[i / 2]), 0);
	}
	CHECK_EQ(hold.nr, MANY);
	decant_hold_truncate(&hold, MANY + 1);
	CHECK_EQ(hold.nr, MANY);
	decant_hold_truncate(&hold, 20);
	CHECK_EQ(decant_region_refs(regions[19]), 3);
	CHECK_EQ(decant_region_refs(regions[20]), 2);
	CHECK_EQ(decant_hold_add(&hold, regions[20]), 0);
	CHECK_EQ(decant_hold_add(&hold, regions[3]), 0);
	CHECK_EQ(hold.nr, 21);
	CHECK_EQ(decant_hold_reserve(&hold, SIZE_MAX), -EINVAL);
	CHECK_EQ(decant_hold_reserve(&hold, 5), 0);
	decant_hold_release(&hold);
	CHECK_EQ(decant_hold_add(&hold, regions[1]), 0);
	decant_hold_release(&hold);
	for (size_t i = 0; i < MANY; i++) {
		CHECK_EQ(decant_space_remove(space, regions[i]), 0);
		CHECK_EQ(decant_region_refs(regions[i]), 1);
		decant_region_put(regions[i]);
	}
	decant_space_free(space);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"what can't be a region", refusals},
		{"the last reference unmaps, then releases", order_of_release},
		{"several regions in several domains", mappings},
		{"nobody is found in an empty space", empty_space},
		{"overlaps are refused, borders are exact", overlaps_and_borders},
		{"a hold outlives space and owner", removal_while_held},
		{"thousands of regions in a space and a hold", many_regions},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
