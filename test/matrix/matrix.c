/* SPDX-License-Identifier: MIT */
/*
 * matrix.c - every kind of the registry into every sink of it, under random limits, held
 * against a flat model. A new kind or sink is covered as soon as it is registered.
 *
 * The model knows bytes by their addresses: the source is a list of random spans (empty
 * ones, adjacent ones, one-byte ones) in an arena; what a sink lists back must be the
 * same addresses in the same order, must obey the limits, and must not depend on the cut.
 */
#include <errno.h>
#include <decant/decant.h>
#include "check.h"
#include "obeys.h"
#include "../domain.h"

#define ARENA	  (1u << 16)
#define MAX_SPANS 48
#define MAX_ELS	  4096

static unsigned char *arena;
static struct decant_region *regions[4];
static struct decant_space *space;

/* Devices to whom the four regions lie elsewhere; none of them maps memory of nobody. */
enum { ONE_TO_ONE, PERMUTED, ODD, ONE_LESS, DOMAINS };
static struct test_domain domains[DOMAINS];

static void make_domains(void)
{
	static const uint64_t order[4] = {2, 0, 3, 1};

	for (size_t i = 0; i < DOMAINS; i++)
		test_domain_init(&domains[i]);
	for (size_t q = 0; q < 4; q++) {
		uint64_t addr = (uintptr_t)arena + q * (ARENA / 4);

		/* Neighbours for the device only; and with misfits within a page. */
		test_domain_map(&domains[ONE_TO_ONE], regions[q], addr);
		test_domain_map(&domains[PERMUTED], regions[q],
				0x70000000 + order[q] * (ARENA / 4));
		test_domain_map(&domains[ODD], regions[q], 0x12345004 + q * 0x1000100);
		if (q != 1)
			test_domain_map(&domains[ONE_LESS], regions[q],
					0xffff0000 + 4 * ARENA - q * (ARENA / 4));
	}
}

static struct decant_region *region_at(const unsigned char *addr)
{
	size_t quarter = (size_t)(addr - arena) / (ARENA / 4);

	return regions[quarter];
}

static size_t random_len(void)
{
	static const size_t usual[] = {0, 0, 1, 2, 3, 7, 64, 511, 512, 513, 1024, 4096};

	return check_below(3) ? usual[check_below(12)] : check_below(3000);
}

/* Blocks of one size at one distance, which a kind may want. They may touch. */
static size_t random_blocks(struct decant_span *spans)
{
	size_t nr = 1 + check_below(MAX_SPANS), block = 1 + check_below(600);
	size_t stride = block + check_below(3) * check_below(350);
	unsigned char *addr = arena + check_below(3) * check_below(512);

	for (size_t i = 0; i < nr; i++, addr += stride)
		spans[i] = (struct decant_span){addr, block, NULL};
	return nr;
}

/* Spans in the arena; a third continue the one before. Some overlap: nothing writes. */
static size_t random_spans(struct decant_span *spans, bool owners)
{
	size_t nr = check_below(MAX_SPANS + 1);
	unsigned char *end = arena;

	if (!check_below(6))
		return random_blocks(spans);
	for (size_t i = 0; i < nr; i++) {
		size_t len = random_len();
		unsigned char *addr = end;

		if (check_below(3))
			addr = arena +
			       check_below(ARENA / 64) * (check_below(2) ? 64 : 61);
		if (addr + len > arena + ARENA)
			len = 0;
		if (owners && len > ARENA / 4 - (size_t)(addr - arena) % (ARENA / 4))
			len = 0;
		spans[i] = (struct decant_span){addr, len, NULL};
		if (owners && len && check_below(4))
			spans[i].region = region_at(addr);
		end = addr + len;
	}
	return nr;
}

static size_t maybe_pow2(unsigned max)
{
	return check_below(2) ? 0 : (size_t)1 << check_below(max + 1);
}

static struct decant_limits random_limits(void)
{
	struct decant_limits limits = {0};

	if (!check_below(4))
		return limits;
	limits.addr_align = check_below(3) ? 0 : maybe_pow2(9);
	limits.len_align = check_below(3) ? 0 : maybe_pow2(9);
	limits.boundary = check_below(2) ? 0 : (size_t)512 << check_below(5);
	limits.gap = check_below(4) ? 0 : (size_t)1 << check_below(13);
	if (check_below(2))
		limits.max_element_bytes = 512 + check_below(5000);
	if (!check_below(3))
		limits.max_elements = 1 + check_below(20);
	if (!check_below(3))
		limits.max_bytes = 512 + check_below(20000);
	if (!check_below(5))
		limits.block = 1 + check_below(600);
	return limits;
}

