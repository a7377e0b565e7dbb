/* SPDX-License-Identifier: MIT */
/* Reads, messages with tags, and messages that the provider copies at once. */
#include "peer.h"
#include <errno.h>

#define ROOM	(5u << 20)
#define GUARD	64
#define READS	40
#define MESSAGE 3000
#define NR	30

static void reads_target(struct peer *peer)
{
	unsigned char *at = peer_buffer(ROOM);
	struct decant_region *region;

	peer_fill(at, ROOM, 3);
	region = peer_share(peer, at, ROOM);
	peer_sync(peer);
	CHECK(peer_holds(at, ROOM, 3));
	decant_region_put(region);
	free(at);
}

/* Reads of any length from any place into 1 to 300 pieces; nothing else is touched. */
static void reads_initiator(struct peer *peer)
{
	unsigned char *to = peer_memory(peer, ROOM + 2 * GUARD);
	struct decant_ofi_remote remote;
	struct iovec iov[300];

	peer_get(peer, &remote, sizeof(remote));
	for (size_t i = 0; i < check_cases(READS) && !check_failed; i++) {
		size_t most = i % 4 ? 40000 : ROOM, len = i ? check_below(most + 1) : 0;
		size_t offset = check_below(ROOM - len + 1), nr = 1 + check_below(300);
		struct decant_ofi_event event = {0};
		struct decant_iter it =
			peer_over_cut(iov, nr, to + GUARD, len, DECANT_DEST);

		memset(to, 0xee, len + 2 * GUARD);
		CHECK_EQ(decant_ofi_read(peer->ofi, &it, SIZE_MAX, &remote, offset, to),
			 0);
		CHECK_EQ(decant_iter_count(&it), 0);
		memset(iov, 0xff, sizeof(iov));
		CHECK_EQ(peer_wait(peer, &event), 1);
		CHECK_EQ(event.result, len);
		CHECK_EQ(event.kind, DECANT_OFI_READ);
		CHECK(event.user == to);
		CHECK(peer_holds(to + GUARD, len, 3 + offset));
		CHECK(to[GUARD - 1] == 0xee && to[GUARD + len] == 0xee);
	}
	peer_sync(peer);
}

/*
 * A long message and a read, from one piece into three that don't touch, so that nothing
 * merges: a request takes as many, but not where it is a read and reads take one. Some
 * provider (RxM, what is long) receives by reads.
 */
#define APART 3
#define PIECE 60000

static struct decant_iter apart(struct iovec *iov, unsigned char *at)
{
	struct decant_iter it;

	for (size_t i = 0; i < APART; i++)
		iov[i] = (struct iovec){at + 2 * i * PIECE, PIECE};
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, APART));
	return it;
}

static bool apart_holds(const struct iovec *iov, uint64_t seed)
{
	for (size_t i = 0; i < APART; i++)
		if (!peer_holds(iov[i].iov_base, PIECE, seed + i * PIECE))
			return false;
	return true;
}

static void apart_target(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, 2 * APART * PIECE);
	unsigned char *shared = peer_buffer(APART * PIECE);
	struct decant_region *region = peer_share(peer, shared, APART * PIECE);
	struct decant_ofi_event event;
	struct iovec iov[APART];
	struct decant_iter it = apart(iov, at);

	peer_fill(shared, APART * PIECE, 7);
	CHECK_EQ(decant_ofi_recv(peer->ofi, &it, SIZE_MAX, NULL), 0);
	peer_sync(peer);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, APART * PIECE);
	CHECK(apart_holds(iov, 5));
	peer_sync(peer);
	decant_region_put(region);
	free(shared);
}

static void apart_initiator(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, 2 * APART * PIECE);
	struct decant_ofi_remote remote;
	struct decant_ofi_event event;
	struct iovec iov[APART];
	struct decant_iter it = peer_over(at, APART * PIECE, DECANT_SOURCE);

	peer_fill(at, APART * PIECE, 5);
	peer_get(peer, &remote, sizeof(remote));
	peer_sync(peer);
	CHECK_EQ(decant_ofi_send(peer->ofi, &it, SIZE_MAX, NULL), 0);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, APART * PIECE);
	it = apart(iov, at);
	CHECK_EQ(decant_ofi_read(peer->ofi, &it, SIZE_MAX, &remote, 0, NULL), 0);
	CHECK_EQ(peer_wait(peer, &event), 1);
	CHECK_EQ(event.result, APART * PIECE);
	CHECK(apart_holds(iov, 7));
	peer_sync(peer);
}

/* A read is refused as a write is. */
static void wrong_reads_target(struct peer *peer)
{
	peer_sync(peer);
}

static void wrong_reads_initiator(struct peer *peer)
{
	unsigned char byte[8] = {0};
	struct decant_ofi_remote remote = {UINT64_MAX - 3, 0};
	struct decant_iter it = peer_over(byte, sizeof(byte), DECANT_DEST);

	CHECK_EQ(decant_ofi_read(peer->ofi, &it, 8, &remote, 0, NULL), -EOVERFLOW);
	CHECK_EQ(decant_iter_count(&it), 8);
	CHECK_EQ(decant_ofi_send_tagged(peer->ofi, &it, 8, 1, NULL), -EINVAL);
	CHECK_EQ(decant_ofi_recv_tagged(peer->ofi, &it, 8, 1, 0, NULL), -EOPNOTSUPP);
	it = peer_over(byte, sizeof(byte), DECANT_SOURCE);
	CHECK_EQ(decant_ofi_read(peer->ofi, &it, 8, &remote, 0, NULL), -EINVAL);
	CHECK_EQ(decant_ofi_send_tagged(peer->ofi, &it, 8, 1, NULL), -EOPNOTSUPP);
	peer_sync(peer);
}

