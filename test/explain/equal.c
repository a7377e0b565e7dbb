/* SPDX-License-Identifier: MIT */
/*
 * equal.c - what `decant explain --json` says is what decant_extract() does: random
 * layouts, limits, regions and policies go through both, one as text and as JSON, the
 * other over real memory into the real sink; and what is given as a reason is so.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <decant/decant.h>
#include <decant/nvme.h>
#include <decant/registry.h>
#include <print.h>
#include "check.h"
#include "domain.h"

#define ARENA	  (1u << 18)
#define STAGE	  (1u << 17)
#define PIECES	  24
#define ELEMENTS  (1u << 17)
#define MOST_RULE (1u << 14)

static unsigned char *arena, *stage_memory;

struct a_case {
	char layout[4096];
	char limits[256];
	const struct decant_sink_ops *ops;
	struct explain_layout parsed;
	struct explain_job job;
};

static size_t random_power(size_t most)
{
	return (size_t)1 << check_below(1 + (size_t)__builtin_ctzll(most));
}

static void add_text(char *text, size_t room, const char *format, uint64_t a, uint64_t b)
{
	size_t len = strlen(text);

	snprintf(text + len, room - len, format, a, b);
}

static void random_rule(struct a_case *c, const char *name, size_t value)
{
	size_t len = strlen(c->limits);

	snprintf(c->limits + len, sizeof(c->limits) - len, "%s%s=%zu", len ? "," : "",
		 name, value);
}

static void random_limits(struct a_case *c)
{
	size_t align = 1;

	if (!check_below(3))
		random_rule(c, "addr_align", align = random_power(512));
	if (!check_below(3)) {
		size_t len = random_power(512);

		random_rule(c, "len_align", len);
		align = len > align ? len : align;
	}
	if (!check_below(3))
		random_rule(c, "boundary",
			    align * (check_below(30) ? 64 : 1) * random_power(64));
	if (!check_below(3))
		random_rule(c, "gap", random_power(4096));
	if (!check_below(3))
		random_rule(c, "max_element_bytes", align + check_below(6000));
	if (!check_below(3))
		random_rule(c, "max_elements", 1 + check_below(6));
	if (!check_below(4))
		random_rule(c, "max_bytes", MOST_RULE + check_below(20000));
	if (!check_below(6))
		random_rule(c, "block", random_power(512));
}

/* Regions are in halves of the arena that only share the piece between them. */
static void random_regions(struct a_case *c)
{
	uint64_t at = (uintptr_t)arena + 4096 * check_below(8);
	unsigned nr = (unsigned)check_below(4);

	for (unsigned i = 0; i < nr; i++) {
		uint64_t len = 4096 * (1 + check_below(12));

		add_text(c->layout, sizeof(c->layout), "r%" PRIu64 "=%" PRIu64, i, len);
		add_text(c->layout, sizeof(c->layout), "@%#" PRIx64 ">%#" PRIx64 ",", at,
			 check_below(2) ? at : 0x7000000000 + at + 512 * check_below(99));
		at += len + 4096 * check_below(3);
	}
}

static void random_pieces(struct a_case *c)
{
	uint64_t at = (uintptr_t)arena + check_below(9000);
	size_t nr = 1 + check_below(PIECES);

	for (size_t i = 0; i < nr; i++) {
		uint64_t len = check_below(3) ? check_below(5000) : check_below(9);

		if (!check_below(4))
			len &= ~511ull;
		if (!check_below(3))
			at = (uintptr_t)arena + check_below(ARENA - 8192);
		if (!check_below(4))
			at &= ~511ull;
		if (at + len > (uintptr_t)arena + ARENA)
			break;
		if (!check_below(8) && len && at + 3 * len < (uintptr_t)arena + ARENA)
			add_text(c->layout, sizeof(c->layout),
				 "3x%" PRIu64 "@%#" PRIx64 " ", len, at);
		else
			add_text(c->layout, sizeof(c->layout),
				 "%" PRIu64 "@%#" PRIx64 " ", len, at);
		at += len;
	}
	add_text(c->layout, sizeof(c->layout), "1@%#" PRIx64 "+%" PRIu64,
		 (uintptr_t)arena, 3);
}

static const struct decant_sink_ops *random_sink(void)
{
	unsigned nr = 0;

	while (decant_sink_get(nr))
		nr++;
	return decant_sink_get((unsigned)check_below(nr));
}

