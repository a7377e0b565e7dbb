/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
#ifndef DECANT_ORACLE_CASE_H
#define DECANT_ORACLE_CASE_H
/*
 * case.h - iterators and what is done to them, made from a number: the same in the kernel
 * and outside. Needs u32 and u64.
 */

#define OC_ARENA    (64 * 4096) /* bytes that segments lie in, from a page on */
#define OC_SEGMENTS 24
#define OC_STEPS    8
#define OC_LISTED   64 /* runs of bytes that one step names */

enum oc_op {
	OC_SGLIST,   /* extract into a scatterlist: n bytes, max entries */
	OC_PAGES,    /* extract into pages: n bytes, max pages */
	OC_ADVANCE,  /* n / 256 of what is left */
	OC_REVERT,   /* n / 256 of what is consumed */
	OC_TRUNCATE, /* to n / 256 of what is left */
	OC_LOOK,     /* pages and alignment of what is left */
	OC_OPS
};

struct oc_step {
	u32 op;
	u32 n;
	u32 max;
};

struct oc_case {
	u32 bvec; /* bvec or kvec */
	u32 nr;
	struct {
		u32 offset, len;
	} segment[OC_SEGMENTS];
	u32 total;
	struct oc_step step[OC_STEPS];
};

static inline u32 oc_below(u64 *state, u32 n)
{
	u64 x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (u32)(((x * 0x2545f4914f6cdd1dull) >> 32) * n >> 32);
}

/* Short ones, pages, empty ones, ones that go over several pages. */
static inline u32 oc_len(u64 *state)
{
	static const u32 usual[] = {0, 0, 1, 512, 4095, 4096, 4097, 8192};

	switch (oc_below(state, 4)) {
	case 0:
		return usual[oc_below(state, 8)];
	case 1:
		return oc_below(state, 64);
	case 2:
		return oc_below(state, 4096);
	}
	return oc_below(state, 20000);
}

static inline void oc_segments(struct oc_case *c, u64 *state)
{
	u32 i, end = 0, apart = oc_below(state, 2);

	c->nr = 1 + oc_below(state, OC_SEGMENTS);
	c->total = 0;
	for (i = 0; i < c->nr; i++) {
		u32 len = oc_len(state) | apart, offset = oc_below(state, OC_ARENA - len);

		if (!apart && !oc_below(state, 3) && end + len <= OC_ARENA)
			offset = end; /* goes on where the one before ended */
		else if (!oc_below(state, 3))
			offset &= ~511u;
		c->segment[i].offset = offset;
		c->segment[i].len = len;
		c->total += len;
		end = offset + len;
	}
}

static inline void oc_make(struct oc_case *c, u64 seed, u32 number)
{
	u64 state = (seed + 1) * 0x9e3779b97f4a7c15ull + number * 0xbf58476d1ce4e5b9ull;
	u32 i;

	if (!state)
		state = 1;
	for (i = 0; i < 8; i++)
		oc_below(&state, 1);
	c->bvec = oc_below(&state, 2);
	oc_segments(c, &state);
	for (i = 0; i < OC_STEPS; i++) {
		struct oc_step *step = &c->step[i];

		step->op = oc_below(&state, OC_OPS + 2);
		if (step->op >= OC_OPS)
			step->op = OC_SGLIST;
		if (step->op == OC_TRUNCATE && oc_below(&state, 3))
			step->op = OC_PAGES;
		step->n = oc_below(&state, 257);
		if (step->op <= OC_PAGES)
			step->n = oc_below(&state, c->total + 5000);
		step->max = 1 + oc_below(&state, 32);
	}
}

/* Part of a number of bytes, in 256ths; all of them sometimes. */
static inline u32 oc_part(u32 whole, u32 n)
{
	return (u32)((u64)whole * n / 256);
}
#endif
