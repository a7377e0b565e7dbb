/* SPDX-License-Identifier: MIT */
/* What arrives is what was sent, however both sides are cut. */
#include "peer.h"
#include <errno.h>

#define MESSAGES   40
#define WRITES	   60
#define ROOM	   (9u << 20)
#define MOST	   (8u << 20)
#define GUARD	   64
#define MAX_PIECES 1000

/* Sizes from one byte up, small ones as likely as large ones. */
static size_t size_below(size_t most)
{
	size_t n = (size_t)1 << check_below(64 - (size_t)__builtin_clzll(most));

	n = n + check_below(n);
	return n < most ? n : most;
}

/* Both sides draw the same sizes from the same seed, but cut as they like. */
static size_t message_size(size_t i)
{
	uint64_t cuts = check_seed;
	size_t len;

	check_seed = 77 + i;
	check_random();
	len = i == 0 ? 0 : i == 1 ? 1 : size_below(300000);
	check_seed = cuts;
	return len;
}

/* Begin a message in 1 to 20 pieces; the list is gone as soon as it has begun. */
static void begin_message(struct peer *peer, unsigned char *at, size_t len, void *user)
{
	enum decant_direction direction = peer->target ? DECANT_DEST : DECANT_SOURCE;
	struct iovec iov[20];
	size_t nr = 1 + check_below(20);
	struct decant_iter it = peer_over_cut(iov, nr, at, len, direction);

	if (peer->target)
		CHECK_EQ(decant_ofi_recv(peer->ofi, &it, SIZE_MAX, user), 0);
	else
		CHECK_EQ(decant_ofi_send(peer->ofi, &it, SIZE_MAX, user), 0);
	CHECK_EQ(decant_iter_count(&it), 0);
	memset(iov, 0xff, sizeof(iov));
}

static void messages(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, 600000 + 2 * GUARD);

	check_seed += peer->target;
	for (size_t i = 0; i < MESSAGES && !check_failed; i++) {
		struct decant_ofi_event event = {0};
		size_t len = message_size(i), extra = peer->target ? check_below(100) : 0;

		if (peer->target)
			memset(at, 0xee, len + 300);
		else
			peer_fill(at, len, i);
		if (!peer->target)
			peer_sync(peer);
		begin_message(peer, at, len + extra, at + i);
		if (peer->target)
			peer_sync(peer);
		CHECK_EQ(peer_wait(peer, &event), 1);
		CHECK_EQ(event.result, len);
		CHECK_EQ(event.kind, peer->target ? DECANT_OFI_RECV : DECANT_OFI_SEND);
		CHECK(event.user == at + i);
		CHECK(peer_holds(at, len, i));
		CHECK(!peer->target || (at[len] == 0xee && at[len + 200] == 0xee));
	}
	peer_sync(peer);
}

/* What a write did, told over the socket. */
struct told {
	size_t offset;
	size_t len;
	uint64_t seed;
};

static bool untouched(const unsigned char *at, size_t len)
{
	while (len--)
		if (*at++ != 0xee)
			return false;
	return true;
}

static void writes_target(struct peer *peer)
{
	unsigned char *at = peer_buffer(ROOM + 2 * GUARD);
	struct decant_region *region = peer_share(peer, at, ROOM + 2 * GUARD);
	struct told told;

	for (;;) {
		peer_get(peer, &told, sizeof(told));
		if (told.len > ROOM)
			break;
		CHECK(peer_arrived(at + told.offset, told.len, told.seed));
		CHECK(untouched(at + told.offset - GUARD, GUARD));
		CHECK(untouched(at + told.offset + told.len, GUARD));
		memset(at + told.offset, 0xee, told.len);
		peer_sync(peer);
	}
	decant_region_put(region);
	free(at);
}

static void write_once(struct peer *peer, unsigned char *from,
		       const struct decant_ofi_remote *remote, const struct told *told)
{
	size_t nr = 1 + check_below(size_below(MAX_PIECES));
	struct iovec *iov = calloc(nr, sizeof(*iov));
	struct decant_ofi_event event = {0};
	struct decant_iter it;

	REQUIRE(iov);
	peer_fill(from, told->len, told->seed);
	it = peer_over_cut(iov, nr, from, told->len, DECANT_SOURCE);
	CHECK_EQ(decant_ofi_write(peer->ofi, &it, told->len, remote, told->offset, from),
		 0);
	CHECK_EQ(decant_iter_count(&it), 0);
	memset(iov, 0xff, nr * sizeof(*iov));
	free(iov);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, told->len);
	CHECK_EQ(event.kind, DECANT_OFI_WRITE);
	CHECK(event.user == from);
}

static void writes_initiator(struct peer *peer)
{
	unsigned char *from = peer_memory(peer, MOST);
	struct decant_ofi_remote remote;
	struct told told;

	peer_get(peer, &remote, sizeof(remote));
	for (size_t i = 0; i < check_cases(WRITES); i++) {
		told.len = i == 0 ? MOST : i == 1 ? 0 : size_below(MOST);
		told.offset = GUARD + check_below(ROOM - told.len);
		told.seed = check_random();
		write_once(peer, from, &remote, &told);
		peer_put(peer, &told, sizeof(told));
		peer_sync(peer);
	}
	told.len = SIZE_MAX;
	peer_put(peer, &told, sizeof(told));
}

/* Scattered pieces far apart, so that nothing merges: every request is full. */
static void scattered_initiator(struct peer *peer)
{
	enum { PIECE = 700, STEP = 1000, NR = 2000 };
	unsigned char *from = peer_memory(peer, (size_t)STEP * NR);
	struct iovec *iov = calloc(NR, sizeof(*iov));
	struct told told = {GUARD + 3, (size_t)PIECE * NR, 5};
	struct decant_ofi_event event;
	struct decant_ofi_remote remote;
	struct decant_iter it;

	REQUIRE(iov);
	peer_get(peer, &remote, sizeof(remote));
	for (size_t i = 0; i < NR; i++) {
		iov[i] = (struct iovec){from + i * STEP, PIECE};
		peer_fill(iov[i].iov_base, PIECE, told.seed + i * PIECE);
	}
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, NR));
	CHECK_EQ(decant_ofi_write(peer->ofi, &it, SIZE_MAX, &remote, told.offset, NULL),
		 0);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, told.len);
	peer_put(peer, &told, sizeof(told));
	peer_sync(peer);
	told.len = SIZE_MAX;
	peer_put(peer, &told, sizeof(told));
	free(iov);
}

#define RUN(name, tag, text)                                                             \
	static void name##_##tag(void)                                                   \
	{                                                                                \
		peer_run(&(struct peer_options){.provider = text}, name##_target,        \
			 name##_initiator);                                              \
	}
#define messages_target	   messages
#define messages_initiator messages
#define scattered_target   writes_target

PEER_PROVIDERS(RUN, messages)
PEER_PROVIDERS(RUN, writes)
PEER_PROVIDERS(RUN, scattered)

int main(void)
{
	/* clang-format off */
	static const struct check_case cases[] = {
		PEER_PROVIDERS(PEER_CASE, messages)
		PEER_PROVIDERS(PEER_CASE, writes)
		PEER_PROVIDERS(PEER_CASE, scattered)
	};
	/* clang-format on */

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