static void random_case(struct a_case *c)
{
	struct explain_error error = {0};

	*c = (struct a_case){.ops = random_sink()};
	random_limits(c);
	if (!check_below(3))
		random_regions(c);
	random_pieces(c);
	c->job = (struct explain_job){.layout = &c->parsed,
				      .sink = c->ops->name,
				      .page_size = 4096,
				      .stage_bytes = check_below(4) ? STAGE : 0,
				      .stage_gaps = !check_below(3),
				      .policy = DECANT_TRUST};
	REQUIRE(explain_layout_parse(&c->parsed, c->layout, strlen(c->layout), &error));
	REQUIRE(explain_limits_parse(&c->job.limits, NULL, c->limits, strlen(c->limits),
				     &error));
	if (c->parsed.nr_regions)
		c->job.policy = (enum decant_policy)check_below(4);
}

/* As the command prints it. The caller frees it. */
static char *explained(const struct a_case *c)
{
	static struct out out;
	struct picture picture = {.layout = &c->parsed};
	struct printer p = {.job = &c->job, .out = &out, .picture = &picture};
	const struct explain_out to = {&p, json_element, json_request};
	struct explain_totals totals;
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);
	int err;

	REQUIRE(file);
	out_begin(&out, file);
	json_begin(&p);
	err = explain_run(&c->job, &to, &totals);
	REQUIRE(!err);
	json_end(&p, &totals);
	out_flush(&out);
	fclose(file);
	return text;
}

/* Reads the JSON from front to back. */
struct scan {
	const char *at;
};

/*
 * The first of these words before that character. By hand: sanitizers look at all of a
 * text that is searched.
 */
static const char *find(const char *text, const char *word, char until)
{
	for (; *text && *text != until; text++) {
		size_t n = 0;

		while (word[n] && text[n] == word[n])
			n++;
		if (!word[n])
			return text;
	}
	return NULL;
}

static bool scan_past(struct scan *s, const char *word, char until)
{
	const char *found = find(s->at, word, until);

	if (found)
		s->at = found + strlen(word);
	return found;
}

static bool scan_to(struct scan *s, const char *name)
{
	return scan_past(s, name, 0);
}

/* In this line only: an element is one. */
static bool scan_line_to(struct scan *s, const char *name)
{
	return scan_past(s, name, '\n');
}

static uint64_t scan_number(struct scan *s, const char *name)
{
	REQUIRE(scan_to(s, name));
	return strtoull(s->at + (*s->at == '"'), NULL, 0);
}

/* The real thing. */
struct real {
	struct test_domain device;
	struct decant_space *space;
	struct decant_region *regions[8], *staging;
	struct decant_stage stage;
	struct decant_hold hold;
	struct decant_sink sink;
	struct decant_iter it;
	size_t nr_regions;
};

/* Too large to be had anew for each case. */
static struct decant_staged records[STAGE];
static uint64_t table[ELEMENTS * 8];

static void map_regions(struct real *r, const struct a_case *c)
{
	for (size_t i = 0; i < c->parsed.nr_regions; i++) {
		const struct explain_region *from = &c->parsed.regions[i];

		REQUIRE(!decant_region_new(&r->regions[i], (void *)(uintptr_t)from->addr,
					   from->len, NULL));
		REQUIRE(!decant_space_add(r->space, r->regions[i]));
		test_domain_map(&r->device, r->regions[i], from->device);
	}
	r->nr_regions = c->parsed.nr_regions;
	if (!r->nr_regions)
		return;
	r->sink.space = r->space;
	r->sink.domain = &r->device.domain;
	r->sink.hold = &r->hold;
	REQUIRE(!decant_region_new(&r->staging, stage_memory, STAGE, NULL));
	test_domain_map(&r->device, r->staging, (uintptr_t)stage_memory);
	r->stage.memory.region = r->staging;
	r->device.as_here = true; /* what is registered on the way */
}

static void begin_real(struct real *r, const struct a_case *c)
{
	struct decant_span memory = {stage_memory, STAGE, NULL};

	test_domain_init(&r->device);
	REQUIRE(!decant_space_new(&r->space));
	REQUIRE(c->ops->room + ELEMENTS * c->ops->element_size <= sizeof(table));
	c->ops->init(&r->sink, table, ELEMENTS);
	if (!strcmp(c->ops->name, "prp"))
		((struct decant_prp *)(void *)table)->page_size = 4096;
	decant_stage_init(&r->stage, memory, records, STAGE);
	map_regions(r, c);
	r->sink.limits = c->job.limits;
	r->sink.policy = c->job.policy;
	r->sink.stage_gaps = c->job.stage_gaps;
	r->sink.stage = c->job.stage_bytes ? &r->stage : NULL;
	REQUIRE(!decant_iter_iovec(&r->it, DECANT_SOURCE, c->parsed.pieces,
				   c->parsed.nr));
}

static void end_real(struct real *r)
{
	decant_hold_release(&r->hold);
	decant_space_free(r->space);
	for (size_t i = 0; i < r->nr_regions; i++)
		decant_region_put(r->regions[i]);
	decant_region_put(r->staging);
	decant_domain_fini(&r->device.domain);
	free(r);
}

