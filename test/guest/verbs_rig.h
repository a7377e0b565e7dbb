/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_RIG_H
#define DECANT_TEST_GUEST_VERBS_RIG_H
/*
 * verbs_rig.h - a device with a queue pair that talks to itself, or to another one where
 * that can't be (iWARP), memory in regions that it knows, memory that it doesn't know,
 * and memory that plays the peer's.
 */
#include <decant/verbs.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include "../check.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define RIG_REGIONS    8
#define RIG_REGION_LEN ((size_t)64 << 10)
#define RIG_MEMORY_LEN (RIG_REGIONS * RIG_REGION_LEN)
#define RIG_THERE_LEN  ((size_t)1 << 20)
#define RIG_USES       (DECANT_VERBS_PEER_READS | DECANT_VERBS_PEER_WRITES)
#define RIG_PATIENCE   20 /* seconds until an event counts as lost */
#define RIG_ADDRESS    "10.77.0.1"

static struct {
	struct decant_verbs *verbs;
	struct decant_verbs_queue *queue;
	struct decant_verbs_pair *pair;
	struct decant_verbs_pair *peer; /* or NULL: @pair itself is */
	struct decant_verbs_queue *peer_queue;
	struct decant_verbs_pair_options options;
	struct decant_space *space;
	unsigned char *memory; /* adjacent regions, in the space */
	unsigned char *plain;  /* as large, in no region */
	unsigned char *there;  /* granted */
	unsigned char *wanted; /* what @there, or what was sent, should be */
	struct decant_region *regions[RIG_REGIONS];
	struct decant_region *region_there;
	struct decant_verbs_remote remote;
} rig;

static unsigned char *rig_allocate(size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	REQUIRE(addr != MAP_FAILED);
	return addr;
}

__attribute__((unused)) static void rig_fill(unsigned char *addr, size_t len)
{
	for (size_t i = 0; i < len; i++)
		addr[i] = (unsigned char)check_random();
}

static bool rig_is_iwarp(void)
{
	return decant_verbs_caps(rig.verbs)->transport == DECANT_VERBS_IWARP;
}

__attribute__((unused)) static bool rig_writes_imm(void)
{
	return decant_verbs_caps(rig.verbs)->write_imm;
}

/* The queue pair that gets what is sent. */
static struct decant_verbs_pair *rig_receiver(void)
{
	return rig.peer ? rig.peer : rig.pair;
}

static void rig_join(void)
{
	struct decant_verbs_address here, there;

	REQUIRE(!decant_verbs_address(rig.pair, &here));
	REQUIRE(!decant_verbs_address(rig_receiver(), &there));
	REQUIRE(!decant_verbs_join(rig.pair, &there));
	if (rig.peer)
		REQUIRE(!decant_verbs_join(rig.peer, &here));
}

/* In a thread of its own, which alone uses the peer and its queue until it ends. */
static void *rig_answer(void *listener)
{
	struct decant_verbs_call *call;
	int rc = decant_verbs_call(listener, &call, RIG_PATIENCE * 1000);

	if (!rc)
		rc = decant_verbs_accept(rig.peer, call, NULL, 0, 0);
	return rc ? rig.peer : NULL;
}

static struct decant_verbs_listener *rig_listen(char port[8])
{
	const struct decant_verbs_listen_options where = {
		.size = sizeof(where), .node = RIG_ADDRESS, .service = "0"};
	struct decant_verbs_listener *listener;

	REQUIRE(!decant_verbs_listen(&listener, rig.verbs, &where));
	snprintf(port, 8, "%u", decant_verbs_listener_port(listener));
	return listener;
}

static int rig_call(const char *port, int timeout)
{
	const struct decant_verbs_connect_options to = {.size = sizeof(to),
							.node = RIG_ADDRESS,
							.service = port,
							.timeout = timeout};

	return decant_verbs_connect(rig.pair, &to);
}

/* By address, where there is no other way. */
static void rig_connect(void)
{
	char port[8];
	struct decant_verbs_listener *listener = rig_listen(port);
	void *failed;
	pthread_t thread;

	REQUIRE(!pthread_create(&thread, NULL, rig_answer, listener));
	CHECK_EQ(rig_call(port, 0), 0);
	REQUIRE(!pthread_join(thread, &failed));
	REQUIRE(!failed);
	decant_verbs_listener_free(listener);
}

/* Once more, after both ends were reset. */
static void rig_meet(void)
{
	if (rig_is_iwarp())
		rig_connect();
	else
		rig_join();
}

static void rig_end(void)
{
	decant_verbs_pair_free(rig.pair);
	decant_verbs_pair_free(rig.peer);
	rig.pair = rig.peer = NULL;
}

static void rig_pairs(bool two)
{
	rig_end();
	rig.options.size = sizeof(rig.options);
	REQUIRE(!decant_verbs_pair_new(&rig.pair, rig.queue, &rig.options));
	if (two || rig_is_iwarp())
		REQUIRE(!decant_verbs_pair_new(&rig.peer, rig.peer_queue, &rig.options));
}

