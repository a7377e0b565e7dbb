/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OFI_PAIR_H
#define DECANT_TEST_OFI_PAIR_H
/* pair.h - two end points in one process that have each other for a peer. */
#include "peer.h"
#include <pthread.h>
#include <sched.h>

struct pair {
	struct decant_ofi *end[2]; /* the second one is passive */
	unsigned char name[DECANT_OFI_ADDRESS_MAX];
	size_t name_len;
};

static void *pair_accept(void *user)
{
	struct pair *pair = user;

	CHECK_EQ(decant_ofi_accept(pair->end[1], pair->name, pair->name_len), 0);
	return NULL;
}

static void pair_meet(struct pair *pair)
{
	unsigned char name[DECANT_OFI_ADDRESS_MAX];
	size_t len = sizeof(name);
	pthread_t thread;

	pair->name_len = sizeof(pair->name);
	CHECK_EQ(decant_ofi_address(pair->end[0], pair->name, &pair->name_len), 0);
	CHECK_EQ(decant_ofi_address(pair->end[1], name, &len), 0);
	REQUIRE(!pthread_create(&thread, NULL, pair_accept, pair));
	CHECK_EQ(decant_ofi_connect(pair->end[0], name, len), 0);
	pthread_join(thread, NULL);
}

PEER_FN void pair_close(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		decant_ofi_free(pair->end[i]);
		pair->end[i] = NULL;
	}
}

/* A process whose provider is not to be had ends. */
PEER_FN void pair_open(struct pair *pair, const struct decant_ofi_options *options)
{
	struct decant_ofi_options o = *options;

	*pair = (struct pair){0};
	o.size = sizeof(o);
	o.node = PEER_NODE;
	for (int i = 0; i < 2; i++) {
		o.passive = i;
		peer_new(&pair->end[i], &o);
	}
	pair_meet(pair);
}

/* One side's next event, or 0 when it has counted so many; the other makes progress. */
PEER_FN int pair_counted(struct pair *pair, int side, uint64_t nr,
			 struct decant_ofi_event *event)
{
	int n = 0;

	while (decant_ofi_counted(pair->end[side]) < nr &&
	       !(n = decant_ofi_poll(pair->end[side], event, 1))) {
		(void)!decant_ofi_poll(pair->end[!side], NULL, 0);
		sched_yield(); /* a provider may have threads */
	}
	return n;
}

PEER_FN int pair_wait(struct pair *pair, int side, struct decant_ofi_event *event)
{
	return pair_counted(pair, side, UINT64_MAX, event);
}
#endif
