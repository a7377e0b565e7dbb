/* SPDX-License-Identifier: MIT */
/*
 * compare.c - what the kernel said of each step (on standard input, from the module
 * beside this file) against what decant does in the same case.
 *
 * The kernel cuts at pages and does not merge, decant merges: what is compared is which
 * bytes, in which order, how many of them, and where the iterator stands afterwards.
 *
 * usage: oracle-compare SEED CASES
 */
#include <decant/decant.h>
#include "check.h"

typedef uint32_t u32;
typedef uint64_t u64;
#include "case.h"

#define PAGE 4096

static _Alignas(PAGE) unsigned char arena[OC_ARENA];
static u64 seed;
static u32 cases, steps, texts[OC_OPS];

struct run {
	size_t offset, len;
};

struct runs {
	struct run run[OC_LISTED];
	size_t nr;
};

/* A line of the kernel's. */
struct said {
	u32 number, step;
	size_t left;
	long got;
	u32 entries;
	struct runs runs;
	size_t bytes;
};

static void runs_add(struct runs *runs, size_t offset, size_t len)
{
	struct run *last = runs->nr ? &runs->run[runs->nr - 1] : NULL;

	if (last && last->offset + last->len == offset)
		last->len += len;
	else if (len && runs->nr < OC_LISTED)
		runs->run[runs->nr++] = (struct run){offset, len};
}

static bool runs_same(const struct runs *a, const struct runs *b)
{
	return a->nr == b->nr && !memcmp(a->run, b->run, a->nr * sizeof(*a->run));
}

static bool parse(const char *line, struct said *said)
{
	const char *at = strstr(line, "DO ");
	int used;
	size_t offset, len;

	*said = (struct said){0};
	if (!at || sscanf(at, "DO %u %u %zu%n", &said->number, &said->step, &said->left,
			  &used) != 3)
		return false;
	at += used;
	if (sscanf(at, " %ld %u%n", &said->got, &said->entries, &used) == 2)
		at += used;
	for (; sscanf(at, " %zu:%zu%n", &offset, &len, &used) == 2; at += used) {
		runs_add(&said->runs, offset, len);
		said->bytes += len;
	}
	return true;
}

static struct decant_iter begin(const struct oc_case *c)
{
	static struct iovec iov[OC_SEGMENTS];
	static struct decant_bvec bvec[OC_SEGMENTS];
	struct decant_iter it;

	for (u32 i = 0; i < c->nr; i++) {
		unsigned char *addr = arena + c->segment[i].offset;
		size_t len = c->segment[i].len;

		iov[i] = (struct iovec){addr, len};
		bvec[i] = (struct decant_bvec){addr, len, NULL};
	}
	if (c->bvec)
		REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bvec, c->nr));
	else
		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, c->nr));
	return it;
}

/* As many bytes as the kernel took: the same ones. */
static void extracted(struct decant_iter *it, const struct oc_step *step,
		      const struct said *said)
{
	size_t there = decant_iter_count(it), most = step->n < there ? step->n : there;
	struct decant_bvec table[OC_SEGMENTS + 1];
	struct decant_sink sink;
	struct runs runs = {.nr = 0};

	CHECK(said->got >= 0 && (size_t)said->got <= most);
	CHECK_EQ(said->bytes, said->got);
	/* Less only for want of entries; pages end with each segment. */
	if (step->op == OC_SGLIST && (size_t)said->got < most)
		CHECK_EQ(said->entries, step->max);
	CHECK(said->got || !most);
	decant_sink_bvec(&sink, table, OC_SEGMENTS + 1);
	CHECK_EQ(decant_extract(it, &sink, (size_t)said->got), said->got);
	for (size_t i = 0; i < sink.nr; i++)
		runs_add(&runs, (size_t)((unsigned char *)table[i].addr - arena),
			 table[i].len);
	CHECK(runs_same(&runs, &said->runs));
}

/* Whether a segment goes on where the last one ends, or is empty: then numbers differ. */
static bool has_neighbours(const struct oc_case *c)
{
	for (u32 i = 0; i < c->nr; i++)
		if (!c->segment[i].len ||
		    (i && c->segment[i].offset ==
				  c->segment[i - 1].offset + c->segment[i - 1].len))
			return true;
	return false;
}

/* Pages of the kernel's are elements that no page border crosses. */
static void looked(const struct decant_iter *it, const struct oc_case *c,
		   const struct said *said)
{
	struct decant_limits limits = {.boundary = PAGE};
	size_t theirs = said->entries, ours = decant_iter_alignment(it);
	ssize_t pages = decant_iter_elements(it, &limits);

	theirs &= -theirs;
	theirs = theirs > PAGE ? PAGE : theirs;
	ours = ours > PAGE ? PAGE : ours;
	/* With nothing left, the kernel's alignment is that of what it looked at last. */
	if (!decant_iter_count(it)) {
		CHECK(!ours && !pages);
		return;
	}
	if (has_neighbours(c)) {
		CHECK(pages <= said->got);
		CHECK(!ours || ours >= theirs);
		return;
	}
	CHECK_EQ(pages, said->got);
	CHECK_EQ(ours, theirs);
}

static void run_step(struct decant_iter *it, const struct oc_case *c,
		     const struct said *s)
{
	const struct oc_step *step = &c->step[s->step];
	u32 left = (u32)decant_iter_count(it), back = (u32)decant_iter_consumed(it);

	texts[step->op]++;
	switch (step->op) {
	case OC_SGLIST:
	case OC_PAGES:
		extracted(it, step, s);
		break;
	case OC_ADVANCE:
		CHECK(!decant_iter_advance(it, oc_part(left, step->n)));
		break;
	case OC_REVERT:
		CHECK(!decant_iter_revert(it, oc_part(back, step->n)));
		break;
	case OC_TRUNCATE:
		decant_iter_truncate(it, oc_part(left, step->n));
		break;
	case OC_LOOK:
		looked(it, c, s);
		break;
	}
	CHECK_EQ(decant_iter_count(it), s->left);
}

static void compare(void)
{
	struct decant_iter it = {0};
	struct oc_case c = {0};
	struct said said;
	char line[8192];

	while (!check_failed && fgets(line, sizeof(line), stdin)) {
		if (!parse(line, &said))
			continue;
		REQUIRE(said.number == steps / OC_STEPS && said.step == steps % OC_STEPS);
		if (!said.step) {
			oc_make(&c, seed, said.number);
			it = begin(&c);
		}
		run_step(&it, &c, &said);
		if (check_failed)
			printf("# seed %llu, case %u, step %u: %s",
			       (unsigned long long)seed, said.number, said.step, line);
		steps++;
	}
	CHECK_EQ(steps, cases * OC_STEPS);
	printf("# %u cases: %u scatterlists, %u page lists, %u advances, %u reverts, "
	       "%u truncations, %u looks\n",
	       steps / OC_STEPS, texts[OC_SGLIST], texts[OC_PAGES], texts[OC_ADVANCE],
	       texts[OC_REVERT], texts[OC_TRUNCATE], texts[OC_LOOK]);
}

int main(int argc, char **argv)
{
	static const struct check_case tests[] = {
		{"the kernel's iterators name the same bytes", compare},
	};

	if (argc != 3)
		return 2;
	seed = strtoull(argv[1], NULL, 0);
	cases = (u32)strtoul(argv[2], NULL, 0);
	return check_run(tests, 1);
}
