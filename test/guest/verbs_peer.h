/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_PEER_H
#define DECANT_TEST_GUEST_VERBS_PEER_H
/*
 * verbs_peer.h - a second process that is called, on this machine or, in verbs_two.c, on
 * another one. The first byte of the private data says what it shall do.
 */
#include <decant/verbs.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEER_USES     (DECANT_VERBS_PEER_READS | DECANT_VERBS_PEER_WRITES)
#define PEER_BYTES    ((size_t)256 << 10)
#define PEER_MESSAGE  4096
#define PEER_ECHO     'E' /* send messages back */
#define PEER_REFUSE   'R' /* the connection */
#define PEER_SILENT   'S' /* post no receives */
#define PEER_HANG_UP  'H' /* when a message comes */
#define PEER_WITHDRAW 'W' /* what was granted, when a message comes; and then echo */
#define PEER_DIE      'D' /* when a message comes */
#define PEER_CRASH    'C' /* the whole machine, when a message comes */

static struct {
	pid_t pid;
	const char *node;
	char port[8];
} peer = {.node = "10.77.0.1"};

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
	struct decant_verbs_listen_options where = {
		.size = sizeof(where), .node = peer.node, .service = peer.port};
	struct decant_pool_options size = {
		.size = sizeof(size), .buffer_bytes = PEER_MESSAGE, .buffers = 64};

	peer_need(!decant_verbs_open(&peer_own.verbs, NULL));
	peer_need(!decant_verbs_queue_new(&peer_own.queue, peer_own.verbs, 0));
	peer_need(!decant_verbs_listen(&peer_own.listener, peer_own.verbs, &where));
	peer_need(decant_verbs_listener_fd(peer_own.listener) >= 0);
	peer_need(!decant_pool_new(&peer_own.pool, &size));
	peer_need(
		!decant_region_new(&peer_own.region, peer_own.memory, PEER_BYTES, NULL));
}

/* New for each connection, and empty. */
static void peer_grant(void)
{
	memset(peer_own.memory, 0, PEER_BYTES);
	peer_need(!decant_verbs_grant(peer_own.verbs, PEER_USES, peer_own.region,
				      &peer_own.remote));
}

static void peer_withdraw(void)
{
	decant_domain_unmap(decant_verbs_domain(peer_own.verbs, PEER_USES),
			    peer_own.region);
}

static void peer_crash(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	peer_need(write(fd, "b", 1) == 1);
	for (;;)
		pause();
}

/* What else a message makes it do. */
static void peer_told(struct decant_verbs_pair *pair, char what)
{
	switch (what) {
	case PEER_HANG_UP:
		decant_verbs_disconnect(pair);
		break;
	case PEER_WITHDRAW:
		peer_withdraw();
		break;
	case PEER_DIE:
		_exit(0);
	case PEER_CRASH:
		peer_crash();
		break;
	default:
		break;
	}
}

static void peer_echo(struct decant_verbs_pair *pair,
		      const struct decant_verbs_event *event, char what)
{
	struct decant_bvec bvec = {event->buffer.addr, (size_t)event->result,
				   event->buffer.region};
	struct decant_iter it;

	if (event->kind == DECANT_VERBS_SEND)
		decant_pool_put(peer_own.pool, event->user);
	if (event->kind != DECANT_VERBS_MESSAGE || event->result < 0)
		return;
	peer_told(pair, what);
	peer_need(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	if (decant_verbs_send(pair, &it, SIZE_MAX, NULL, event->buffer.addr))
		decant_pool_put(peer_own.pool, event->buffer.addr);
}

/* Until the caller hangs up. */
static void peer_serve(struct decant_verbs_call *call, char what)
{
	struct decant_verbs_pair_options options = {
		.size = sizeof(options),
		.pool = what == PEER_SILENT ? NULL : peer_own.pool};
	struct decant_verbs_pair_info info;
	struct decant_verbs_event event;
	struct decant_verbs_pair *pair;

	peer_grant();
	peer_need(!decant_verbs_pair_new(&pair, peer_own.queue, &options));
	if (!decant_verbs_accept(pair, call, &peer_own.remote, sizeof(peer_own.remote),
				 0))
		do {
			while (decant_verbs_poll(peer_own.queue, &event, 1) > 0)
				peer_echo(pair, &event, what);
			decant_verbs_pair_info(pair, &info);
		} while (info.connected || info.under_way);
	decant_verbs_pair_free(pair);
	peer_withdraw();
}

__attribute__((noreturn)) static void peer_answer(void)
{
	struct decant_verbs_call *call;
	const char *what;
	size_t len;

	for (;;) {
		if (decant_verbs_call(peer_own.listener, &call, 1000))
			continue;
		what = decant_verbs_call_private(call, &len);
		if (len && what[0] != PEER_REFUSE)
			peer_serve(call, what[0]);
		else
			decant_verbs_reject(call, "no", 3);
	}
}

static void peer_run(int report)
{
	unsigned port;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	strcpy(peer.port, "0");
	peer_open();
	port = decant_verbs_listener_port(peer_own.listener);
	peer_need(write(report, &port, sizeof(port)) == sizeof(port));
	peer_answer();
}

/* Begin the second process; false if it can't be called. Before this one has a device. */
__attribute__((unused)) static bool peer_begin(void)
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

__attribute__((unused)) static void peer_end(void)
{
	if (peer.pid <= 0)
		return;
	kill(peer.pid, SIGKILL);
	waitpid(peer.pid, NULL, 0);
	peer.pid = 0;
}
#endif
