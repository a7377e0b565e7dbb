/* SPDX-License-Identifier: MIT */
/* nvme.c - PRPs and SGLs as a controller reads them, and their exact layouts. */
#include <errno.h>
#include "../domain.h"
#include "nvme_walker.h"

#define PAGE   ((size_t)4096)
#define PAGES  1200
#define PARTS  8
#define LISTS  4
#define MAX_IT 512

static unsigned char *memory; /* PAGES pages, PARTS regions */
static struct decant_region *regions[PARTS];
static struct test_domain domain;
static struct device device;
static uint64_t *lists; /* LISTS pages */
static struct decant_table tables[LISTS];
static struct decant_bvec bvec[MAX_IT];
static struct walk wanted, got;
static struct decant_prp prp;
static struct decant_nvme_sgl sgl;

#define LIST_IOVA 0x500000000ull

static void set_up(void)
{
	size_t part = PAGES / PARTS * PAGE;

	memory = aligned_alloc(PAGE, PAGES * PAGE);
	lists = aligned_alloc(PAGE, LISTS * PAGE);
	REQUIRE(memory && lists);
	test_domain_init(&domain);
	for (size_t i = 0; i < PARTS; i++) {
		/* In reverse order: the device has other neighbours. */
		uint64_t iova = 0x100000000ull + (PARTS - i) * part;

		REQUIRE(!decant_region_new(&regions[i], memory + i * part, part, NULL));
		test_domain_map(&domain, regions[i], iova);
		device_add(&device, iova, memory + i * part, part);
	}
	device_add(&device, LIST_IOVA, lists, LISTS * PAGE);
}

static void tear_down(void)
{
	for (size_t i = 0; i < PARTS; i++)
		decant_region_put(regions[i]);
	decant_domain_fini(&domain.domain);
	free(memory);
	free(lists);
}

static struct decant_region *region_of(const unsigned char *addr)
{
	return regions[(size_t)(addr - memory) / (PAGES / PARTS * PAGE)];
}

static uint64_t iova_of(const unsigned char *addr)
{
	return test_domain_address(&domain, region_of(addr), (uintptr_t)addr);
}

static void add(size_t *nr, size_t offset, size_t len)
{
	REQUIRE(*nr < MAX_IT);
	bvec[(*nr)++] =
		(struct decant_bvec){memory + offset, len, region_of(memory + offset)};
}

/* The same across the borders of regions. */
static void add_run(size_t *nr, size_t offset, size_t len)
{
	size_t part = PAGES / PARTS * PAGE;

	while (len) {
		size_t n = part - offset % part;

		n = n < len ? n : len;
		add(nr, offset, n);
		offset += n;
		len -= n;
	}
}

static struct decant_iter iter_of(size_t nr)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bvec, nr));
	walk_begin(&wanted);
	for (size_t i = 0; i < nr; i++)
		if (bvec[i].len)
			walk_add(&wanted, iova_of(bvec[i].addr), bvec[i].len);
	return it;
}

/* Tables of so many bytes, the first one shortened in front. Nothing sensible in them. */
static void lay_tables(size_t nr, size_t bytes, size_t skip)
{
	memset(lists, 0xff, LISTS * PAGE);
	decant_tables_cut(tables, nr, lists, LIST_IOVA, bytes);
	if (nr) {
		tables[0].addr = (unsigned char *)tables[0].addr + skip;
		tables[0].iova += skip;
	}
}

static struct decant_sink prp_sink(size_t nr, size_t skip)
{
	struct decant_sink sink;

	lay_tables(nr, PAGE, skip);
	REQUIRE(!decant_sink_prp(&sink, &prp, PAGE, tables, nr));
	sink.domain = &domain.domain;
	return sink;
}

static struct decant_sink sgl_sink(size_t nr, size_t each)
{
	struct decant_sink sink;

	lay_tables(nr, each * 16, 0);
	REQUIRE(!decant_sink_nvme_sgl(&sink, &sgl, tables, nr, each));
	sink.domain = &domain.domain;
	return sink;
}

