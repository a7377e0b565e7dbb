/* SPDX-License-Identifier: MIT */
/*
 * nvme.c - 256 scattered pages into what a controller reads: PRP lists, SGLs, tuples,
 * and a chained scatterlist. Owners are looked up, mapped for the device and limits set;
 * the plain loops beside check the same and know one format each.
 */
#include <endian.h>
#include <string.h>
#include "bench.h"
#include "memory.h"

#define PAGE	BENCH_PAGE
#define PIECES	256
#define REGIONS 64
#define EACH	(1u << 20)
#define LISTS	64
#define TABLES	4
#define IOVA	((uint64_t)1 << 40)

/* Several lists: a predictor would learn a single one by heart. */
struct rig {
	struct iovec iov[LISTS][PIECES];
	struct decant_iter iter[LISTS];
	size_t turn;
	struct decant_sink sink;
	struct decant_prp prp;
	struct decant_nvme_sgl sgl;
	struct decant_sglist sglist;
	struct decant_dma dma[PIECES];
	uint64_t prp_pointers[2];
	struct decant_nvme_sgl_descriptor first;
	void (*finish)(struct rig *rig);
};

static struct decant_region *regions[REGIONS];
static struct bench_memory memory;
static struct decant_table tables[TABLES];

/* Twice as far apart for the device: what the loops beside must add differs. */
static int map_region(struct decant_domain *d, const struct decant_span *span,
		      struct decant_mapping *mapping)
{
	(void)d;
	mapping->iova = IOVA + 2 * ((uintptr_t)span->addr - (uintptr_t)memory.at);
	return 0;
}

static void setup(void)
{
	unsigned char *lists = aligned_alloc(PAGE, (size_t)TABLES * PAGE);

	bench_need(lists, "memory");
	decant_tables_cut(tables, TABLES, lists, 2 * IOVA, PAGE);
	bench_memory_init(&memory, REGIONS, EACH, regions, map_region);
}

/* Pages of so many regions that never touch, four in a row in the same one. */
static void scatter(struct rig *rig, size_t nr_regions)
{
	size_t region = 0;

	memset(rig, 0, sizeof(*rig));
	for (size_t l = 0; l < LISTS; l++) {
		for (size_t i = 0; i < PIECES; i++) {
			size_t page = 2 * (i * 37 % (EACH / PAGE / 2));

			if (i % 4 == 0)
				region = (bench_random() >> 20) % nr_regions;
			rig->iov[l][i] = (struct iovec){
				memory.at + 2 * region * EACH + page * PAGE, PAGE};
		}
		bench_need(!decant_iter_iovec(&rig->iter[l], DECANT_SOURCE, rig->iov[l],
					      PIECES),
			   "iovec");
	}
}

static size_t next_list(struct rig *rig)
{
	rig->turn = (rig->turn + 1) % LISTS;
	return rig->turn;
}

static void with_owners(struct rig *rig)
{
	rig->sink.space = memory.space;
	rig->sink.domain = &memory.domain;
	rig->sink.policy = DECANT_REFUSE;
	rig->sink.limits.max_elements = PIECES + 44;
	rig->sink.limits.max_element_bytes = 1 << 20;
	rig->sink.limits.max_bytes = 1 << 30;
}

static void extract(void *arg)
{
	struct rig *rig = arg;
	struct decant_iter it = rig->iter[next_list(rig)];

	decant_sink_reset(&rig->sink);
	bench_need(decant_extract(&it, &rig->sink, SIZE_MAX) == (ssize_t)PIECES * PAGE,
		   "extract");
	if (rig->finish)
		rig->finish(rig);
	bench_use(rig);
}

static void finish_prp(struct rig *rig)
{
	decant_prp_pointers(&rig->sink, rig->prp_pointers);
}

static void finish_sgl(struct rig *rig)
{
	bench_need(decant_nvme_sgl_command(&rig->sink, &rig->first), "command");
}

static void begin_prp(struct rig *rig)
{
	bench_need(!decant_sink_prp(&rig->sink, &rig->prp, PAGE, tables, TABLES), "prp");
	rig->finish = finish_prp;
}

static void begin_sgl(struct rig *rig)
{
	bench_need(!decant_sink_nvme_sgl(&rig->sink, &rig->sgl, tables, TABLES,
					 PAGE / sizeof(rig->first)),
		   "sgl");
	rig->finish = finish_sgl;
}

static void begin_dma(struct rig *rig)
{
	decant_sink_dma(&rig->sink, rig->dma, PIECES);
}

