/* SPDX-License-Identifier: MIT */
/*
 * verbs.c - a queue pair that talks to itself, over soft RoCE in a guest (tools/guest,
 * test/guest/rxe), or over a device of our own making that checks what real ones check
 * (test/live/verbs).
 */
#include "verbs_moves.h"
#include "verbs_flight.h"
#include "verbs_errors.h"
#include "verbs_cached.h"
#include "verbs_near.h"
#include "verbs_interrupted.h"

static void interrupted_here(void)
{
	if (rig_is_iwarp() || !no_peer())
		interrupted();
}

static const struct {
	const char *name;
	struct decant_verbs_pair_options options;
} ways[] = {
	{"as the device is", {.policy = DECANT_STAGE}},
	{"few elements", {.policy = DECANT_STAGE, .elements = 3}},
	{"one element", {.policy = DECANT_STAGE, .elements = 1}},
	{"short requests", {.policy = DECANT_STAGE, .request_bytes = 1500}},
	{"short queue", {.policy = DECANT_STAGE, .requests = 3, .elements = 2}},
	{"one read", {.policy = DECANT_STAGE, .reads = 1, .elements = 2}},
	{"nothing inline", {.policy = DECANT_STAGE, .inline_bytes = SIZE_MAX}},
	{"registered at need", {.policy = DECANT_REGISTER, .inline_bytes = SIZE_MAX}},
};

static int count_device(void *user, const struct decant_verbs_caps *caps)
{
	bool *found = user;

	*found |= !strcmp(caps->device, decant_verbs_caps(rig.verbs)->device);
	return 0;
}

static void capabilities(void)
{
	const struct decant_verbs_caps *caps = decant_verbs_caps(rig.verbs);
	struct decant_verbs_options options = {.size = sizeof(options),
					       .device = "no such device"};
	struct decant_verbs *verbs;
	bool found = false;

	CHECK_EQ(decant_verbs_devices(count_device, &found), 0);
	CHECK(found);
	CHECK(caps->active && caps->port >= 1);
	CHECK(caps->send.max_elements >= 1 && caps->read.max_elements >= 1);
	CHECK(caps->send.max_bytes >= 1 << 20 && caps->requests && caps->completions);
	CHECK(caps->reads && caps->served && caps->regions && caps->region_bytes);
	CHECK_EQ(decant_verbs_open(&verbs, &options), -ENODEV);
	options.device = caps->device;
	options.port = 99;
	CHECK(decant_verbs_open(&verbs, &options) < 0);
	options.size = 1;
	CHECK_EQ(decant_verbs_open(&verbs, &options), -EINVAL);
}

static void keys(void)
{
	struct decant_domain *domain = decant_verbs_domain(rig.verbs, 0);
	struct decant_verbs_remote remote;
	struct decant_region *region;
	const struct decant_mapping *mapping;

	REQUIRE(!decant_region_new(&region, rig.plain, 10000, NULL));
	CHECK_EQ(decant_domain_map(domain, region), 0);
	mapping = decant_domain_mapping(domain, region);
	CHECK(mapping && mapping->lkey && !mapping->rkey);
	CHECK_EQ(decant_domain_map(domain, region), 0);
	CHECK(decant_domain_mapping(domain, region) == mapping);
	CHECK_EQ(decant_verbs_grant(rig.verbs, 0, region, &remote), -EINVAL);
	CHECK_EQ(decant_verbs_grant(rig.verbs, DECANT_VERBS_PEER_READS, region, &remote),
		 0);
	CHECK(remote.rkey && remote.len == 10000);
	CHECK(!decant_verbs_domain(rig.verbs, 64));
	if (!decant_verbs_caps(rig.verbs)->on_demand)
		CHECK(!decant_verbs_domain(rig.verbs, DECANT_VERBS_ON_DEMAND));
	decant_region_put(region);
}

/* A device in this process, which is fast and can do everything. */
static bool is_model(void)
{
	return !strncmp(decant_verbs_caps(rig.verbs)->device, "model", 5);
}