/* What the controller found is the beginning of what was asked for. */
static void check_walk(bool ok, size_t len)
{
	size_t at = 0;

	if (!ok) {
		check_fail(__FILE__, __LINE__, "the controller says: %s", got.error);
		return;
	}
	CHECK_EQ(got.bytes, len);
	for (size_t i = 0; i < got.nr; i++) {
		bool last = i + 1 == got.nr;

		CHECK_EQ(got.run[i].addr, wanted.run[i].addr);
		CHECK(got.run[i].length == wanted.run[i].length ||
		      (last && got.run[i].length < wanted.run[i].length));
		at += got.run[i].length;
	}
	CHECK_EQ(at, len);
}

static void check_prp(const struct decant_sink *sink, uint64_t pointers[2])
{
	uint64_t first[2];

	decant_prp_pointers(sink, first);
	decant_prp_pointers(sink, pointers);
	CHECK(first[0] == pointers[0] && first[1] == pointers[1]);
	if (sink->bytes)
		check_walk(walk_prp(&device, &got, pointers, sink->bytes, PAGE),
			   sink->bytes);
}

static struct decant_nvme_sgl_descriptor check_sgl(const struct decant_sink *sink)
{
	struct decant_nvme_sgl_descriptor first;
	uint32_t dword0 = decant_nvme_sgl_command(sink, &first);

	check_walk(walk_sgl(&device, &got, dword0, first, sink->bytes), sink->bytes);
	return first;
}

/* Extract so many bytes from an offset; what PRP1 and PRP2 are. */
static struct decant_sink prp_of(size_t offset, size_t len, size_t nr, size_t skip,
				 uint64_t pointers[2])
{
	struct decant_sink sink = prp_sink(nr, skip);
	struct decant_iter it;
	size_t spans = 0;

	add_run(&spans, offset, len);
	it = iter_of(spans);
	CHECK_EQ(decant_extract_all(&it, &sink, len), len);
	check_prp(&sink, pointers);
	return sink;
}

static void prp_direct(void)
{
	uint64_t base = iova_of(memory), p[2];

	prp_of(0, PAGE, 0, 0, p);
	CHECK(p[0] == base && p[1] == 0);
	prp_of(0, 512, 0, 0, p);
	CHECK(p[0] == base && p[1] == 0);
	prp_of(3584, 512, 0, 0, p);
	CHECK(p[0] == base + 3584 && p[1] == 0);
	prp_of(0, 2 * PAGE, 0, 0, p);
	CHECK(p[0] == base && p[1] == base + PAGE);
	prp_of(PAGE - 4, 8, 0, 0, p);
	CHECK(p[0] == base + PAGE - 4 && p[1] == base + PAGE);
	prp_of(100, 2 * PAGE - 100, 1, 0, p);
	CHECK(p[0] == base + 100 && p[1] == base + PAGE);
	/* A block of 512 bytes is part of a page, not a page of its own. */
	CHECK_EQ(prp_of(512, 1024, 1, 0, p).nr, 1);
}

static void prp_lists(void)
{
	uint64_t base = iova_of(memory), p[2];

	CHECK_EQ(prp_of(0, 3 * PAGE, 1, 0, p).nr, 3);
	CHECK(p[0] == base && p[1] == LIST_IOVA);
	CHECK(lists[0] == base + PAGE && lists[1] == base + 2 * PAGE &&
	      lists[2] == ~0ull);
	/* A third page that is just touched. */
	CHECK_EQ(prp_of(PAGE - 4, PAGE + 8, 1, 0, p).nr, 3);
	CHECK(p[1] == LIST_IOVA);
	CHECK_EQ(prp_of(0, 1000000, 1, 0, p).nr, 245);
	CHECK_EQ(device.fetched, 1);
}

/* The places around the last slot of a list, which is an entry or a link. */
static void prp_chains(void)
{
	static const size_t skips[] = {0, 8, 2048, PAGE - 16, PAGE - 8};
	uint64_t p[2];

	for (size_t i = 0; i < 5; i++) {
		size_t slots = (PAGE - skips[i]) / 8;

		for (size_t nr = slots + 1; nr <= slots + 3; nr++) {
			if (nr < 3)
				continue;
			CHECK_EQ(prp_of(0, nr * PAGE, 2, skips[i], p).nr, nr);
			CHECK_EQ(p[1], LIST_IOVA + skips[i]);
			CHECK_EQ(device.fetched, nr - 1 > slots ? 2 : 1);
			CHECK_EQ(lists[511] == LIST_IOVA + PAGE, nr - 1 > slots);
		}
	}
}

