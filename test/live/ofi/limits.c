/* SPDX-License-Identifier: MIT */
/*
 * limits.c - nothing is posted that libfabric's providers don't check and can't take: the
 * adapter over the layer of strict.h, with limits and memory modes that no provider of
 * this machine has.
 */
#define STRICT_ITSELF
#include "pair.h"
#include "strict.h"

#define CASES	  4
#define TRANSFERS 12
#define PIECES	  1000
#define STRIDE	  256
#define LONGEST	  8000 /* piece */
#define ARENA	  ((size_t)PIECES * STRIDE)
#define MODES	  (FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_PROV_KEY | FI_MR_ENDPOINT)

/* Two end points, and memory: what is sent, where it is received, what is granted. */
struct bench {
	struct pair pair;
	struct decant_space *space;
	struct decant_region *region[3];
	unsigned char *at[3];
	struct decant_ofi_remote remote;
	struct decant_ofi_info info;
	bool counters;
	uint64_t counted; /* so far, at the first end point */
};

enum { FROM, TO, GRANTED };

static const char *provider;

static void region_begin(struct bench *b, int i)
{
	b->at[i] = peer_buffer(ARENA);
	REQUIRE(!decant_region_new(&b->region[i], b->at[i], ARENA, NULL));
	if (i == GRANTED) {
		CHECK_EQ(decant_ofi_grant(b->pair.end[1], b->region[i], &b->remote), 0);
		return;
	}
	REQUIRE(!decant_space_add(b->space, b->region[i]));
	for (int side = 0; b->info.mr_local && side < 2; side++)
		CHECK_EQ(decant_domain_map(decant_ofi_domain(b->pair.end[side]),
					   b->region[i]),
			 0);
}

static void bench_begin(struct bench *b, int timeout)
{
	struct decant_ofi_options o = {.provider = provider,
				       .peer_reads = true,
				       .tagged = !peer_is_msg(provider),
				       .timeout = timeout};

	memset(b, 0, sizeof(*b));
	REQUIRE(!decant_space_new(&b->space));
	o.space = b->space;
	o.counters = b->counters = check_below(2) && peer_counts(provider);
	pair_open(&b->pair, &o);
	decant_ofi_info(b->pair.end[0], &b->info);
	for (int i = 0; i < 3; i++)
		region_begin(b, i);
}

static void bench_end(struct bench *b)
{
	for (int i = 0; i < 2 && check_failed; i++)
		printf("# %s, end %d: %s\n", provider, i,
		       decant_ofi_error(b->pair.end[i]));
	pair_close(&b->pair);
	for (int i = 0; i < 3; i++) {
		if (i != GRANTED)
			CHECK_EQ(decant_space_remove(b->space, b->region[i]), 0);
		decant_region_put(b->region[i]);
		free(b->at[i]);
	}
	decant_space_free(b->space);
	CHECK_EQ(strict.memory, 0);
	if (strict.broken)
		check_fail(__FILE__, __LINE__, "broken: %s", strict.broken);
}

/* Pieces that don't touch; how many bytes they are. */
static size_t scatter(struct iovec *iov, size_t nr, unsigned char *arena)
{
	size_t stride = ARENA / nr, len = 0;
	size_t most = stride < LONGEST ? stride - 1 : LONGEST;

	for (size_t i = 0; i < nr; i++) {
		size_t room = check_below(4) ? STRIDE - 1 : most;

		iov[i] = (struct iovec){arena + i * stride, 1 + check_below(room)};
		len += iov[i].iov_len;
	}
	return len;
}

static void fill(const struct iovec *iov, size_t nr, uint64_t seed)
{
	for (size_t i = 0; i < nr; seed += iov[i++].iov_len)
		peer_fill(iov[i].iov_base, iov[i].iov_len, seed);
}

static bool holds(const struct iovec *iov, size_t len, uint64_t seed)
{
	for (; len; iov++) {
		size_t n = iov->iov_len < len ? iov->iov_len : len;

		if (!peer_holds(iov->iov_base, n, seed))
			return false;
		seed += n;
		len -= n;
	}
	return true;
}

/* Around the limit, anything below it, or far more. */
static size_t pieces(size_t limit)
{
	switch (check_below(4)) {
	case 0:
		return PIECES;
	case 1:
		return limit + 1;
	case 2:
		return limit;
	default:
		return 1 + check_below(limit);
	}
}

/* One less than a limit, the limit, one more; or as much as there is. */
static size_t length(const struct bench *b, size_t most)
{
	size_t limit = check_below(2) ? b->info.inject_bytes : b->info.max_msg_bytes;
	size_t len = check_below(2) ? most : limit - 1 + check_below(3);

	return len < most ? len : most;
}