static void rig_begin(bool two)
{
	rig_pairs(two);
	rig_meet();
}

/* Most tests: memory in regions, or staged. */
__attribute__((unused)) static void rig_use(struct decant_verbs_pair_options options)
{
	rig.options = options;
	rig.options.uses = RIG_USES;
	rig.options.space = rig.space;
	rig_begin(false);
}

/*
 * The same with a peer: what that refuses ends both, and here the initiator's word
 * counts.
 */
__attribute__((unused)) static void rig_use_two(struct decant_verbs_pair_options options)
{
	rig.options = options;
	rig.options.uses = RIG_USES;
	rig.options.space = rig.space;
	rig_begin(true);
}

static void rig_memory(void)
{
	struct decant_domain *domain = decant_verbs_domain(rig.verbs, RIG_USES);

	rig.memory = rig_allocate(RIG_MEMORY_LEN);
	rig.plain = rig_allocate(RIG_MEMORY_LEN);
	rig.there = rig_allocate(RIG_THERE_LEN);
	rig.wanted = rig_allocate(RIG_THERE_LEN);
	REQUIRE(!decant_space_new(&rig.space));
	for (size_t i = 0; i < RIG_REGIONS; i++) {
		REQUIRE(!decant_region_new(&rig.regions[i],
					   rig.memory + i * RIG_REGION_LEN,
					   RIG_REGION_LEN, NULL));
		REQUIRE(!decant_domain_map(domain, rig.regions[i]));
		REQUIRE(!decant_space_add(rig.space, rig.regions[i]));
	}
	REQUIRE(!decant_region_new(&rig.region_there, rig.there, RIG_THERE_LEN, NULL));
	REQUIRE(!decant_verbs_grant(rig.verbs, RIG_USES, rig.region_there, &rig.remote));
}

/* NULL, or why there is nothing to test. */
static const char *rig_open(void)
{
	int rc = decant_verbs_open(&rig.verbs, NULL);

	if (rc)
		return "no RDMA device is up";
	REQUIRE(!decant_verbs_queue_new(&rig.queue, rig.verbs, 0));
	REQUIRE(!decant_verbs_queue_new(&rig.peer_queue, rig.verbs, 0));
	rig_memory();
	return NULL;
}

/* Nothing holds anything but those who made it. */
static void rig_let_go(void)
{
	for (size_t i = 0; i < RIG_REGIONS; i++)
		CHECK_EQ(decant_region_refs(rig.regions[i]), 2);
}

static void rig_close(void)
{
	rig_end();
	decant_verbs_queue_free(rig.queue);
	decant_verbs_queue_free(rig.peer_queue);
	rig_let_go();
	decant_space_free(rig.space);
	for (size_t i = 0; i < RIG_REGIONS; i++)
		decant_region_put(rig.regions[i]);
	decant_region_put(rig.region_there);
	decant_verbs_close(rig.verbs);
	munmap(rig.memory, RIG_MEMORY_LEN);
	munmap(rig.plain, RIG_MEMORY_LEN);
	munmap(rig.there, RIG_THERE_LEN);
	munmap(rig.wanted, RIG_THERE_LEN);
}

/* An event of either side, if there is one. */
static int rig_poll(struct decant_verbs_event *event)
{
	int n = decant_verbs_poll(rig.queue, event, 1);

	return n ? n : decant_verbs_poll(rig.peer_queue, event, 1);
}

/* The next event; false, and a failure, if none comes. */
static bool rig_event(struct decant_verbs_event *event)
{
	time_t until = time(NULL) + RIG_PATIENCE;
	int n;

	do {
		n = rig_poll(event);
	} while (!n && time(NULL) < until);
	return CHECK_EQ(n, 1);
}

static bool rig_quiet(void)
{
	struct decant_verbs_event event;

	for (int i = 0; i < 100; i++)
		if (rig_poll(&event))
			return false;
	return true;
}

static struct decant_iter rig_buf(enum decant_direction direction, void *addr, size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, direction, addr, len));
	return it;
}

/*
 * Writes that are complete have arrived: where completion doesn't say so, a read that
 * follows them does (RFC 5040, section 5.5). No other event is due.
 */
__attribute__((unused)) static void rig_arrived(void)
{
	size_t last = RIG_THERE_LEN - 1;
	struct decant_bvec bvec = {rig.there + last, 1, rig.region_there};
	struct decant_verbs_remote remote = {rig.remote.addr + last, 1, rig.remote.rkey};
	struct decant_verbs_event event;
	struct decant_iter it;

	if (!rig_is_iwarp())
		return;
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, &bvec, 1));
	CHECK_EQ(decant_verbs_read(rig.pair, &it, 1, &remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 1);
}

__attribute__((unused)) static struct decant_verbs_pair_info rig_info(void)
{
	struct decant_verbs_pair_info info;

	decant_verbs_pair_info(rig.pair, &info);
	return info;
}
#endif
