/* SPDX-License-Identifier: MIT */
/*
 * requests.c - many requests in one walk, held against an extraction for each of them.
 *
 * DECANT_TEST_SEED and DECANT_TEST_CASES repeat and prolong it.
 */
#include <errno.h>
#include <decant/decant.h>
#include "../check.h"

#define MEMORY	 8192
#define ELEMENTS 512
#define REQUESTS 256
#define RUNS	 12
#define CUTS	 64

static _Alignas(4096) unsigned char memory[MEMORY], scratch[MEMORY];
static struct decant_region *regions[2];
static struct decant_space *space;

/* Bytes, and two ways to cut them. */
struct scene {
	struct decant_bvec bvec[2][CUTS];
	struct iovec iov[2][CUTS];
	size_t nr[2];
	size_t bytes;
	bool owned;
	struct decant_limits limits;
	struct decant_span scratch;
	bool staged;
	size_t max, max_requests, len;
};

struct result {
	struct iovec table[ELEMENTS];
	size_t ends[REQUESTS];
	size_t requests;
	size_t bytes;
	enum decant_stop stop;
	int error;
	struct decant_hold hold;
	struct decant_stage stage;
	struct decant_staged records[ELEMENTS];
};

static void setup(void)
{
	REQUIRE(!decant_space_new(&space));
	for (size_t i = 0; i < 2; i++) {
		unsigned char *addr = memory + i * MEMORY / 2;

		REQUIRE(!decant_region_new(&regions[i], addr, MEMORY / 2, NULL));
		REQUIRE(!decant_space_add(space, regions[i]));
	}
}

static void add(struct scene *s, size_t cut, unsigned char *addr, size_t len)
{
	size_t i = s->nr[cut]++;

	s->iov[cut][i] = (struct iovec){addr, len};
	s->bvec[cut][i] = (struct decant_bvec){
		addr, len, regions[(size_t)(addr - memory) >= MEMORY / 2]};
}

/* A run of bytes of one region, as a few elements, some of them empty. */
static void cut_run(struct scene *s, size_t cut, unsigned char *addr, size_t len)
{
	for (size_t pieces = 1 + check_below(4); pieces && len; pieces--) {
		size_t n = pieces == 1 ? len : check_below(len + 1);

		add(s, cut, addr, n);
		addr += n;
		len -= n;
	}
}

static size_t sometimes(size_t value)
{
	return check_below(2) ? 0 : value;
}

static void choose_limits(struct scene *s)
{
	struct decant_limits *l = &s->limits;

	l->max_elements = sometimes(1 + check_below(6));
	l->max_element_bytes = sometimes(1 + check_below(200));
	l->max_bytes = sometimes(1 + check_below(600));
	l->boundary = sometimes((size_t)64 << check_below(4));
	if (!check_below(4))
		l->gap = (size_t)1 << check_below(8);
	if (!check_below(4))
		l->addr_align = (size_t)1 << check_below(5);
	if (!check_below(4))
		l->len_align = (size_t)1 << check_below(5);
	if (!check_below(8))
		l->block = 1 + check_below(40);
	s->staged = !check_below(4);
	s->max = check_below(4) ? ELEMENTS : 1 + check_below(20);
	s->max_requests = check_below(4) ? REQUESTS : 1 + check_below(6);
	s->len = check_below(4) ? SIZE_MAX : check_below(s->bytes + 1);
}

static void choose(struct scene *s)
{
	size_t align = check_below(2) ? 1 : 32;

	memset(s, 0, sizeof(*s));
	for (size_t runs = 1 + check_below(RUNS); runs; runs--) {
		size_t half = check_below(2) * (MEMORY / 2);
		size_t at = check_below(MEMORY / 2) & ~(align - 1);
		size_t len = 1 + check_below(MEMORY / 2 - at);

		if (!check_below(3))
			len = MEMORY / 2 - at;
		cut_run(s, 0, memory + half + at, len);
		cut_run(s, 1, memory + half + at, len);
		s->bytes += len;
	}
	s->owned = check_below(2);
	choose_limits(s);
}

static struct decant_iter iter_of(const struct scene *s, size_t cut)
{
	struct decant_iter it;

	if (s->owned)
		REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, s->bvec[cut], s->nr[cut]));
	else
		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, s->iov[cut], s->nr[cut]));
	return it;
}

static struct decant_sink sink_of(const struct scene *s, struct result *r)
{
	struct decant_sink sink;

	memset(r, 0, sizeof(*r));
	decant_sink_iovec(&sink, r->table, s->max);
	sink.limits = s->limits;
	sink.space = space;
	sink.hold = &r->hold;
	if (!s->staged)
		return sink;
	decant_stage_init(&r->stage,
			  (struct decant_span){scratch, sizeof(scratch), NULL},
			  r->records, ELEMENTS);
	sink.stage = &r->stage;
	return sink;
}