static void prp_refused(void)
{
	struct decant_sink sink = prp_sink(1, 0);
	struct decant_iter it;
	uint64_t p[2];
	size_t nr = 0;

	add(&nr, 2, 512);
	it = iter_of(nr);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EINVAL);
	CHECK_EQ(sink.stop, DECANT_STOP_ALIGNMENT);
	/* A hole in the middle of a page. */
	nr = 0;
	add(&nr, 0, 512);
	add(&nr, PAGE, 512);
	it = iter_of(nr);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 512);
	CHECK_EQ(sink.stop, DECANT_STOP_LIMIT);
	check_prp(&sink, p);
	decant_sink_reset(&sink);
	decant_prp_pointers(&sink, p);
	CHECK(!p[0] && !p[1]);
	/* More entries than there is room for: whole blocks, then no room. */
	sink = prp_sink(0, 0);
	sink.limits.block = 520;
	nr = 0;
	add(&nr, 4, 4 * PAGE);
	it = iter_of(nr);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), (2 * PAGE - 4) / 520 * 520);
	CHECK_EQ(sink.stop, DECANT_STOP_FULL);
	check_prp(&sink, p);
}

/* The same, with a stage for what breaks the rule: whole pages, then on directly. */
static void prp_staged(void)
{
	unsigned char *scratch = memory + 1000 * PAGE;
	struct decant_stage stage;
	struct decant_sink sink = prp_sink(1, 0);
	struct decant_iter it;
	uint64_t p[2];
	size_t nr = 0;

	memset(memory, 1, 4 * PAGE);
	add(&nr, 0, PAGE);
	add(&nr, 2 * PAGE, 512);
	add(&nr, 3 * PAGE + 4, PAGE - 512);
	add(&nr, 8 * PAGE, 2 * PAGE + 8);
	it = iter_of(nr);
	decant_stage_init(&stage,
			  (struct decant_span){scratch, 4 * PAGE, region_of(scratch)},
			  NULL, 0);
	sink.stage = &stage;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), PAGE + 512);
	CHECK_EQ(sink.stop, DECANT_STOP_LIMIT);
	decant_iter_revert(&it, PAGE + 512);
	decant_sink_reset(&sink);
	sink.stage_gaps = true;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 4 * PAGE + 8);
	CHECK_EQ(sink.stop, DECANT_STOP_END);
	CHECK_EQ(sink.nr, 5);
	CHECK_EQ(stage.bytes, PAGE);
	CHECK(scratch[0] == 1 && scratch[PAGE - 1] == 1);
	decant_prp_pointers(&sink, p);
	CHECK(walk_prp(&device, &got, p, sink.bytes, PAGE));
	CHECK_EQ(got.bytes, sink.bytes);
	CHECK_EQ(p[0], iova_of(memory));
	CHECK_EQ(le64toh(lists[0]), iova_of(scratch));
	CHECK_EQ(le64toh(lists[1]), iova_of(memory + 8 * PAGE));
}

static void prp_wrong_tables(void)
{
	struct decant_table odd[2] = {{lists, LIST_IOVA + 4},
				      {lists + 512, LIST_IOVA + PAGE}};
	struct decant_sink sink;

	CHECK_EQ(decant_sink_prp(&sink, &prp, 2048, NULL, 0), -EINVAL);
	CHECK_EQ(decant_sink_prp(&sink, &prp, 5000, NULL, 0), -EINVAL);
	CHECK_EQ(decant_sink_prp(&sink, &prp, PAGE, odd, 2), -EINVAL);
	odd[0].iova += 4;
	CHECK_EQ(decant_sink_prp(&sink, &prp, PAGE, odd, 2), 0);
	odd[1].iova += 8;
	CHECK_EQ(decant_sink_prp(&sink, &prp, PAGE, odd, 2), -EINVAL);
	odd[1] = (struct decant_table){NULL, LIST_IOVA + PAGE};
	CHECK_EQ(decant_sink_prp(&sink, &prp, PAGE, odd, 2), -EINVAL);
	CHECK_EQ(decant_sink_nvme_sgl(&sink, &sgl, odd, 1, 1), -EINVAL);
	odd[0].iova += 4;
	CHECK_EQ(decant_sink_nvme_sgl(&sink, &sgl, odd, 1, 2), -EINVAL);
}

