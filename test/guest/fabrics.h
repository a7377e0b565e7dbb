/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_FABRICS_H
#define DECANT_TEST_GUEST_FABRICS_H
/*
 * fabrics.h - included first, it makes the tests of test/live/ofi those of a guest: see
 * peer.h there. libfabric 1.17's verbs has no counters; RxM above it counts by itself.
 */
#define PEER_NODE		"10.77.0.1" /* of the card that test/guest/rdma makes */
#define PEER_SECONDS		300
#define PEER_TIMEOUT		6000 /* a busy machine's guest stands still for seconds */
#define PEER_IWARP		(!access("/sys/class/infiniband/siw0", F_OK))
#define PEER_COUNTING(X, name)	X(name, verbs_rxm, "verbs;ofi_rxm")
#define PEER_UNCOUNTED(X, name) X(name, verbs, "verbs")
#define PEER_RDM		"verbs;ofi_rxm"
#define PEER_MSG		"verbs"
#define PEER_MODES		(FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_PROV_KEY)
#endif
