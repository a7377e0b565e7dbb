/* SPDX-License-Identifier: MIT */
/* stage.c - extraction through a stage: random runs, cuts and limits, and a device. */
#include "stage_case.h"

static struct stage_scene *scene;

static void random_cases(void)
{
	size_t cases = check_cases(20000), i;
	uint64_t seed = check_seed;

	for (i = 0; i < cases && !check_failed; i++) {
		seed = check_seed;
		stage_case(scene);
	}
	if (check_failed)
		printf("# case %zu: DECANT_TEST_SEED=%#llx\n", i - 1,
		       (unsigned long long)seed);
	printf("# %zu cases\n", i);
}

/* Two requests in one sink and one stage: each one's bytes go home to its own memory. */
static void two_destinations(void)
{
	unsigned char *a = scene->arena + 1, *b = scene->arena + STAGE_ARENA / 2 + 1;
	struct decant_span memory = {scene->scratch, STAGE_BYTES, NULL};
	struct decant_stage stage;
	struct decant_sink sink;
	struct decant_iter to_a, to_b;

	stage_fill(scene);
	REQUIRE(!decant_iter_buf(&to_a, DECANT_DEST, a, 1024));
	REQUIRE(!decant_iter_buf(&to_b, DECANT_DEST, b, 512));
	decant_stage_init(&stage, memory, scene->records, TABLE);
	decant_sink_bvec(&sink, scene->table[0], TABLE);
	sink.limits = (struct decant_limits){.addr_align = 512, .len_align = 512};
	sink.stage = &stage;
	CHECK_EQ(decant_extract(&to_a, &sink, 512), 512);
	CHECK_EQ(decant_extract(&to_b, &sink, 512), 512);
	CHECK_EQ(sink.nr, 1);
	memset(scene->scratch, 0x11, 512);
	memset(scene->scratch + 512, 0x22, 512);
	CHECK_EQ(decant_stage_scatter(&stage, 1024), 1024);
	memset(scene->shadow + 1, 0x11, 512);
	memset(scene->shadow + STAGE_ARENA / 2 + 1, 0x22, 512);
	CHECK(!memcmp(scene->arena, scene->shadow, STAGE_ARENA));
}

int main(void)
{
	static const struct check_case cases[] = {
		{"a device sees the right bytes and no others", random_cases},
		{"two destinations share a stage", two_destinations},
	};
	int failed;

	check_seed_init();
	scene = stage_scene_new();
	failed = check_run(cases, sizeof(cases) / sizeof(*cases));
	stage_scene_free(scene);
	return failed || check_failed;
}
