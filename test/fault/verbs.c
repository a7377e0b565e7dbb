/* SPDX-License-Identifier: MIT */
/*
 * verbs.c - a device is opened, a queue pair made and joined, and one operation of each
 * kind goes through, directly, staged and registered, with the n-th call failing, for
 * every n: what began has one event, nothing is left, and it ends.
 */
#define FAULT_ITSELF
#include <decant/verbs.h>
#include <pthread.h>
#include "verbs_fault.h"
#include "each.h"
#include "device.h"

#define LEN	((size_t)20000)
#define MEMORY	(4 * LEN)
#define MOST	8
#define ADDRESS "10.77.0.1"

static unsigned char *memory; /* half of it in a region */

static struct {
	enum decant_policy policy;
	bool connects;
	struct decant_verbs *verbs;
	struct decant_verbs_queue *queue, *peer_queue;
	struct decant_verbs_cache *cache;
	struct decant_verbs_pair *pair, *peer;
	struct decant_verbs_remote remote;
	struct decant_region *region;
	struct decant_pool *pool;
	struct decant_verbs_listener *listener;
	int accepted; /* what came of it */
	unsigned begun, seen;
} world;

/* Whatever was refused: some reasons have a name of their own. */
static int reason(int rc)
{
	CHECK(rc == -ENOMEM || rc == -ENODEV || rc == -EADDRNOTAVAIL || rc == -EIO ||
	      rc == -ECANCELED || rc == -EINVAL || rc == -ETIMEDOUT ||
	      rc == -ECONNABORTED || rc == -ECONNREFUSED || rc == -ECONNRESET);
	return -ENOMEM;
}

/* Good until the next call. */
static int cut_off(enum decant_direction direction, size_t at, struct decant_iter *it)
{
	static struct decant_bvec bvec;

	bvec = (struct decant_bvec){memory + at, LEN,
				    at < MEMORY / 2 ? world.region : NULL};
	return decant_iter_bvec(it, direction, &bvec, 1);
}

static int open_device(void)
{
	const unsigned uses = DECANT_VERBS_PEER_READS | DECANT_VERBS_PEER_WRITES;
	const struct decant_verbs_cache_options cached = {.size = sizeof(cached)};
	int rc = decant_verbs_open(&world.verbs, NULL);

	if (!rc)
		rc = decant_verbs_queue_new(&world.queue, world.verbs, 0);
	if (!rc)
		rc = decant_verbs_queue_new(&world.peer_queue, world.verbs, 0);
	if (!rc)
		rc = decant_region_new(&world.region, memory, MEMORY / 2, NULL);
	if (!rc)
		rc = decant_domain_map(decant_verbs_domain(world.verbs, 0), world.region);
	if (!rc)
		rc = decant_verbs_grant(world.verbs, uses, world.region, &world.remote);
	if (!rc)
		rc = decant_verbs_cache_new(&world.cache, world.verbs, &cached);
	return rc;
}

static int open_pair(struct decant_verbs_queue *queue, struct decant_verbs_pair **pair)
{
	const struct decant_verbs_pair_options options = {
		.size = sizeof(options),
		.requests = 8,
		.request_bytes = 3000,
		.policy = world.policy,
		.space = decant_verbs_cache_space(world.cache)};

	return decant_verbs_pair_new(pair, queue, &options);
}

static int join(void)
{
	struct decant_verbs_address self;
	int rc = open_pair(world.queue, &world.pair);

	if (!rc)
		rc = decant_verbs_address(world.pair, &self);
	return rc ? rc : decant_verbs_join(world.pair, &self);
}

/* In the midst of decant_verbs_connect(): the other side, in the same thread. */
static void answer_call(void)
{
	struct decant_verbs_call *call;

	world.accepted = decant_verbs_call(world.listener, &call, 0);
	if (!world.accepted)
		world.accepted = open_pair(world.peer_queue, &world.peer);
	else
		return;
	if (world.accepted)
		decant_verbs_reject(call, NULL, 0);
	else
		world.accepted = decant_verbs_accept(world.peer, call, "yes", 4, 100);
}

static int connect_pairs(void)
{
	const struct decant_verbs_listen_options where = {
		.size = sizeof(where), .node = ADDRESS, .service = "0"};
	struct decant_verbs_connect_options to = {
		.size = sizeof(to), .node = ADDRESS, .source = ADDRESS, .timeout = 100};
	char port[8];
	int rc = open_pair(world.queue, &world.pair);

	if (!rc)
		rc = decant_verbs_listen(&world.listener, world.verbs, &where);
	if (rc)
		return rc;
	snprintf(port, sizeof(port), "%u", decant_verbs_listener_port(world.listener));
	to.service = port;
	device.called = answer_call;
	rc = decant_verbs_connect(world.pair, &to);
	device.called = NULL;
	return rc ? rc : world.accepted;
}

