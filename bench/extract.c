/* SPDX-License-Identifier: MIT */
/* extract.c - the price of a fragment on its way from an iterator into a sink. */
#include <string.h>
#include "allocations.h"
#include "bench.h"
#include "memory.h"

#define PIECES	256
#define REGIONS 64
#define EACH	(1u << 20)
#define MILLION 1000000
#define LISTS	64

/*
 * Lists of the same bytes, and tables large enough for all of them. There are several
 * lists where a predictor would learn a single one by heart.
 */
struct rig {
	struct iovec *iov;
	struct decant_bvec *bvec;
	size_t nr;
	size_t lists;
	size_t turn;
	void *table;
	struct decant_sink sink;
	struct decant_iter iter[LISTS];
	struct decant_hold hold;
	uint32_t lkey;
};

static struct decant_region *regions[REGIONS];
static struct bench_memory memory;

static void lists(struct rig *rig, size_t nr, size_t lists)
{
	memset(rig, 0, sizeof(*rig));
	rig->nr = nr;
	rig->lists = lists;
	rig->iov = calloc(nr * lists, sizeof(*rig->iov));
	rig->bvec = calloc(nr * lists, sizeof(*rig->bvec));
	rig->table = calloc(nr, sizeof(struct decant_bvec));
	rig->lkey = (uint32_t)bench_hide(7);
	bench_need(rig->iov && rig->bvec && rig->table, "memory");
}

static void piece(struct rig *rig, size_t i, unsigned char *addr, size_t len,
		  size_t region)
{
	rig->iov[i] = (struct iovec){addr, len};
	rig->bvec[i] = (struct decant_bvec){addr, len, regions[region]};
}

/* Nothing is adjacent; all in one region, so that only the walk is measured. */
static void scatter(struct rig *rig, size_t nr)
{
	lists(rig, nr, 1);
	for (size_t i = 0; i < nr; i++)
		piece(rig, i, memory.at + (i * 4160) % (EACH - 4096),
		      1 + bench_random() % 2048, 0);
}

/* Adjacent pairs; the region changes every run pieces, at random or in turn. */
static void pairs(struct rig *rig, size_t nr, size_t run, bool in_turn)
{
	size_t region = 0;

	lists(rig, nr, LISTS);
	for (size_t i = 0; i < nr * LISTS; i += 2) {
		unsigned char *addr;

		if (i % run == 0)
			region = in_turn ? i / run % REGIONS
					 : (bench_random() >> 20) % REGIONS;
		addr = memory.at + 2 * region * EACH + i % nr * 2048 % (EACH - 8192);
		piece(rig, i, addr, 1000, region);
		piece(rig, i + 1, addr + 1000, 500, region);
	}
}

static void begin_iovec(struct rig *rig)
{
	for (size_t i = 0; i < rig->lists; i++)
		bench_need(!decant_iter_iovec(&rig->iter[i], DECANT_SOURCE,
					      rig->iov + i * rig->nr, rig->nr),
			   "iovec");
}

static void begin_bvec(struct rig *rig)
{
	for (size_t i = 0; i < rig->lists; i++)
		bench_need(!decant_iter_bvec(&rig->iter[i], DECANT_SOURCE,
					     rig->bvec + i * rig->nr, rig->nr),
			   "bvec");
}

static void with_owners(struct rig *rig)
{
	rig->sink.space = memory.space;
	rig->sink.domain = &memory.domain;
	rig->sink.policy = DECANT_REFUSE;
	rig->sink.limits = (struct decant_limits){
		.max_elements = 300, .max_element_bytes = 1 << 20, .max_bytes = 1 << 30};
}

static void with_hold(struct rig *rig)
{
	bench_need(!decant_hold_reserve(&rig->hold, REGIONS), "hold");
	rig->sink.hold = &rig->hold;
}

static size_t next_list(struct rig *rig)
{
	rig->turn = rig->turn + 1 < rig->lists ? rig->turn + 1 : 0;
	return rig->turn;
}

