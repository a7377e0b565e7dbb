/* SPDX-License-Identifier: MIT */
/* dma.c - elements in the device's addresses, and extractions that end on blocks. */
#include <errno.h>
#include "../domain.h"

#define PART 8192

static unsigned char *memory; /* four parts, neighbours for the program */
static struct decant_region *regions[4];
static struct test_domain domain;
static struct decant_bvec bvec[4];
static struct decant_dma table[16];

/* The device's address of each part; the iterator goes through them in order. */
static struct decant_iter scene(const uint64_t iova[4])
{
	struct decant_iter it;

	test_domain_init(&domain);
	memory = aligned_alloc(PART, 4 * PART);
	REQUIRE(memory);
	for (size_t i = 0; i < 4; i++) {
		unsigned char *part = memory + i * PART;

		REQUIRE(!decant_region_new(&regions[i], part, PART, NULL));
		test_domain_map(&domain, regions[i], iova[i]);
		bvec[i] = (struct decant_bvec){part, PART, regions[i]};
	}
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bvec, 4));
	return it;
}

static struct decant_sink sink_of(struct decant_hold *hold)
{
	struct decant_sink sink;

	decant_sink_dma(&sink, table, 16);
	sink.domain = &domain.domain;
	sink.hold = hold;
	return sink;
}

static void end(struct decant_hold *hold)
{
	decant_hold_release(hold);
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(decant_region_refs(regions[i]), 1);
		decant_region_put(regions[i]);
	}
	decant_domain_fini(&domain.domain);
	free(memory);
}

static bool is(size_t index, uint64_t addr, uint64_t length)
{
	return table[index].addr == addr && table[index].length == length;
}

static void neighbours_of_the_device(void)
{
	static const uint64_t iova[4] = {0x10000, 0x12000, 0x20000, 0x22000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);

	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 4 * PART);
	CHECK_EQ(sink.nr, 2);
	CHECK(is(0, 0x10000, 2 * PART) && is(1, 0x20000, 2 * PART));
	CHECK_EQ(hold.nr, 4);
	end(&hold);
}

/* Scattered for the program, one piece for the device. */
static void scattered(void)
{
	static const uint64_t iova[4] = {0x16000, 0x14000, 0x12000, 0x10000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);

	for (size_t i = 0; i < 4; i++)
		bvec[i] = (struct decant_bvec){memory + (3 - i) * PART, PART,
					       regions[3 - i]};
	bvec[0].addr = memory + 3 * PART + 100;
	bvec[0].len = PART - 100;
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bvec, 4));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 4 * PART - 100);
	CHECK_EQ(sink.nr, 1);
	CHECK(is(0, 0x10064, 4 * PART - 100));
	CHECK_EQ(hold.nr, 4);
	end(&hold);
}

static void boundary_of_the_device(void)
{
	static const uint64_t iova[4] = {0x10800, 0x20000, 0x30000, 0x40000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);

	sink.limits.boundary = 0x1000;
	CHECK_EQ(decant_extract(&it, &sink, PART), PART);
	CHECK_EQ(sink.nr, 3);
	CHECK(is(0, 0x10800, 0x800) && is(1, 0x11000, 0x1000) && is(2, 0x12000, 0x800));
	end(&hold);
}

static void alignment_of_the_device(void)
{
	static const uint64_t iova[4] = {0x10002, 0x20000, 0x30000, 0x40000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);

	sink.limits.addr_align = 4;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EINVAL);
	CHECK_EQ(sink.stop, DECANT_STOP_ALIGNMENT);
	REQUIRE(!decant_iter_advance(&it, 2));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 4 * PART - 2);
	CHECK(is(0, 0x10004, PART - 2));
	end(&hold);
}

/* What is aligned in memory only goes through a stage. */
static void stage_of_the_device(void)
{
	static const uint64_t iova[4] = {0x10004, 0x20000, 0x30000, 0x40000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);
	struct decant_staged records[8];
	struct decant_stage stage;

	for (size_t i = 0; i < 2 * PART; i++)
		memory[i] = (unsigned char)(i * 7);
	decant_stage_init(&stage,
			  (struct decant_span){memory + 3 * PART, PART, regions[3]},
			  records, 8);
	sink.stage = &stage;
	sink.limits = (struct decant_limits){.addr_align = 512, .len_align = 512};
	CHECK_EQ(decant_extract(&it, &sink, 2 * PART), 2 * PART);
	/* No multiple of the block leads to an aligned address in the first part. */
	CHECK_EQ(stage.bytes, PART);
	CHECK_EQ(sink.nr, 2);
	CHECK(is(0, 0x40000, PART) && is(1, 0x20000, PART));
	CHECK(!memcmp(memory, memory + 3 * PART, PART));
	end(&hold);
}

static void outside_the_region(void)
{
	static const uint64_t iova[4] = {0x10000, 0x12000, 0x20000, 0x22000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);

	bvec[0].len = PART + 1; /* a list that was changed after it was checked */
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), PART);
	CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EFAULT);
	CHECK_EQ(hold.nr, 1);
	end(&hold);
}

static void unmapped(void)
{
	static const uint64_t iova[4] = {0x10000, 0x12000, 0x20000, 0x22000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);

	REQUIRE(!decant_domain_unmap(&domain.domain, regions[2]));
	CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), -ENOKEY);
	CHECK(!sink.nr && !hold.nr && decant_iter_count(&it) == 4 * PART);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 2 * PART);
	CHECK_EQ(sink.stop, DECANT_STOP_UNREGISTERED);
	end(&hold);
}

/* 520 bytes are a block with its metadata: no power of two. */
static void whole_blocks(void)
{
	static const uint64_t iova[4] = {0x10000, 0x20000, 0x30000, 0x40000};
	struct decant_iter it = scene(iova);
	struct decant_hold hold = {0};
	struct decant_sink sink = sink_of(&hold);

	sink.max = 2;
	sink.limits.block = 520;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 2 * PART / 520 * 520);
	CHECK_EQ(sink.stop, DECANT_STOP_FULL);
	CHECK(is(0, 0x10000, PART) && is(1, 0x20000, 2 * PART / 520 * 520 - PART));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENOSPC);
	decant_sink_reset(&sink);
	CHECK_EQ(decant_extract(&it, &sink, 519), -EINVAL);
	CHECK_EQ(sink.stop, DECANT_STOP_ALIGNMENT);
	CHECK_EQ(sink.nr, 0);
	CHECK_EQ(decant_extract(&it, &sink, 521), 520);
	end(&hold);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"neighbours of the device merge, neighbours in memory don't",
		 neighbours_of_the_device},
		{"scattered memory is one element to the device", scattered},
		{"a boundary counts in the device's addresses", boundary_of_the_device},
		{"an alignment counts in the device's addresses",
		 alignment_of_the_device},
		{"a stage has device addresses, too", stage_of_the_device},
		{"memory outside the region it claims is a fault", outside_the_region},
		{"a region the device doesn't know is refused", unmapped},
		{"an extraction ends on a whole block", whole_blocks},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
