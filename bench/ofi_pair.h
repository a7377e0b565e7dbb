/* SPDX-License-Identifier: MIT */
#ifndef BENCH_OFI_PAIR_H
#define BENCH_OFI_PAIR_H
/*
 * ofi_pair.h - two processes joined by a provider of libfabric, for benchmarks: one
 * writes, the other has granted a window of memory and only drives its end. The adapter
 * opens and joins them; what writes may be libfabric's own functions.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../adapters/ofi/fabric.h"
#include "bench.h"

#define PAIR_BLOCK  (1u << 20)
#define PAIR_WINDOW 16

struct pair {
	struct decant_ofi *ofi;
	struct decant_ofi_remote remote;
	unsigned char *memory;
	int fd; /* orders to the other process; closed: it ends */
	pid_t pid;
};

static inline void pair_exchange(int fd, const void *out, void *in, size_t len)
{
	bench_need(write(fd, out, len) == (ssize_t)len, "write");
	bench_need(recv(fd, in, len, MSG_WAITALL) == (ssize_t)len, "recv");
}

static inline struct decant_ofi *pair_join(const char *provider, int fd, bool passive,
					   bool counters)
{
	struct decant_ofi_options o = {.size = sizeof(o),
				       .provider = provider,
				       .node = "127.0.0.1",
				       .passive = passive,
				       .counters = counters,
				       .depth = PAIR_WINDOW};
	struct name {
		size_t len;
		char addr[DECANT_OFI_ADDRESS_MAX];
	} mine = {.len = sizeof(mine.addr)}, other;
	struct decant_ofi *ofi;
	int rc = decant_ofi_new(&ofi, &o);

	bench_need(!rc, decant_ofi_error(ofi));
	bench_need(!decant_ofi_address(ofi, mine.addr, &mine.len), "address");
	pair_exchange(fd, &mine, &other, sizeof(mine));
	rc = passive ? decant_ofi_accept(ofi, other.addr, other.len)
		     : decant_ofi_connect(ofi, other.addr, other.len);
	bench_need(!rc, decant_ofi_error(ofi));
	return ofi;
}

static inline unsigned char *pair_memory(void)
{
	unsigned char *p = aligned_alloc(4096, (size_t)PAIR_BLOCK * PAIR_WINDOW);

	bench_need(p, "memory");
	memset(p, 1, (size_t)PAIR_BLOCK * PAIR_WINDOW);
	return p;
}

/* What the target is told. Until it is to drive, it leaves the processor to others. */
enum pair_order { PAIR_REST, PAIR_DRIVE, PAIR_END };

/* Rest until told otherwise; who hung up wants no more either. Whether to drive. */
static inline bool pair_wait(int fd)
{
	char order = PAIR_REST;

	while (order == PAIR_REST)
		if (recv(fd, &order, 1, 0) != 1)
			order = PAIR_END;
	return order == PAIR_DRIVE;
}

static inline void pair_target(const char *provider, int fd)
{
	struct decant_ofi *ofi = pair_join(provider, fd, true, false);
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct decant_ofi_remote remote;
	struct decant_region *region;

	bench_need(!decant_region_new(&region, pair_memory(),
				      (size_t)PAIR_BLOCK * PAIR_WINDOW, NULL),
		   "region");
	bench_need(!decant_ofi_grant(ofi, region, &remote), decant_ofi_error(ofi));
	bench_need(write(fd, &remote, sizeof(remote)) == sizeof(remote), "write");
	while (pair_wait(fd))
		while (!poll(&wait, 1, 0))
			for (int i = 0; i < 1000; i++)
				(void)!decant_ofi_poll(ofi, NULL, 0);
	decant_ofi_free(ofi); /* or its name stays in shared memory */
	exit(0);
}

static inline void pair_open(struct pair *pair, const char *provider, bool counters)
{
	int sockets[2];

	fflush(stdout);
	bench_need(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "socketpair");
	pair->pid = fork();
	bench_need(pair->pid >= 0, "fork");
	if (!pair->pid) {
		close(sockets[0]); /* or it would not see the other process end */
		pair_target(provider, sockets[1]);
	}
	close(sockets[1]);
	pair->fd = sockets[0];
	pair->ofi = pair_join(provider, pair->fd, false, counters);
	pair->memory = pair_memory();
	bench_need(recv(pair->fd, &pair->remote, sizeof(pair->remote), MSG_WAITALL) ==
			   sizeof(pair->remote),
		   "recv");
}

static inline void pair_tell(const struct pair *pair, enum pair_order what)
{
	char order = (char)what;

	bench_need(write(pair->fd, &order, 1) == 1, "write");
}

static inline void pair_close(struct pair *pair)
{
	int status;

	pair_tell(pair, PAIR_END);
	decant_ofi_free(pair->ofi);
	free(pair->memory);
	bench_need(waitpid(pair->pid, &status, 0) == pair->pid && !status, "the target");
	close(pair->fd);
}

/* Write one piece to the place of number i; false: not now. */
static inline bool pair_post(struct pair *pair, size_t i, void *from, size_t bytes)
{
	struct iovec iov = {from, bytes};
	struct fi_rma_iov rma = {pair->remote.addr + i % PAIR_WINDOW * PAIR_BLOCK, bytes,
				 pair->remote.key};
	void *desc = NULL;
	struct fi_msg_rma message = {
		.msg_iov = &iov,
		.desc = &desc,
		.iov_count = 1,
		.addr = pair->ofi->peer,
		.rma_iov = &rma,
		.rma_iov_count = 1,
		.context = &pair->ofi->requests[i % PAIR_WINDOW].context};
	ssize_t rc =
		fi_writemsg(pair->ofi->ep, &message, FI_COMPLETION | pair->ofi->delivery);

	bench_need(!rc || rc == -FI_EAGAIN, "fi_writemsg");
	return !rc;
}

/* How many of them are complete since. */
static inline size_t pair_gather(struct pair *pair)
{
	struct fi_cq_msg_entry entries[PAIR_WINDOW];
	ssize_t n = fi_cq_read(pair->ofi->cq, entries, PAIR_WINDOW);

	bench_need(n > 0 || n == -FI_EAGAIN, "fi_cq_read");
	return n > 0 ? (size_t)n : 0;
}
#endif
