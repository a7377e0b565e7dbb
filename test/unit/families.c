/* SPDX-License-Identifier: MIT */
/*
 * families.c - what has gone wrong in other programs of this sort, a case for each
 * family, over all kinds and sinks of the registries where that makes sense.
 *
 * Others have their cases where the thing is: wrapped addresses and sums (iter.c), holes
 * at every place (kind_pages.c), faults and hostile lists (kind_remote.c), growing queues
 * (kind_queue.c, under TSan), merging and keys (extract.c, dma.c), NVMe (nvme.c), what
 * outlives whom (owned.c, region.c), requests (requests.c), any cut (matrix, stage).
 */
#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <decant/decant.h>
#include "check.h"

#define PIECE	512
#define PIECES	4
#define EMPTIES 2000
#define ROOM	(1u << 20)
#define TABLE	4096

static unsigned char memory[4 * PIECES * PIECE] __attribute__((aligned(4096)));
static uint64_t room[ROOM / 8], table[2][ROOM / 8];

/* Evenly apart, which every kind but a buffer can be; that is in one piece. */
static size_t pieces(struct decant_span *spans, size_t apart)
{
	for (size_t i = 0; i < PIECES; i++)
		spans[i] = (struct decant_span){memory + i * apart * PIECE, PIECE, NULL};
	return PIECES;
}

static bool build(const struct decant_kind *kind, struct decant_iter *it,
		  const struct decant_span *spans, size_t nr)
{
	REQUIRE(kind->room_base + nr * kind->room_each <= sizeof(room));
	return !kind->build(it, DECANT_SOURCE, spans, nr, room) ||
	       !kind->build(it, DECANT_DEST, spans, nr, room);
}

static struct decant_sink sink_of(const struct decant_sink_ops *ops, size_t which)
{
	struct decant_sink sink;

	REQUIRE(ops->room + 64 * ops->element_size <= sizeof(table[0]));
	ops->init(&sink, table[which], 64);
	return sink;
}

static bool same_elements(const struct decant_sink *a, const struct decant_sink *b)
{
	if (a->nr != b->nr || a->bytes != b->bytes || a->stop != b->stop)
		return false;
	for (size_t i = 0; a->ops->element_size && i < a->nr; i++) {
		struct decant_span x = decant_sink_span(a, i), y = decant_sink_span(b, i);

		if (x.addr != y.addr || x.len != y.len)
			return false;
	}
	return true;
}

/* A case for each kind that can have the pieces, in each sink. */
static size_t each_pair(void (*fn)(const struct decant_kind *kind,
				   const struct decant_sink_ops *ops, size_t apart))
{
	const struct decant_sink_ops *ops;
	struct decant_span spans[PIECES];
	size_t ran = 0;

	for (unsigned k = 0; k < DECANT_KIND_COUNT; k++) {
		const struct decant_kind *kind = decant_kind_get(k);
		struct decant_iter it;
		size_t apart = 2;

		pieces(spans, apart);
		if (!build(kind, &it, spans, PIECES))
			pieces(spans, --apart);
		if (!build(kind, &it, spans, PIECES))
			continue;
		for (unsigned s = 0; (ops = decant_sink_get(s)); s++, ran++)
			fn(kind, ops, apart);
	}
	return ran;
}

static void name_failure(const struct decant_kind *kind,
			 const struct decant_sink_ops *ops)
{
	if (check_failed)
		printf("# %s into %s\n", kind->name, ops->name);
}

/* How many empty elements stand before each piece and behind the last. */
static size_t with_empties(struct decant_span *out, size_t apart, const size_t *empties)
{
	struct decant_span spans[PIECES];
	size_t nr = 0;

	pieces(spans, apart);
	for (size_t i = 0; i <= PIECES; i++) {
		for (size_t j = 0; j < empties[i]; j++)
			out[nr++] = (struct decant_span){j % 2 ? memory : NULL, 0, NULL};
		if (i < PIECES)
			out[nr++] = spans[i];
	}
	return nr;
}

