/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OFI_PEER_H
#define DECANT_TEST_OFI_PEER_H
/*
 * peer.h - two processes with an end point each, and a socket beside it. The process that
 * runs the cases never touches libfabric, so that every fork begins clean.
 */
#include <check.h>
#include <decant/ofi.h>

struct peer {
	struct decant_ofi *ofi;
	const char *provider;
	int socket;
	bool target;
};

/* The end points of a case; zeroes are the library's defaults. */
struct peer_options {
	const char *provider;
	unsigned depth;
	int timeout;
	bool target_dies; /* killed by SIGKILL, on purpose */
};

typedef void peer_fn(struct peer *peer);

/* Run a case in two new processes; what they find wrong fails the case here. */
void peer_run(const struct peer_options *options, peer_fn *target, peer_fn *initiator);
/* Run something in one new process without a peer. */
void peer_alone(void (*fn)(void));

/* Wait until the peer is here, too; both make progress meanwhile. */
void peer_sync(struct peer *peer);
void peer_put(struct peer *peer, const void *data, size_t len);
void peer_get(struct peer *peer, void *data, size_t len);
/* The next event, or the error of the end point. */
int peer_wait(struct peer *peer, struct decant_ofi_event *event);
/* Milliseconds. */
long long peer_now(void);

/* Bytes that depend on @seed and position alone. */
unsigned char peer_byte(uint64_t seed, size_t at);
void peer_fill(unsigned char *to, size_t len, uint64_t seed);
bool peer_holds(const unsigned char *at, size_t len, uint64_t seed);

/* Cut @len bytes at @addr into @nr pieces, some of them empty. */
void peer_cut(struct iovec *iov, size_t nr, unsigned char *addr, size_t len);

/* One case for each provider that every machine can run. */
#define PEER_PROVIDERS(X, name)                                                                \
	X(name, rxm, "tcp;ofi_rxm")                                                            \
	X(name, tcp, "tcp")                                                                    \
	X(name, net, "net")                                                                    \
	X(name, sockets, "sockets")                                                            \
	X(name, shm, "shm")
#define PEER_CASE(name, tag, text) {#name " over " text, name##_##tag},

#endif