/* One operation over what is in the region or not; the peer's memory is the region's. */
static int begin(enum decant_verbs_kind kind, size_t at)
{
	bool dest = kind == DECANT_VERBS_RECV || kind == DECANT_VERBS_READ;
	struct decant_verbs_pair *receiver = world.peer ? world.peer : world.pair;
	struct decant_iter it;
	size_t before;
	int rc = cut_off(dest ? DECANT_DEST : DECANT_SOURCE, at, &it);

	CHECK_EQ(rc, 0);
	before = decant_iter_count(&it);
	if (kind == DECANT_VERBS_RECV)
		rc = decant_verbs_recv(receiver, &it, LEN, NULL, &world);
	else if (kind == DECANT_VERBS_SEND)
		rc = decant_verbs_send(world.pair, &it, LEN, NULL, &world);
	else
		rc = (kind == DECANT_VERBS_READ ? decant_verbs_read : decant_verbs_write)(
			world.pair, &it, LEN, &world.remote, 1, NULL, &world);
	CHECK_EQ(decant_iter_count(&it), rc ? before : 0);
	world.begun += !rc;
	return rc;
}

static int gather(void)
{
	struct decant_verbs_event event;
	int rc = 0;

	for (size_t i = 0; i < 1000000 && rc >= 0 && world.seen < world.begun; i++) {
		rc = decant_verbs_poll(i & 1 ? world.queue : world.peer_queue, &event, 1);
		if (rc <= 0)
			continue;
		world.seen++;
		rc = event.result < 0 ? (int)event.result : 0;
	}
	return rc < 0 ? rc : 0;
}

static void hang_up(void)
{
	decant_verbs_disconnect(world.pair);
	if (world.peer)
		decant_verbs_disconnect(world.peer);
}

static int transfer(void)
{
	static const enum decant_verbs_kind kinds[] = {
		DECANT_VERBS_RECV, DECANT_VERBS_SEND, DECANT_VERBS_WRITE,
		DECANT_VERBS_READ};
	struct decant_iter it;
	bool may_sleep;
	int rc = 0, last;

	if (world.policy == DECANT_REFUSE) {
		CHECK_EQ(cut_off(DECANT_SOURCE, MEMORY / 2, &it), 0);
		rc = decant_verbs_cache_cover(world.cache, &it, LEN);
	}
	for (size_t i = 0; i < MOST && !rc; i++)
		rc = begin(kinds[i % 4], i % 4 == 3 ? 0 : (i / 4) * MEMORY / 2);
	do {
		/* what nothing will come for, or nobody takes, ends only so */
		if (rc)
			hang_up();
		last = gather();
		rc = rc ? rc : last;
	} while (last && world.seen < world.begun && last != -EIO);
	decant_verbs_fd(world.queue, &may_sleep);
	return rc;
}

static void tear_down(void)
{
	decant_verbs_pair_free(world.pair);
	decant_verbs_pair_free(world.peer);
	decant_verbs_listener_free(world.listener);
	if (world.cache)
		decant_verbs_cache_free(world.cache);
	decant_verbs_queue_free(world.queue);
	decant_verbs_queue_free(world.peer_queue);
	if (world.region)
		CHECK_EQ(decant_region_refs(world.region), 1);
	decant_region_put(world.region);
	decant_verbs_close(world.verbs);
	CHECK(!device.regions && !device.pairs);
}

static int scenario(void)
{
	enum decant_policy policy = world.policy;
	bool connects = world.connects;
	int rc;

	memset(&world, 0, sizeof(world));
	world.policy = policy;
	world.connects = connects;
	rc = open_device();
	if (!rc)
		rc = world.connects ? connect_pairs() : join();
	if (!rc)
		rc = transfer();
	/* a completion queue that can't be read has no events any more */
	if (rc != -EIO)
		CHECK_EQ(world.seen, world.begun);
	tear_down();
	return rc ? reason(rc) : 0;
}

static void staged(void)
{
	world.policy = DECANT_STAGE;
	with_each_failing(scenario, -ENOMEM);
}

static void registered(void)
{
	world.policy = DECANT_REGISTER;
	with_each_failing(scenario, -ENOMEM);
}

static void cached(void)
{
	world.policy = DECANT_REFUSE;
	with_each_failing(scenario, -ENOMEM);
}

static void connected(void)
{
	world.connects = true;
	world.policy = DECANT_STAGE;
	with_each_failing(scenario, -ENOMEM);
	device.iwarp = 1;
	with_each_failing(scenario, -ENOMEM);
	device.iwarp = 0;
	world.connects = false;
}

int main(void)
{
	static const struct check_case cases[] = {
		{"every call fails once, memory staged", staged},
		{"the same, memory registered for the operation", registered},
		{"the same, memory in a registration cache", cached},
		{"the same, connected by address, RoCE and iWARP", connected},
	};
	int rc;

	memory = aligned_alloc(4096, 86016);
	if (!memory)
		return 1;
	memset(memory, 1, MEMORY);
	rc = check_run(cases, sizeof(cases) / sizeof(*cases));
	free(memory);
	return rc;
}