/* What the requests must be: a call for each, into what is left of the table. */
static void one_by_one(const struct scene *s, struct result *r)
{
	struct decant_iter it = iter_of(s, 0);
	struct decant_sink sink = sink_of(s, r);
	size_t left = s->len < s->bytes ? s->len : s->bytes, nr = 0;

	do {
		ssize_t got;

		decant_sink_reset(&sink);
		sink.table = r->table + nr;
		sink.max = s->max - nr;
		got = decant_extract(&it, &sink, left);
		r->stop = sink.stop;
		r->error = got < 0 ? (int)got : 0;
		if (got <= 0)
			break;
		nr += sink.nr;
		r->ends[r->requests++] = nr;
		r->bytes += (size_t)got;
		left -= (size_t)got;
	} while (left && r->requests < s->max_requests);
	if (left && r->requests == s->max_requests)
		r->stop = DECANT_STOP_LIMIT;
}

static void at_once(const struct scene *s, size_t cut, struct result *r)
{
	struct decant_iter it = iter_of(s, cut);
	struct decant_sink sink = sink_of(s, r);
	ssize_t got = decant_extract_requests(&it, &sink, s->len, r->ends,
					      s->max_requests);

	r->requests = got < 0 ? 0 : (size_t)got;
	r->error = got < 0 ? (int)got : 0;
	r->bytes = sink.bytes;
	r->stop = sink.stop;
	CHECK_EQ(decant_iter_count(&it), s->bytes - sink.bytes);
	CHECK_EQ(sink.nr, r->requests ? r->ends[r->requests - 1] : 0);
}

static bool same(const struct result *a, const struct result *b)
{
	size_t nr = a->requests ? a->ends[a->requests - 1] : 0;

	CHECK_EQ(a->requests, b->requests);
	CHECK_EQ(a->bytes, b->bytes);
	CHECK_EQ(a->stop, b->stop);
	if (!a->requests)
		CHECK_EQ(a->error, b->error);
	CHECK_EQ(a->hold.nr, b->hold.nr);
	return a->requests == b->requests &&
	       !memcmp(a->ends, b->ends, a->requests * sizeof(*a->ends)) &&
	       !memcmp(a->table, b->table, nr * sizeof(*a->table));
}

static void random_scenes(void)
{
	static struct result wanted, got;
	static struct scene s;
	size_t cases = check_cases(20000);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		uint64_t seed = check_seed;

		choose(&s);
		one_by_one(&s, &wanted);
		for (size_t cut = 0; cut < 2; cut++) {
			at_once(&s, cut, &got);
			CHECK(same(&wanted, &got));
			decant_hold_release(&got.hold);
		}
		decant_hold_release(&wanted.hold);
		if (check_failed)
			printf("# seed of this scene: %#llx\n", (unsigned long long)seed);
	}
}

/* 1 MiB in requests of 1,340 bytes: as many as the arithmetic says. */
static void arithmetic(void)
{
	static struct decant_sge sge[800];
	static size_t ends[800];
	struct decant_sink sink;
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, MEMORY));
	decant_sink_sge(&sink, sge, 800);
	sink.limits.max_bytes = 1340;
	CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 800), 7);
	CHECK_EQ(ends[6], 7);
	CHECK_EQ(sge[6].length, MEMORY - 6 * 1340);
	CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 800), 0);
	CHECK_EQ(sink.stop, DECANT_STOP_END);
}

/* A later call goes on behind the first one's elements, with a request of its own. */
static void goes_on(void)
{
	struct decant_sink sink;
	struct decant_iter it;
	size_t ends[4];

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, 1000));
	decant_sink_count(&sink);
	sink.limits.max_bytes = 300;
	CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 2), 2);
	CHECK_EQ(sink.stop, DECANT_STOP_LIMIT);
	CHECK_EQ(sink.bytes, 600);
	CHECK_EQ(decant_extract_requests(&it, &sink, 100, ends, 4), 1);
	CHECK_EQ(ends[0], 3);
	CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 4), 1);
	CHECK_EQ(ends[0], 4);
}

static void refused(void)
{
	struct decant_sink sink;
	struct decant_prp prp;
	struct decant_iter it;
	size_t ends[1];

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, 1000));
	decant_sink_count(&sink);
	CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 0), -ENOSPC);
	sink.limits.boundary = 3;
	CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 1), -EINVAL);
	REQUIRE(!decant_sink_prp(&sink, &prp, 4096, NULL, 0));
	CHECK_EQ(decant_extract_requests(&it, &sink, SIZE_MAX, ends, 1), -EINVAL);
	CHECK_EQ(decant_iter_count(&it), 1000);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"requests as one extraction each gives them", random_scenes},
		{"as many requests as the arithmetic says", arithmetic},
		{"a call goes on behind the last", goes_on},
		{"what can't be cut into requests", refused},
	};

	check_seed_init();
	setup();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