static bool says(const struct scan *s, const char *list, const char *why)
{
	struct scan line = *s;

	return scan_line_to(&line, list) && find(line.at, why, ']');
}

/* A reason that was given is one. */
static void check_reason(const struct a_case *c, const struct scan *s,
			 const struct decant_span *before, const struct decant_span *el)
{
	const struct decant_limits *l = &c->job.limits;
	uint64_t addr = (uintptr_t)el->addr, end = (uintptr_t)before->addr + before->len;

	if (says(s, "\"begins\"", "\"boundary\""))
		CHECK(addr == end && l->boundary && !(addr & (l->boundary - 1)));
	if (says(s, "\"begins\"", "\"max_element_bytes\""))
		CHECK(addr == end && before->len <= l->max_element_bytes);
	if (says(s, "\"begins\"", "\"apart\""))
		CHECK(addr != end);
	if (says(s, "\"begins\"", "\"owner\"") || says(s, "\"begins\"", "\"gap\""))
		CHECK(addr == end);
	CHECK(!says(s, "\"begins\"", "\"rules\""));
}

static void same_element(struct scan *s, struct real *r, const struct a_case *c, size_t i)
{
	struct decant_span el = decant_sink_span(&r->sink, i), before = {0};
	uint64_t bytes, addr;
	bool staged;

	bytes = scan_number(s, "\"bytes\":");
	staged = scan_line_to(s, "\"staged_at\":\"");
	if (!staged)
		REQUIRE(scan_line_to(s, "\"address\":\""));
	addr = strtoull(s->at, NULL, 16);
	if (staged)
		addr += (uintptr_t)stage_memory;
	/* The count sink keeps no elements. */
	if (!c->ops->element_size)
		return;
	CHECK_EQ(bytes, el.len);
	CHECK_EQ(addr, (uintptr_t)el.addr);
	if (i)
		before = decant_sink_span(&r->sink, i - 1);
	if (i && !staged)
		check_reason(c, s, &before, &el);
}

/* One case; how many elements it was. */
static size_t same(const struct a_case *c)
{
	struct real *r = calloc(1, sizeof(*r));
	char *text = explained(c);
	struct scan s = {text};
	size_t elements = 0, requests = 0;

	REQUIRE(r);
	begin_real(r, c);
	while (decant_iter_count(&r->it)) {
		decant_sink_reset(&r->sink);
		decant_stage_reset(&r->stage);
		decant_hold_release(&r->hold);
		if (decant_extract(&r->it, &r->sink, SIZE_MAX) <= 0)
			break;
		if (!CHECK(scan_to(&s, "{\"elements\":[")))
			break;
		for (size_t i = 0; i < r->sink.nr; i++)
			same_element(&s, r, c, i);
		CHECK_EQ(scan_number(&s, "],\"bytes\":"), r->sink.bytes);
		elements += r->sink.nr;
		requests++;
	}
	if (check_failed)
		goto out;
	CHECK(!scan_to(&s, "{\"elements\":["));
	CHECK_EQ(scan_number(&s, "\"elements\":"), elements);
	CHECK_EQ(scan_number(&s, "\"requests\":"), requests);
	CHECK_EQ(scan_number(&s, "\"done\":"), decant_iter_consumed(&r->it));
	CHECK_EQ(scan_to(&s, "\"stop\":"), decant_iter_count(&r->it) > 0);
out:
	end_real(r);
	free(text);
	return elements;
}

static void *map_fixed(uint64_t at, size_t len)
{
	void *got = mmap((void *)(uintptr_t)at, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	REQUIRE(got == (void *)(uintptr_t)at);
	return got;
}

static void random_layouts(void)
{
	size_t cases = check_cases(10000), elements = 0;

	for (size_t i = 0; i < cases && !check_failed; i++) {
		struct a_case c;
		uint64_t seed = check_seed;

		random_case(&c);
		elements += same(&c);
		if (check_failed)
			printf("# seed %#" PRIx64 ", sink %s, stage %zu, policy %d, gaps "
			       "%d\n# %s\n# %s\n",
			       seed, c.ops->name, c.job.stage_bytes, c.job.policy,
			       c.job.stage_gaps, c.limits, c.layout);
		explain_layout_free(&c.parsed);
	}
	printf("# %zu cases, %zu elements\n", cases, elements);
	CHECK(elements > cases);
}

int main(void)
{
	static const struct check_case cases[] = {{"random layouts", random_layouts}};

	check_seed_init();
	arena = map_fixed(0x200000000000, ARENA);
	stage_memory = map_fixed(0x210000000000, STAGE);
	return check_run(cases, 1);
}