/* The specification allows pages of up to 128 MiB; 64 KiB are one of them. */
static void prp_large_pages(void)
{
	struct decant_sink sink;
	struct decant_iter it;
	uint64_t p[2];
	size_t nr = 0;

	lay_tables(1, 65536, 0);
	tables[0].iova = LIST_IOVA;
	REQUIRE(!decant_sink_prp(&sink, &prp, 65536, tables, 1));
	sink.domain = &domain.domain;
	/* The region's device address is no multiple of 64 KiB; go to one. */
	add(&nr, -iova_of(memory) & 65535, 3 * 65536);
	it = iter_of(nr);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 3 * 65536);
	CHECK_EQ(sink.nr, 3);
	decant_prp_pointers(&sink, p);
	check_walk(walk_prp(&device, &got, p, sink.bytes, 65536), sink.bytes);
}

static struct decant_sink sgl_of(size_t pieces, size_t len, size_t nr, size_t each,
				 struct decant_nvme_sgl_descriptor *first)
{
	struct decant_sink sink = sgl_sink(nr, each);
	struct decant_iter it;
	size_t spans = 0;

	for (size_t i = 0; i < pieces; i++)
		add(&spans, i * 1000 + 3, len);
	it = iter_of(spans);
	CHECK_EQ(decant_extract_all(&it, &sink, SIZE_MAX), pieces * len);
	*first = check_sgl(&sink);
	return sink;
}

static void sgl_layouts(void)
{
	struct decant_nvme_sgl_descriptor d;

	CHECK_EQ(sizeof(d), 16);
	sgl_of(1, 500, 0, 0, &d);
	CHECK(d.type == 0 && d.address == iova_of(memory) + 3 && d.length == 500);
	CHECK_EQ(device.fetched, 0);
	sgl_of(1, 500, 1, 4, &d);
	CHECK(d.type == 0 && d.length == 500);
	sgl_of(4, 500, 2, 4, &d);
	CHECK(d.type == 0x30 && d.address == LIST_IOVA && d.length == 64);
	CHECK_EQ(device.fetched, 1);
	sgl_of(5, 500, 2, 4, &d);
	CHECK(d.type == 0x20 && d.address == LIST_IOVA && d.length == 64);
	CHECK_EQ(device.fetched, 2);
	CHECK(((unsigned char *)lists)[63] == 0x30 && ((uint32_t *)lists)[14] == 32);
	sgl_of(10, 500, 3, 4, &d);
	CHECK(((unsigned char *)lists)[63] == 0x20 &&
	      ((unsigned char *)lists)[127] == 0x30);
	/* 257 elements are chained, not refused. */
	sgl_of(257, 500, 2, 256, &d);
	CHECK(d.type == 0x20 && d.length == 4096);
	CHECK_EQ(device.fetched, 2);
}

static void sgl_empty(void)
{
	struct decant_nvme_sgl_descriptor d = {.type = 9};
	struct decant_sink sink = sgl_sink(1, 4);

	CHECK_EQ(decant_nvme_sgl_command(&sink, &d), 0x4000);
	CHECK(!d.type && !d.length && !d.address);
}

static void sgl_limits(void)
{
	struct decant_limits limits = {0};

	CHECK_EQ(decant_nvme_sgl_limits(0, &limits), -ENOTSUP);
	CHECK_EQ(decant_nvme_sgl_limits(0xf0001, &limits), 0);
	CHECK(!limits.addr_align && !limits.len_align);
	CHECK_EQ(decant_nvme_sgl_limits(0xf0002, &limits), 0);
	CHECK(limits.addr_align == 4 && limits.len_align == 4);
	CHECK_EQ(decant_nvme_sgl_limits(3, &limits), -ENOTSUP);
}

/* More than the length field holds: memory that is only addresses. */
static void sgl_over_4g(void)
{
	struct decant_sink sink = sgl_sink(1, 8);
	struct decant_span span;
	struct decant_iter it;

	sink.domain = NULL;
	REQUIRE(!decant_iter_buf(&it, DECANT_DEST, (void *)0x10000000, 5ull << 30));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), (ssize_t)(5ull << 30));
	CHECK_EQ(sink.nr, 2);
	span = decant_sink_span(&sink, 0);
	CHECK(span.len == 0xfffff000 && (uintptr_t)span.addr == 0x10000000);
	span = decant_sink_span(&sink, 1);
	CHECK(span.len == (5ull << 30) - 0xfffff000);
}

