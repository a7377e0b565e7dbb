/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_PEER_H
#define DECANT_TEST_GUEST_VERBS_PEER_H
/*
 * verbs_peer.h - a second process that is called. The first byte of the private data says
 * what it shall do: echo messages, or refuse.
 */
#include <decant/verbs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEER_ADDRESS "10.77.0.1"
#define PEER_BYTES   ((size_t)256 << 10)
#define PEER_ECHO    'E'
#define PEER_REFUSE  'R'

static struct {
	pid_t pid;
	char port[8];
} peer;

/* Only in the second process. */
static struct {
	struct decant_verbs *verbs;
	struct decant_verbs_queue *queue;
	struct decant_verbs_listener *listener;
	struct decant_pool *pool;
	struct decant_region *region;
	struct decant_verbs_remote remote;
	unsigned char memory[PEER_BYTES];
} peer_own;

static void peer_need(bool ok)
{
	if (!ok)
		_exit(1);
}

static void peer_open(void)
{
	struct decant_verbs_listen_options where = {.size = sizeof(where),
						    .node = PEER_ADDRESS};
	struct decant_pool_options size = {
		.size = sizeof(size), .buffer_bytes = 4096, .buffers = 64};

	where.service = "0";
	peer_need(!decant_verbs_open(&peer_own.verbs, NULL));
	peer_need(!decant_verbs_queue_new(&peer_own.queue, peer_own.verbs, 0));
	peer_need(!decant_verbs_listen(&peer_own.listener, peer_own.verbs, &where));
	peer_need(decant_verbs_listener_fd(peer_own.listener) >= 0);
	peer_need(!decant_pool_new(&peer_own.pool, &size));
	peer_need(
		!decant_region_new(&peer_own.region, peer_own.memory, PEER_BYTES, NULL));
	peer_need(!decant_verbs_grant(peer_own.verbs,
				      DECANT_VERBS_PEER_READS | DECANT_VERBS_PEER_WRITES,
				      peer_own.region, &peer_own.remote));
}

static void peer_echo(struct decant_verbs_pair *pair,
		      const struct decant_verbs_event *event)
{
	struct decant_bvec bvec = {event->buffer.addr, (size_t)event->result,
				   event->buffer.region};
	struct decant_iter it;

	if (event->kind == DECANT_VERBS_SEND)
		decant_pool_put(peer_own.pool, event->user);
	if (event->kind != DECANT_VERBS_MESSAGE || event->result < 0)
		return;
	peer_need(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	if (decant_verbs_send(pair, &it, SIZE_MAX, NULL, event->buffer.addr))
		decant_pool_put(peer_own.pool, event->buffer.addr);
}

/* Until the caller hangs up. */
static void peer_serve(struct decant_verbs_call *call)
{
	struct decant_verbs_pair_options options = {.size = sizeof(options),
						    .pool = peer_own.pool};
	struct decant_verbs_pair_info info;
	struct decant_verbs_event event;
	struct decant_verbs_pair *pair;

	peer_need(!decant_verbs_pair_new(&pair, peer_own.queue, &options));
	if (!decant_verbs_accept(pair, call, &peer_own.remote, sizeof(peer_own.remote),
				 0))
		do {
			while (decant_verbs_poll(peer_own.queue, &event, 1) > 0)
				peer_echo(pair, &event);
			decant_verbs_pair_info(pair, &info);
		} while (info.connected || info.under_way);
	decant_verbs_pair_free(pair);
}

static void peer_run(int report)
{
	struct decant_verbs_call *call;
	const char *what;
	unsigned port;
	size_t len;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	peer_open();
	port = decant_verbs_listener_port(peer_own.listener);
	peer_need(write(report, &port, sizeof(port)) == sizeof(port));
	for (;;) {
		if (decant_verbs_call(peer_own.listener, &call, 1000))
			continue;
		what = decant_verbs_call_private(call, &len);
		if (len && what[0] == PEER_ECHO)
			peer_serve(call);
		else
			decant_verbs_reject(call, "no", 3);
	}
}

/* Begin the second process; false if it can't be called. Before this one has a device. */
static bool peer_begin(void)
{
	unsigned port = 0;
	int report[2];

	if (pipe(report))
		return false;
	peer.pid = fork();
	if (!peer.pid)
		peer_run(report[1]);
	close(report[1]);
	if (peer.pid < 0 || read(report[0], &port, sizeof(port)) != sizeof(port))
		port = 0;
	close(report[0]);
	snprintf(peer.port, sizeof(peer.port), "%u", port);
	return port != 0;
}

static void peer_end(void)
{
	if (peer.pid <= 0)
		return;
	kill(peer.pid, SIGKILL);
	waitpid(peer.pid, NULL, 0);
	peer.pid = 0;
}
#endif
