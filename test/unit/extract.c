/* SPDX-License-Identifier: MIT */
/* extract.c - merging, table layouts, keys, stop reasons, all or nothing. */
#include <stddef.h>
#include "check.h"
#include "fake.h"

static unsigned char memory[65536] __attribute__((aligned(4096)));
static struct iovec out[64];

/* The layout that ibv_post_send(3) takes. */
struct ibv_like_sge {
	uint64_t addr;
	uint32_t length;
	uint32_t lkey;
};

static struct decant_iter buf_iter(size_t offset, size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory + offset, len));
	return it;
}

static void layouts(void)
{
	CHECK_EQ(sizeof(struct decant_sge), sizeof(struct ibv_like_sge));
	CHECK_EQ(offsetof(struct decant_sge, addr), offsetof(struct ibv_like_sge, addr));
	CHECK_EQ(offsetof(struct decant_sge, length),
		 offsetof(struct ibv_like_sge, length));
	CHECK_EQ(offsetof(struct decant_sge, lkey), offsetof(struct ibv_like_sge, lkey));
	CHECK_EQ(offsetof(struct decant_bvec, len), offsetof(struct iovec, iov_len));
}

/* Sixteen adjacent fragments of one region are one element and one reference. */
static void adjacent_fragments(void)
{
	struct decant_region *region, *next;
	struct decant_hold hold = {0};
	struct decant_bvec bv[16], got[16];
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_region_new(&region, memory, 1600, NULL));
	REQUIRE(!decant_region_new(&next, memory + 1600, 1600, NULL));
	for (size_t i = 0; i < 16; i++)
		bv[i] = (struct decant_bvec){memory + 100 * i, 100, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bv, 16));
	decant_sink_bvec(&sink, got, 16);
	sink.hold = &hold;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 1600);
	CHECK_EQ(sink.nr, 1);
	CHECK_EQ(sink.merged, 15);
	CHECK_EQ(sink.stop, DECANT_STOP_END);
	CHECK_EQ(hold.nr, 1);
	CHECK_EQ(decant_region_refs(region), 2);
	CHECK(got[0].addr == memory && got[0].len == 1600 && got[0].region == region);
	/* The neighbour belongs to somebody else: adjacent, but not the same element. */
	bv[0] = (struct decant_bvec){memory + 1600, 100, next};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bv, 1));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 100);
	CHECK_EQ(sink.nr, 2);
	decant_hold_release(&hold);
	CHECK_EQ(decant_region_refs(region), 1);
	decant_region_put(region);
	decant_region_put(next);
}

/* A second extraction goes on where the first ended, in the same element if it can. */
static void across_calls(void)
{
	struct decant_iter it = buf_iter(0, 1000);
	struct decant_sink sink;

	decant_sink_iovec(&sink, out, 64);
	for (size_t i = 0; i < 10; i++)
		CHECK_EQ(decant_extract(&it, &sink, 100), 100);
	CHECK_EQ(sink.nr, 1);
	CHECK_EQ(out[0].iov_len, 1000);
	CHECK_EQ(decant_extract(&it, &sink, 100), 0);
	CHECK_EQ(sink.stop, DECANT_STOP_END);
	decant_sink_reset(&sink);
	CHECK_EQ(sink.nr + sink.bytes + sink.merged, 0);
	it = buf_iter(1000, 10);
	CHECK_EQ(decant_extract(&it, &sink, 10), 10);
	CHECK(out[0].iov_base == memory + 1000 && out[0].iov_len == 10);
	CHECK_EQ(decant_sink_span(&sink, 0).len, 10);
	CHECK_EQ(decant_sink_span(&sink, 1).len, 0);
}

static void asking_for_more(void)
{
	struct decant_iter it = buf_iter(0, 100);
	struct decant_sink sink;

	decant_iter_truncate(&it, 60);
	decant_sink_iovec(&sink, out, 64);
	CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), 60);
	CHECK_EQ(out[0].iov_len, 60);
	CHECK_EQ(decant_extract_all(&it, &sink, 1), 0);
	CHECK_EQ(decant_extract(&it, &sink, 0), 0);
}

