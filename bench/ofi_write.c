/* SPDX-License-Identifier: MIT */
/*
 * ofi_write.c - remote writes through decant beside bare fi_writemsg() of one piece on
 * the same end point, by the clock.
 *
 * usage: bench-ofi-write [PROVIDER]...
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../adapters/ofi/fabric.h"
#include "bench.h"

#define BLOCK  (1u << 20)
#define WINDOW 16

struct bench {
	struct decant_ofi *ofi;
	struct decant_ofi_remote remote;
	unsigned char *memory;
	struct iovec *iov;
	size_t pieces; /* 0: bare */
	size_t bytes;  /* of one operation */
	size_t operations;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void exchange(int fd, const void *out, void *in, size_t len)
{
	bench_need(write(fd, out, len) == (ssize_t)len, "write");
	bench_need(recv(fd, in, len, MSG_WAITALL) == (ssize_t)len, "recv");
}

static struct decant_ofi *join(const char *provider, int fd, bool passive)
{
	struct decant_ofi_options o = {.size = sizeof(o),
				       .provider = provider,
				       .node = "127.0.0.1",
				       .passive = passive,
				       .depth = WINDOW};
	struct name {
		size_t len;
		char addr[DECANT_OFI_ADDRESS_MAX];
	} mine = {.len = sizeof(mine.addr)}, other;
	struct decant_ofi *ofi;
	int rc = decant_ofi_new(&ofi, &o);

	bench_need(!rc, decant_ofi_error(ofi));
	bench_need(!decant_ofi_address(ofi, mine.addr, &mine.len), "address");
	exchange(fd, &mine, &other, sizeof(mine));
	rc = passive ? decant_ofi_accept(ofi, other.addr, other.len)
		     : decant_ofi_connect(ofi, other.addr, other.len);
	bench_need(!rc, decant_ofi_error(ofi));
	return ofi;
}

static unsigned char *memory(void)
{
	unsigned char *p = aligned_alloc(4096, (size_t)BLOCK * WINDOW);

	bench_need(p, "memory");
	memset(p, 1, (size_t)BLOCK * WINDOW);
	return p;
}

static void target(const char *provider, int fd)
{
	struct decant_ofi *ofi = join(provider, fd, true);
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct decant_ofi_remote remote;
	struct decant_region *region;

	bench_need(!decant_region_new(&region, memory(), (size_t)BLOCK * WINDOW, NULL),
		   "region");
	bench_need(!decant_ofi_grant(ofi, region, &remote), decant_ofi_error(ofi));
	bench_need(write(fd, &remote, sizeof(remote)) == sizeof(remote), "write");
	while (!poll(&wait, 1, 0))
		for (int i = 0; i < 1000; i++)
			(void)!decant_ofi_poll(ofi, NULL, 0);
	exit(0);
}

static bool post_bare(struct bench *b, size_t i)
{
	struct iovec iov = {b->memory, b->bytes};
	struct fi_rma_iov rma = {b->remote.addr + i % WINDOW * BLOCK, b->bytes,
				 b->remote.key};
	void *desc = NULL;
	struct fi_msg_rma message = {.msg_iov = &iov,
				     .desc = &desc,
				     .iov_count = 1,
				     .addr = b->ofi->peer,
				     .rma_iov = &rma,
				     .rma_iov_count = 1,
				     .context = &b->ofi->requests[i % WINDOW].context};

	return !fi_writemsg(b->ofi->ep, &message, b->ofi->write_flags);
}

static bool post_decant(struct bench *b, size_t i)
{
	struct decant_iter it;

	decant_iter_iovec(&it, DECANT_SOURCE, b->iov, b->pieces);
	return !decant_ofi_write(b->ofi, &it, b->bytes, &b->remote, i % WINDOW * BLOCK,
				 NULL);
}

