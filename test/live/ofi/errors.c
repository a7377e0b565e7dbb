/* SPDX-License-Identifier: MIT */
/* What goes wrong is reported: once, as an errno, with a text, and within a bound. */
#include "peer.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define DEPTH 16
#define BLOCK (64u << 10)
/* How much longer than its limit an error may take on a busy machine. */
#define PATIENCE 20000

/* Progress until the other side says that it is done, or is gone. */
static void serve(struct peer *peer)
{
	struct decant_ofi_event events[4];
	struct pollfd fd = {.fd = peer->socket, .events = POLLIN};

	while (!poll(&fd, 1, 0))
		if (decant_ofi_poll(peer->ofi, events, 4) < 0)
			usleep(1000);
}

/* Depth is a limit, every operation has one event, and the numbers are right. */
static void depth_target(struct peer *peer)
{
	unsigned char *at = calloc(DEPTH, BLOCK);
	struct decant_region *region;
	char token;

	REQUIRE(at);
	region = peer_share(peer, at, DEPTH * BLOCK);
	serve(peer);
	peer_get(peer, &token, 1);
	for (size_t i = 0; i < DEPTH; i++)
		CHECK(peer_arrived(at + i * BLOCK, BLOCK, i));
	decant_region_put(region);
	free(at);
}

static void depth_initiator(struct peer *peer)
{
	enum { NR = 300 };
	unsigned char *from = peer_memory(peer, DEPTH * BLOCK), seen[NR] = {0};
	struct decant_ofi_remote remote;
	struct decant_ofi_event events[7];
	size_t begun = 0, done = 0, refused = 0;
	char token = 0;

	peer_get(peer, &remote, sizeof(remote));
	for (size_t i = 0; i < DEPTH; i++)
		peer_fill(from + i * BLOCK, BLOCK, i);
	while (done < NR && !check_failed) {
		size_t at = begun % DEPTH * BLOCK;
		struct decant_iter it = peer_over(from + at, BLOCK, DECANT_SOURCE);
		int rc = begun == NR ? -EAGAIN
				     : decant_ofi_write(peer->ofi, &it, BLOCK, &remote,
							at, seen + begun);

		if (!rc) {
			begun++;
			continue;
		}
		CHECK_EQ(rc, -EAGAIN);
		CHECK_EQ(decant_iter_count(&it), BLOCK);
		CHECK(begun == NR || begun - done == DEPTH);
		refused++;
		rc = decant_ofi_poll(peer->ofi, events, 1 + (unsigned)check_below(7));
		CHECK(rc >= 0);
		for (int i = 0; i < rc; i++, done++) {
			CHECK_EQ(events[i].result, BLOCK);
			++*(unsigned char *)events[i].user;
		}
	}
	CHECK(refused);
	for (size_t i = 0; i < NR && !check_failed; i++)
		CHECK_EQ(seen[i], 1);
	CHECK_EQ(decant_ofi_poll(peer->ofi, events, 7), 0);
	peer_put(peer, &token, 1);
}

static void count_release(void *user, void *addr, size_t len)
{
	(void)len;
	++*(int *)user;
	memset(addr, 0xdd, len);
}

/* One message of @expected bytes, in memory for @len. */
static unsigned char *received(struct peer *peer, size_t len, size_t expected)
{
	unsigned char *at = peer_memory(peer, len);
	struct decant_iter it = peer_over(at, len, DECANT_DEST);
	struct decant_ofi_event event;

	CHECK_EQ(decant_ofi_recv(peer->ofi, &it, len, NULL), 0);
	peer_sync(peer);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, expected);
	peer_sync(peer);
	return at;
}