static void keys_of_a_domain(void)
{
	struct decant_region *a, *b;
	struct fake_domain fake;
	struct decant_space *space;
	struct decant_sge sge[4];
	struct iovec iov[3] = {
		{memory + 100, 50}, {memory + 5000, 50}, {memory + 150, 50}};
	struct decant_sink sink;
	struct decant_iter it;

	fake_init(&fake);
	REQUIRE(!decant_space_new(&space));
	REQUIRE(!decant_region_new(&a, memory, 4096, NULL));
	REQUIRE(!decant_region_new(&b, memory + 4096, 4096, NULL));
	REQUIRE(!decant_space_add(space, a) && !decant_space_add(space, b));
	CHECK_EQ(decant_domain_map(&fake.domain, a), 0);
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 3));
	decant_sink_sge(&sink, sge, 4);
	sink.space = space;
	sink.domain = &fake.domain;
	sink.lkey = 99;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 50);
	CHECK_EQ(sink.stop, DECANT_STOP_UNREGISTERED);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENOKEY);
	CHECK_EQ(decant_domain_map(&fake.domain, b), 0);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 100);
	CHECK_EQ(sink.nr, 3);
	CHECK_EQ(sge[0].addr, FAKE_IOVA + 100);
	CHECK_EQ(sge[0].lkey, 1);
	CHECK_EQ(sge[1].addr, 2 * FAKE_IOVA + 904);
	CHECK_EQ(sge[1].lkey, 2);
	CHECK_EQ(sge[2].addr, FAKE_IOVA + 150);
	/* Memory in no region: trusted, it gets the key of the whole request. */
	it = buf_iter(20000, 10);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 10);
	CHECK_EQ(sge[3].addr, (uintptr_t)memory + 20000);
	CHECK_EQ(sge[3].lkey, 99);
	decant_space_free(space);
	decant_domain_fini(&fake.domain);
	CHECK_EQ(fake.unmaps, 2);
	decant_region_put(a);
	decant_region_put(b);
}

static void one_key_for_the_request(void)
{
	struct decant_iter it = buf_iter(0, 100);
	struct decant_sge sge;
	struct decant_sink sink;

	decant_sink_sge(&sink, &sge, 1);
	sink.lkey = 0xabcd;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 100);
	CHECK_EQ(sge.addr, (uintptr_t)memory);
	CHECK_EQ(sge.length, 100);
	CHECK_EQ(sge.lkey, 0xabcd);
}

/* With progress first, then the error: each reason in turn. */
static void stop_reasons(void)
{
	struct iovec iov[3] = {{memory, 512}, {memory + 4096, 512}, {memory + 9001, 512}};
	struct decant_region *region = NULL;
	struct decant_space *space = NULL;
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 3));
	decant_sink_iovec(&sink, out, 1);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 512);
	CHECK_EQ(sink.stop, DECANT_STOP_FULL);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENOSPC);
	decant_sink_iovec(&sink, out, 64);
	sink.limits.max_elements = 1;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 512);
	CHECK_EQ(sink.stop, DECANT_STOP_LIMIT);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENOSPC);
	CHECK_EQ(decant_iter_seek(&it, 512), 0);
	decant_sink_iovec(&sink, out, 64);
	sink.limits.addr_align = 512;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 512);
	CHECK_EQ(sink.stop, DECANT_STOP_ALIGNMENT);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EINVAL);
	CHECK_EQ(decant_iter_seek(&it, 0), 0);
	REQUIRE(!decant_space_new(&space) &&
		!decant_region_new(&region, memory, 4096, NULL));
	REQUIRE(!decant_space_add(space, region));
	decant_sink_iovec(&sink, out, 64);
	sink.space = space;
	sink.policy = DECANT_REFUSE;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 512);
	CHECK_EQ(sink.stop, DECANT_STOP_UNREGISTERED);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENOKEY);
	CHECK_EQ(decant_iter_count(&it), 1024);
	CHECK(!strcmp(decant_stop_name(sink.stop), "unregistered"));
	CHECK(!strcmp(decant_stop_name((enum decant_stop)1000), "unknown"));
	decant_space_free(space);
	decant_region_put(region);
}