static void empties_are_nothing(const struct decant_kind *kind,
				const struct decant_sink_ops *ops, size_t apart)
{
	static const size_t where[][PIECES + 1] = {
		{1},
		{0, 1},
		{0, 0, 0, 0, 1},
		{1, 1, 1, 1, 1},
		{EMPTIES},
		{0, 0, EMPTIES, 0, EMPTIES},
		{EMPTIES, EMPTIES, EMPTIES, EMPTIES, EMPTIES},
	};
	static struct decant_span spans[PIECES + 5 * EMPTIES];
	struct decant_sink with = sink_of(ops, 0), without = sink_of(ops, 1);
	struct decant_iter it;
	ssize_t plain, got;

	REQUIRE(build(kind, &it, spans, pieces(spans, apart)));
	plain = decant_extract(&it, &without, SIZE_MAX);
	for (size_t i = 0; i < sizeof(where) / sizeof(*where); i++) {
		if (!build(kind, &it, spans, with_empties(spans, apart, where[i])))
			continue;
		with = sink_of(ops, 0);
		CHECK_EQ(decant_iter_count(&it), PIECES * PIECE);
		got = decant_extract(&it, &with, SIZE_MAX);
		CHECK_EQ(got, plain);
		CHECK(kind->bytes != DECANT_BYTES_MEMORY ||
		      same_elements(&with, &without));
		CHECK_EQ(decant_iter_consumed(&it), got < 0 ? 0 : got);
	}
	name_failure(kind, ops);
}

static void empty_elements(void)
{
	printf("# %zu pairs\n", each_pair(empties_are_nothing));
}

static void no_more_than_there_is(const struct decant_kind *kind,
				  const struct decant_sink_ops *ops, size_t apart)
{
	static const size_t over[] = {1, 4096, SSIZE_MAX, SIZE_MAX - PIECES * PIECE};
	struct decant_sink exact = sink_of(ops, 0), more;
	struct decant_span spans[PIECES];
	struct decant_iter it, again;
	ssize_t got;

	REQUIRE(build(kind, &it, spans, pieces(spans, apart)));
	again = it;
	got = decant_extract(&it, &exact, PIECES * PIECE);
	for (size_t i = 0; i < sizeof(over) / sizeof(*over); i++) {
		more = sink_of(ops, 1);
		it = again;
		CHECK_EQ(decant_extract(&it, &more, PIECES * PIECE + over[i]), got);
		CHECK(same_elements(&exact, &more));
		CHECK_EQ(decant_iter_count(&it), PIECES * PIECE - (got < 0 ? 0 : got));
	}
	name_failure(kind, ops);
}

static void over_asking(void)
{
	printf("# %zu pairs\n", each_pair(no_more_than_there_is));
}

/* A cache of owned pages with a hole at the third. */
static struct decant_region *owner;

static int find_with_hole(void *user, uint64_t index, struct decant_span *page)
{
	(void)user;
	if (index == 2)
		return -ENXIO;
	*page = (struct decant_span){memory + 2 * index * PIECE, PIECE,
				     decant_region_get(owner)};
	return 0;
}