/* The flat model: the address of every byte of a list of spans. */
static size_t flatten(const struct decant_span *spans, size_t nr, uint64_t *flat)
{
	size_t total = 0;

	for (size_t i = 0; i < nr; i++)
		for (size_t j = 0; j < spans[i].len; j++)
			flat[total++] = (uintptr_t)spans[i].addr + j;
	return total;
}

/* The same as a device sees it. Whose a byte is the kind says, or the space. */
static void translate(struct decant_iter it, const struct test_domain *domain,
		      bool look_up, uint64_t *flat)
{
	for (size_t at = 0; decant_iter_count(&it);) {
		struct decant_span span = decant_iter_peek(&it);

		for (size_t i = 0; i < span.len; i++, at++) {
			size_t q = (flat[at] - (uintptr_t)arena) / (ARENA / 4);
			struct decant_region *region = span.region;

			if (!region && look_up && q != 2)
				region = regions[q];
			if (region)
				flat[at] = test_domain_address(domain, region, flat[at]);
		}
		REQUIRE(!decant_iter_advance(&it, span.len));
	}
}

/* The bytes the elements cover are the model's first ones. */
static bool same_bytes(const struct decant_sink *sink, const uint64_t *flat, size_t done)
{
	size_t at = 0;

	for (size_t i = 0; i < sink->nr; i++) {
		struct decant_span el = decant_sink_span(sink, i);

		if (!el.len || at + el.len > done)
			return false;
		for (size_t j = 0; j < el.len; j++)
			if (flat[at++] != (uintptr_t)el.addr + j)
				return false;
	}
	return at == done;
}

/* Neighbours that could be one element are one. */
static bool merged(const struct decant_sink *sink)
{
	const struct decant_limits l = all_limits(sink);

	if (l.max_element_bytes || l.boundary)
		return true;
	for (size_t i = 0; i + 1 < sink->nr; i++) {
		struct decant_span a = decant_sink_span(sink, i);
		struct decant_span b = decant_sink_span(sink, i + 1);

		if ((unsigned char *)a.addr + a.len == b.addr && a.region == b.region &&
		    a.len + b.len < 1u << 31 &&
		    sink->ops->max_element_bytes == SIZE_MAX &&
		    ((!sink->space && a.region) || sink->ops->joins_owners))
			return false;
	}
	return true;
}

struct setting {
	struct decant_limits limits;
	bool look_up;
	struct test_domain *domain;
	enum decant_policy policy;
	size_t max;
	size_t want;
};

struct scene {
	struct decant_span spans[MAX_SPANS];
	struct decant_span cut[8 * MAX_SPANS];
	size_t nr, nr_cut;
	uint64_t flat[MAX_SPANS * 4096];
	size_t total;
	uint64_t room[64 + 8 * MAX_SPANS * 16];
	uint64_t room_cut[64 + 8 * MAX_SPANS * 16];
	uint64_t table[MAX_ELS * 8 + 64], table_cut[MAX_ELS * 8 + 64];
};

static struct scene scene;

static void set_up(struct decant_sink *sink, const struct decant_sink_ops *ops,
		   void *table, const struct setting *setting, struct decant_hold *hold)
{
	REQUIRE(ops->room + setting->max * ops->element_size <= sizeof(scene.table));
	ops->init(sink, table, setting->max);
	sink->limits = setting->limits;
	sink->space = setting->look_up ? space : NULL;
	sink->domain = setting->domain ? &setting->domain->domain : NULL;
	sink->policy = setting->policy;
	sink->hold = hold;
}