static size_t tagged_len(size_t tag)
{
	return tag * 97 % MESSAGE;
}

/* Received in another order than they are sent; and the last one by any tag. */
static void tagged_target(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, NR * MESSAGE);
	struct decant_ofi_event event;
	bool seen[NR] = {false};
	struct iovec iov[9];

	for (size_t i = NR; i--;) {
		struct decant_iter it =
			peer_over_cut(iov, 9, at + i * MESSAGE, MESSAGE, DECANT_DEST);

		CHECK_EQ(decant_ofi_recv_tagged(peer->ofi, &it, MESSAGE, i ? i << 40 : 77,
						i ? 0 : UINT64_MAX, at + i),
			 0);
	}
	peer_sync(peer);
	for (size_t n = 0; n < NR && !check_failed; n++) {
		size_t i;

		CHECK_EQ(peer_wait(peer, &event), 1);
		i = (size_t)((unsigned char *)event.user - at);
		REQUIRE(i < NR && !seen[i]);
		seen[i] = true;
		CHECK_EQ(event.tag, i ? (uint64_t)i << 40 : 4711);
		CHECK_EQ(event.result, tagged_len(i));
		CHECK(peer_holds(at + i * MESSAGE, tagged_len(i), i));
	}
	peer_sync(peer);
}

static void tagged_initiator(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, NR * MESSAGE);
	struct decant_ofi_event event;
	struct iovec iov[9];

	peer_sync(peer);
	for (size_t n = 1; n <= NR; n++) {
		size_t i = n % NR;
		struct decant_iter it = peer_over_cut(iov, 9, at + i * MESSAGE,
						      tagged_len(i), DECANT_SOURCE);

		peer_fill(at + i * MESSAGE, tagged_len(i), i);
		CHECK_EQ(decant_ofi_send_tagged(peer->ofi, &it, SIZE_MAX,
						i ? (uint64_t)i << 40 : 4711, at + i),
			 0);
	}
	for (size_t n = 0; n < NR && !check_failed; n++) {
		CHECK_EQ(peer_wait(peer, &event), 1);
		CHECK_EQ(event.kind, DECANT_OFI_SEND);
		CHECK_EQ(event.result,
			 tagged_len((size_t)((unsigned char *)event.user - at)));
	}
	peer_sync(peer);
}

/* At the border of what the provider copies at once. */
static void injected_target(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, 70000);
	struct decant_ofi_event event;
	size_t len;

	for (peer_get(peer, &len, sizeof(len)); len != SIZE_MAX;
	     peer_get(peer, &len, sizeof(len))) {
		struct decant_iter it = peer_over(at, 70000, DECANT_DEST);

		CHECK_EQ(decant_ofi_recv(peer->ofi, &it, SIZE_MAX, NULL), 0);
		peer_sync(peer);
		CHECK_EQ(peer_wait(peer, &event), 1);
		CHECK_EQ(event.result, len);
		CHECK(peer_holds(at, len, len));
		peer_sync(peer);
	}
}

static void injected_initiator(struct peer *peer)
{
	unsigned char *at = peer_memory(peer, 70000);
	struct decant_ofi_event event;
	struct decant_ofi_info info;
	struct iovec iov[3];
	size_t len, end = SIZE_MAX;

	decant_ofi_info(peer->ofi, &info);
	printf("# %s: %zu bytes\n", peer->provider, info.inject_bytes);
	for (int by = -2; by <= 1; by++) {
		struct decant_iter it;

		len = info.inject_bytes + (size_t)by;
		if (len > 70000)
			continue;
		peer_put(peer, &len, sizeof(len));
		peer_sync(peer);
		peer_fill(at, len, len);
		it = peer_over_cut(iov, 3, at, len, DECANT_SOURCE);
		CHECK_EQ(decant_ofi_send(peer->ofi, &it, SIZE_MAX, NULL), 0);
		CHECK_EQ(peer_wait(peer, &event), 1);
		CHECK_EQ(event.result, len);
		peer_sync(peer);
	}
	peer_put(peer, &end, sizeof(end));
}

#define RUN(name, tag, text)                                                             \
	static void name##_##tag(void)                                                   \
	{                                                                                \
		peer_run(&(struct peer_options){.provider = text,                        \
						.tagged = name##_tagged,                 \
						.peer_reads = name##_reads},             \
			 name##_target, name##_initiator);                               \
	}
#define reads_tagged	   false
#define reads_reads	   true
#define apart_tagged	   false
#define apart_reads	   true
#define wrong_reads_tagged false
#define wrong_reads_reads  false
#define tagged_tagged	   true
#define tagged_reads	   false
#define injected_tagged	   false
#define injected_reads	   false

PEER_PROVIDERS(RUN, reads)
PEER_PROVIDERS(RUN, apart)
PEER_PROVIDERS(RUN, wrong_reads)
PEER_PROVIDERS(RUN, tagged)
PEER_PROVIDERS(RUN, injected)

int main(void)
{
	/* clang-format off */
	static const struct check_case cases[] = {
		PEER_PROVIDERS(PEER_CASE, reads)
		PEER_PROVIDERS(PEER_CASE, apart)
		PEER_PROVIDERS(PEER_CASE, wrong_reads)
		PEER_PROVIDERS(PEER_CASE, tagged)
		PEER_PROVIDERS(PEER_CASE, injected)
	};
	/* clang-format on */

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