/* Progress, where it ended, its owners; then the reason; nothing from behind the hole. */
static void up_to_the_hole(const struct decant_sink_ops *ops)
{
	static const struct decant_pages pages = {PIECE, find_with_hole, NULL};
	struct decant_sink sink = sink_of(ops, 0), before;
	struct decant_hold hold = {0};
	struct decant_iter it;
	ssize_t got;

	REQUIRE(!decant_iter_pages(&it, DECANT_SOURCE, &pages, 0, 4 * PIECE));
	sink.hold = &hold;
	got = decant_extract(&it, &sink, SIZE_MAX);
	CHECK(got > 0 && got <= 2 * PIECE);
	CHECK_EQ(decant_iter_consumed(&it), got);
	CHECK_EQ(sink.bytes, got);
	CHECK_EQ(sink.stop == DECANT_STOP_HOLE, got == 2 * PIECE);
	CHECK_EQ(hold.nr, 1);
	for (size_t i = 0; ops->element_size && i < sink.nr; i++)
		CHECK((unsigned char *)decant_sink_span(&sink, i).addr <
		      memory + 4 * PIECE);
	before = sink;
	got = got == 2 * PIECE ? decant_extract(&it, &sink, SIZE_MAX) : -ENXIO;
	CHECK_EQ(got, -ENXIO);
	CHECK_EQ(sink.nr, before.nr);
	CHECK_EQ(sink.bytes, before.bytes);
	CHECK_EQ(hold.nr, 1);
	decant_hold_release(&hold);
	CHECK_EQ(decant_region_refs(owner), 1);
	if (check_failed)
		printf("# %s\n", ops->name);
}

static void partial_faults(void)
{
	const struct decant_sink_ops *ops;

	REQUIRE(!decant_region_new(&owner, memory, sizeof(memory), NULL));
	for (unsigned s = 0; (ops = decant_sink_get(s)); s++)
		up_to_the_hole(ops);
	decant_region_put(owner);
}

/* A kind that counts what is asked of it. */
#define SPANS 1000

static size_t looks, steps, moved;

static struct decant_span counted_peek(void *state, const struct decant_place *place)
{
	looks++;
	(void)state;
	return (struct decant_span){memory + place->pos / 4 % 1024 * 8 + place->pos % 4,
				    4 - place->pos % 4, NULL};
}

static void counted_advance(void *state, struct decant_place *place, size_t n)
{
	(void)state;
	(void)place;
	steps++;
	moved += n;
}

static const struct decant_iter_ops counted = {
	.size = sizeof(counted), .peek = counted_peek, .advance = counted_advance};

/* No second walk to find out how far to move, to count, or to size a table. */
static void one_walk(void)
{
	static struct decant_bvec out[SPANS];
	struct decant_limits limits = {.max_element_bytes = 3};
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_iter_custom(&it, DECANT_SOURCE, &counted, NULL, 4 * SPANS));
	decant_sink_bvec(&sink, out, SPANS);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 4 * SPANS);
	CHECK_EQ(sink.nr, SPANS);
	CHECK_EQ(looks, SPANS);
	CHECK_EQ(steps, SPANS);
	CHECK_EQ(moved, 4 * SPANS);
	CHECK(!decant_iter_seek(&it, 0));
	looks = 0;
	CHECK_EQ(decant_iter_elements(&it, &limits), 2 * SPANS);
	CHECK_EQ(looks, SPANS);
	/* All or nothing is decided in the same walk. */
	looks = steps = 0;
	decant_sink_bvec(&sink, out, SPANS);
	CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), 4 * SPANS);
	CHECK_EQ(looks, SPANS);
}

/* As many elements as the device has, again and again, around the numbers that count. */
static void chopped(void)
{
	static const size_t most[] = {3, 4, 5, 1023, 1024, 1025, 65535, 65536, 65537};
	static struct iovec iov[65537 + 1];
	static struct decant_sge sge[65537 + 1];
	static size_t ends[30000];
	size_t nr = sizeof(iov) / sizeof(*iov);
	struct decant_sink sink;
	struct decant_iter it;

	for (size_t i = 0; i < nr; i++)
		iov[i] = (struct iovec){memory + i % 4000 * 2, 1};
	for (size_t i = 0; i < sizeof(most) / sizeof(*most); i++) {
		size_t requests = (nr + most[i] - 1) / most[i];

		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
		decant_sink_sge(&sink, sge, nr);
		sink.limits.max_elements = most[i];
		CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 30000),
			 requests);
		CHECK_EQ(ends[0], most[i]);
		CHECK_EQ(ends[requests - 1], nr);
		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
		decant_sink_sge(&sink, sge, most[i]);
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), most[i]);
		CHECK_EQ(sink.stop, DECANT_STOP_FULL);
	}
}

