/* SPDX-License-Identifier: MIT */
/*
 * nvme.c - QEMU's NVMe controller, behind an IOMMU, does as our PRP lists, SGLs and DMA
 * tuples say. It runs in a guest (tools/guest), since it overwrites the disk.
 */
#include <errno.h>
#include "moves.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct pieces pieces;

/* The disk, written and read back by hand: the controller and the domain work. */
static void by_hand(void)
{
	fill(rig.disk, RIG_DISK_LEN);
	fill_memory();
	REQUIRE(!rig_flat(&rig, NVME_WRITE, rig.disk));
	CHECK(disk_is_right());
}

/* The IOMMU is in the way: a virtual address, or one that was unmapped, reaches nothing. */
static void nothing_unmapped(void)
{
	struct decant_region *region = rig_region(&rig, NVME_PAGE);
	struct nvme_data data = {0};
	unsigned char *addr;
	uint64_t iova;

	REQUIRE(region);
	addr = rig_addr(region);
	iova = rig_iova(&rig, region);
	memset(addr, 0x5a, NVME_PAGE);
	CHECK(iova != (uintptr_t)addr);
	data.pointer[0] = (uintptr_t)addr;
	nvme_io(&rig.nvme, NVME_READ, 0, NVME_PAGE / NVME_BLOCK, &data);
	CHECK(addr[0] == 0x5a && !memcmp(addr, addr + 1, NVME_PAGE - 1));
	data.pointer[0] = iova;
	CHECK(!decant_domain_unmap(&rig.vfio.domain, region));
	nvme_io(&rig.nvme, NVME_READ, 0, NVME_PAGE / NVME_BLOCK, &data);
	CHECK(addr[0] == 0x5a && !memcmp(addr, addr + 1, NVME_PAGE - 1));
	decant_region_put(region);
	CHECK(memory_is_right());
}

/* How the device knows a byte of the rig's memory. */
static uint64_t device_address(const unsigned char *addr)
{
	size_t at = (size_t)(addr - rig.memory);

	return rig_iova(&rig, rig.regions[at / RIG_REGION_LEN]) + at % RIG_REGION_LEN;
}

/* Every tuple is where the mapping says, in order, and nothing is left out. */
static void tuples_match(void)
{
	struct decant_sink sink;
	size_t piece = 0, offset = 0;

	pieces_odd(&pieces, rig.memory, 300, 256 << 10);
	if (!moves(&by_dma, &pieces, &sink))
		return;
	CHECK(sink.nr >= 299);
	for (size_t i = 0; i < sink.nr; i++)
		for (uint64_t at = 0; at < dma_table[i].length;) {
			size_t left = pieces.iov[piece].iov_len - offset;
			size_t len = left < dma_table[i].length - at
					     ? left
					     : dma_table[i].length - at;

			if (len && !CHECK_EQ(dma_table[i].addr + at,
					     device_address(pieces.iov[piece].iov_base) +
						     offset))
				return;
			at += len;
			offset = len < left ? offset + len : 0;
			piece += len == left;
		}
	CHECK(disk_is_right());
}

/* Adjacent for the program, far apart for the device: one tuple for each region. */
static void regions_stay_apart(void)
{
	struct decant_sink sink;

	pieces.iov[0] = (struct iovec){rig.memory, RIG_DISK_LEN};
	pieces.nr = 1;
	pieces.len = RIG_DISK_LEN;
	moves(&by_dma, &pieces, &sink);
	CHECK_EQ(sink.nr, (RIG_DISK_LEN + RIG_REGION_LEN - 1) / RIG_REGION_LEN);
	CHECK(disk_is_right());
}

/* Far apart for the program, adjacent for the device: one tuple, and the device agrees. */
static void regions_join(void)
{
	struct decant_region *one = rig_region(&rig, NVME_PAGE), *two;
	struct decant_sink sink;
	struct nvme_data data;
	struct decant_iter it;
	struct iovec iov[2];

	REQUIRE(one);
	rig.vfio.iova.next = rig_iova(&rig, one) + NVME_PAGE;
	two = rig_region(&rig, NVME_PAGE);
	REQUIRE(two && rig_iova(&rig, two) == rig_iova(&rig, one) + NVME_PAGE);
	REQUIRE(!decant_space_add(rig.space, one) && !decant_space_add(rig.space, two));
	iov[0] = (struct iovec){rig_addr(one) + 512, NVME_PAGE - 512};
	iov[1] = (struct iovec){rig_addr(two), 512};
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 2));
	sink_begin(&sink, &by_dma, NULL);
	CHECK_EQ(decant_extract(&it, &sink, NVME_PAGE), NVME_PAGE);
	CHECK_EQ(sink.nr, 1);
	data = by_dma.finish(&sink);
	CHECK_EQ(nvme_io(&rig.nvme, NVME_READ, 0, NVME_PAGE / NVME_BLOCK, &data), 0);
	CHECK(!memcmp(iov[0].iov_base, rig.disk, NVME_PAGE - 512));
	CHECK(!memcmp(iov[1].iov_base, rig.disk + NVME_PAGE - 512, 512));
	decant_space_remove(rig.space, one);
	decant_space_remove(rig.space, two);
	decant_region_put(one);
	decant_region_put(two);
}

