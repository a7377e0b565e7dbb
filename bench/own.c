/* SPDX-License-Identifier: MIT */
/* own.c - owning fragments: add, peek, release; slices and clones. */
#include <string.h>
#include <decant/decant.h>
#include "evbuffer.h"
#include "memory.h"

#define PIECES	256
#define REGIONS 64
#define EACH	(1u << 20)

struct rig {
	struct decant_bvec bvec[PIECES];
	struct iovec iov[PIECES];
	struct decant_iter iter;
	struct decant_own_options options;
	struct decant_owned *owned;
	size_t nr;
};

static struct bench_memory memory;
static struct decant_region *regions[REGIONS];

static void scatter(struct rig *rig, size_t nr, size_t used)
{
	memset(rig, 0, sizeof(*rig));
	rig->nr = nr;
	rig->options.size = sizeof(rig->options);
	for (size_t i = 0; i < nr; i++) {
		size_t region = i % used;
		unsigned char *addr = memory.at + 2 * region * EACH + i * 2048;

		rig->bvec[i] = (struct decant_bvec){addr, 1000, regions[region]};
		rig->iov[i] = (struct iovec){addr, 1000};
	}
}

static struct decant_owned *own(struct rig *rig)
{
	struct decant_iter it = rig->iter;
	struct decant_owned *owned = decant_iter_own(&it, SIZE_MAX, &rig->options);

	bench_need(owned, "own");
	return owned;
}

/* The life of a fragment: into the list, looked at, given back. */
static void life(void *arg)
{
	struct rig *rig = arg;
	struct decant_owned *owned = own(rig);
	struct decant_iter it = decant_owned_iter(owned);

	while (decant_iter_count(&it)) {
		struct decant_span span = decant_iter_peek(&it);

		bench_use(span.addr);
		bench_need(!decant_iter_advance(&it, span.len), "advance");
	}
	decant_owned_put(owned);
}

/* What libevent does with the same fragments. */
static void life_of_peer(void *arg)
{
	struct rig *rig = arg;

	evbuffer_life(rig->iov, rig->nr);
}

static void clone_drop(void *arg)
{
	struct rig *rig = arg;

	decant_owned_put(decant_owned_get(rig->owned));
}

static void slice_drop(void *arg)
{
	struct rig *rig = arg;
	struct decant_iter it = decant_owned_iter(rig->owned);
	struct decant_owned *part;

	bench_need(!decant_iter_advance(&it, 500), "advance");
	part = decant_owned_slice(rig->owned, &it, 3000);
	bench_need(part, "slice");
	decant_owned_put(part);
}

/* What a reference can't be had without. */
static void count_reference(void *arg)
{
	static size_t refs;

	(void)arg;
	__atomic_add_fetch(&refs, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&refs, 1, __ATOMIC_ACQ_REL);
	bench_use(&refs);
}

/* What a handle on the heap can't be had without. */
static void allocate_handle(void *arg)
{
	void *p = malloc(128);

	(void)arg;
	bench_need(p, "memory");
	bench_use(p);
	free(p);
}

static void row(const char *name, void (*fn)(void *arg), struct rig *rig,
		const char *bound_name, void (*bound)(void *arg))
{
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns",
				       .fn = fn,
				       .arg = rig,
				       .units = 1,
				       .bound_name = bound_name,
				       .bound = bound});
}

/* The same beside libevent, where that is. */
static void life_row(const char *name, struct rig *rig, double goal)
{
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns/fragment",
				       .fn = life,
				       .arg = rig,
				       .units = (double)rig->nr,
				       .bound_name = "libevent evbuffer",
				       .bound = HAVE_LIBEVENT ? life_of_peer : NULL,
				       .goal = goal});
}

static void lives(void)
{
	static struct rig rig;

	scatter(&rig, PIECES, 1);
	bench_need(!decant_iter_bvec(&rig.iter, DECANT_SOURCE, rig.bvec, PIECES), "bvec");
	life_row("256 fragments of one region: add, peek, release", &rig, 60);
	scatter(&rig, PIECES, REGIONS);
	bench_need(!decant_iter_bvec(&rig.iter, DECANT_SOURCE, rig.bvec, PIECES), "bvec");
	life_row("256 fragments of 64 regions: add, peek, release", &rig, 60);
	bench_need(!decant_iter_iovec(&rig.iter, DECANT_SOURCE, rig.iov, PIECES),
		   "iovec");
	rig.options.space = memory.space;
	life_row("256 fragments, owners looked up: add, peek, release", &rig, 60);
	scatter(&rig, 4, 4);
	bench_need(!decant_iter_bvec(&rig.iter, DECANT_SOURCE, rig.bvec, 4), "bvec");
	life_row("4 fragments of 4 regions: add, peek, release", &rig, 60);
	scatter(&rig, 1, 1);
	bench_need(!decant_iter_bvec(&rig.iter, DECANT_SOURCE, rig.bvec, 1), "bvec");
	life_row("1 fragment: add, peek, release", &rig, 0);
}

static void views(void)
{
	static struct rig rig;

	scatter(&rig, PIECES, REGIONS);
	bench_need(!decant_iter_bvec(&rig.iter, DECANT_SOURCE, rig.bvec, PIECES), "bvec");
	rig.owned = own(&rig);
	row("clone and drop", clone_drop, &rig, "two atomic additions", count_reference);
	row("slice and drop", slice_drop, &rig, "malloc and free", allocate_handle);
	decant_owned_put(rig.owned);
}

int main(void)
{
	bench_memory_init(&memory, REGIONS, EACH, regions, bench_map_same);
	bench_open("own");
	lives();
	views();
	bench_close();
	return 0;
}
