/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_CONNECTIONS_H
#define DECANT_TEST_GUEST_VERBS_CONNECTIONS_H
/* verbs_connections.h - two processes, by address. */
#include "verbs_peer.h"
#include "verbs_rig.h"

static bool no_peer(void)
{
	if (peer.port[0] && peer.port[0] != '0')
		return false;
	check_skip("nobody can be called here");
	return true;
}

static struct decant_verbs_pair *fresh_pair(struct decant_verbs_pair_options options)
{
	struct decant_verbs_pair *pair;

	options.size = sizeof(options);
	options.uses = RIG_USES;
	options.space = rig.space;
	REQUIRE(!decant_verbs_pair_new(&pair, rig.queue, &options));
	return pair;
}

static int connect_to(struct decant_verbs_pair *pair, const char *port, char what,
		      int timeout)
{
	const struct decant_verbs_connect_options options = {
		.size = sizeof(options),
		.node = peer.node,
		.service = port,
		.private_data = &what,
		.private_len = 1,
		.timeout = timeout,
	};

	return decant_verbs_connect(pair, &options);
}

/* What the peer granted travels as private data. */
static struct decant_verbs_remote granted(const struct decant_verbs_pair *pair)
{
	struct decant_verbs_remote remote;
	size_t len;
	const void *data = decant_verbs_private(pair, &len);

	REQUIRE(len >= sizeof(remote));
	memcpy(&remote, data, sizeof(remote));
	CHECK_EQ(remote.len, PEER_BYTES);
	return remote;
}

static void echo(struct decant_verbs_pair *pair, size_t len)
{
	struct decant_iter to = rig_buf(DECANT_DEST, rig.memory + RIG_REGION_LEN, 4096);
	struct decant_iter from = rig_buf(DECANT_SOURCE, rig.memory, len);
	struct decant_verbs_event event;

	rig_fill(rig.memory, len);
	CHECK_EQ(decant_verbs_recv(pair, &to, 4096, NULL, NULL), 0);
	CHECK_EQ(decant_verbs_send(pair, &from, len, NULL, NULL), 0);
	for (int i = 0; i < 2 && rig_event(&event); i++)
		CHECK_EQ(event.result, len);
	CHECK(!memcmp(rig.memory, rig.memory + RIG_REGION_LEN, len));
}

/* Write to the peer and read back, in other pieces. */
static void there_and_back(struct decant_verbs_pair *pair)
{
	struct decant_verbs_remote remote = granted(pair);
	struct decant_verbs_event event;
	struct decant_iter it;
	struct iovec iov[50];

	for (size_t i = 0; i < 50; i++)
		iov[i] = (struct iovec){rig.memory + 5001 * i, 2000 + i};
	rig_fill(rig.memory, 50 * 5001);
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 50));
	CHECK_EQ(decant_verbs_write(pair, &it, SIZE_MAX, &remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 50 * 2000 + 49 * 25);
	it = rig_buf(DECANT_DEST, rig.memory + 5 * RIG_REGION_LEN, 50 * 2000);
	CHECK_EQ(decant_verbs_read(pair, &it, SIZE_MAX, &remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 50 * 2000);
	for (size_t i = 0, at = 0; i < 49; at += iov[i++].iov_len)
		CHECK(!memcmp(iov[i].iov_base, rig.memory + 5 * RIG_REGION_LEN + at,
			      iov[i].iov_len < 50 * 2000 - at ? iov[i].iov_len
							      : 50 * 2000 - at));
}

static void ends_with_connection(struct decant_verbs_pair *pair)
{
	struct decant_iter to = rig_buf(DECANT_DEST, rig.memory, 4096);
	struct decant_verbs_event event;

	CHECK_EQ(decant_verbs_recv(pair, &to, 4096, NULL, pair), 0);
	CHECK_EQ(decant_verbs_disconnect(pair), 0);
	CHECK(rig_event(&event) && event.result == -ECANCELED && event.user == pair);
	CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 0), -EISCONN);
	CHECK_EQ(decant_verbs_pair_reset(pair), 0);
}

static void connected(void)
{
	struct decant_verbs_pair *pair;

	if (no_peer())
		return;
	pair = fresh_pair((struct decant_verbs_pair_options){.request_bytes = 8192});
	for (int i = 0; i < 3 && !check_failed; i++) {
		CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 0), 0);
		if (check_failed) {
			printf("# %s\n", decant_verbs_error(pair));
			break;
		}
		echo(pair, 1 + check_below(4096));
		there_and_back(pair);
		ends_with_connection(pair);
	}
	decant_verbs_pair_free(pair);
}