/* A part of a file stands for one of a dma-buf. */
static void dmabuf_moves(void)
{
	struct decant_verbs_event event;
	struct decant_region *region;
	struct decant_bvec bvec;
	struct decant_iter it;
	int fd = memfd_create("dma-buf", MFD_CLOEXEC);
	unsigned char *addr;

	REQUIRE(fd >= 0 && !ftruncate(fd, 65536));
	addr = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(addr != MAP_FAILED);
	REQUIRE(!decant_region_new(&region, addr + 4096, 8192, NULL));
	CHECK(decant_verbs_map_dmabuf(rig.verbs, RIG_USES, region, fd, 65536) < 0);
	CHECK_EQ(decant_verbs_map_dmabuf(rig.verbs, RIG_USES, region, fd, 4096), 0);
	CHECK_EQ(decant_verbs_map_dmabuf(rig.verbs, RIG_USES, region, fd, 4096), -EEXIST);
	close(fd);
	rig_use((struct decant_verbs_pair_options){.policy = DECANT_REFUSE});
	rig_fill(addr, 65536);
	bvec = (struct decant_bvec){addr + 4096, 8192, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 8192, &rig.remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 8192);
	CHECK(!memcmp(rig.there, addr + 4096, 8192));
	decant_region_put(region);
	munmap(addr, 65536);
}

/* Refused clearly where the device can't; and it is never taken for ordinary memory. */
static void dmabuf(void)
{
	struct decant_region *region;
	int rc;

	REQUIRE(!decant_region_new(&region, rig.plain, 65536, NULL));
	rc = decant_verbs_map_dmabuf(rig.verbs, 0, region, 0, 0);
	CHECK(rc < 0);
	CHECK(!decant_domain_mapping(decant_verbs_domain(rig.verbs, 0), region));
	CHECK_EQ(decant_verbs_map_dmabuf(rig.verbs, 64, region, 0, 0), -EINVAL);
	decant_region_put(region);
	if (!is_model())
		check_skip(rc == -EOPNOTSUPP ? "this device takes no dma-buf"
					     : "there is no dma-buf to offer");
	else
		dmabuf_moves();
}

/* Memory that is not pinned is used as any other, where a device can. */
static void on_demand(void)
{
	struct decant_domain *domain =
		decant_verbs_domain(rig.verbs, DECANT_VERBS_ON_DEMAND);
	struct decant_verbs_event event;
	struct decant_region *region;
	struct decant_iter it;
	struct decant_bvec bvec;

	if (!domain) {
		check_skip("this device faults nothing in");
		return;
	}
	REQUIRE(!decant_region_new(&region, rig.plain, 20000, NULL));
	CHECK_EQ(decant_domain_map(domain, region), 0);
	CHECK_EQ(decant_verbs_map_dmabuf(rig.verbs, DECANT_VERBS_ON_DEMAND, region, 0, 0),
		 -EINVAL);
	rig.options = (struct decant_verbs_pair_options){.uses = DECANT_VERBS_ON_DEMAND,
							 .policy = DECANT_REFUSE};
	rig_begin(false);
	rig_fill(rig.plain, 20000);
	bvec = (struct decant_bvec){rig.plain, 20000, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 20000, &rig.remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 20000);
	CHECK(!memcmp(rig.there, rig.plain, 20000));
	rig_end();
	decant_region_put(region);
}

/* Memory that can only be read can be sent. */
static void read_only(void)
{
	struct decant_domain *domain = decant_verbs_domain(rig.verbs, 0);
	unsigned char *addr = rig_allocate(4096);
	struct decant_region *region;
	struct decant_verbs_remote remote;

	REQUIRE(!mprotect(addr, 4096, PROT_READ));
	REQUIRE(!decant_region_new(&region, addr, 4096, NULL));
	CHECK_EQ(decant_domain_map(domain, region), 0);
	CHECK(decant_verbs_grant(rig.verbs, DECANT_VERBS_PEER_WRITES, region, &remote) <
	      0);
	decant_region_put(region);
	munmap(addr, 4096);
}

static void one_move(int i, bool plain)
{
	static bool (*const how[])(int) = {moves_write, moves_read, moves_send,
					   moves_recv};
	size_t room = 1 + check_below(check_below(2) ? 3000 : RIG_MEMORY_LEN - 1);
	size_t nr = 1 + check_below(check_below(3) ? 40 : MOVES_PIECES);
	int kind = (int)check_below(plain ? MOVES_KINDS : MOVES_PROCESS);
	unsigned char *memory = plain ? rig.plain : rig.memory;

	moves_pieces(memory, room, nr < room ? nr : 1);
	rig_fill(rig.there, RIG_THERE_LEN / 8);
	rig_fill(memory, room);
	how[i % 4](kind);
}