/* Extract in one call or in many small ones: the table must come out the same. */
static size_t extract_by(struct decant_iter *it, struct decant_sink *sink, size_t want,
			 size_t step)
{
	size_t done = 0;

	while (done < want) {
		size_t ask = want - done < step ? want - done : step;
		ssize_t got = decant_extract(it, sink, ask);

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

static bool same_tables(const struct decant_sink *a, const struct decant_sink *b)
{
	if (a->nr != b->nr || a->bytes != b->bytes)
		return false;
	for (size_t i = 0; i < a->nr; i++) {
		struct decant_span s = decant_sink_span(a, i), t = decant_sink_span(b, i);

		if (s.addr != t.addr || s.len != t.len || s.region != t.region)
			return false;
	}
	return true;
}

/* Cut spans anew: the same bytes, other pieces, other empty ones. */
static size_t recut(const struct decant_span *spans, size_t nr, struct decant_span *out,
		    size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		unsigned char *addr = spans[i].addr;
		size_t left = spans[i].len;

		while (left && n + 3 < max - (nr - i)) {
			size_t len = 1 + check_below(left);

			out[n++] = (struct decant_span){addr, len, spans[i].region};
			if (!check_below(4))
				out[n++] = (struct decant_span){addr, 0, NULL};
			addr += len;
			left -= len;
		}
		out[n++] = (struct decant_span){addr, left, spans[i].region};
	}
	return n;
}

static enum decant_direction random_direction(void)
{
	return check_below(2) ? DECANT_SOURCE : DECANT_DEST;
}

/* The bytes the elements point to are those of the model's first ones. */
static bool same_content(const struct decant_sink *sink, const uint64_t *flat,
			 size_t done)
{
	size_t at = 0;

	for (size_t i = 0; i < sink->nr; i++) {
		struct decant_span el = decant_sink_span(sink, i);

		for (size_t j = 0; j < el.len && at < done; j++, at++)
			if (*(unsigned char *)(uintptr_t)flat[at] !=
			    ((unsigned char *)el.addr)[j])
				return false;
	}
	return at == done;
}

/* What must hold after extracting from one iterator into one sink. */
static void verify(const struct decant_kind *kind, const struct decant_sink *sink,
		   const struct decant_iter *it, size_t done, size_t total)
{
	CHECK_EQ(sink->bytes, done);
	CHECK_EQ(decant_iter_count(it), total - done);
	CHECK_EQ(decant_iter_consumed(it), done);
	if (!sink->ops->element_size)
		return;
	CHECK(obeys(sink));
	if (kind->bytes == DECANT_BYTES_COPIED && it->direction == DECANT_SOURCE)
		CHECK(same_content(sink, scene.flat, done));
	if (kind->bytes != DECANT_BYTES_MEMORY)
		return;
	CHECK(same_bytes(sink, scene.flat, done));
	CHECK(merged(sink));
}

/* Bytes that can't be pointed at go through a stage, each cut's from its beginning on. */
static void set_stage(struct decant_sink *sink)
{
	static _Alignas(65536) unsigned char scratch[MAX_SPANS * 8192];
	static struct decant_staged records[8 * MAX_SPANS];
	static struct decant_stage stage;
	struct decant_span memory = {scratch, sizeof(scratch), NULL};

	decant_stage_init(&stage, memory, records, 8 * MAX_SPANS);
	sink->stage = &stage;
}

static void one(const struct decant_kind *kind, const struct decant_sink_ops *ops)
{
	struct test_domain *domain = &domains[check_below(DOMAINS)];
	struct setting setting = {.limits = random_limits(),
				  .look_up = check_below(2),
				  .domain = check_below(2) ? domain : NULL,
				  .policy = check_below(3) ? DECANT_TRUST : DECANT_REFUSE,
				  .max = check_below(4) ? MAX_ELS : check_below(8)};
	enum decant_direction direction = random_direction();
	struct decant_hold hold = {0}, hold_cut = {0};
	struct decant_iter it, cut;
	struct decant_sink sink, other;
	size_t done, done_cut;

	scene.nr = random_spans(scene.spans, check_below(2));
	if (kind->build(&it, direction, scene.spans, scene.nr, scene.room)) {
		scene.nr = scene.nr ? 1 : 0;
		if (kind->build(&it, direction, scene.spans, scene.nr, scene.room))
			return;
	}
	scene.nr_cut = recut(scene.spans, scene.nr, scene.cut, 8 * MAX_SPANS);
	REQUIRE(kind->room_base + scene.nr_cut * kind->room_each <= sizeof(scene.room));
	REQUIRE(!kind->build(&cut, direction, scene.cut, scene.nr_cut, scene.room_cut));
	scene.total = flatten(scene.spans, scene.nr, scene.flat);
	REQUIRE(decant_iter_count(&it) == scene.total &&
		decant_iter_count(&cut) == scene.total);
	if (ops->device && setting.domain && kind->bytes == DECANT_BYTES_MEMORY)
		translate(it, setting.domain, setting.look_up, scene.flat);
	setting.want = check_below(3) ? SIZE_MAX : check_below(scene.total + 2);
	set_up(&sink, ops, scene.table, &setting, &hold);
	set_up(&other, ops, scene.table_cut, &setting, &hold_cut);
	if (kind->bytes == DECANT_BYTES_COPIED)
		set_stage(&sink);
	done = extract_by(&it, &sink, setting.want, SIZE_MAX);
	if (kind->bytes == DECANT_BYTES_COPIED)
		set_stage(&other);
	verify(kind, &sink, &it, done, scene.total);
	done_cut = extract_by(&cut, &other, setting.want, SIZE_MAX);
	CHECK_EQ(done_cut, done);
	CHECK_EQ(other.stop, sink.stop);
	CHECK(same_tables(&sink, &other));
	CHECK_EQ(hold.nr, hold_cut.nr);
	decant_hold_release(&hold);
	decant_hold_release(&hold_cut);
}

static void all_pairs(void)
{
	size_t cases = check_cases(200000), ran = 0;
	unsigned sinks = 0;

	while (decant_sink_get(sinks))
		sinks++;
	while (ran < cases && !check_failed) {
		for (unsigned k = 0; decant_kind_get(k); k++)
			for (unsigned s = 0; s < sinks && !check_failed; s++, ran++)
				one(decant_kind_get(k), decant_sink_get(s));
	}
	printf("# %zu cases, %u kinds, %u sinks\n", ran, (unsigned)DECANT_KIND_COUNT,
	       sinks);
	for (size_t i = 0; i < 4; i++)
		CHECK_EQ(decant_region_refs(regions[i]), 1 + (i != 2));
}

static const struct decant_sink_ops *any_sink(void)
{
	unsigned sinks = 0;

	while (decant_sink_get(sinks))
		sinks++;
	return decant_sink_get((unsigned)check_below(sinks));
}

/* Many small calls fill the table as one does, where no alignment cuts each of them. */
static void in_steps(void)
{
	const struct decant_kind *kind = decant_kind_get(DECANT_KIND_IOVEC);

	for (size_t i = 0; i < check_cases(200000) / 20 && !check_failed; i++) {
		struct setting setting = {.limits = random_limits(), .max = MAX_ELS};
		const struct decant_sink_ops *ops = any_sink();
		struct decant_sink sink, other;
		struct decant_iter it, copy;

		setting.limits.len_align = 0;
		setting.limits.block = 0;
		scene.nr = random_spans(scene.spans, false);
		REQUIRE(!kind->build(&it, DECANT_DEST, scene.spans, scene.nr,
				     scene.room));
		copy = it;
		set_up(&sink, ops, scene.table, &setting, NULL);
		set_up(&other, ops, scene.table_cut, &setting, NULL);
		extract_by(&it, &sink, SIZE_MAX, SIZE_MAX);
		extract_by(&copy, &other, SIZE_MAX, 1 + check_below(700));
		CHECK(same_tables(&sink, &other));
		CHECK_EQ(decant_iter_count(&it), decant_iter_count(&copy));
	}
}

/* What a sink holds, to compare it with later. */
struct listing {
	size_t nr, bytes;
	struct decant_span els[64];
};

static struct listing list(const struct decant_sink *sink)
{
	struct listing l = {.nr = sink->nr, .bytes = sink->bytes};

	for (size_t i = 0; i < 64 && i < sink->nr; i++)
		l.els[i] = decant_sink_span(sink, i);
	return l;
}

/* extract_all: all of it, or nothing has changed. */
static void all_or_nothing(void)
{
	const struct decant_kind *kind = decant_kind_get(DECANT_KIND_BVEC);

	for (size_t i = 0; i < check_cases(200000) / 20 && !check_failed; i++) {
		struct setting setting = {.limits = random_limits(),
					  .look_up = true,
					  .domain = &domains[check_below(DOMAINS)],
					  .policy = check_below(2) ? DECANT_REFUSE
								   : DECANT_TRUST,
					  .max = 1 + check_below(30)};
		struct decant_hold hold = {0};
		const struct decant_sink_ops *ops = any_sink();
		struct listing before, after;
		struct decant_sink sink;
		struct decant_iter it, old;
		ssize_t got;

		scene.nr = random_spans(scene.spans, true);
		REQUIRE(!kind->build(&it, DECANT_DEST, scene.spans, scene.nr,
				     scene.room));
		set_up(&sink, ops, scene.table, &setting, &hold);
		extract_by(&it, &sink, check_below(2000), SIZE_MAX);
		before = list(&sink);
		old = it;
		scene.total = hold.nr;
		got = decant_extract_all(&it, &sink, 1 + check_below(9000));
		if (got < 0) {
			CHECK(!memcmp(&it, &old, sizeof(it)));
			after = list(&sink);
			CHECK(!memcmp(&before, &after, sizeof(before)));
			CHECK_EQ(hold.nr, scene.total);
		}
		decant_hold_release(&hold);
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		{"every kind into every sink, two cuts, one result", all_pairs},
		{"many small extractions fill a table as one does", in_steps},
		{"extract_all takes all or changes nothing", all_or_nothing},
	};

	check_seed_init();
	arena = aligned_alloc(65536, ARENA);
	REQUIRE(arena && !decant_space_new(&space));
	for (size_t i = 0; i < ARENA; i++)
		arena[i] = (unsigned char)(i * 13 + i / 256);
	for (size_t i = 0; i < 4; i++) {
		REQUIRE(!decant_region_new(&regions[i], arena + i * (ARENA / 4),
					   ARENA / 4, NULL));
		/* The third can't be found by address: memory that is nobody's. */
		if (i != 2)
			REQUIRE(!decant_space_add(space, regions[i]));
	}
	make_domains();
	int failed = check_run(cases, sizeof(cases) / sizeof(*cases));
	for (size_t i = 0; i < DOMAINS; i++)
		decant_domain_fini(&domains[i].domain);
	decant_space_free(space);
	for (size_t i = 0; i < 4; i++)
		decant_region_put(regions[i]);
	free(arena);
	return failed;
}
