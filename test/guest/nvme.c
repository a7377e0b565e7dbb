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

/* The IOMMU is in the way: virtual addresses, and unmapped ones, reach nothing. */
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

/* How the device knows a byte of the rig's memory, offset bytes from an address. */
static uint64_t device_address(const void *addr, size_t offset)
{
	size_t at = (size_t)((const unsigned char *)addr - rig.memory) + offset;

	return rig_iova(&rig, rig.regions[at / RIG_REGION_LEN]) + at % RIG_REGION_LEN;
}

/* Every tuple is where the mapping says, in order, and nothing is left out. */
static void tuples_match(void)
{
	struct decant_sink sink;
	size_t piece = 0, offset = 0;

	pieces_odd(&pieces, rig.memory, RIG_MEMORY_LEN, 300, 256 << 10, 4);
	if (!moves(&by_dma, &pieces, &sink))
		return;
	for (size_t i = 0; i < sink.nr; i++)
		for (uint64_t at = 0, len; at < dma_table[i].length; at += len) {
			const struct iovec *iov = &pieces.iov[piece];
			uint64_t left = iov->iov_len - offset;

			len = dma_table[i].length - at;
			if (len > left)
				len = left;
			if (len && !CHECK_EQ(dma_table[i].addr + at,
					     device_address(iov->iov_base, offset)))
				return;
			offset += len;
			if (offset == iov->iov_len) {
				offset = 0;
				piece++;
			}
		}
	CHECK_EQ(sink.bytes, pieces.len);
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

/* Far apart for the program, adjacent for the device: one tuple; the device agrees. */
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

/* Scattered pages, from offset bytes into the first: one command in each direction. */
static bool prp_pages(size_t offset, size_t len)
{
	struct decant_sink sink;

	pieces_pages(&pieces, rig.memory, offset, len);
	return CHECK_EQ(moves(&by_prp, &pieces, &sink), 1) &&
	       CHECK_EQ(sink.nr, (offset + len + NVME_PAGE - 1) / NVME_PAGE);
}

/* One entry, two, a list, a full one, and lists in a chain of two and three. */
static void prp_entries(void)
{
	static const struct {
		size_t offset, len;
	} shapes[] = {
		{0, 512},
		{0, 4096},
		{512, 512},
		{4, 512},
		{3584, 512},
		{0, 4608},
		{0, 8192},
		{4092, 512},
		{2048, 4096},
		{0, 8704},
		{0, 12288},
		{4, 65536},
		{0, 2 << 20},
		{512, 2 << 20},
		{4, (2 << 20) + 4096},
		{0, RIG_MOST_LEN},
		{4, RIG_MOST_LEN - NVME_PAGE},
	};
	bool ok = true;

	for (size_t i = 0; ok && i < COUNT(shapes); i++)
		ok = prp_pages(shapes[i].offset, shapes[i].len);
	CHECK(disk_is_right());
}

/* A first list that ends early: the entry in the place of the link, and links to it. */
static void prp_links(void)
{
	bool ok = true;

	for (size_t first = 1; first <= 4; first++)
		for (size_t nr = 2; ok && nr <= 7; nr++) {
			settings.prp_first = first;
			ok = prp_pages(0, nr * NVME_PAGE);
		}
	settings.prp_first = 1;
	prp_pages(8, RIG_MOST_LEN - NVME_PAGE);
	settings_reset();
	CHECK(disk_is_right());
}

/* What ends inside a page ends the command: the next one goes on from there. */
static void prp_gaps(void)
{
	struct decant_sink sink;

	pieces_odd(&pieces, rig.memory, RIG_MEMORY_LEN, 40, 1 << 20, NVME_BLOCK);
	CHECK(moves(&by_prp, &pieces, &sink) > 1);
	CHECK(disk_is_right());
}

static bool sgl_pieces(size_t each, size_t room, size_t nr, size_t len)
{
	struct decant_sink sink;

	settings.sgl_each = each;
	do
		pieces_odd(&pieces, rig.memory, room, nr, len, 4);
	while (!pieces.len);
	return CHECK_EQ(moves(&by_sgl, &pieces, &sink), 1);
}

/* Elements in the command, in one segment, in the link's place, in two segments. */
static void sgl_segments(void)
{
	bool ok = true;

	for (size_t each = 2; each <= 5; each++)
		for (size_t nr = 1; ok && nr < 2 * each; nr++)
			ok = sgl_pieces(each, RIG_REGION_LEN, nr, 8192);
	for (size_t each = 310; ok && each <= 710; each += 100)
		ok = sgl_pieces(each, RIG_MEMORY_LEN, 600, 300 << 10);
	settings_reset();
	CHECK(disk_is_right());
}

static void random_settings(void)
{
	settings_reset();
	settings.max_bytes =
		check_below(2) ? (size_t)4096 << check_below(8) : settings.max_bytes;
	settings.prp_first = 1 + check_below(check_below(2) ? 8 : NVME_PAGE / 8);
	settings.sgl_each = 40 + check_below(300); /* a block has to fit */
}

/* Pieces at random, many times; what the disk holds is looked at in the end, too. */
static void scattered(const struct way *way, size_t unit)
{
	size_t cases = check_cases(60), failed = 0;
	struct decant_sink sink;

	for (size_t i = 0; i < cases && failed < 3; i++) {
		size_t len = NVME_BLOCK * (1 + check_below(i % 8 ? 64 : 2048));

		random_settings();
		if (check_below(2))
			pieces_pages(&pieces, rig.memory, 4 * check_below(NVME_PAGE / 4),
				     len);
		else
			pieces_odd(&pieces, rig.memory, RIG_MEMORY_LEN,
				   1 + check_below(64), len + 64 * unit, unit);
		failed += pieces.len && !moves(way, &pieces, &sink);
	}
	settings_reset();
	CHECK(!failed);
	CHECK(disk_is_right());
}

static void dma_scattered(void)
{
	scattered(&by_dma, 4);
}

static void prp_scattered(void)
{
	scattered(&by_prp, NVME_BLOCK);
}

static void sgl_scattered(void)
{
	scattered(&by_sgl, 4);
}

/* Extract pieces of memory that the device can't reach, and run the command. */
static void through_stage(const struct way *way, enum nvme_opcode opcode, uint64_t block,
			  struct decant_stage *stage)
{
	struct decant_sink sink;
	struct nvme_data data;
	struct decant_iter it;

	REQUIRE(!decant_iter_iovec(&it,
				   opcode == NVME_WRITE ? DECANT_SOURCE : DECANT_DEST,
				   pieces.iov, pieces.nr));
	sink_begin(&sink, way, NULL);
	sink.policy = DECANT_STAGE;
	sink.stage = stage;
	CHECK_EQ(decant_extract(&it, &sink, pieces.len), pieces.len);
	data = way->finish(&sink);
	CHECK_EQ(nvme_io(&rig.nvme, opcode, block, pieces.len / NVME_BLOCK, &data), 0);
	CHECK_EQ(stage->bytes, pieces.len);
}

/* What the pieces hold, in one piece. */
static void gather(unsigned char *into)
{
	struct decant_iter from, to;

	REQUIRE(!decant_iter_iovec(&from, DECANT_SOURCE, pieces.iov, pieces.nr));
	REQUIRE(!decant_iter_buf(&to, DECANT_DEST, into, pieces.len));
	CHECK_EQ(decant_copy(&to, &from, pieces.len), pieces.len);
}

/* Any bytes anywhere, through memory that the device does know. */
static void staged_by(const struct way *way)
{
	static unsigned char plain[65536], flat[65536];
	static struct decant_staged records[1024];
	struct decant_region *region = rig_region(&rig, 16 * NVME_PAGE);
	struct decant_stage stage;

	REQUIRE(region);
	fill(plain, sizeof(plain));
	pieces_odd(&pieces, plain, sizeof(plain), 100, 20000, 1);
	decant_stage_init(&stage,
			  (struct decant_span){rig_addr(region), 16 * NVME_PAGE, region},
			  records, COUNT(records));
	through_stage(way, NVME_WRITE, 9, &stage);
	gather(rig.disk + 9 * NVME_BLOCK);
	CHECK(disk_is_right());
	decant_stage_reset(&stage);
	through_stage(way, NVME_READ, 200, &stage);
	CHECK_EQ(decant_stage_scatter(&stage, pieces.len), pieces.len);
	gather(flat);
	CHECK(!memcmp(flat, rig.disk + 200 * NVME_BLOCK, pieces.len));
	decant_region_put(region);
}

static void staged(void)
{
	staged_by(&by_prp);
	staged_by(&by_sgl);
	staged_by(&by_dma);
}

/* The owner lets go while a command may be under way: the hold keeps the mapping. */
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
		{"prp: one entry, two, lists", prp_entries},
		{"prp: where lists link", prp_links},
		{"prp: gaps end a command", prp_gaps},
		{"prp: scattered pieces", prp_scattered},
		{"sgl: in the command, in one segment, in two", sgl_segments},
		{"sgl: scattered pieces", sgl_scattered},
		{"unregistered memory goes through a stage", staged},
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
	settings_reset();
	failed = check_run(cases, COUNT(cases));
	rig_close(&rig);
	return failed;
}