static size_t gather(struct bench *b)
{
	struct decant_ofi_event events[WINDOW];
	struct fi_cq_msg_entry entries[WINDOW];
	ssize_t n;

	if (!b->pieces) {
		n = fi_cq_read(b->ofi->cq, entries, WINDOW);
		bench_need(n > 0 || n == -FI_EAGAIN, "fi_cq_read");
		return n > 0 ? (size_t)n : 0;
	}
	n = decant_ofi_poll(b->ofi, events, WINDOW);
	bench_need(n >= 0, decant_ofi_error(b->ofi));
	for (ssize_t i = 0; i < n; i++)
		bench_need(events[i].result == (ssize_t)b->bytes,
			   decant_ofi_error(b->ofi));
	return (size_t)n;
}

static double seconds(struct bench *b)
{
	size_t posted = 0, done = 0;
	double begun = now();

	while (done < b->operations) {
		while (posted < b->operations && posted - done < WINDOW &&
		       (b->pieces ? post_decant : post_bare)(b, posted))
			posted++;
		done += gather(b);
	}
	return now() - begun;
}

/* Pieces with gaps between them, so that nothing merges; the first half of the memory. */
static void cut(struct bench *b)
{
	size_t piece = b->pieces ? b->bytes / b->pieces : 0;

	for (size_t i = 0; i < b->pieces; i++)
		b->iov[i] = (struct iovec){b->memory + i * (piece + 64), piece};
}

static const struct {
	const char *what;
	size_t bytes, pieces, operations;
} cases[] = {
	{"1 MiB in one piece", BLOCK, 1, 16},  {"1 MiB in 4 pieces", BLOCK, 4, 16},
	{"1 MiB in 64 pieces", BLOCK, 64, 16}, {"1 MiB in 1,024 pieces", BLOCK, 1024, 16},
	{"4 KiB in one piece", 4096, 1, 400},  {"4 KiB in 4 pieces", 4096, 4, 400},
	{"4 KiB in 64 pieces", 4096, 64, 400},
};

/* Microseconds an operation; no pieces: bare. */
static double each(struct bench *b, size_t pieces)
{
	b->pieces = pieces;
	cut(b);
	return seconds(b) / (double)b->operations * 1e6;
}

/* Who is first alternates as well, so that both see the same weather. */
static void measure(struct bench *b, const char *provider, size_t nr)
{
	double ours[BENCH_RUNS], theirs[BENCH_RUNS];
	char name[80];

	snprintf(name, sizeof(name), "%s, %s", provider, cases[nr].what);
	if (!bench_wanted(name))
		return;
	b->bytes = cases[nr].bytes;
	b->operations = cases[nr].operations;
	for (size_t i = 0; i < BENCH_RUNS; i++) {
		if (i % 2)
			theirs[i] = each(b, 0);
		ours[i] = each(b, cases[nr].pieces);
		if (i % 2 == 0)
			theirs[i] = each(b, 0);
	}
	bench_row(&(struct bench_case){.name = name,
				       .unit = "us/operation",
				       .bound_name = "fi_writemsg of one piece"},
		  ours, theirs);
}

static void initiator(const char *provider, int fd)
{
	struct bench b = {.ofi = join(provider, fd, false), .memory = memory()};

	b.iov = calloc(1024, sizeof(*b.iov));
	bench_need(b.iov, "memory");
	bench_need(recv(fd, &b.remote, sizeof(b.remote), MSG_WAITALL) == sizeof(b.remote),
		   "recv");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		measure(&b, provider, i);
	bench_need(write(fd, "q", 1) == 1, "write");
	decant_ofi_free(b.ofi);
	free(b.iov);
	free(b.memory);
}

static void beside_a_target(const char *provider)
{
	int sockets[2], status;
	pid_t pid;

	fflush(stdout);
	bench_need(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "socketpair");
	pid = fork();
	if (!pid)
		target(provider, sockets[1]);
	initiator(provider, sockets[0]);
	bench_need(waitpid(pid, &status, 0) == pid && !status, "the target");
	close(sockets[0]);
	close(sockets[1]);
}

int main(int argc, char **argv)
{
	static const char *const standard[] = {"tcp;ofi_rxm", "shm"};

	bench_open("ofi-write");
	for (int i = 1; i < argc; i++)
		beside_a_target(argv[i]);
	for (size_t i = 0; argc < 2 && i < sizeof(standard) / sizeof(*standard); i++)
		beside_a_target(standard[i]);
	bench_close();
	return 0;
}