/* The caller lets go of the region at once; it lives until the event, and not longer. */
static void held_initiator(struct peer *peer)
{
	enum { LEN = 1 << 20 };
	int released = 0;
	unsigned char *at = calloc(1, LEN);
	struct decant_region_options o = {
		.size = sizeof(o), .release = count_release, .user = &released};
	struct decant_bvec bvec[2] = {{at + LEN / 2, LEN / 2, NULL}, {at, LEN / 2, NULL}};
	struct decant_region *region;
	struct decant_ofi_event event;
	struct decant_iter it;

	peer_fill(at, LEN, 9);
	REQUIRE(!decant_region_new(&region, at, LEN, &o));
	peer_key(peer->ofi, region);
	bvec[0].region = bvec[1].region = region;
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bvec, 2));
	peer_sync(peer);
	CHECK_EQ(decant_ofi_send(peer->ofi, &it, LEN, NULL), 0);
	memset(bvec, 0xff, sizeof(bvec));
	decant_region_put(region);
	CHECK_EQ(released, 0);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, LEN);
	CHECK_EQ(released, 1);
	peer_sync(peer);
	free(at);
}

static void held_target(struct peer *peer)
{
	enum { LEN = 1 << 20 };
	unsigned char *at = received(peer, LEN, LEN);

	CHECK(peer_holds(at + LEN / 2, LEN / 2, 9));
	CHECK(peer_holds(at, LEN / 2, 9 + LEN / 2));
}

/* The owner of bare memory is found in the space, and held as long as the operation
 * lasts. */
static void found_initiator(struct peer *peer)
{
	enum { LEN = 100000 };
	unsigned char *at = calloc(1, LEN);
	struct iovec iov[2] = {{at + 1, 50000}, {at + 50001, 49999}};
	struct decant_region *region;
	struct decant_ofi_event event;
	struct decant_iter it;

	peer_fill(at + 1, 99999, 4);
	REQUIRE(!decant_region_new(&region, at, LEN, NULL));
	peer_key(peer->ofi, region);
	REQUIRE(!decant_space_add(peer->space, region));
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 2));
	peer_sync(peer);
	CHECK_EQ(decant_region_refs(region), 2);
	CHECK_EQ(decant_ofi_send(peer->ofi, &it, LEN, NULL), 0);
	CHECK_EQ(decant_region_refs(region), 3);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, 99999);
	CHECK_EQ(decant_region_refs(region), 2);
	peer_sync(peer);
	CHECK_EQ(decant_space_remove(peer->space, region), 0);
	decant_region_put(region);
	free(at);
}

static void found_target(struct peer *peer)
{
	unsigned char *at = received(peer, 100000, 99999);

	CHECK(peer_holds(at, 99999, 4));
}

/*
 * A write past what was granted, or with a key that was not, is an error and harms
 * nothing; where it may be complete before it arrives, a later one is the error.
 */
static void beyond_target(struct peer *peer)
{
	enum { LEN = 16384 };
	unsigned char *at = calloc(3, LEN);
	struct decant_region *region;
	char token;

	REQUIRE(at);
	region = peer_share(peer, at + LEN, LEN);
	serve(peer);
	peer_get(peer, &token, 1);
	for (size_t i = 0; i < LEN; i++)
		CHECK(!at[i] && !at[2 * LEN + i]);
	decant_region_put(region);
	free(at);
}

/* What a write comes to, bytes or an errno: at its event; at once if the end is dead. */
static ssize_t wrote(struct peer *peer, const struct decant_ofi_remote *remote,
		     uint64_t offset)
{
	enum { LEN = 8192 };
	struct decant_iter it = peer_over(peer->memory, LEN, DECANT_SOURCE);
	struct decant_ofi_event event = {0};
	int rc = decant_ofi_write(peer->ofi, &it, LEN, remote, offset, &event);

	CHECK(!rc || PEER_IWARP);
	if (rc)
		return rc;
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK(event.user == &event);
	CHECK(event.result < 0 || event.result == LEN);
	return event.result;
}