/* Two owners on one page: it is mapped twice, and each has its own address for it. */
static void regions_share_a_page(void)
{
	const size_t cut = NVME_PAGE / 2 + 4;
	struct decant_region *whole = rig_region(&rig, NVME_PAGE), *part[2];
	unsigned char *addr;
	struct decant_sink sink;
	struct nvme_data data;
	struct decant_iter it;

	REQUIRE(whole);
	addr = rig_addr(whole);
	part[0] = rig_adopt(&rig, addr, cut, NULL);
	part[1] = rig_adopt(&rig, addr + cut, NVME_PAGE - cut, NULL);
	REQUIRE(part[0] && part[1]);
	REQUIRE(!decant_space_add(rig.space, part[0]) &&
		!decant_space_add(rig.space, part[1]));
	REQUIRE(!decant_iter_buf(&it, DECANT_DEST, addr, NVME_PAGE));
	sink_begin(&sink, &by_dma, NULL);
	CHECK_EQ(decant_extract(&it, &sink, NVME_PAGE), NVME_PAGE);
	CHECK_EQ(sink.nr, 2);
	data = by_dma.finish(&sink);
	CHECK_EQ(nvme_io(&rig.nvme, NVME_READ, 3, NVME_PAGE / NVME_BLOCK, &data), 0);
	CHECK(!memcmp(addr, rig.disk + 3 * NVME_BLOCK, NVME_PAGE));
	for (size_t i = 0; i < 2; i++) {
		decant_space_remove(rig.space, part[i]);
		decant_region_put(part[i]);
	}
	decant_region_put(whole);
}

/* What the domain has no address for is refused, and what comes before is not lost. */
static void unmapped_is_refused(void)
{
	unsigned char *edge = rig.memory + RIG_REGION_LEN;
	struct iovec iov = {edge - NVME_PAGE, 2 * NVME_PAGE};
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_domain_unmap(&rig.vfio.domain, rig.regions[1]));
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, &iov, 1));
	sink_begin(&sink, &by_dma, NULL);
	CHECK_EQ(decant_extract(&it, &sink, 2 * NVME_PAGE), NVME_PAGE);
	CHECK_EQ(sink.stop, DECANT_STOP_UNREGISTERED);
	CHECK_EQ(decant_extract(&it, &sink, NVME_PAGE), -ENOKEY);
	CHECK_EQ(decant_iter_count(&it), NVME_PAGE);
	REQUIRE(!decant_domain_map(&rig.vfio.domain, rig.regions[1]));
	CHECK_EQ(decant_extract(&it, &sink, NVME_PAGE), NVME_PAGE);
}

/* Scattered pages that begin offset bytes into the first, in both directions. */
static void pages(const struct way *way, size_t offset, size_t len, size_t elements)
{
	struct decant_sink sink;

	pieces_pages(&pieces, rig.memory, offset, len);
	if (moves(way, &pieces, &sink))
		CHECK(sink.nr <= elements);
	CHECK(disk_is_right());
}

/* Pieces at random, many times; what the disk holds is looked at in the end, too. */
static void scattered(const struct way *way, bool odd)
{
	size_t cases = check_cases(60), failed = 0;
	struct decant_sink sink;

	for (size_t i = 0; i < cases && failed < 3; i++) {
		size_t blocks = 1 + check_below(i % 8 ? 64 : 2048);

		if (odd)
			pieces_odd(&pieces, rig.memory, 1 + check_below(64),
				   (blocks + 1) * NVME_BLOCK);
		else
			pieces_pages(&pieces, rig.memory, 4 * check_below(NVME_PAGE / 4),
				     blocks * NVME_BLOCK);
		failed += pieces.len && !moves(way, &pieces, &sink);
	}
	CHECK(!failed);
	CHECK(disk_is_right());
}

static void dma_scattered(void)
{
	pages(&by_dma, 512, 1 << 20, 257);
	scattered(&by_dma, true);
	scattered(&by_dma, false);
}

/* The owner lets go while a command may still be under way: the hold keeps the mapping. */
static void hold_keeps_memory(void)
{
	struct decant_region *region = rig_region(&rig, 2 * NVME_PAGE);
	size_t mapped = rig.vfio.mapped;
	struct decant_hold hold = {0};
	struct decant_sink sink;
	struct nvme_data data;
	struct decant_iter it;
	unsigned char *addr;

	REQUIRE(region && !decant_space_add(rig.space, region));
	addr = rig_addr(region);
	REQUIRE(!decant_iter_buf(&it, DECANT_DEST, addr + 512, NVME_PAGE));
	sink_begin(&sink, &by_dma, &hold);
	CHECK_EQ(decant_extract(&it, &sink, NVME_PAGE), NVME_PAGE);
	decant_space_remove(rig.space, region);
	decant_region_put(region);
	CHECK_EQ(rig.vfio.mapped, mapped);
	data = by_dma.finish(&sink);
	CHECK_EQ(nvme_io(&rig.nvme, NVME_READ, 8, NVME_PAGE / NVME_BLOCK, &data), 0);
	CHECK(!memcmp(addr + 512, rig.disk + 8 * NVME_BLOCK, NVME_PAGE));
	decant_hold_release(&hold);
	CHECK_EQ(rig.vfio.mapped, mapped - 1);
	CHECK_EQ(rig.vfio.lost, 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"pages named by hand", by_hand},
		{"an unmapped address reaches nothing", nothing_unmapped},
		{"dma: tuples match the mapping", tuples_match},
		{"dma: regions stay apart", regions_stay_apart},
		{"dma: regions that are adjacent for the device join", regions_join},
		{"dma: regions that share a page", regions_share_a_page},
		{"dma: scattered pieces", dma_scattered},
		{"unmapped memory is refused", unmapped_is_refused},
		{"a hold keeps memory mapped", hold_keeps_memory},
	};
	const char *missing;
	int failed;

	if (!getenv("DECANT_GUEST")) {
		printf("1..0 # SKIP only in a guest: it overwrites the disk\n");
		return 0;
	}
	check_seed_init();
	missing = rig_open(&rig, check_random());
	if (missing) {
		printf("Bail out! %s\n", missing);
		return 1;
	}
	failed = check_run(cases, COUNT(cases));
	rig_close(&rig);
	return failed;
}
