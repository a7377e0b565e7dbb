/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_STAGE_CASE_H
#define DECANT_TEST_STAGE_CASE_H
/*
 * stage_case.h - one case of extraction through a stage, with a device in memory.
 *
 * The source is a list of runs of bytes in an arena, cut in two ways. A device reads or
 * writes what the sink lists, byte for byte; nothing else may have been touched, and both
 * cuts must give the device the same elements. Without rules about places (boundary, gap)
 * a second, slow model says exactly which bytes may go through the stage.
 */
#include <decant/decant.h>
#include "../model/feed.h"
#include "obeys.h"

#define SLOT	    2048
#define SLOTS	    32
#define STAGE_ARENA ((size_t)SLOT * SLOTS)
#define STAGE_BYTES ((size_t)3 * STAGE_ARENA)
#define MAX_RUNS    12
#define MAX_CUTS    400
#define TABLE	    8192

struct stage_scene {
	unsigned char *arena; /* STAGE_ARENA bytes, four regions, three in the space */
	unsigned char *shadow;
	unsigned char *scratch;
	struct decant_space *space;
	struct decant_region *regions[4];
	struct decant_region *scratch_region;
	struct decant_span runs[MAX_RUNS];
	struct decant_span cut[MAX_CUTS];
	size_t nr_runs, nr_cut;
	unsigned char *flat[STAGE_ARENA];
	size_t total;
	uint64_t room[MAX_CUTS * 4];
	struct decant_bvec table[2][TABLE];
	struct decant_staged records[TABLE];
};

struct stage_setting {
	struct decant_limits limits;
	enum decant_direction direction;
	enum decant_policy policy;
	bool look_up, stage_gaps;
	size_t stage_base, stage_len;
	struct decant_region *stage_region;
	size_t records;
	size_t max;
	size_t want;
	size_t arrived; /* per mille of what was taken */
};

struct stage_result {
	size_t done, nr, held, staged;
	enum decant_stop stop;
};

static struct stage_scene *stage_scene_new(void)
{
	struct stage_scene *s = calloc(1, sizeof(*s));

	REQUIRE(s && !decant_space_new(&s->space));
	s->arena = aligned_alloc(65536, STAGE_ARENA);
	s->shadow = malloc(STAGE_ARENA);
	s->scratch = aligned_alloc(4096, STAGE_BYTES);
	REQUIRE(s->arena && s->shadow && s->scratch);
	for (size_t i = 0; i < 4; i++) {
		REQUIRE(!decant_region_new(&s->regions[i],
					   s->arena + i * (STAGE_ARENA / 4),
					   STAGE_ARENA / 4, NULL));
		if (i != 2)
			REQUIRE(!decant_space_add(s->space, s->regions[i]));
	}
	REQUIRE(!decant_region_new(&s->scratch_region, s->scratch, STAGE_BYTES, NULL));
	return s;
}

static void stage_scene_free(struct stage_scene *s)
{
	decant_space_free(s->space);
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(decant_region_refs(s->regions[i]), 1);
		decant_region_put(s->regions[i]);
	}
	CHECK_EQ(decant_region_refs(s->scratch_region), 1);
	decant_region_put(s->scratch_region);
	free(s->arena);
	free(s->shadow);
	free(s->scratch);
	free(s);
}

/* Runs in slots of their own, so that they never overlap; some touch the next slot's. */
static void stage_make_runs(struct stage_scene *s)
{
	size_t slot = feed_below(4), nr = 1 + feed_below(MAX_RUNS);

	s->nr_runs = 0;
	while (s->nr_runs < nr && slot < SLOTS) {
		size_t start = feed_below(4) * 512, len;

		if (feed_one_in(2))
			start = feed_below(SLOT);
		len = SLOT - start;
		if (!feed_one_in(3))
			len = feed_one_in(2) ? feed_below(len) + 1 : len & ~(size_t)511;
		s->runs[s->nr_runs++] =
			(struct decant_span){s->arena + slot * SLOT + start, len, NULL};
		slot += 1 + feed_below(4) / 2;
	}
	/* Not in the order of their addresses. */
	for (size_t i = 0; i + 1 < s->nr_runs; i += 2)
		if (feed_one_in(3)) {
			struct decant_span run = s->runs[i];

			s->runs[i] = s->runs[i + 1];
			s->runs[i + 1] = run;
		}
}