static void forbidden(struct peer *peer, struct decant_ofi_remote remote, uint64_t offset)
{
	long long end = peer_now() + PEER_TIMEOUT + PATIENCE;
	ssize_t result;
	char token = 0;

	peer_memory(peer, 8192);
	result = wrote(peer, &remote, offset);
	CHECK(result < 0 || PEER_IWARP);
	while (result >= 0 && !check_failed && peer_now() < end)
		result = wrote(peer, &remote, offset);
	CHECK(result < 0);
	CHECK(peer_now() < end);
	CHECK(decant_ofi_error(peer->ofi)[0]);
	printf("# %s: %s (%s)\n", peer->provider, strerror((int)-result),
	       decant_ofi_error(peer->ofi));
	peer_put(peer, &token, 1);
}

static void beyond_initiator(struct peer *peer)
{
	struct decant_ofi_remote remote;

	peer_get(peer, &remote, sizeof(remote));
	forbidden(peer, remote, 16384 - 100);
}

static void badkey_initiator(struct peer *peer)
{
	struct decant_ofi_remote remote;

	peer_get(peer, &remote, sizeof(remote));
	remote.key ^= 0x5555;
	forbidden(peer, remote, 0);
}
#define badkey_target beyond_target

/* The peer is killed while writes are under way. */
static void killed_target(struct peer *peer)
{
	unsigned char *at = calloc(DEPTH, BLOCK);

	REQUIRE(at);
	(void)peer_share(peer, at, DEPTH * BLOCK);
	serve(peer);
	kill(getpid(), SIGKILL);
}

static void killed_initiator(struct peer *peer)
{
	unsigned char *from = peer_memory(peer, BLOCK);
	struct decant_ofi_remote remote;
	struct decant_ofi_event event;
	long long begun = peer_now(), completed = 0, failures = 0, started = 0;
	bool told = false;
	char token = 0;
	int rc = 0;

	peer_get(peer, &remote, sizeof(remote));
	while (!failures && peer_now() - begun < PEER_TIMEOUT + PATIENCE) {
		struct decant_iter it = peer_over(from, BLOCK, DECANT_SOURCE);

		started += !decant_ofi_write(peer->ofi, &it, BLOCK, &remote, 0, NULL);
		rc = decant_ofi_poll(peer->ofi, &event, 1);
		completed += rc == 1;
		failures += rc < 0 || (rc == 1 && event.result < 0);
		if (!told && completed > 20) {
			peer_put(peer, &token, 1);
			told = true;
		}
	}
	CHECK(failures);
	while (completed < started && (rc = peer_wait(peer, &event)) == 1)
		completed++;
	CHECK_EQ(completed, started);
	printf("# %s: %lld ms: %s\n", peer->provider, peer_now() - begun,
	       decant_ofi_error(peer->ofi));
}

/* A message that is longer than the memory for it does not spill. */
static void truncated_target(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, 200);
	struct decant_iter it = peer_over(at, 50, DECANT_DEST);
	struct decant_ofi_event event = {0};

	CHECK_EQ(decant_ofi_recv(peer->ofi, &it, 50, at), 0);
	peer_sync(peer);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK(event.result < 0 || event.result == 50);
	CHECK(at[50] == 0xee && at[199] == 0xee);
	printf("# %s: %zd\n", peer->provider, event.result);
	peer_sync(peer);
}

static void truncated_initiator(struct peer *peer)
{
	unsigned char *from = peer_memory(peer, 100);
	struct decant_iter it = peer_over(from, 100, DECANT_SOURCE);

	peer_fill(from, 100, 3);
	peer_sync(peer);
	CHECK_EQ(decant_ofi_send(peer->ofi, &it, 100, from), 0);
	peer_sync(peer);
}

