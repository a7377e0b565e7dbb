/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_FABRICS_H
#define DECANT_TEST_GUEST_FABRICS_H
/* fabrics.h - included first, it makes the tests of test/live/ofi those of a guest. */
#define PEER_NODE     "10.77.0.1" /* of the card that test/guest/rdma makes */
#define PEER_SECONDS  300
#define PEER_LATE     (!access("/sys/class/infiniband/siw0", F_OK)) /* iWARP */
#define PEER_CONNECTS "verbs"
#define PEER_PROVIDERS(X, name)                                                          \
	X(name, verbs, "verbs")                                                          \
	X(name, verbs_rxm, "verbs;ofi_rxm")
#endif