/* Both ends of a transfer: pieces here and pieces there. */
struct cuts {
	struct iovec from[PIECES];
	struct iovec to[PIECES];
	struct decant_iter source;
	struct decant_iter dest;
	size_t len;
	uint64_t seed;
};

static void cuts_begin(struct bench *b, struct cuts *c)
{
	size_t nr = pieces(b->info.iov_limit), nr_to = pieces(b->info.iov_limit);
	size_t len = scatter(c->from, nr, b->at[FROM]);
	size_t room = scatter(c->to, nr_to, b->at[TO]);

	c->seed = check_random();
	c->len = length(b, len < room ? len : room);
	fill(c->from, nr, c->seed);
	memset(b->at[TO], 0xee, ARENA);
	REQUIRE(!decant_iter_iovec(&c->source, DECANT_SOURCE, c->from, nr));
	REQUIRE(!decant_iter_iovec(&c->dest, DECANT_DEST, c->to, nr_to));
}

/* The next that is done at a side is this, and all of it is. */
static void expect(struct bench *b, int side, enum decant_ofi_kind kind, size_t len)
{
	struct decant_ofi_event event = {0};

	if (b->counters && kind != DECANT_OFI_RECV) {
		CHECK_EQ(pair_counted(&b->pair, side, ++b->counted, &event), 0);
		return;
	}
	CHECK_EQ(pair_wait(&b->pair, side, &event), 1);
	CHECK_EQ(event.kind, kind);
	CHECK_EQ(event.result, len);
}

/* Over iWARP a message that finds no receive is the end of the connection. */
static void receive_posted(struct decant_ofi *ofi, size_t posts)
{
	while (PEER_IWARP && strict.posts == posts && decant_ofi_poll(ofi, NULL, 0) >= 0)
		;
}

static void message(struct bench *b, struct cuts *c)
{
	struct decant_ofi **end = b->pair.end;
	bool tagged = !peer_is_msg(provider) && check_below(2);
	size_t posts = strict.posts;
	int rc;

	rc = tagged ? decant_ofi_recv_tagged(end[1], &c->dest, c->len, 5, 0, NULL)
		    : decant_ofi_recv(end[1], &c->dest, c->len, NULL);
	CHECK_EQ(rc, c->len > b->info.max_msg_bytes ? -EMSGSIZE : 0);
	if (!rc)
		receive_posted(end[1], posts);
	rc = tagged ? decant_ofi_send_tagged(end[0], &c->source, c->len, 5, NULL)
		    : decant_ofi_send(end[0], &c->source, c->len, NULL);
	CHECK_EQ(rc, c->len > b->info.max_msg_bytes ? -EMSGSIZE : 0);
	if (!rc)
		expect(b, 0, DECANT_OFI_SEND, c->len);
	if (rc || check_failed)
		return;
	expect(b, 1, DECANT_OFI_RECV, c->len);
	CHECK(holds(c->to, c->len, c->seed));
}

static void remote_write(struct bench *b, struct cuts *c)
{
	size_t offset = check_below(ARENA - c->len + 1);

	CHECK_EQ(decant_ofi_write(b->pair.end[0], &c->source, c->len, &b->remote, offset,
				  NULL),
		 0);
	expect(b, 0, DECANT_OFI_WRITE, c->len);
	CHECK(peer_arrived(b->at[GRANTED] + offset, c->len, c->seed));
}

static void remote_read(struct bench *b, struct cuts *c)
{
	size_t offset = check_below(ARENA - c->len + 1);

	peer_fill(b->at[GRANTED] + offset, c->len, c->seed);
	CHECK_EQ(decant_ofi_read(b->pair.end[0], &c->dest, c->len, &b->remote, offset,
				 NULL),
		 0);
	expect(b, 0, DECANT_OFI_READ, c->len);
	CHECK(holds(c->to, c->len, c->seed));
}

static void transfers(struct bench *b, size_t nr)
{
	static struct cuts cuts;

	for (size_t i = 0; i < nr && !check_failed && !strict.broken; i++) {
		size_t kind = check_below(3);

		cuts_begin(b, &cuts);
		if (kind == 0)
			message(b, &cuts);
		else if (kind == 1)
			remote_write(b, &cuts);
		else
			remote_read(b, &cuts);
	}
}

/* Limits from one up to the provider's own, and a queue that is soon full. */
static void random_limits(void)
{
	strict.most.iov = check_below(5);
	strict.most.rma = check_below(3);
	strict.most.message =
		check_below(4) ? 1000 + (check_below(70000) >> check_below(10)) : 0;
	strict.most.inject = check_below(300);
	strict.most.queue = 1 + check_below(8);
	strict.again = check_below(2) ? 2 + (unsigned)check_below(4) : 0;
}