/* A sleeper on the file descriptor is woken by what arrives. */
static void woken_target(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, 64);
	struct decant_iter it = peer_over(at, 64, DECANT_DEST);
	struct decant_ofi_event event;
	long long begun, asleep = 0;
	bool may_sleep;
	int fd = decant_ofi_fd(peer->ofi, &may_sleep), n;

	printf("# %s: %s\n", peer->provider, fd < 0 ? "no file descriptor" : "wakes");
	CHECK_EQ(decant_ofi_recv(peer->ofi, &it, 64, at), 0);
	peer_sync(peer);
	begun = peer_now();
	while (!(n = decant_ofi_poll(peer->ofi, &event, 1))) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};

		CHECK_EQ(decant_ofi_fd(peer->ofi, &may_sleep), fd);
		CHECK(fd >= 0 || !may_sleep);
		if (!may_sleep)
			continue;
		asleep++;
		CHECK_EQ(poll(&wait, 1, PATIENCE), 1);
	}
	CHECK_EQ(n, 1);
	CHECK(fd < 0 || (asleep && asleep < 1000));
	CHECK(peer_now() - begun < PATIENCE);
	peer_sync(peer);
}

static void woken_initiator(struct peer *peer)
{
	unsigned char *from = peer_memory(peer, 64);
	struct decant_iter it = peer_over(from, 64, DECANT_SOURCE);
	struct decant_ofi_event event;

	peer_sync(peer);
	usleep(200000);
	CHECK_EQ(decant_ofi_send(peer->ofi, &it, 64, from), 0);
	CHECK_EQ(peer_wait(peer, &event), 1);
	peer_sync(peer);
}

/* Calls that make no sense are refused, and nothing changes. */
static void misuse(struct peer *peer)
{
	static unsigned char at[64];
	struct decant_iter in = peer_over(at, 64, DECANT_DEST),
			   out = peer_over(at, 64, DECANT_SOURCE);
	struct decant_ofi_remote remote = {UINT64_MAX - 10, 1};

	CHECK_EQ(decant_ofi_send(peer->ofi, &in, 64, NULL), -EINVAL);
	CHECK_EQ(decant_ofi_recv(peer->ofi, &out, 64, NULL), -EINVAL);
	CHECK_EQ(decant_ofi_write(peer->ofi, &out, 64, &remote, 0, NULL), -EOVERFLOW);
	CHECK_EQ(decant_ofi_write(peer->ofi, &out, 4, &remote, 64, NULL), -EOVERFLOW);
	CHECK_EQ(decant_iter_count(&out), 64);
	CHECK_EQ(decant_ofi_connect(peer->ofi, at, 4), -EISCONN);
	peer_sync(peer);
}
#define misuse_target	 misuse
#define misuse_initiator misuse

/* One case: two processes with little depth and little patience. */
static void run(const char *provider, peer_fn *target, peer_fn *initiator)
{
	struct peer_options options = {.provider = provider,
				       .depth = DEPTH,
				       .timeout = PEER_TIMEOUT,
				       .target_dies = target == killed_target,
				       .connection_dies = target == beyond_target};

	peer_run(&options, target, initiator);
}

#define RUN(name, tag, text)                                                             \
	static void name##_##tag(void)                                                   \
	{                                                                                \
		run(text, name##_target, name##_initiator);                              \
	}

PEER_PROVIDERS(RUN, depth)
PEER_PROVIDERS(RUN, held)
PEER_PROVIDERS(RUN, found)
PEER_PROVIDERS(RUN, beyond)
PEER_PROVIDERS(RUN, badkey)
PEER_PROVIDERS(RUN, killed)
PEER_PROVIDERS(RUN, truncated)
PEER_PROVIDERS(RUN, woken)
PEER_PROVIDERS(RUN, misuse)

int main(void)
{
	/* clang-format off */
	static const struct check_case cases[] = {
		PEER_PROVIDERS(PEER_CASE, depth)
		PEER_PROVIDERS(PEER_CASE, held)
		PEER_PROVIDERS(PEER_CASE, found)
		PEER_PROVIDERS(PEER_CASE, beyond)
		PEER_PROVIDERS(PEER_CASE, badkey)
		PEER_PROVIDERS(PEER_CASE, killed)
		PEER_PROVIDERS(PEER_CASE, truncated)
		PEER_PROVIDERS(PEER_CASE, woken)
		PEER_PROVIDERS(PEER_CASE, misuse)
	};
	/* clang-format on */

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