/* Lengths around what int, a system call and 32 bits hold: split, never cut off. */
static void wide_lengths(void)
{
	static const size_t widths[] = {(size_t)1 << 31, 0x7ffff000, (size_t)1 << 32,
					(size_t)3 << 32};
	size_t most = ((size_t)3 << 32) + 4096;
	unsigned char *sparse = mmap(NULL, most, PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const struct decant_sink_ops *ops;
	struct decant_iter it;

	REQUIRE(sparse != MAP_FAILED);
	for (size_t i = 0; i < 12; i++) {
		size_t len = widths[i / 3] + i % 3 - 1;

		for (unsigned s = 0; (ops = decant_sink_get(s)); s++) {
			struct decant_sink sink = sink_of(ops, 0);
			unsigned char *next = sparse;
			ssize_t got;

			REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, sparse, len));
			got = decant_extract(&it, &sink, SIZE_MAX);
			CHECK(got == (ssize_t)len || sink.stop == DECANT_STOP_FULL);
			CHECK_EQ(decant_iter_count(&it), len - (size_t)got);
			for (size_t e = 0; ops->element_size && e < sink.nr; e++) {
				CHECK(decant_sink_span(&sink, e).addr == next);
				next += decant_sink_span(&sink, e).len;
			}
			CHECK(!ops->element_size || next == sparse + got);
		}
	}
	munmap(sparse, most);
}

static size_t released;

static void on_release(void *user, void *addr, size_t len)
{
	(void)user;
	(void)addr;
	(void)len;
	released++;
}

/* Owners in turn, some memory of nobody: one call gives back whatever was taken. */
static void mixed_owners(void)
{
	struct decant_region_options options = {sizeof(options), on_release, NULL};
	struct decant_region *regions[3];
	struct decant_bvec list[300], out[300];
	struct decant_hold hold = {0};
	struct decant_sink sink;
	struct decant_iter it;

	released = 0;
	for (size_t i = 0; i < 3; i++)
		REQUIRE(!decant_region_new(&regions[i], memory + i * 1024, 1024,
					   &options));
	for (size_t i = 0; i < 300; i++)
		list[i] = (struct decant_bvec){memory + i % 4 * 1024 + i, 1,
					       i % 4 < 3 ? regions[i % 4] : NULL};
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, list, 300));
	decant_sink_bvec(&sink, out, 300);
	sink.hold = &hold;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 300);
	CHECK_EQ(hold.nr, 3);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(decant_region_refs(regions[i]), 2);
		decant_region_put(regions[i]);
	}
	for (size_t i = 0; i < 300; i++)
		CHECK(out[i].region == list[i].region);
	CHECK_EQ(released, 0);
	decant_hold_release(&hold);
	CHECK_EQ(released, 3);
}

/* One page in a thousand pieces is one reference; neighbours are one element. */
static void one_reference(void)
{
	static struct decant_bvec list[1024], out[1024];
	struct decant_hold hold = {0};
	struct decant_region *region;
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_region_new(&region, memory, 4096, NULL));
	for (size_t i = 0; i < 1024; i++)
		list[i] = (struct decant_bvec){memory + 4 * i, 4, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, list, 1024));
	decant_sink_bvec(&sink, out, 1024);
	sink.hold = &hold;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 4096);
	CHECK_EQ(sink.nr, 1);
	CHECK_EQ(sink.merged, 1023);
	CHECK_EQ(decant_region_refs(region), 2);
	decant_hold_release(&hold);
	decant_region_put(region);
}