static void limits_alone(void)
{
	size_t full = 0, injected = 0, split = 0;
	struct bench b;

	peer_allow_leaks(provider);
	for (size_t i = 0; i < check_cases(CASES) && !check_failed; i++) {
		strict_reset(check_random());
		random_limits();
		bench_begin(&b, 0);
		transfers(&b, TRANSFERS);
		full += strict.full;
		injected += strict.injected;
		split += strict.posts > TRANSFERS;
		bench_end(&b);
	}
	CHECK(check_failed || (full && injected && split));
}

/* Memory that has no key is refused exactly where the provider asks for one. */
static void without_key(struct bench *b)
{
	unsigned char bare[4000];
	struct decant_iter it = peer_over(bare, sizeof(bare), DECANT_SOURCE);
	int rc = decant_ofi_write(b->pair.end[0], &it, sizeof(bare), &b->remote, 0, NULL);

	CHECK_EQ(rc, strict.mr_mode & FI_MR_LOCAL ? -ENOKEY : 0);
	if (!rc)
		expect(b, 0, DECANT_OFI_WRITE, sizeof(bare));
}

static void mode_alone(int mode)
{
	struct bench b;

	strict_reset(check_random());
	strict.mr_mode = mode;
	strict.mr_known = MODES;
	strict.most.key = check_below(9);
	bench_begin(&b, 0);
	CHECK_EQ(b.info.mr_local, (mode & FI_MR_LOCAL) != 0);
	CHECK_EQ(b.info.mr_virt_addr, (mode & FI_MR_VIRT_ADDR) != 0);
	CHECK_EQ(b.remote.addr, mode & FI_MR_VIRT_ADDR ? (uintptr_t)b.at[GRANTED] : 0);
	CHECK_EQ(b.remote.key >> 32 == 0xfeed, (mode & FI_MR_PROV_KEY) != 0);
	CHECK_EQ(strict.memory, mode & FI_MR_LOCAL ? 5 : 1);
	without_key(&b);
	transfers(&b, 10);
	CHECK(strict.posts);
	bench_end(&b);
}

/* Each memory mode, asked for and not; those with connections can't bind memory. */
static void modes_alone(void)
{
	static const int bits[] = {FI_MR_LOCAL, FI_MR_VIRT_ADDR, FI_MR_PROV_KEY,
				   FI_MR_ENDPOINT};
	unsigned sets = peer_is_msg(provider) ? 8 : 16;

	peer_allow_leaks(provider);
	for (unsigned set = 0; set < sets && !check_failed; set++) {
		int mode = 0;

		for (unsigned i = 0; i < 4; i++)
			mode |= set >> i & 1 ? bits[i] : 0;
		if ((mode & PEER_MODES) == PEER_MODES)
			mode_alone(mode);
	}
}

/* No room, ever: an end, and a reason. Memory that is bound goes before the end point. */
static void never_alone(void)
{
	struct decant_ofi_event event = {0};
	struct decant_region *late;
	struct decant_iter it;
	struct bench b;

	peer_allow_leaks(provider);
	strict_reset(1);
	strict.mr_mode = PEER_MODES | (peer_is_msg(provider) ? 0 : FI_MR_ENDPOINT);
	strict.mr_known = MODES;
	strict.again = 1;
	bench_begin(&b, 300);
	it = peer_over(b.at[FROM], ARENA, DECANT_SOURCE);
	CHECK_EQ(decant_ofi_write(b.pair.end[0], &it, ARENA, &b.remote, 0, &b), 0);
	CHECK_EQ(pair_wait(&b.pair, 0, &event), 1);
	CHECK_EQ(event.result, -ETIMEDOUT);
	CHECK_EQ(decant_ofi_poll(b.pair.end[0], &event, 1), -ETIMEDOUT);
	CHECK_EQ(strict.posts, 0);
	REQUIRE(!decant_region_new(&late, b.at[TO], ARENA, NULL));
	CHECK_EQ(decant_domain_map(decant_ofi_domain(b.pair.end[0]), late),
		 peer_is_msg(provider) ? 0 : -ENOTCONN);
	decant_region_put(late);
	bench_end(&b);
}

PEER_PROVIDERS(PEER_ALONE, limits)
PEER_PROVIDERS(PEER_ALONE, modes)
PEER_PROVIDERS(PEER_ALONE, never)

int main(void)
{
	/* clang-format off */
	static const struct check_case cases[] = {
		PEER_PROVIDERS(PEER_CASE, limits)
		PEER_PROVIDERS(PEER_CASE, modes)
		PEER_PROVIDERS(PEER_CASE, never)
	};
	/* clang-format on */

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