/* A region of which nothing was taken is not held. */
static void nothing_taken_nothing_held(void)
{
	struct decant_region *a, *b;
	struct decant_hold hold = {0};
	struct decant_bvec bv[2];
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_region_new(&a, memory, 100, NULL));
	REQUIRE(!decant_region_new(&b, memory + 200, 100, NULL));
	bv[0] = (struct decant_bvec){memory, 100, a};
	bv[1] = (struct decant_bvec){memory + 200, 100, b};
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bv, 2));
	decant_sink_iovec(&sink, out, 1);
	sink.hold = &hold;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 100);
	CHECK_EQ(hold.nr, 1);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -ENOSPC);
	CHECK_EQ(hold.nr, 1);
	decant_sink_iovec(&sink, out, 2);
	sink.hold = &hold;
	sink.limits.len_align = 512;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EINVAL);
	CHECK_EQ(hold.nr, 1);
	decant_hold_release(&hold);
	CHECK_EQ(decant_region_refs(b), 1);
	decant_region_put(a);
	decant_region_put(b);
}

/* All or nothing covers the table's last element, the hold and the stage. */
static void all_or_nothing(void)
{
	struct decant_region *region;
	struct decant_hold hold = {0};
	struct decant_staged records[4];
	struct decant_stage stage;
	struct decant_bvec bv[3] = {{memory + 100, 100, NULL},
				    {memory + 513, 512, NULL},
				    {memory + 2048, 512, NULL}};
	struct decant_span scratch = {memory + 8192, 1024, NULL};
	struct decant_sink sink, before;
	struct decant_iter it = buf_iter(0, 100), was;

	REQUIRE(!decant_region_new(&region, memory + 513, 512, NULL));
	bv[1].region = region;
	decant_stage_init(&stage, scratch, records, 4);
	decant_sink_iovec(&sink, out, 2);
	sink.hold = &hold;
	sink.stage = &stage;
	CHECK_EQ(decant_extract_all(&it, &sink, 100), 100);
	sink.limits.addr_align = 4;
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bv, 3));
	was = it;
	before = sink;
	CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), -ENOSPC);
	CHECK_EQ(sink.stop, DECANT_STOP_FULL);
	CHECK(!memcmp(&it, &was, sizeof(it)));
	before.stop = sink.stop;
	CHECK(!memcmp(&sink, &before, sizeof(sink)));
	CHECK_EQ(out[0].iov_len, 100);
	CHECK_EQ(hold.nr + stage.nr + stage.used + stage.bytes, 0);
	CHECK_EQ(decant_region_refs(region), 1);
	decant_hold_release(&hold);
	decant_region_put(region);
}

static void unknown_kind(void)
{
	struct decant_iter it = buf_iter(0, 100);
	struct decant_sink sink;

	it.kind = 200;
	decant_sink_iovec(&sink, out, 64);
	CHECK_EQ(decant_extract(&it, &sink, 10), -EFAULT);
	CHECK(!decant_kind_get(200) && !decant_sink_get(200));
}

int main(void)
{
	static const struct check_case cases[] = {
		{"tables have the layout that others want", layouts},
		{"adjacent fragments are one element and one reference",
		 adjacent_fragments},
		{"one sink over several calls", across_calls},
		{"asking for more than there is", asking_for_more},
		{"keys come from the domain", keys_of_a_domain},
		{"one key for the whole request", one_key_for_the_request},
		{"stop reasons, progress first", stop_reasons},
		{"what was not taken is not held", nothing_taken_nothing_held},
		{"everything or nothing", all_or_nothing},
		{"an unknown kind", unknown_kind},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