/* Runs of pages, mostly such as PRPs can name: offset at the start, end anywhere. */
static size_t random_runs(size_t *total)
{
	size_t nr = 0, runs = 1 + check_below(40);
	bool fits = check_below(4);

	*total = 0;
	for (size_t i = 0; i < runs; i++) {
		size_t page = check_below(PAGES), len = (1 + check_below(30)) * PAGE,
		       skip = 0;
		size_t left = PAGES / PARTS - page % (PAGES / PARTS);

		len = len < left * PAGE ? len : left * PAGE;
		if (!i || !fits)
			skip = check_below(1024) * 4;
		if (i + 1 == runs || !fits)
			len -= check_below(PAGE - 1);
		if (len <= skip)
			continue;
		while (skip < len) {
			size_t n =
				check_below(3) ? len - skip : 1 + check_below(len - skip);

			if (nr + 2 > MAX_IT - 80)
				n = len - skip;
			add(&nr, page * PAGE + skip, n);
			*total += n;
			skip += n;
		}
	}
	return nr;
}

/* In several extractions, one of which may be taken back. */
static void random_extract(struct decant_iter *it, struct decant_sink *sink)
{
	while (decant_iter_count(it)) {
		size_t n = check_below(2) ? SIZE_MAX : check_below(40 * PAGE);
		size_t max = sink->max;

		if (!check_below(3)) {
			sink->max = sink->nr + check_below(20);
			sink->max = sink->max < max ? sink->max : max;
			(void)!decant_extract_all(it, sink, n);
			sink->max = max;
		}
		if (decant_extract(it, sink, n) <= 0 && n)
			break;
	}
}

static void random_prp(void)
{
	size_t total, full = 0, cases = check_cases(1500);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		size_t skip = check_below(2) ? 0 : check_below(512) * 8;
		struct decant_iter it = iter_of(random_runs(&total));
		struct decant_sink sink = prp_sink(check_below(LISTS + 1), skip);
		uint64_t p[2];

		if (!check_below(4))
			sink.limits.block = 512;
		random_extract(&it, &sink);
		check_prp(&sink, p);
		full += sink.bytes == total && sink.nr > 512;
	}
	printf("# %zu long lists in full\n", full);
	CHECK(cases < 1500 || full > 10);
}

static void random_sgl(void)
{
	size_t total, full = 0, cases = check_cases(1500);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		size_t each = check_below(3) ? 2 + check_below(6) : 2 + check_below(254);
		struct decant_iter it = iter_of(random_runs(&total));
		struct decant_sink sink = sgl_sink(check_below(LISTS + 1), each);

		if (check_below(2))
			sink.limits.max_element_bytes = 4096 + check_below(4096);
		if (!check_below(4))
			sink.limits.block = 520;
		random_extract(&it, &sink);
		check_sgl(&sink);
		full += sink.bytes == total;
	}
	printf("# %zu lists in full\n", full);
	CHECK(cases < 1500 || full > 100);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"PRP: one and two pages, with and without an offset", prp_direct},
		{"PRP: lists", prp_lists},
		{"PRP: chained lists, around the last slot", prp_chains},
		{"PRP: what can't be named is refused", prp_refused},
		{"PRP: what breaks the page rule goes through a stage", prp_staged},
		{"PRP and SGL: tables where none may be", prp_wrong_tables},
		{"PRP: pages of 64 KiB", prp_large_pages},
		{"SGL: one element, one segment, chained segments", sgl_layouts},
		{"SGL: no data", sgl_empty},
		{"SGL: what the controller demands", sgl_limits},
		{"SGL: more than 4 GiB", sgl_over_4g},
		{"PRP: a controller finds the right bytes", random_prp},
		{"SGL: a controller finds the right bytes", random_sgl},
	};
	int failed;

	check_seed_init();
	set_up();
	failed = check_run(cases, sizeof(cases) / sizeof(*cases));
	tear_down();
	return failed;
}
