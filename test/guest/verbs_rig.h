/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_RIG_H
#define DECANT_TEST_GUEST_VERBS_RIG_H
/*
 * verbs_rig.h - a device with a queue pair that talks to itself, memory in regions that
 * it knows, memory that it doesn't know, and memory that plays the peer's.
 */
#include <decant/verbs.h>
#include <errno.h>
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

static struct {
	struct decant_verbs *verbs;
	struct decant_verbs_queue *queue;
	struct decant_verbs_pair *pair;
	struct decant_verbs_pair *peer;
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

/* A queue pair with these options that talks to itself; NULL, and @rc says why. */
static struct decant_verbs_pair *rig_pair(struct decant_verbs_pair_options options,
					  int *rc)
{
	struct decant_verbs_address self;
	struct decant_verbs_pair *pair;

	options.size = sizeof(options);
	*rc = decant_verbs_pair_new(&pair, rig.queue, &options);
	if (*rc)
		return NULL;
	*rc = decant_verbs_address(pair, &self);
	if (!*rc)
		*rc = decant_verbs_join(pair, &self);
	if (!*rc)
		return pair;
	decant_verbs_pair_free(pair);
	return NULL;
}

/* Most tests: memory in regions, or staged. */
static void rig_use(struct decant_verbs_pair_options options)
{
	int rc;

	decant_verbs_pair_free(rig.pair);
	decant_verbs_pair_free(rig.peer);
	rig.peer = NULL;
	options.uses = RIG_USES;
	options.space = rig.space;
	rig.pair = rig_pair(options, &rc);
	REQUIRE(rig.pair);
}

/*
 * The same with a peer: what that refuses ends both, and here the initiator's word
 * counts.
 */
__attribute__((unused)) static void rig_use_two(struct decant_verbs_pair_options options)
{
	struct decant_verbs_address here, there;

	rig_use(options);
	options.size = sizeof(options);
	REQUIRE(!decant_verbs_disconnect(rig.pair));
	REQUIRE(!decant_verbs_pair_reset(rig.pair));
	REQUIRE(!decant_verbs_pair_new(&rig.peer, rig.queue, &options));
	REQUIRE(!decant_verbs_address(rig.pair, &here));
	REQUIRE(!decant_verbs_address(rig.peer, &there));
	REQUIRE(!decant_verbs_join(rig.pair, &there));
	REQUIRE(!decant_verbs_join(rig.peer, &here));
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
	decant_verbs_pair_free(rig.pair);
	decant_verbs_pair_free(rig.peer);
	decant_verbs_queue_free(rig.queue);
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

/* The next event of a queue; false, and a failure, if none comes. */
static bool rig_event(struct decant_verbs_event *event)
{
	time_t until = time(NULL) + RIG_PATIENCE;
	int n;

	do {
		n = decant_verbs_poll(rig.queue, event, 1);
	} while (!n && time(NULL) < until);
	return CHECK_EQ(n, 1);
}

static bool rig_quiet(void)
{
	struct decant_verbs_event event;

	for (int i = 0; i < 100; i++)
		if (decant_verbs_poll(rig.queue, &event, 1))
			return false;
	return true;
}

static struct decant_iter rig_buf(enum decant_direction direction, void *addr, size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, direction, addr, len));
	return it;
}

static struct decant_verbs_pair_info rig_info(void)
{
	struct decant_verbs_pair_info info;

	decant_verbs_pair_info(rig.pair, &info);
	return info;
}
#endif
