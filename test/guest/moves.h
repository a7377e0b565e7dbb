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

#define TABLES 64

/*
 * QEMU's NVMe (as of 7.2) keeps a pointer to the descriptor that led to a segment in the
 * buffer that the next segment is read into. With three segments of one size it takes the
 * link to the last one for a link in the last one: so there are two at most.
 */
#define SEGMENTS 2

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

/* What the device allows, and where lists end: a case sets them for itself. */
static struct {
	size_t max_bytes;
	size_t prp_first; /* entries in the first PRP list */
	size_t sgl_each;  /* descriptors in a segment */
} settings;

static void settings_reset(void)
{
	settings.max_bytes = rig.nvme.max_bytes;
	settings.prp_first = NVME_PAGE / sizeof(uint64_t);
	settings.sgl_each = NVME_PAGE / sizeof(struct decant_nvme_sgl_descriptor);
}

/* Tables of so many bytes in the memory for lists, in random order. */
static size_t cut_tables(struct decant_table *table, size_t bytes)
{
	static size_t order[TABLES];
	size_t nr = RIG_LISTS_LEN / bytes < TABLES ? RIG_LISTS_LEN / bytes : TABLES;

	pieces_order(order, nr);
	for (size_t i = 0; i < nr; i++)
		table[i] = (struct decant_table){rig_addr(rig.lists) + order[i] * bytes,
						 rig_iova(&rig, rig.lists) +
							 order[i] * bytes};
	return nr;
}

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

/* The first list begins inside its page if it is to be short. */
static void begin_prp(struct decant_sink *sink)
{
	static struct decant_table table[TABLES];
	static struct decant_prp prp;
	size_t nr = cut_tables(table, NVME_PAGE);
	size_t skipped = NVME_PAGE - settings.prp_first * sizeof(uint64_t);

	table[0].addr = (unsigned char *)table[0].addr + skipped;
	table[0].iova += skipped;
	REQUIRE(!decant_sink_prp(sink, &prp, NVME_PAGE, table, nr));
}

static struct nvme_data finish_prp(const struct decant_sink *sink)
{
	struct nvme_data data = {0};

	decant_prp_pointers(sink, data.pointer);
	return data;
}

static void begin_sgl(struct decant_sink *sink)
{
	static struct decant_table table[TABLES];
	static struct decant_nvme_sgl sgl;

	cut_tables(table, settings.sgl_each * sizeof(struct decant_nvme_sgl_descriptor));
	REQUIRE(!decant_sink_nvme_sgl(sink, &sgl, table, SEGMENTS, settings.sgl_each));
	REQUIRE(!decant_nvme_sgl_limits(rig.nvme.sgls, &sink->limits));
}

static struct nvme_data finish_sgl(const struct decant_sink *sink)
{
	struct decant_nvme_sgl_descriptor first;
	struct nvme_data data = {0};

	data.sgl = decant_nvme_sgl_command(sink, &first) == 1u << 14;
	memcpy(data.pointer, &first, sizeof(first));
	return data;
}

static const struct way by_dma = {"dma", begin_dma, finish_dma};
static const struct way by_prp = {"prp", begin_prp, finish_prp};
static const struct way by_sgl = {"sgl", begin_sgl, finish_sgl};

/* What every sink here has: memory must be registered, and commands have whole blocks. */
static void sink_begin(struct decant_sink *sink, const struct way *way,
		       struct decant_hold *hold)
{
	way->begin(sink);
	sink->space = rig.space;
	sink->domain = &rig.vfio.domain;
	sink->hold = hold;
	sink->policy = DECANT_REFUSE;
	sink->limits.max_bytes = settings.max_bytes;
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

/* Fill a sink as far as one command goes; sometimes in two goes. */
static ssize_t extract(struct decant_iter *it, struct decant_sink *sink,
		       const struct way *way, size_t len)
{
	size_t half = check_below(3) ? 0 : check_below(len / NVME_BLOCK) * NVME_BLOCK;
	ssize_t first, second;

	first = half ? decant_extract(it, sink, half) : 0;
	if (first != (ssize_t)half)
		return first;
	if (first)
		way->finish(sink);
	second = decant_extract(it, sink, len - half);
	return second < 0 && first ? first : first + second;
}

/* One command for what a sink takes; the bytes it was for. */
static ssize_t command(const struct way *way, enum nvme_opcode opcode, uint64_t block,
		       struct decant_iter *it, size_t len, struct decant_sink *sink)
{
	struct decant_hold hold = {0};
	struct nvme_data data;
	ssize_t got;

	sink_begin(sink, way, &hold);
	got = extract(it, sink, way, len);
	if (got > 0) {
		data = way->finish(sink);
		CHECK_EQ(nvme_io(&rig.nvme, opcode, block, (size_t)got / NVME_BLOCK,
				 &data),
			 0);
	} else {
		check_fail(__FILE__, __LINE__, "%s: %zd, stopped for %s with %zu left",
			   way->name, got, decant_stop_name(sink->stop), len);
	}
	sink->hold = NULL;
	decant_hold_release(&hold);
	return got;
}

/* As many commands as it takes; how many, or 0. The sink is that of the last. */
static size_t carry(const struct way *way, enum nvme_opcode opcode,
		    const struct pieces *p, uint64_t block, struct decant_sink *sink)
{
	size_t left = p->len, nr = 0;
	struct decant_iter it;
	ssize_t got;

	REQUIRE(!decant_iter_iovec(
		&it, opcode == NVME_WRITE ? DECANT_SOURCE : DECANT_DEST, p->iov, p->nr));
	for (; left; left -= (size_t)got, nr++) {
		got = command(way, opcode, block, &it, left, sink);
		if (got <= 0)
			return 0;
		block += (size_t)got / NVME_BLOCK;
	}
	model(opcode, p, block - p->len / NVME_BLOCK);
	return nr;
}

/*
 * Both directions: write the pieces, then read into them, at two places of the disk.
 * Returns the number of commands for each, 0 if something is not as it should be.
 */
static size_t moves(const struct way *way, const struct pieces *p,
		    struct decant_sink *sink)
{
	size_t room = (RIG_DISK_LEN - p->len) / NVME_BLOCK + 1;
	uint64_t to = check_below(room), from = check_below(room);
	size_t nr = carry(way, NVME_WRITE, p, to, sink);

	if (!nr)
		return 0;
	if (from == to)
		fill_memory(); /* else reading nothing would look right */
	if (!CHECK_EQ(carry(way, NVME_READ, p, from, sink), nr))
		return 0;
	return memory_is_right() ? nr : 0;
}
#endif
