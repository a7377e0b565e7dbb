/* SPDX-License-Identifier: MIT */
/*
 * several.c - pairs over several providers in one process, at the same time and over the
 * same memory: none disturbs another, nor does its end. And who must drive what.
 */
#include "pair.h"

#define ROUND  60 /* operations */
#define SLOT   12000
#define HALF   ((size_t)ROUND * SLOT)
#define PIECES 40
#define LOOKS  2000

#define PROVIDER(x, tag, text) text,
static const char *const providers[] = {PEER_PROVIDERS(PROVIDER, )};
#define NR (sizeof(providers) / sizeof(*providers))

/* From one half of the memory into the other. */
struct op {
	uint64_t seed;
	size_t len;
};

static struct pair pairs[NR]; /* the open ones first */
static struct decant_ofi_remote remotes[NR];
static struct op ops[ROUND];
static size_t nr_pairs, due; /* events */
static unsigned char *memory;

static void take_events(struct decant_ofi *ofi)
{
	struct decant_ofi_event events[4];
	int n = decant_ofi_poll(ofi, events, 4);

	CHECK(n >= 0);
	for (int i = 0; i < n; i++) {
		const struct op *op = events[i].user;

		CHECK(op >= ops && op < ops + ROUND);
		CHECK_EQ(events[i].result, op->len);
		due--;
	}
}

static void progress(void)
{
	for (size_t i = 0; i < nr_pairs; i++) {
		take_events(pairs[i].end[0]);
		take_events(pairs[i].end[1]);
	}
	sched_yield();
}

/* Begin one half of an operation, when there is room for it. */
static void begin_half(size_t at, int side, struct op *op, bool message)
{
	size_t slot = (size_t)(op - ops) * SLOT;
	struct decant_ofi *ofi = pairs[at].end[side];
	struct iovec iov[PIECES];
	struct decant_iter it = peer_over_cut(iov, 1 + check_below(PIECES),
					      memory + slot + (side ? HALF : 0), op->len,
					      side ? DECANT_DEST : DECANT_SOURCE);
	int rc = -EAGAIN;

	while (rc == -EAGAIN && !check_failed) {
		if (side)
			rc = decant_ofi_recv(ofi, &it, op->len, op);
		else if (message)
			rc = decant_ofi_send(ofi, &it, op->len, op);
		else
			rc = decant_ofi_write(ofi, &it, op->len, &remotes[at],
					      HALF + slot, op);
		if (rc == -EAGAIN)
			progress();
	}
	CHECK_EQ(rc, 0);
	due++;
}

static void operate(struct op *op)
{
	unsigned char *from = memory + (size_t)(op - ops) * SLOT;
	size_t at = check_below(nr_pairs);
	bool message = check_below(2);

	*op = (struct op){check_random(), 1 + check_below(SLOT)};
	peer_fill(from, op->len, op->seed);
	memset(from + HALF, 0xee, SLOT);
	if (message)
		begin_half(at, 1, op, true);
	begin_half(at, 0, op, message);
	if (check_below(2))
		progress();
}

static bool right(const struct op *op)
{
	const unsigned char *to = memory + HALF + (size_t)(op - ops) * SLOT;
	size_t len = op->len;

	while (len < SLOT && to[len] == 0xee)
		len++;
	return len == SLOT && peer_arrived(to, op->len, op->seed);
}

static void round_of_all(void)
{
	for (size_t i = 0; i < ROUND && !check_failed; i++)
		operate(&ops[i]);
	while (due && !check_failed)
		progress();
	for (size_t i = 0; i < ROUND && !check_failed; i++)
		CHECK(right(&ops[i]));
}

static void open_all(struct decant_space *space, struct decant_region *region)
{
	for (; nr_pairs < NR; nr_pairs++) {
		struct pair *pair = &pairs[nr_pairs];

		pair_open(pair,
			  &(struct decant_ofi_options){.provider = providers[nr_pairs],
						       .depth = 8,
						       .space = space});
		CHECK_EQ(decant_domain_map(decant_ofi_domain(pair->end[0]), region), 0);
		CHECK_EQ(decant_ofi_grant(pair->end[1], region, &remotes[nr_pairs]), 0);
	}
	CHECK_EQ(decant_region_refs(region), 2);
}

/* All, then all but one, and so on. */
static void together_alone(void)
{
	struct decant_region *region;
	struct decant_space *space;

	peer_allow_leaks("net");
	memory = peer_buffer(2 * HALF);
	REQUIRE(!decant_space_new(&space));
	REQUIRE(!decant_region_new(&region, memory, 2 * HALF, NULL));
	REQUIRE(!decant_space_add(space, region));
	open_all(space, region);
	while (nr_pairs && !check_failed) {
		size_t gone = check_below(nr_pairs);

		round_of_all();
		pair_close(&pairs[gone]);
		pairs[gone] = pairs[--nr_pairs];
		remotes[gone] = remotes[nr_pairs];
	}
	CHECK_EQ(decant_space_remove(space, region), 0);
	decant_space_free(space);
	CHECK_EQ(decant_region_refs(region), 1);
	decant_region_put(region);
	free(memory);
}

static void together(void)
{
	peer_alone(together_alone);
}

static const char *provider;

/* The first side alone, until its event or long enough. */
static int look(struct pair *pair, struct decant_ofi_event *event)
{
	int n = 0;

	for (int i = 0; i < LOOKS && !n; i++) {
		n = decant_ofi_poll(pair->end[0], event, 1);
		sched_yield();
	}
	return n;
}

/* Where the target must drive a write, too, nothing is over before it does. */
static void driven_alone(void)
{
	unsigned char at[2 * SLOT];
	struct decant_bvec from = {at, SLOT, NULL};
	struct decant_ofi_remote remote;
	struct decant_ofi_event event = {0};
	struct decant_ofi_info info;
	struct decant_iter it;
	struct pair pair;

	peer_allow_leaks(provider);
	peer_fill(at, SLOT, 1);
	REQUIRE(!decant_region_new(&from.region, at, 2 * SLOT, NULL));
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &from, 1));
	pair_open(&pair, &(struct decant_ofi_options){.provider = provider});
	decant_ofi_info(pair.end[1], &info);
	peer_key(pair.end[0], from.region);
	CHECK_EQ(decant_ofi_grant(pair.end[1], from.region, &remote), 0);
	CHECK_EQ(decant_ofi_write(pair.end[0], &it, SLOT, &remote, SLOT, NULL), 0);
	CHECK_EQ(info.manual_progress,
		 strcmp(provider, "sockets") && strcmp(provider, "verbs"));
	if (info.manual_progress) {
		CHECK_EQ(look(&pair, &event), 0);
		CHECK_EQ(pair_wait(&pair, 0, &event), 1);
	}
	while (!info.manual_progress && !look(&pair, &event))
		;
	CHECK_EQ(event.result, SLOT);
	CHECK(peer_arrived(at + SLOT, SLOT, 1));
	pair_close(&pair);
	decant_region_put(from.region);
}

PEER_PROVIDERS(PEER_ALONE, driven)

int main(void)
{
	/* clang-format off */
	static const struct check_case cases[] = {
		{"several providers at once", together},
		PEER_PROVIDERS(PEER_CASE, driven)
	};
	/* clang-format on */

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
