/* SPDX-License-Identifier: MIT */
/*
 * ofi_write - remote writes through decant beside bare fi_writemsg() on the same end
 * point, in one run: only the ratios mean anything. Prints JSON.
 *
 * usage: ofi_write [provider]...
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

#define BLOCK  (1u << 20)
#define WINDOW 16
#define ROUNDS 5

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

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "ofi_write: %s\n", what);
	exit(1);
}

static void exchange(int fd, const void *out, void *in, size_t len)
{
	need(write(fd, out, len) == (ssize_t)len, "write");
	need(recv(fd, in, len, MSG_WAITALL) == (ssize_t)len, "recv");
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

	need(!rc, decant_ofi_error(ofi));
	need(!decant_ofi_address(ofi, mine.addr, &mine.len), "address");
	exchange(fd, &mine, &other, sizeof(mine));
	rc = passive ? decant_ofi_accept(ofi, other.addr, other.len)
		     : decant_ofi_connect(ofi, other.addr, other.len);
	need(!rc, decant_ofi_error(ofi));
	return ofi;
}

static unsigned char *memory(void)
{
	unsigned char *p = aligned_alloc(4096, (size_t)BLOCK * WINDOW);

	need(p, "memory");
	memset(p, 1, (size_t)BLOCK * WINDOW);
	return p;
}

static void target(const char *provider, int fd)
{
	struct decant_ofi *ofi = join(provider, fd, true);
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct decant_ofi_remote remote;
	struct decant_region *region;

	need(!decant_region_new(&region, memory(), (size_t)BLOCK * WINDOW, NULL),
	     "region");
	need(!decant_ofi_grant(ofi, region, &remote), decant_ofi_error(ofi));
	need(write(fd, &remote, sizeof(remote)) == sizeof(remote), "write");
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
		need(n > 0 || n == -FI_EAGAIN, "fi_cq_read");
		return n > 0 ? (size_t)n : 0;
	}
	n = decant_ofi_poll(b->ofi, events, WINDOW);
	need(n >= 0, decant_ofi_error(b->ofi));
	for (ssize_t i = 0; i < n; i++)
		need(events[i].result == (ssize_t)b->bytes, decant_ofi_error(b->ofi));
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

/* Bare and decant take turns, so that both see the same weather. */
static void measure(struct bench *b, const char *provider, bool last)
{
	static const struct {
		size_t bytes, pieces, operations;
	} runs[] = {{BLOCK, 1, 500},	{BLOCK, 4, 500},  {BLOCK, 64, 500},
		    {BLOCK, 1024, 200}, {4096, 1, 10000}, {4096, 4, 10000},
		    {4096, 64, 10000}};
	size_t nr = sizeof(runs) / sizeof(*runs);

	for (size_t i = 0; i < nr; i++) {
		double best[2] = {1e9, 1e9};

		b->bytes = runs[i].bytes;
		b->operations = runs[i].operations;
		for (int round = 0; round < 2 * ROUNDS; round++) {
			double t;

			b->pieces = round % 2 ? runs[i].pieces : 0;
			cut(b);
			t = seconds(b);
			if (t < best[round % 2])
				best[round % 2] = t;
		}
		printf("  {\"provider\": \"%s\", \"bytes\": %zu, \"pieces\": %zu, "
		       "\"bare_us\": %.2f, \"decant_us\": %.2f, \"ratio\": %.3f}%s\n",
		       provider, b->bytes, b->pieces,
		       best[0] / (double)b->operations * 1e6,
		       best[1] / (double)b->operations * 1e6, best[1] / best[0],
		       last && i + 1 == nr ? "" : ",");
		fflush(stdout);
	}
}

static void initiator(const char *provider, int fd, bool last)
{
	struct bench b = {.ofi = join(provider, fd, false), .memory = memory()};

	b.iov = calloc(1024, sizeof(*b.iov));
	need(b.iov, "memory");
	need(recv(fd, &b.remote, sizeof(b.remote), MSG_WAITALL) == sizeof(b.remote),
	     "recv");
	measure(&b, provider, last);
	need(write(fd, "q", 1) == 1, "write");
	exit(0);
}

int main(int argc, char **argv)
{
	static char rxm[] = "tcp;ofi_rxm", shm[] = "shm";
	static char *standard[] = {NULL, rxm, shm, NULL};
	bool failed = false;

	if (argc < 2) {
		argc = 3;
		argv = standard;
	}
	printf("[\n");
	for (int i = 1; i < argc; i++) {
		int sockets[2], status[2];

		fflush(stdout);
		need(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), "socketpair");
		if (!fork())
			target(argv[i], sockets[1]);
		if (!fork())
			initiator(argv[i], sockets[0], i + 1 == argc);
		close(sockets[0]);
		close(sockets[1]);
		wait(&status[0]);
		wait(&status[1]);
		failed |= status[0] || status[1];
	}
	printf("]\n");
	return failed;
}