static void extract(void *arg)
{
	struct rig *rig = arg;
	struct decant_iter it = rig->iter[next_list(rig)];

	decant_sink_reset(&rig->sink);
	bench_need(decant_extract(&it, &rig->sink, SIZE_MAX) > 0, "extract");
	decant_hold_truncate(&rig->hold, 0);
	bench_use(rig->table);
}

static void loop_sge(void *arg)
{
	struct rig *rig = arg;
	struct decant_sge *sge = rig->table;

	for (size_t i = 0; i < rig->nr; i++)
		sge[i] = (struct decant_sge){(uintptr_t)rig->iov[i].iov_base,
					     (uint32_t)rig->iov[i].iov_len, rig->lkey};
	bench_use(rig->table);
}

static void loop_bvec_sge(void *arg)
{
	struct rig *rig = arg;
	struct decant_sge *sge = rig->table;

	for (size_t i = 0; i < rig->nr; i++)
		sge[i] = (struct decant_sge){(uintptr_t)rig->bvec[i].addr,
					     (uint32_t)rig->bvec[i].len, rig->lkey};
	bench_use(rig->table);
}

static void loop_iovec(void *arg)
{
	struct rig *rig = arg;
	struct iovec *iov = rig->table;

	for (size_t i = 0; i < rig->nr; i++)
		iov[i] = rig->iov[i];
	bench_use(rig->table);
}

static void loop_bvec(void *arg)
{
	struct rig *rig = arg;
	struct decant_bvec *bvec = rig->table;

	for (size_t i = 0; i < rig->nr; i++)
		bvec[i] = (struct decant_bvec){rig->iov[i].iov_base, rig->iov[i].iov_len,
					       NULL};
	bench_use(rig->table);
}

/* What a program would write for one device: empties skipped, neighbours merged. */
static void loop_merging(void *arg)
{
	struct rig *rig = arg;
	struct decant_sge *sge = rig->table;
	size_t nr = 0;

	for (size_t i = 0; i < rig->nr; i++) {
		uintptr_t addr = (uintptr_t)rig->iov[i].iov_base;
		size_t len = rig->iov[i].iov_len;

		if (!len)
			continue;
		if (nr && sge[nr - 1].addr + sge[nr - 1].length == addr)
			sge[nr - 1].length += (uint32_t)len;
		else if (nr < rig->nr)
			sge[nr++] = (struct decant_sge){addr, (uint32_t)len, rig->lkey};
	}
	rig->sink.nr = nr;
	bench_use(rig->table);
}

/* How many elements it would be. */
static void loop_count(void *arg)
{
	struct rig *rig = arg;
	uintptr_t end = 0;
	size_t nr = 0;

	for (size_t i = 0; i < rig->nr; i++) {
		uintptr_t addr = (uintptr_t)rig->iov[i].iov_base;
		size_t len = rig->iov[i].iov_len;

		nr += len && addr != end;
		end = len ? addr + len : end;
	}
	rig->sink.nr = nr;
	bench_use(rig);
}

/* As loop_merging() with the owner found by bisection, its key taken from there. */
static void loop_owners(void *arg)
{
	struct rig *rig = arg;
	struct decant_sge *sge = rig->table;
	const struct iovec *iov = rig->iov + next_list(rig) * rig->nr;
	size_t nr = 0;

	for (size_t i = 0; i < rig->nr; i++) {
		uintptr_t addr = (uintptr_t)iov[i].iov_base;
		size_t len = iov[i].iov_len;
		size_t at = bench_region_at(&memory, addr, REGIONS, EACH);

		if (addr - ((uintptr_t)memory.at + 2 * at * EACH) >= EACH)
			continue;
		if (nr && sge[nr - 1].addr + sge[nr - 1].length == addr)
			sge[nr - 1].length += (uint32_t)len;
		else
			sge[nr++] = (struct decant_sge){
				addr, (uint32_t)len,
				decant_domain_mapping(&memory.domain, regions[at])->lkey};
	}
	bench_use(rig->table);
}

static void row(const char *name, struct rig *rig, const char *bound_name,
		void (*bound)(void *arg), double goal)
{
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns/fragment",
				       .fn = extract,
				       .arg = rig,
				       .units = (double)rig->nr,
				       .bound_name = bound_name,
				       .bound = bound,
				       .goal = goal});
}

