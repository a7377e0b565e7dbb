/* SPDX-License-Identifier: MIT */
/*
 * counters.c - what is only counted: no event but for what fails, and memory that is let
 * go when it is counted and not before.
 */
#include "pair.h"

#define BLOCK 5000
#define DEPTH 8
#define NR    100

static const char *provider;

static void open_counting(struct pair *pair)
{
	const struct decant_ofi_options o = {.provider = provider,
					     .depth = DEPTH,
					     .timeout = PEER_TIMEOUT,
					     .peer_reads = true,
					     .counters = true};

	peer_allow_leaks(provider);
	pair_open(pair, &o);
}

static void released(void *user, void *addr, size_t len)
{
	(void)len;
	++*(size_t *)user;
	free(addr);
}

/* A write from memory of its own, which nobody but the operation holds. */
static int write_own(struct decant_ofi *ofi, const struct decant_ofi_remote *remote,
		     size_t i, size_t *releases)
{
	struct decant_region_options o = {
		.size = sizeof(o), .release = released, .user = releases};
	unsigned char *at = peer_buffer(BLOCK);
	struct decant_bvec bvec = {at, BLOCK, NULL};
	struct decant_iter it;
	int rc;

	peer_fill(at, BLOCK, i);
	REQUIRE(!decant_region_new(&bvec.region, at, BLOCK, &o));
	peer_key(ofi, bvec.region);
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	rc = decant_ofi_write(ofi, &it, BLOCK, remote, i * BLOCK, &it);
	decant_region_put(bvec.region);
	return rc;
}

/* As many as may be under way, then more as they are counted. */
static void counted_alone(void)
{
	unsigned char *to = peer_buffer(NR * BLOCK);
	struct decant_ofi_remote remote;
	struct decant_ofi_event event;
	struct decant_region *region;
	size_t releases = 0, refused = 0, begun = 0;
	struct pair pair;

	open_counting(&pair);
	REQUIRE(!decant_region_new(&region, to, NR * BLOCK, NULL));
	CHECK_EQ(decant_ofi_grant(pair.end[1], region, &remote), 0);
	while (begun < NR && !check_failed) {
		uint64_t counted = decant_ofi_counted(pair.end[0]);
		int rc = write_own(pair.end[0], &remote, begun, &releases);

		begun += !rc;
		refused += rc != 0;
		CHECK_EQ(releases, counted + refused);
		if (rc) {
			CHECK_EQ(rc, -EAGAIN);
			CHECK_EQ(pair_counted(&pair, 0, counted + 1, &event), 0);
		}
	}
	CHECK_EQ(pair_counted(&pair, 0, NR, &event), 0);
	CHECK_EQ(decant_ofi_counted(pair.end[0]), NR);
	CHECK_EQ(decant_ofi_counted(pair.end[1]), 0);
	CHECK_EQ(releases, NR + refused);
	CHECK(refused);
	for (size_t i = 0; i < NR; i++)
		CHECK(peer_arrived(to + i * BLOCK, BLOCK, i));
	pair_close(&pair);
	decant_region_put(region);
	free(to);
}