/* Refused, with a word; a receive that was begun before waits for the next connection. */
static void refused(void)
{
	struct decant_iter to = rig_buf(DECANT_DEST, rig.memory, 100), from;
	struct decant_verbs_event event;
	struct decant_verbs_pair *pair;
	const char *word;
	size_t len;

	if (no_peer())
		return;
	pair = fresh_pair((struct decant_verbs_pair_options){0});
	CHECK_EQ(decant_verbs_recv(pair, &to, 100, NULL, pair), 0);
	CHECK_EQ(connect_to(pair, peer.port, PEER_REFUSE, 0), -ECONNREFUSED);
	word = decant_verbs_private(pair, &len);
	/* soft iWARP loses the word when the end of the connection comes with it */
	CHECK(len >= 3 ? !memcmp(word, "no", 3) : rig_is_iwarp());
	CHECK(strstr(decant_verbs_error(pair), peer.node));
	CHECK_EQ(connect_to(pair, "1", PEER_ECHO, 0), -ECONNREFUSED);
	CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 0), 0);
	from = rig_buf(DECANT_SOURCE, rig.memory + 1000, 10);
	CHECK_EQ(decant_verbs_send(pair, &from, 10, NULL, NULL), 0);
	for (int i = 0; i < 2 && rig_event(&event); i++)
		CHECK_EQ(event.result, 10);
	CHECK(!memcmp(rig.memory, rig.memory + 1000, 10));
	decant_verbs_pair_free(pair);
}

/* The peer has no receive, and waits longer than it is asked to. */
static void silent_peer(void)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, rig.memory, 1000);
	struct decant_verbs_event event;
	struct decant_verbs_pair *pair;

	if (no_peer())
		return;
	if (rig_is_iwarp()) {
		check_skip("TCP keeps what nobody asked for");
		return;
	}
	pair = fresh_pair((struct decant_verbs_pair_options){.rnr_retries = 1});
	CHECK_EQ(connect_to(pair, peer.port, PEER_SILENT, 0), 0);
	CHECK_EQ(decant_verbs_send(pair, &it, 1000, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == -ENOBUFS && event.status == 13);
	decant_verbs_pair_free(pair);
}

static int error_of(const struct decant_verbs_pair *pair)
{
	struct decant_verbs_pair_info info;

	decant_verbs_pair_info(pair, &info);
	return info.error;
}

/* Until the pair is dead; whatever ends then is of no interest. */
static void outlive(struct decant_verbs_pair *pair)
{
	time_t until = time(NULL) + RIG_PATIENCE;
	struct decant_verbs_event event;

	while (!error_of(pair) && time(NULL) < until)
		rig_poll(&event);
	CHECK(error_of(pair) < 0);
	while (!check_failed && decant_verbs_pair_reset(pair) == -EBUSY &&
	       time(NULL) < until)
		rig_poll(&event);
}

/* A message that makes the peer do what it was called for. */
static void tell(struct decant_verbs_pair *pair, size_t len)
{
	struct decant_iter to = rig_buf(DECANT_DEST, rig.memory + RIG_REGION_LEN, 8192);
	struct decant_iter from = rig_buf(DECANT_SOURCE, rig.memory, len);

	CHECK_EQ(decant_verbs_recv(pair, &to, 8192, NULL, &rig), 0);
	CHECK_EQ(decant_verbs_send(pair, &from, len, NULL, NULL), 0);
}

static void alive_again(struct decant_verbs_pair *pair)
{
	CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 0), 0);
	if (!check_failed)
		echo(pair, 1000);
}

static void peer_hangs_up(void)
{
	struct decant_verbs_event event = {0};
	struct decant_verbs_pair *pair;

	if (no_peer())
		return;
	pair = fresh_pair((struct decant_verbs_pair_options){.retries = 2});
	for (int i = 0; i < 2 && !check_failed; i++) {
		CHECK_EQ(connect_to(pair, peer.port, PEER_HANG_UP, 0), 0);
		tell(pair, 100);
		while (event.user != &rig && rig_event(&event))
			;
		CHECK(event.result == -ECANCELED);
		event.user = NULL;
		CHECK(decant_verbs_error(pair)[0]);
		outlive(pair);
		alive_again(pair);
		CHECK_EQ(decant_verbs_disconnect(pair), 0);
		outlive(pair);
	}
	decant_verbs_pair_free(pair);
}

/* Longer than the peer's buffers. */
static void too_long(void)
{
	struct decant_verbs_pair *pair;

	if (no_peer())
		return;
	pair = fresh_pair((struct decant_verbs_pair_options){0});
	CHECK_EQ(connect_to(pair, peer.port, PEER_ECHO, 0), 0);
	tell(pair, PEER_MESSAGE + 1);
	outlive(pair);
	alive_again(pair);
	decant_verbs_pair_free(pair);
}

/* The peer takes its memory back while we write: what is refused ends the rest. */
static void withdrawn(void)
{
	time_t until = time(NULL) + RIG_PATIENCE;
	struct decant_verbs_event event;
	struct decant_verbs_remote remote;
	struct decant_verbs_pair *pair;
	struct decant_iter it;
	bool over = false;

	if (no_peer())
		return;
	pair = fresh_pair((struct decant_verbs_pair_options){0});
	CHECK_EQ(connect_to(pair, peer.port, PEER_WITHDRAW, 0), 0);
	remote = granted(pair);
	for (int i = 0; !over && time(NULL) < until; i++) {
		it = rig_buf(DECANT_SOURCE, rig.memory, 20000);
		over = decant_verbs_write(pair, &it, 20000, &remote, 1, NULL, NULL) < 0;
		if (i == 20)
			tell(pair, 10);
		while (i >= 20 && !over && rig_poll(&event) > 0)
			over = event.result < 0;
	}
	CHECK(over);
	outlive(pair);
	alive_again(pair);
	rig_let_go();
	decant_verbs_pair_free(pair);
}
#endif