/* How much of a block device's pieces go through the stage. */
static size_t staged(struct iovec *iov, size_t nr, size_t *elements)
{
	static unsigned char scratch[1 << 17] __attribute__((aligned(4096)));
	struct decant_span span = {scratch, sizeof(scratch), NULL};
	struct decant_stage stage;
	struct iovec out[64];
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
	decant_stage_init(&stage, span, NULL, 0);
	decant_sink_iovec(&sink, out, 64);
	sink.stage = &stage;
	sink.limits = (struct decant_limits){.addr_align = 512, .len_align = 512};
	CHECK(decant_extract(&it, &sink, SIZE_MAX) > 0);
	CHECK_EQ(decant_iter_count(&it), 0);
	*elements = sink.nr;
	return stage.used;
}

/* 968 and 3,128 bytes: neither a reason to refuse nor one to copy everything. */
static void ragged_direct_io(void)
{
	static unsigned char large[1 << 16] __attribute__((aligned(4096)));
	struct iovec neighbours[] = {{memory, 968}, {memory + 968, 3128}};
	struct iovec apart[] = {{memory, 968}, {memory + 4096 + 456, 3128}};
	struct iovec tail[] = {{large, sizeof(large) - 100}, {memory, 100}};
	size_t elements;

	CHECK_EQ(staged(neighbours, 2, &elements), 0);
	CHECK_EQ(elements, 1);
	/* A block straddles; the second piece is aligned again behind it. */
	CHECK_EQ(staged(apart, 2, &elements), 512);
	CHECK_EQ(elements, 3);
	CHECK_EQ(staged(tail, 2, &elements), 512);
	CHECK_EQ(elements, 2);
}

/* A child has references of its own; what it gives back is not given back here. */
static void fork_with_holds(void)
{
	struct decant_region_options options = {sizeof(options), on_release, NULL};
	struct decant_bvec list = {memory, 4096, NULL};
	struct decant_region *region, *shared;
	struct decant_hold hold = {0};
	struct decant_owned *owned;
	struct decant_iter it;
	int status = -1;
	pid_t pid;

	released = 0;
	REQUIRE(!decant_region_new(&region, memory, 4096, &options));
	REQUIRE(!decant_region_memfd(&shared, "decant-fork", 4096, NULL));
	list.region = region;
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &list, 1));
	owned = decant_iter_own(&it, SIZE_MAX, NULL);
	REQUIRE(owned && !decant_hold_add(&hold, region) &&
		!decant_hold_add(&hold, shared));
	decant_region_put(region);
	memory[0] = 1;
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		bool good = decant_region_refs(region) == 2;

		memory[0] = 2;
		*(unsigned char *)decant_region_span(shared).addr = 2;
		decant_hold_release(&hold);
		decant_owned_put(owned);
		good &= released == 1 && decant_region_refs(shared) == 1;
		decant_region_put(shared);
		_exit(good ? 0 : 1);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(released, 0);
	CHECK_EQ(decant_region_refs(region), 2);
	CHECK_EQ(decant_region_refs(shared), 2);
	it = decant_owned_iter(owned);
	CHECK_EQ(*(unsigned char *)decant_iter_peek(&it).addr, 1);
	CHECK_EQ(*(unsigned char *)decant_region_span(shared).addr, 2);
	decant_hold_release(&hold);
	decant_owned_put(owned);
	CHECK_EQ(released, 1);
	decant_region_put(shared);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"empty elements first, last, alone, in thousands: every kind and sink",
		 empty_elements},
		{"asking for more than there is: every kind and sink", over_asking},
		{"partial faults: every sink, nothing from behind the hole",
		 partial_faults},
		{"one walk: nothing is looked at or passed twice", one_walk},
		{"element counts around 4, 1,024 and 65,536", chopped},
		{"lengths around 2 and 4 GiB: every sink", wide_lengths},
		{"mixed owners are given back by one call", mixed_owners},
		{"1,024 pieces of a page: one reference, one element", one_reference},
		{"ragged direct I/O: only what must be is staged", ragged_direct_io},
		{"fork with holds", fork_with_holds},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
