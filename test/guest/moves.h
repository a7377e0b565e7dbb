/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_MOVES_H
#define DECANT_TEST_GUEST_MOVES_H
/*
 * moves.h - one command between the disk and pieces of memory, and what both must be
 * afterwards. The controller's word counts for nothing: a DMA that faults completes with
 * status 0.
 */
#include "pieces.h"

static struct rig rig;

/**
 * struct way - how memory is described to the controller
 * @name: for messages
 * @begin: set up a sink
 * @finish: what the sink has, as the data pointer of a command
 */
struct way {
	const char *name;
	void (*begin)(struct decant_sink *sink);
	struct nvme_data (*finish)(const struct decant_sink *sink);
};

static struct decant_dma dma_table[PIECES_MAX];

static void begin_dma(struct decant_sink *sink)
{
	decant_sink_dma(sink, dma_table, PIECES_MAX);
}

/* The tuples as one segment of data block descriptors, written here by hand. */
static struct nvme_data finish_dma(const struct decant_sink *sink)
{
	uint64_t *list = (uint64_t *)(void *)rig_addr(rig.lists);
	const struct nvme_data segment = {
		.sgl = true,
		.pointer = {rig_iova(&rig, rig.lists),
			    sink->nr * 16 | (uint64_t)0x30 << 56},
	};

	for (size_t i = 0; i < sink->nr; i++) {
		list[2 * i] = dma_table[i].addr;
		list[2 * i + 1] = dma_table[i].length;
	}
	return segment;
}

static const struct way by_dma = {"dma", begin_dma, finish_dma};

/* What every sink here has: memory must be registered, and commands have whole blocks. */
static void sink_begin(struct decant_sink *sink, const struct way *way,
		       struct decant_hold *hold)
{
	way->begin(sink);
	sink->space = rig.space;
	sink->domain = &rig.vfio.domain;
	sink->hold = hold;
	sink->policy = DECANT_REFUSE;
	sink->limits.max_bytes = rig.nvme.max_bytes;
	sink->limits.block = NVME_BLOCK;
}

/* Carry the bytes in the model; from memory to the disk or back. */
static void model(enum nvme_opcode opcode, const struct pieces *p, uint64_t block)
{
	unsigned char *disk = rig.disk + block * NVME_BLOCK;
	size_t left = p->len;

	for (size_t i = 0; left; i++) {
		size_t len = p->iov[i].iov_len < left ? p->iov[i].iov_len : left;
		unsigned char *addr = p->iov[i].iov_base;
		unsigned char *wanted = rig.wanted + (addr - rig.memory);

		memcpy(opcode == NVME_WRITE ? disk : wanted,
		       opcode == NVME_WRITE ? wanted : disk, len);
		disk += len;
		left -= len;
	}
}

/* Hold memory against the model; say where it differs first, and go on from there. */
static bool same(const char *what, unsigned char *got, unsigned char *wanted, size_t len)
{
	size_t at = 0;

	if (!memcmp(got, wanted, len))
		return true;
	while (got[at] == wanted[at])
		at++;
	check_fail(__FILE__, __LINE__, "%s: byte %zu is %#x, wanted %#x", what, at,
		   got[at], wanted[at]);
	memcpy(wanted, got, len);
	return false;
}

static bool memory_is_right(void)
{
	return same("memory", rig.memory, rig.wanted, RIG_MEMORY_LEN);
}

static bool disk_is_right(void)
{
	static unsigned char disk[RIG_DISK_LEN];

	REQUIRE(!rig_flat(&rig, NVME_READ, disk));
	return same("disk", disk, rig.disk, RIG_DISK_LEN);
}

static void fill(unsigned char *data, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint64_t word = check_random();

		memcpy(data + i, &word, sizeof(word));
	}
}

/* Other bytes in memory than anywhere else. */
static void fill_memory(void)
{
	fill(rig.memory, RIG_MEMORY_LEN);
	memcpy(rig.wanted, rig.memory, RIG_MEMORY_LEN);
}

/* Extract the pieces and run one command; whether all was taken. The sink is filled. */
static bool command(const struct way *way, enum nvme_opcode opcode,
		    const struct pieces *p, uint64_t block, struct decant_sink *sink)
{
	enum decant_direction direction =
		opcode == NVME_WRITE ? DECANT_SOURCE : DECANT_DEST;
	struct decant_hold hold = {0};
	struct decant_iter it;
	struct nvme_data data;
	ssize_t got;

	REQUIRE(!decant_iter_iovec(&it, direction, p->iov, p->nr));
	sink_begin(sink, way, &hold);
	got = decant_extract(&it, sink, p->len);
	if (CHECK_EQ(got, p->len)) {
		data = way->finish(sink);
		CHECK_EQ(nvme_io(&rig.nvme, opcode, block, p->len / NVME_BLOCK, &data),
			 0);
	} else {
		printf("# %s: stopped for %s\n", way->name, decant_stop_name(sink->stop));
	}
	sink->hold = NULL;
	decant_hold_release(&hold);
	return got == (ssize_t)p->len;
}

/* Both directions: write the pieces, then read into them, at two places of the disk. */
static bool moves(const struct way *way, const struct pieces *p, struct decant_sink *sink)
{
	size_t room = (RIG_DISK_LEN - p->len) / NVME_BLOCK + 1;
	uint64_t to = check_below(room), from = check_below(room);

	if (!command(way, NVME_WRITE, p, to, sink))
		return false;
	model(NVME_WRITE, p, to);
	if (from == to)
		fill_memory(); /* else reading nothing would look right */
	if (!command(way, NVME_READ, p, from, sink))
		return false;
	model(NVME_READ, p, from);
	return memory_is_right();
}
#endif