static void stage_flatten(struct stage_scene *s)
{
	s->total = 0;
	for (size_t i = 0; i < s->nr_runs; i++)
		for (size_t j = 0; j < s->runs[i].len; j++)
			s->flat[s->total++] = (unsigned char *)s->runs[i].addr + j;
}

/* The same bytes in other pieces, empty ones between them. */
static void stage_cut(struct stage_scene *s, bool whole)
{
	s->nr_cut = 0;
	for (size_t i = 0; i < s->nr_runs; i++) {
		unsigned char *addr = s->runs[i].addr;
		size_t left = s->runs[i].len;

		while (left && !whole && s->nr_cut + 3 + s->nr_runs < MAX_CUTS) {
			size_t n =
				1 + feed_below(feed_one_in(2) ? (left < 700 ? left : 700)
							      : left);

			s->cut[s->nr_cut++] = (struct decant_span){addr, n, NULL};
			if (feed_one_in(4))
				s->cut[s->nr_cut++] = (struct decant_span){addr, 0, NULL};
			addr += n;
			left -= n;
		}
		s->cut[s->nr_cut++] = (struct decant_span){addr, left, NULL};
	}
}

static struct stage_setting stage_make_setting(const struct stage_scene *s)
{
	struct stage_setting set = {.limits.addr_align = feed_pow2(10),
				    .limits.len_align = feed_pow2(10),
				    .direction =
					    feed_below(2) ? DECANT_DEST : DECANT_SOURCE,
				    .policy = (enum decant_policy)feed_below(3),
				    .look_up = feed_one_in(2),
				    .stage_len = STAGE_BYTES - 4096,
				    .records = TABLE,
				    .max = TABLE,
				    .want = SIZE_MAX,
				    .arrived = 1000};

	if (feed_one_in(4))
		set.limits.boundary = (size_t)1024 << feed_below(4);
	if (feed_one_in(4))
		set.limits.max_element_bytes = 1024 + feed_below(5000);
	if (feed_one_in(8))
		set.limits.gap = (size_t)256 << feed_below(5);
	set.stage_gaps = feed_one_in(2);
	if (feed_one_in(8))
		set.limits = (struct decant_limits){.gap = (size_t)256 << feed_below(5)};
	if (feed_one_in(8))
		set.limits.max_elements = 1 + feed_below(12);
	if (feed_one_in(8))
		set.limits.max_bytes = 1024 + feed_below(20000);
	if (feed_one_in(4))
		set.stage_base = feed_below(4096);
	if (feed_one_in(6))
		set.stage_len = feed_below(6000);
	if (feed_one_in(3))
		set.stage_region = s->scratch_region;
	if (feed_one_in(6))
		set.records = feed_below(6);
	if (feed_one_in(6))
		set.max = feed_below(12);
	if (feed_one_in(3))
		set.want = feed_below(s->total + 2);
	if (feed_one_in(2))
		set.arrived = feed_below(1001);
	return set;
}

static unsigned char stage_pattern(size_t at)
{
	return (unsigned char)(at * 7 + at / 251 + 1);
}

static void stage_fill(struct stage_scene *s)
{
	for (size_t i = 0; i < STAGE_ARENA; i++)
		s->arena[i] = s->shadow[i] = (unsigned char)(i * 31 + i / 256);
	memset(s->scratch, 0xee, STAGE_BYTES);
}

/* The device reads everything: the bytes must be the source's, in order. */
static void stage_device_reads(const struct stage_scene *s,
			       const struct decant_sink *sink)
{
	size_t at = 0;

	for (size_t i = 0; i < sink->nr; i++) {
		struct decant_span el = decant_sink_span(sink, i);

		for (size_t j = 0; j < el.len; j++, at++)
			if (((unsigned char *)el.addr)[j] !=
			    s->shadow[s->flat[at] - s->arena]) {
				check_fail(__FILE__, __LINE__, "byte %zu is wrong", at);
				return;
			}
	}
	CHECK(!memcmp(s->arena, s->shadow, STAGE_ARENA));
}