static void some_moves(const struct decant_verbs_pair_options *options, size_t cases)
{
	bool registers = options->policy == DECANT_REGISTER;

	rig_use(*options);
	for (size_t i = 0; i < cases && !check_failed; i++)
		one_move((int)check_below(4), !registers && check_below(3) == 0);
	CHECK(rig_quiet());
	CHECK_EQ(rig_info().under_way, 0);
	rig_let_go();
}

static void random_moves(void)
{
	for (size_t i = 0; i < COUNT(ways) && !check_failed; i++) {
		some_moves(&ways[i].options, check_cases(60));
		if (check_failed)
			printf("# %s: %s\n", ways[i].name, decant_verbs_error(rig.pair));
	}
}

/* A device in this process is fast enough for very many. */
static void flights(void)
{
	size_t nr = check_cases(is_model() ? 100000 : 1500);

	for (size_t i = 0; i < COUNT(ways) && !check_failed; i++) {
		if (ways[i].options.policy != DECANT_STAGE)
			continue;
		rig_use(ways[i].options);
		memset(rig.there, 0, RIG_THERE_LEN);
		flight_run(rig.pair, rig_receiver(), rig.remote, SIZE_MAX,
			   nr / COUNT(ways) + 1);
		CHECK(rig_quiet());
		rig_end();
		rig_let_go();
		if (check_failed)
			printf("# %s\n", ways[i].name);
	}
}

/* Plain memory with the policy to register it, pieces that share a page included. */
static void registers(void)
{
	static const struct decant_verbs_pair_options options = {
		.policy = DECANT_REGISTER, .inline_bytes = SIZE_MAX};

	rig_use(options);
	for (int i = 0; i < 12 && !check_failed; i++) {
		moves_pieces(rig.plain, 100000, 1 + check_below(20));
		rig_fill(rig.plain, 100000);
		(i & 1 ? moves_write : moves_read)(MOVES_IOVEC);
	}
}

/* Why it can't be is told; and what isn't there is not looked at. */
static void not_registered(int why)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, rig.plain, 10000);

	CHECK_EQ(decant_verbs_write(rig.pair, &it, 10000, &rig.remote, 1, NULL, NULL),
		 why);
	CHECK_EQ(decant_verbs_send(rig.pair, &it, 10000, NULL, NULL), why);
	CHECK_EQ(decant_iter_count(&it), 10000);
	CHECK_EQ(rig_info().under_way, 0);
	CHECK(rig_quiet());
}

static void unregistrable(void)
{
	rig_use((struct decant_verbs_pair_options){.policy = DECANT_REGISTER,
						   .inline_bytes = SIZE_MAX});
	REQUIRE(!mprotect(rig.plain, 8192, PROT_NONE));
	not_registered(-EFAULT);
	REQUIRE(!mprotect(rig.plain, 8192, PROT_READ | PROT_WRITE));
	moves_pieces(rig.plain, 10000, 5);
	rig_fill(rig.plain, 10000);
	moves_write(MOVES_IOVEC);
}

/* One more piece than there are elements, and very many. */
static void edges(void)
{
	size_t max;

	rig_use((struct decant_verbs_pair_options){.policy = DECANT_STAGE});
	max = rig_info().limits.max_elements;
	for (size_t nr = 1; nr <= max + 2 && !check_failed; nr += nr < max - 1 ? 7 : 1) {
		moves.nr = nr;
		moves.len = nr * 100;
		for (size_t i = 0; i < nr; i++)
			moves.iov[i] = (struct iovec){rig.memory + i * 130, 100};
		rig_fill(rig.memory, 8192);
		moves_send(MOVES_IOVEC);
		rig_fill(rig.there, 8192);
		moves_recv(MOVES_IOVEC);
		moves_write(MOVES_IOVEC);
		moves_read(MOVES_IOVEC);
	}
}

