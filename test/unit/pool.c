/* SPDX-License-Identifier: MIT */
/* pool.c - buffers of one size; pool.c and stage.c of the library, call by call. */
#include <errno.h>
#include <unistd.h>
#include <decant/decant.h>
#include "check.h"

static struct decant_pool *pool_of(size_t bytes, size_t nr, bool small)
{
	struct decant_pool_options options = {sizeof(options), bytes, nr, small};
	struct decant_pool *pool;

	REQUIRE(!decant_pool_new(&pool, &options));
	return pool;
}

static void exhaustion(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct decant_pool *pool = pool_of(5000, 7, true);
	struct decant_span all = decant_region_span(decant_pool_region(pool));
	struct decant_span got[7];

	for (size_t i = 0; i < 7; i++) {
		got[i] = decant_pool_get(pool);
		CHECK_EQ(got[i].len, 2 * page);
		CHECK_EQ((uintptr_t)got[i].addr % page, 0);
		CHECK(got[i].region == decant_pool_region(pool));
		CHECK((char *)got[i].addr >= (char *)all.addr);
		CHECK((char *)got[i].addr + got[i].len <= (char *)all.addr + all.len);
		for (size_t j = 0; j < i; j++)
			CHECK(got[j].addr != got[i].addr);
		memset(got[i].addr, (int)i, got[i].len);
	}
	CHECK_EQ(decant_pool_get(pool).len, 0);
	CHECK(!decant_pool_get(pool).addr);
	decant_pool_put(pool, got[3].addr);
	CHECK(decant_pool_get(pool).addr == got[3].addr);
	CHECK_EQ(decant_pool_get(pool).len, 0);
	CHECK_EQ(decant_pool_backing(pool), DECANT_BACKING_PAGES);
	decant_pool_free(pool);
	decant_pool_free(NULL);
}

/* Whether huge pages can be had or not, the pool works and says what it is made of. */
static void huge_pages_or_not(void)
{
	struct decant_pool *pool = pool_of(1 << 20, 5, false);
	enum decant_backing backing = decant_pool_backing(pool);
	struct decant_span all = decant_region_span(decant_pool_region(pool));

	printf("# backing: %s\n", decant_backing_name(backing));
	CHECK(backing <= DECANT_BACKING_PAGES);
	CHECK_EQ((uintptr_t)all.addr % ((size_t)2 << 20), 0);
	CHECK_EQ(all.len, (size_t)6 << 20);
	CHECK(!strcmp(decant_backing_name(DECANT_BACKING_THP), "thp"));
	CHECK(!strcmp(decant_backing_name((enum decant_backing)77), "unknown"));
	decant_pool_free(pool);
}

static void memory_outlives_the_pool(void)
{
	struct decant_pool *pool = pool_of(4096, 2, true);
	struct decant_span span = decant_pool_get(pool);
	struct decant_hold hold = {0};

	CHECK_EQ(decant_hold_add(&hold, span.region), 0);
	decant_pool_free(pool);
	memset(span.addr, 1, span.len);
	decant_hold_release(&hold);
}

static void bad_options(void)
{
	struct decant_pool_options options = {sizeof(options), 0, 1, false};
	struct decant_pool *pool = NULL;

	CHECK_EQ(decant_pool_new(&pool, &options), -EINVAL);
	options = (struct decant_pool_options){sizeof(options), 1, 0, false};
	CHECK_EQ(decant_pool_new(&pool, &options), -EINVAL);
	options = (struct decant_pool_options){1, 1, 1, false};
	CHECK_EQ(decant_pool_new(&pool, &options), -EINVAL);
	options = (struct decant_pool_options){sizeof(options), SIZE_MAX, 1, false};
	CHECK_EQ(decant_pool_new(&pool, &options), -EOVERFLOW);
	options = (struct decant_pool_options){sizeof(options), SIZE_MAX / 8, 9, false};
	CHECK_EQ(decant_pool_new(&pool, &options), -EOVERFLOW);
	options = (struct decant_pool_options){sizeof(options), 1, SIZE_MAX, false};
	CHECK_EQ(decant_pool_new(&pool, &options), -EOVERFLOW);
	CHECK(!pool);
}

static unsigned char memory[8192] __attribute__((aligned(4096)));

static void stage_places(void)
{
	struct decant_span scratch = {memory + 1, 2000, NULL}, out;
	struct decant_staged records[2];
	struct decant_stage stage;
	struct decant_iter it, zero;

	REQUIRE(!decant_iter_buf(&it, DECANT_DEST, memory + 4096, 1000));
	REQUIRE(!decant_iter_zero(&zero, 100));
	decant_stage_init(&stage, scratch, records, 2);
	CHECK_EQ(decant_stage_take(&stage, &it, 1001, 1, 0, &out), -EINVAL);
	CHECK_EQ(decant_stage_pad(&stage, 2001, 1, &out), -ENOSPC);
	CHECK_EQ(decant_stage_pad(&stage, 100, 512, &out), 0);
	CHECK(out.addr == memory + 512 && out.len == 100);
	CHECK_EQ(decant_stage_take(&stage, &it, 50, 1, 0, &out), 0);
	CHECK(out.addr == memory + 612);
	CHECK_EQ(decant_stage_take(&stage, &it, 50, 1, 50, &out), 0);
	CHECK_EQ(stage.nr, 1);
	CHECK_EQ(decant_stage_take(&stage, &it, 50, 512, 100, &out), 0);
	CHECK_EQ(stage.nr, 2);
	CHECK(out.addr == memory + 1024);
	CHECK_EQ(decant_stage_take(&stage, &it, 50, 1, 700, &out), -ENOSPC);
	CHECK_EQ(decant_iter_consumed(&it), 150);
	CHECK_EQ(stage.used, 1024 + 50 - 1);
	CHECK_EQ(stage.bytes, 150);
	memset(memory + 612, 0x61, 100);
	memset(memory + 1024, 0x62, 50);
	CHECK_EQ(decant_stage_scatter(&stage, 120), 120);
	CHECK(memory[4096] == 0x61 && memory[4195] == 0x61 && memory[4196] == 0x62);
	CHECK(memory[4215] == 0x62 && memory[4216] == 0);
	decant_stage_reset(&stage);
	CHECK_EQ(stage.nr + stage.used + stage.bytes, 0);
	CHECK_EQ(decant_stage_take(&stage, &zero, 100, 1, 0, &out), 0);
	CHECK(out.addr == memory + 1 && stage.nr == 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"a pool runs out and recovers", exhaustion},
		{"huge pages, or what can be had", huge_pages_or_not},
		{"held memory outlives the pool", memory_outlives_the_pool},
		{"bad options", bad_options},
		{"where pieces lie in a stage", stage_places},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