/* The device writes so many bytes; these must arrive, and nothing else may change. */
static void stage_device_writes(struct stage_scene *s, const struct decant_sink *sink,
				struct decant_stage *stage, size_t arrived)
{
	size_t at = 0;

	for (size_t i = 0; i < sink->nr; i++) {
		struct decant_span el = decant_sink_span(sink, i);

		for (size_t j = 0; j < el.len && at < arrived; j++, at++)
			((unsigned char *)el.addr)[j] = stage_pattern(at);
	}
	CHECK(decant_stage_scatter(stage, arrived) <= stage->bytes);
	for (at = 0; at < arrived; at++)
		s->shadow[s->flat[at] - s->arena] = stage_pattern(at);
	CHECK(!memcmp(s->arena, s->shadow, STAGE_ARENA));
}

static bool stage_guards_intact(const struct stage_scene *s,
				const struct decant_stage *stage)
{
	const unsigned char *end =
		(unsigned char *)stage->memory.addr + stage->memory.len;

	for (const unsigned char *p = s->scratch; p < s->scratch + STAGE_BYTES; p++)
		if ((p < (unsigned char *)stage->memory.addr || p >= end) && *p != 0xee)
			return false;
	return true;
}

static size_t stage_run_left(const struct stage_scene *s, size_t at, size_t end)
{
	size_t n = 1;

	while (at + n < end && s->flat[at + n] == s->flat[at] + n)
		n++;
	return n;
}

/* Where everything is trusted and places don't matter: how much has to be staged. */
static size_t stage_must(const struct stage_scene *s, const struct decant_limits *l,
			 size_t want, size_t *done)
{
	size_t align = l->addr_align ? l->addr_align : 1, must = 0, at = 0;
	size_t block = l->len_align ? l->len_align : 1;

	while (at + block <= want) {
		size_t run = stage_run_left(s, at, want) / block * block;

		if ((uintptr_t)s->flat[at] % align || !run) {
			must += block;
			run = block;
		}
		at += run;
	}
	*done = at;
	return must;
}

/* The same for the gap rule alone: in whole multiples, until an address is one. */
static size_t stage_must_gap(const struct stage_scene *s, size_t gap, size_t want)
{
	size_t must = 0, at = 0;

	while (at < want) {
		size_t run = stage_run_left(s, at, want);
		uintptr_t addr = (uintptr_t)s->flat[at], end = addr + run;

		if (at + run < want)
			end = end / gap * gap;
		if ((at && addr % gap) || end <= addr) {
			run = want - at < gap ? want - at : gap;
			must += run;
			end = addr + run;
		}
		at += end - addr;
	}
	return must;
}

/* Nothing but alignments or the gap rule decides. */
static bool stage_simple(const struct stage_setting *set)
{
	return !set->limits.boundary && !set->limits.max_element_bytes &&
	       !set->limits.max_elements && !set->limits.max_bytes &&
	       set->records == TABLE && set->max == TABLE &&
	       set->stage_len == STAGE_BYTES - 4096 && !set->look_up &&
	       set->policy == DECANT_TRUST;
}

static void stage_check_amount(const struct stage_scene *s,
			       const struct stage_setting *set,
			       const struct stage_result *result)
{
	size_t done, must, want = set->want < s->total ? set->want : s->total;
	const struct decant_limits *l = &set->limits;

	if (!stage_simple(set))
		return;
	if (!l->gap) {
		must = stage_must(s, l, want, &done);
		CHECK_EQ(result->done, done);
		CHECK_EQ(result->staged, must);
	} else if (set->stage_gaps && l->addr_align < 2 && l->len_align < 2) {
		CHECK_EQ(result->done, want);
		CHECK_EQ(result->staged, stage_must_gap(s, l->gap, want));
	}
}

/* What is counted as staged is what the device sees of the stage, no more. */
static size_t stage_seen(const struct decant_sink *sink, const struct decant_span *memory)
{
	const struct decant_bvec *table = sink->table;
	size_t seen = 0;

	for (size_t i = 0; i < sink->nr; i++) {
		uintptr_t lo = (uintptr_t)table[i].addr, hi = lo + table[i].len;
		uintptr_t from = (uintptr_t)memory->addr, to = from + memory->len;

		lo = lo > from ? lo : from;
		hi = hi < to ? hi : to;
		seen += hi > lo ? hi - lo : 0;
	}
	return seen;
}