/* An operation that fits costs one completion, however many requests it is. */
static void one_completion(void)
{
	struct decant_verbs_pair_info before, after;
	struct decant_verbs_event event;
	struct decant_iter it;

	rig_use((struct decant_verbs_pair_options){.request_bytes = 4096});
	before = rig_info();
	it = rig_buf(DECANT_SOURCE, rig.memory, 40 * 4096);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, SIZE_MAX, &rig.remote, 1, NULL, NULL),
		 0);
	CHECK(rig_event(&event) && event.result == 40 * 4096 && event.requests == 40);
	after = rig_info();
	CHECK_EQ(after.requests - before.requests, 40);
	CHECK(after.signalled - before.signalled == 1 || rig_is_iwarp());
	CHECK_EQ(after.posts - before.posts, 2); /* 32 in a chain */
	rig_arrived();
	CHECK(!memcmp(rig.there, rig.memory, 40 * 4096));
}

/* What is held back goes in one call. */
static void chained(void)
{
	struct decant_verbs_how more = {.size = sizeof(more), .more = true};
	struct decant_verbs_pair_info before;
	struct decant_verbs_event event;
	uint64_t posts;

	rig_use((struct decant_verbs_pair_options){0});
	before = rig_info();
	rig_fill(rig.memory, 5000);
	for (size_t i = 0; i < 5; i++) {
		struct decant_iter it =
			rig_buf(DECANT_SOURCE, rig.memory + 1000 * i, 1000);
		struct decant_verbs_remote to = rig.remote;

		to.addr += 1000 * i;
		CHECK_EQ(decant_verbs_write(rig.pair, &it, 1000, &to, 1,
					    i < 4 ? &more : NULL, &more),
			 0);
	}
	posts = rig_info().posts - before.posts;
	for (int i = 0; i < 5; i++)
		CHECK(rig_event(&event) && event.result == 1000);
	CHECK_EQ(posts, 1);
	rig_arrived();
	CHECK(!memcmp(rig.there, rig.memory, 5000));
}

static const struct check_case cases[] = {
	{"devices and their limits", capabilities},
	{"keys", keys},
	{"a dma-buf", dmabuf},
	{"memory that is not pinned", on_demand},
	{"memory that can only be read", read_only},
	{"random pieces, any kind, any operation", random_moves},
	{"many under way, every kind, held against a model", flights},
	{"memory is registered for an operation", registers},
	{"memory that can't be registered", unregistrable},
	{"up to more pieces than elements", edges},
	{"one completion for many requests", one_completion},
	{"operations in one chain", chained},
	{"inline data needs no key", inline_data},
	{"one key for a request", one_key},
	{"immediate data", immediate},
	{"nothing at all", nothing},
	{"wrong keys, and past the end", wrong_keys},
	{"a receive that is too short", too_short},
	{"no receive", no_receive},
	{"everything under way ends once", all_end_once},
	{"begun wrongly", begun_wrongly},
	{"receives from a pool", pool},
	{"a queue that is full", full},
	{"sleeping", sleeping},
	{"memory that is let go of while it is written", removed},
	{"cached registrations: bounds and counters", cache_counts},
	{"cached registrations: invalidated", cache_invalidated},
	{"cached registrations: random pieces", cache_random},
	{"connections by address", connected},
	{"connections refused", refused},
	{"connections to nobody", nobody},
	{"connections that a signal interrupts", interrupted_here},
	{"listeners", listener},
	{"a peer without receives", silent_peer},
	{"a peer that hangs up", peer_hangs_up},
	{"a message that is too long for the peer", too_long},
	{"memory that the peer takes back", withdrawn},
	{"a peer that is killed", killed},
	{"nothing is left", nothing_left},
};

int main(int argc, char **argv)
{
	const char *missing;
	bool alone = argc > 1 && !strcmp(argv[1], "iwarp");

	if (alone)
		setenv("DECANT_TEST_IWARP", "1", 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	near_count(&near_before);
	/* a device of this process alone has no second one to talk to */
	if (!alone && !peer_begin())
		peer_end();
	missing = rig_open();
	if (missing) {
		printf("1..0 # SKIP %s\n", missing);
		return 0;
	}
	check_seed_init();
	return check_run(cases, COUNT(cases));
}