static void begin_sglist(struct rig *rig)
{
	bench_need(!decant_sglist_init(&rig->sglist, tables, TABLES,
				       PAGE / sizeof(struct decant_sg), 0),
		   "sglist");
	decant_sink_sglist(&rig->sink, &rig->sglist);
}

/* The device's address of a piece, its owner found by bisection; 0: nobody's. */
static uint64_t device_address(const struct iovec *iov)
{
	uintptr_t addr = (uintptr_t)iov->iov_base;
	size_t at = bench_region_at(&memory, addr, REGIONS, EACH);

	addr -= (uintptr_t)memory.at + 2 * at * EACH;
	if (addr >= EACH || iov->iov_len > EACH - addr)
		return 0;
	return decant_domain_mapping(&memory.domain, regions[at])->iova + addr;
}

/* Whole pages only: what may stand in the middle of a list. */
static void loop_prp(void *arg)
{
	struct rig *rig = arg;
	const struct iovec *iov = rig->iov[next_list(rig)];
	uint64_t *entries = tables[0].addr;

	for (size_t i = 0; i < PIECES; i++) {
		uint64_t at = device_address(&iov[i]);

		bench_need(at && iov[i].iov_len == PAGE && !(at & (PAGE - 1)), "page");
		if (i)
			entries[i - 1] = htole64(at);
		else
			rig->prp_pointers[0] = at;
	}
	rig->prp_pointers[1] = tables[0].iova;
	bench_use(rig);
}

static void loop_sgl(void *arg)
{
	struct rig *rig = arg;
	const struct iovec *iov = rig->iov[next_list(rig)];
	struct decant_nvme_sgl_descriptor *out = tables[0].addr;

	for (size_t i = 0; i < PIECES; i++) {
		uint64_t at = device_address(&iov[i]);

		bench_need(at && iov[i].iov_len <= UINT32_MAX, "piece");
		/* The last slot of a full table is a link, at the size of ours. */
		if (i == PAGE / sizeof(*out) - 1)
			out = tables[1].addr;
		*out++ = (struct decant_nvme_sgl_descriptor){
			htole64(at), htole32((uint32_t)iov[i].iov_len), {0}, 0};
	}
	bench_use(rig);
}

static void loop_dma(void *arg)
{
	struct rig *rig = arg;
	const struct iovec *iov = rig->iov[next_list(rig)];

	for (size_t i = 0; i < PIECES; i++) {
		uint64_t at = device_address(&iov[i]);

		bench_need(at, "piece");
		rig->dma[i] = (struct decant_dma){at, iov[i].iov_len};
	}
	bench_use(rig);
}

static void loop_sglist(void *arg)
{
	struct rig *rig = arg;
	const struct iovec *iov = rig->iov[next_list(rig)];
	struct decant_sg *out = tables[0].addr;

	for (size_t i = 0, table = 0; i < PIECES; i++) {
		uint64_t at = device_address(&iov[i]);

		bench_need(at, "piece");
		/* The last slot of a full table is a link, at the size of ours. */
		if (i == (table + 1) * (PAGE / sizeof(*out) - 1))
			out = tables[++table].addr;
		*out++ = (struct decant_sg){.addr = iov[i].iov_base,
					    .len = iov[i].iov_len};
	}
	bench_use(rig);
}

static void measure(const char *name, void (*begin)(struct rig *rig),
		    void (*bound)(void *arg), double goal)
{
	static const size_t spread[] = {1, REGIONS};
	static struct rig rig;
	char row[96];

	for (size_t i = 0; i < sizeof(spread) / sizeof(*spread); i++) {
		scatter(&rig, spread[i]);
		begin(&rig);
		with_owners(&rig);
		snprintf(row, sizeof(row), "iovec->%s, %s", name,
			 spread[i] > 1 ? "64 regions, 4 in a row" : "one region of 64");
		bench_run(&(struct bench_case){
			.name = row,
			.unit = "ns/fragment",
			.fn = extract,
			.arg = &rig,
			.units = PIECES,
			.bound_name = "bisecting loop",
			.bound = bound,
			.goal = goal,
		});
		extract(&rig);
		bench_count(row, "elements", rig.sink.nr, PIECES);
	}
}

int main(void)
{
	setup();
	bench_open("nvme");
	measure("prp", begin_prp, loop_prp, 4);
	measure("nvme_sgl", begin_sgl, loop_sgl, 4);
	measure("dma", begin_dma, loop_dma, 0);
	measure("sglist", begin_sglist, loop_sglist, 0);
	bench_close();
	return 0;
}