/* Extract one cut; what the device does with it; what came of it. */
static void stage_run(struct stage_scene *s, const struct stage_setting *set,
		      const struct decant_kind *kind, struct decant_bvec *table,
		      struct stage_result *result)
{
	struct decant_span memory = {s->scratch + set->stage_base, set->stage_len,
				     set->stage_region};
	struct decant_hold hold = {0};
	struct decant_stage stage;
	struct decant_sink sink;
	struct decant_iter it;
	ssize_t got;

	stage_fill(s);
	REQUIRE(!kind->build(&it, set->direction, s->cut, s->nr_cut, s->room));
	decant_stage_init(&stage, memory, s->records, set->records);
	decant_sink_bvec(&sink, table, set->max);
	sink.limits = set->limits;
	sink.policy = set->policy;
	sink.stage_gaps = set->stage_gaps;
	sink.space = set->look_up ? s->space : NULL;
	sink.stage = &stage;
	sink.hold = &hold;
	got = decant_extract(&it, &sink, set->want);
	*result = (struct stage_result){got > 0 ? (size_t)got : 0, sink.nr, hold.nr,
					stage.bytes, sink.stop};
	CHECK_EQ(sink.bytes, result->done);
	CHECK_EQ(decant_iter_consumed(&it), result->done);
	CHECK(obeys(&sink));
	CHECK(got || !set->want || sink.stop == DECANT_STOP_END);
	CHECK_EQ(result->staged, stage_seen(&sink, &memory));
	stage_check_amount(s, set, result);
	if (set->direction == DECANT_SOURCE)
		stage_device_reads(s, &sink);
	else
		stage_device_writes(s, &sink, &stage, result->done * set->arrived / 1000);
	CHECK(stage_guards_intact(s, &stage));
	decant_hold_release(&hold);
}

/* For whoever has to understand a failure. */
static void stage_show(const struct stage_setting *set,
		       const struct stage_result *results)
{
	const struct decant_limits *l = &set->limits;

	printf("# %s align %zu, %zu boundary %zu gap %zu most %zu, %zu, %zu; policy %u "
	       "of %u\n",
	       set->direction ? "dest" : "source", l->addr_align, l->len_align,
	       l->boundary, l->gap, l->max_elements, l->max_element_bytes, l->max_bytes,
	       set->policy, set->look_up);
	printf("# stage +%zu %zu %s, records %zu, max %zu, want %zu\n", set->stage_base,
	       set->stage_len, set->stage_region ? "owned" : "plain", set->records,
	       set->max, set->want);
	for (size_t i = 0; i < 2; i++)
		printf("# cut %zu: done %zu nr %zu held %zu staged %zu stop %s\n", i,
		       results[i].done, results[i].nr, results[i].held, results[i].staged,
		       decant_stop_name(results[i].stop));
}

static void stage_case(struct stage_scene *s)
{
	struct stage_setting set;
	struct stage_result results[2];
	const struct decant_kind *kind;

	stage_make_runs(s);
	stage_flatten(s);
	set = stage_make_setting(s);
	kind = decant_kind_get(feed_below(2) ? DECANT_KIND_IOVEC : DECANT_KIND_BVEC);
	stage_cut(s, true);
	stage_run(s, &set, kind, s->table[0], &results[0]);
	stage_cut(s, false);
	stage_run(s, &set, kind, s->table[1], &results[1]);
	CHECK_EQ(results[1].done, results[0].done);
	CHECK_EQ(results[1].nr, results[0].nr);
	CHECK_EQ(results[1].held, results[0].held);
	CHECK_EQ(results[1].staged, results[0].staged);
	CHECK_EQ(results[1].stop, results[0].stop);
	CHECK(!memcmp(s->table[0], s->table[1], results[0].nr * sizeof(s->table[0][0])));
	if (check_failed)
		stage_show(&set, results);
}
#endif