/* Messages and reads are counted, too; what is received has its event. */
static void mixed_alone(void)
{
	enum { LEN = 300 };
	unsigned char at[3 * LEN]; /* sent from, received into, read back into */
	struct decant_bvec bvec[3] = {
		{at, LEN, NULL}, {at + LEN, LEN, NULL}, {at + 2 * LEN, LEN, NULL}};
	struct decant_ofi_remote remote;
	struct decant_ofi_event event = {0};
	struct decant_region *region;
	struct decant_iter it[3];
	struct pair pair;
	bool may_sleep;

	open_counting(&pair);
	peer_fill(at, LEN, 1);
	REQUIRE(!decant_region_new(&region, at, sizeof(at), NULL));
	peer_key(pair.end[0], region);
	CHECK_EQ(decant_ofi_grant(pair.end[1], region, &remote), 0);
	for (int i = 0; i < 3; i++) {
		bvec[i].region = region;
		REQUIRE(!decant_iter_bvec(&it[i], i ? DECANT_DEST : DECANT_SOURCE,
					  &bvec[i], 1));
	}
	CHECK_EQ(decant_ofi_recv(pair.end[1], &it[1], LEN, at), 0);
	CHECK_EQ(decant_ofi_send(pair.end[0], &it[0], LEN, NULL), 0);
	(void)decant_ofi_fd(pair.end[0], &may_sleep);
	CHECK(!may_sleep);
	CHECK_EQ(pair_wait(&pair, 1, &event), 1);
	CHECK(event.user == at && event.result == LEN);
	CHECK_EQ(pair_counted(&pair, 0, 1, &event), 0);
	CHECK_EQ(decant_ofi_read(pair.end[0], &it[2], LEN, &remote, LEN, NULL), 0);
	CHECK_EQ(pair_counted(&pair, 0, 2, &event), 0);
	CHECK(peer_holds(at + 2 * LEN, LEN, 1));
	pair_close(&pair);
	decant_region_put(region);
}

/* A write: 1 and its event, 0 if it was counted instead, or why it can't begin. */
static int write_and_wait(struct pair *pair, const struct decant_ofi_remote *remote,
			  size_t *releases, struct decant_ofi_event *event)
{
	uint64_t counted = decant_ofi_counted(pair->end[0]);
	int rc = write_own(pair->end[0], remote, 0, releases);

	return rc ? rc : pair_counted(pair, 0, counted + 1, event);
}

/*
 * A write that fails is not counted and has its event; memory is let go all the same.
 * Where it may be complete before it arrives, a later one fails, or none can begin.
 */
static void failed_alone(void)
{
	unsigned char *to = peer_buffer(2 * BLOCK);
	struct decant_ofi_remote remote;
	struct decant_ofi_event event = {0};
	struct decant_region *region;
	size_t releases = 0, begun = 2;
	struct pair pair;
	int n;

	open_counting(&pair);
	REQUIRE(!decant_region_new(&region, to, 2 * BLOCK, NULL));
	CHECK_EQ(decant_ofi_grant(pair.end[1], region, &remote), 0);
	CHECK_EQ(write_and_wait(&pair, &remote, &releases, &event), 0);
	remote.key ^= 0x5555;
	while (!(n = write_and_wait(&pair, &remote, &releases, &event)) && PEER_IWARP)
		begun++;
	CHECK(n == 1 || (PEER_IWARP && n < 0));
	CHECK(n < 0 || (event.user && event.result < 0));
	CHECK(n < 0 || event.kind == DECANT_OFI_WRITE);
	CHECK_EQ(decant_ofi_counted(pair.end[0]), begun - 1);
	CHECK_EQ(releases, begun);
	CHECK(decant_ofi_error(pair.end[0])[0]);
	pair_close(&pair);
	decant_region_put(region);
	free(to);
}

/* Who has none says so before there is an end point. */
static void refused_alone(void)
{
	struct decant_ofi_options o = {.size = sizeof(o),
				       .provider = provider,
				       .node = PEER_NODE,
				       .counters = true};
	struct decant_ofi *ofi;
	int rc = decant_ofi_new(&ofi, &o);

	if (rc == -ENODATA)
		_exit(SKIPPED);
	CHECK_EQ(rc, -EOPNOTSUPP);
	CHECK(strstr(decant_ofi_error(ofi), "no counters in provider"));
	CHECK(strstr(decant_ofi_error(ofi), provider));
	decant_ofi_free(ofi);
}

PEER_COUNTING(PEER_ALONE, counted)
PEER_COUNTING(PEER_ALONE, mixed)
PEER_COUNTING(PEER_ALONE, failed)
PEER_UNCOUNTED(PEER_ALONE, refused)

int main(void)
{
	/* clang-format off */
	static const struct check_case cases[] = {
		PEER_COUNTING(PEER_CASE, counted)
		PEER_COUNTING(PEER_CASE, mixed)
		PEER_COUNTING(PEER_CASE, failed)
		PEER_UNCOUNTED(PEER_CASE, refused)
	};
	/* clang-format on */

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