static void plain(void)
{
	struct rig rig;

	scatter(&rig, PIECES);
	begin_iovec(&rig);
	decant_sink_sge(&rig.sink, rig.table, PIECES);
	rig.sink.lkey = rig.lkey;
	row("iovec->sge", &rig, "plain loop", loop_sge, 1);
	row("iovec->sge, bound merges", &rig, "merging loop", loop_merging, 0);
	decant_sink_iovec(&rig.sink, rig.table, PIECES);
	row("iovec->iovec", &rig, "plain loop", loop_iovec, 1);
	decant_sink_bvec(&rig.sink, rig.table, PIECES);
	row("iovec->bvec", &rig, "plain loop", loop_bvec, 1);
	decant_sink_count(&rig.sink);
	row("iovec->count", &rig, "counting loop", loop_count, 1);
	begin_bvec(&rig);
	decant_sink_sge(&rig.sink, rig.table, PIECES);
	row("bvec->sge", &rig, "plain loop", loop_bvec_sge, 1);
	with_hold(&rig);
	row("bvec->sge, held", &rig, "plain loop", loop_bvec_sge, 0);
}

static void owners(const char *what, size_t run, bool in_turn, double goal)
{
	struct rig rig;
	char name[96];

	pairs(&rig, PIECES, run, in_turn);
	begin_iovec(&rig);
	decant_sink_sge(&rig.sink, rig.table, PIECES);
	with_owners(&rig);
	snprintf(name, sizeof(name), "iovec->sge, 64 regions, pairs, %s", what);
	row(name, &rig, "bisecting loop", loop_owners, goal);
	extract(&rig);
	bench_count(name, "elements", rig.sink.nr, PIECES / 2);
	with_hold(&rig);
	snprintf(name, sizeof(name), "iovec->sge, 64 regions, pairs, %s, held", what);
	row(name, &rig, "bisecting loop", loop_owners, 0);
	begin_bvec(&rig);
	snprintf(name, sizeof(name), "bvec->sge, 64 regions, pairs, %s, held", what);
	row(name, &rig, "bisecting loop", loop_owners, 0);
}

/* Every rule at once, and a sink that must cut. */
static void limits(void)
{
	struct rig rig;

	scatter(&rig, PIECES);
	begin_iovec(&rig);
	decant_sink_sge(&rig.sink, rig.table, PIECES);
	rig.sink.limits.boundary = 1 << 20;
	row("iovec->sge, boundary", &rig, "merging loop", loop_merging, 0);
}

static void million(void)
{
	struct rig rig;

	scatter(&rig, MILLION);
	begin_iovec(&rig);
	decant_sink_sge(&rig.sink, rig.table, MILLION);
	row("iovec->sge, 1,000,000 elements", &rig, "plain loop", loop_sge, 0);
	extract(&rig);
	bench_count("iovec->sge, 1,000,000 elements", "elements", rig.sink.nr, MILLION);
}

/* One call for one element: what a call costs. */
static void single(void)
{
	struct rig rig;

	scatter(&rig, 1);
	begin_iovec(&rig);
	decant_sink_sge(&rig.sink, rig.table, 1);
	row("iovec->sge, one element a call", &rig, "plain loop", loop_sge, 0);
}

static void no_allocation(void)
{
	struct rig rig;
	size_t before;

	pairs(&rig, PIECES, 4, false);
	begin_iovec(&rig);
	decant_sink_sge(&rig.sink, rig.table, PIECES);
	with_owners(&rig);
	with_hold(&rig);
	before = allocations;
	for (size_t i = 0; i < 1000; i++)
		extract(&rig);
	bench_count("1,000 extractions with look-up, limits and hold", "allocations",
		    allocations - before, 0);
}

int main(void)
{
	bench_memory_init(&memory, REGIONS, EACH, regions, bench_map_same);
	bench_open("extract");
	plain();
	single();
	limits();
	owners("4 in a row", 4, false, 3);
	owners("in turn", 4, true, 0);
	owners("at random", 2, false, 0);
	million();
	no_allocation();
	bench_close();
	return 0;
}
