/* SPDX-License-Identifier: MIT */
/*
 * verbs_wire.c - messages or writes to a second process over whatever RDMA device is up:
 *
 *	bench-verbs-wire write|send ADDRESS BYTES PIECES COUNT
 *
 * ADDRESS is the device's own. Each transfer is cut into so many pieces that do not
 * touch, 64 of them are under way, each has its completion. Prints microseconds for one.
 */
#include <decant/verbs.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

#define WINDOW 64
#define GAP    64
#define PIECES 256

struct job {
	bool send;
	const char *address;
	size_t bytes, pieces, count;
};

static struct {
	struct decant_verbs *verbs;
	struct decant_verbs_queue *queue;
	struct decant_pool *pool;
	struct decant_verbs_pair *pair;
} side;

static void open_side(const struct job *job)
{
	struct decant_pool_options options = {.size = sizeof(options),
					      .buffer_bytes = job->bytes + PIECES * GAP,
					      .buffers = 2 * WINDOW,
					      .small_pages = true};

	bench_need(!decant_verbs_open(&side.verbs, NULL), "no device");
	bench_need(!decant_verbs_queue_new(&side.queue, side.verbs, 0), "queue");
	bench_need(!decant_pool_new(&side.pool, &options), "pool");
}

static void open_pair(unsigned uses, struct decant_pool *receives)
{
	struct decant_verbs_pair_options options = {.size = sizeof(options),
						    .depth = WINDOW,
						    .receives = 2 * WINDOW,
						    .uses = uses,
						    .pool = receives};

	bench_need(!decant_verbs_pair_new(&side.pair, side.queue, &options), "pair");
}

/* The other process: takes what comes until nobody is there. */
static void serve(const struct job *job, int report)
{
	struct decant_verbs_listen_options where = {
		.size = sizeof(where), .node = job->address, .service = "0"};
	struct decant_verbs_listener *listener;
	struct decant_verbs_remote remote;
	struct decant_verbs_event event;
	struct decant_verbs_call *call;
	unsigned port;

	open_side(job);
	bench_need(!decant_verbs_listen(&listener, side.verbs, &where), "listen");
	bench_need(!decant_verbs_grant(side.verbs, DECANT_VERBS_PEER_WRITES,
				       decant_pool_region(side.pool), &remote),
		   "grant");
	port = decant_verbs_listener_port(listener);
	bench_need(write(report, &port, sizeof(port)) == sizeof(port), "pipe");
	bench_need(!decant_verbs_call(listener, &call, 20000), "nobody calls");
	open_pair(0, side.pool);
	bench_need(!decant_verbs_accept(side.pair, call, &remote, sizeof(remote), 0),
		   "accept");
	/* as perftest's: written to asleep, and polls for messages */
	while (!job->send)
		pause();
	for (;;)
		if (decant_verbs_poll(side.queue, &event, 1) > 0 && event.buffer.addr)
			decant_pool_put(side.pool, event.buffer.addr);
}

static struct decant_verbs_remote call(const struct job *job, unsigned port)
{
	struct decant_verbs_connect_options to = {.size = sizeof(to),
						  .node = job->address};
	struct decant_verbs_remote remote;
	char service[8];
	size_t len;

	snprintf(service, sizeof(service), "%u", port);
	to.service = service;
	open_side(job);
	open_pair(0, NULL);
	bench_need(!decant_verbs_connect(side.pair, &to), "connect");
	bench_need(!decant_domain_map(decant_verbs_domain(side.verbs, 0),
				      decant_pool_region(side.pool)),
		   "map");
	memcpy(&remote, decant_verbs_private(side.pair, &len), sizeof(remote));
	remote.len = job->bytes;
	return remote;
}

static struct decant_iter cut(const struct job *job, struct decant_bvec *bvec)
{
	struct decant_span buffer = decant_pool_get(side.pool);
	size_t each = job->bytes / job->pieces;
	struct decant_iter it;

	bench_need(buffer.addr && job->pieces <= PIECES, "buffer");
	for (size_t i = 0; i < job->pieces; i++)
		bvec[i] = (struct decant_bvec){(char *)buffer.addr + i * (each + GAP),
					       each, buffer.region};
	bench_need(!decant_iter_bvec(&it, DECANT_SOURCE, bvec, job->pieces), "bvec");
	return it;
}

static bool begin(const struct job *job, struct decant_iter it,
		  const struct decant_verbs_remote *remote)
{
	int rc = job->send ? decant_verbs_send(side.pair, &it, SIZE_MAX, NULL, NULL)
			   : decant_verbs_write(side.pair, &it, SIZE_MAX, remote, 1, NULL,
						NULL);

	bench_need(!rc || rc == -EAGAIN, decant_verbs_error(side.pair));
	return !rc;
}

static double run(const struct job *job, const struct decant_verbs_remote *remote)
{
	static struct decant_bvec bvec[PIECES];
	struct decant_iter it = cut(job, bvec);
	struct decant_verbs_event events[16];
	size_t begun = 0, done = 0;
	double start = bench_wall();

	while (done < job->count) {
		int n;

		while (begun < job->count && begin(job, it, remote))
			begun++;
		n = decant_verbs_poll(side.queue, events, 16);
		for (int i = 0; i < n; i++)
			bench_need(events[i].result == (ssize_t)job->bytes, "all of it");
		done += n > 0 ? (size_t)n : 0;
	}
	return (bench_wall() - start) / (double)job->count;
}

int main(int argc, char **argv)
{
	struct decant_verbs_remote remote;
	int report[2];
	struct job job;
	unsigned port;
	pid_t pid;

	bench_need(argc == 6, "usage: write|send ADDRESS BYTES PIECES COUNT");
	job = (struct job){!strcmp(argv[1], "send"), argv[2], strtoul(argv[3], NULL, 0),
			   strtoul(argv[4], NULL, 0), strtoul(argv[5], NULL, 0)};
	bench_need(job.pieces && job.bytes % job.pieces == 0, "pieces");
	bench_need(!pipe(report), "pipe");
	pid = fork();
	if (!pid)
		serve(&job, report[1]);
	bench_need(pid > 0, "fork");
	bench_need(read(report[0], &port, sizeof(port)) == sizeof(port), "a peer");
	remote = call(&job, port);
	printf("%.3f\n", run(&job, &remote) * 1e6);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
