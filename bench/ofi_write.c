/* SPDX-License-Identifier: MIT */
/*
 * ofi_write.c - remote writes through decant beside bare fi_writemsg() of one piece on
 * the same end point, by the clock.
 *
 * usage: bench-ofi-write [PROVIDER]...
 */
#include <stdio.h>
#include <stdlib.h>
#include "ofi_pair.h"

struct bench {
	struct pair pair;
	struct iovec *iov;
	size_t pieces; /* 0: bare */
	size_t bytes;  /* of one operation */
	size_t operations;
};

static bool post_bare(struct bench *b, size_t i)
{
	return pair_post(&b->pair, i, b->pair.memory, b->bytes);
}

static bool post_decant(struct bench *b, size_t i)
{
	struct decant_iter it;

	decant_iter_iovec(&it, DECANT_SOURCE, b->iov, b->pieces);
	return !decant_ofi_write(b->pair.ofi, &it, b->bytes, &b->pair.remote,
				 i % PAIR_WINDOW * PAIR_BLOCK, NULL);
}

static size_t gather(struct bench *b)
{
	struct decant_ofi_event events[PAIR_WINDOW];
	ssize_t n;

	if (!b->pieces)
		return pair_gather(&b->pair);
	n = decant_ofi_poll(b->pair.ofi, events, PAIR_WINDOW);
	bench_need(n >= 0, decant_ofi_error(b->pair.ofi));
	for (ssize_t i = 0; i < n; i++)
		bench_need(events[i].result == (ssize_t)b->bytes,
			   decant_ofi_error(b->pair.ofi));
	return (size_t)n;
}

static double seconds(struct bench *b)
{
	size_t posted = 0, done = 0;
	double begun = bench_wall();

	while (done < b->operations) {
		while (posted < b->operations && posted - done < PAIR_WINDOW &&
		       (b->pieces ? post_decant : post_bare)(b, posted))
			posted++;
		done += gather(b);
	}
	return bench_wall() - begun;
}

/* Pieces with gaps between them, so that nothing merges; the first half of the memory. */
static void cut(struct bench *b)
{
	size_t piece = b->pieces ? b->bytes / b->pieces : 0;

	for (size_t i = 0; i < b->pieces; i++)
		b->iov[i] = (struct iovec){b->pair.memory + i * (piece + 64), piece};
}

static const struct {
	const char *what;
	size_t bytes, pieces, operations;
} cases[] = {
	{"1 MiB in one piece", PAIR_BLOCK, 1, 16},
	{"1 MiB in 4 pieces", PAIR_BLOCK, 4, 16},
	{"1 MiB in 64 pieces", PAIR_BLOCK, 64, 16},
	{"1 MiB in 1,024 pieces", PAIR_BLOCK, 1024, 16},
	{"4 KiB in one piece", 4096, 1, 400},
	{"4 KiB in 4 pieces", 4096, 4, 400},
	{"4 KiB in 64 pieces", 4096, 64, 400},
};

/* Microseconds an operation; no pieces: bare. */
static double each(struct bench *b, size_t pieces)
{
	b->pieces = pieces;
	cut(b);
	return seconds(b) / (double)b->operations * 1e6;
}

/* Who is first alternates as well, so that both see the same weather. */
static void measure(struct bench *b, const char *provider, size_t nr)
{
	double ours[BENCH_RUNS], theirs[BENCH_RUNS];
	char name[80];

	snprintf(name, sizeof(name), "%s, %s", provider, cases[nr].what);
	if (!bench_wanted(name))
		return;
	b->bytes = cases[nr].bytes;
	b->operations = cases[nr].operations;
	for (size_t i = 0; i < BENCH_RUNS; i++) {
		if (i % 2)
			theirs[i] = each(b, 0);
		ours[i] = each(b, cases[nr].pieces);
		if (i % 2 == 0)
			theirs[i] = each(b, 0);
	}
	bench_row(&(struct bench_case){.name = name,
				       .unit = "us/operation",
				       .bound_name = "fi_writemsg of one piece"},
		  ours, theirs);
}

static void beside_a_target(const char *provider)
{
	struct bench b = {.iov = calloc(1024, sizeof(*b.iov))};

	bench_need(b.iov, "memory");
	pair_open(&b.pair, provider);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		measure(&b, provider, i);
	pair_close(&b.pair);
	free(b.iov);
}

int main(int argc, char **argv)
{
	static const char *const standard[] = {"tcp;ofi_rxm", "shm"};

	bench_open("ofi-write");
	for (int i = 1; i < argc; i++)
		beside_a_target(argv[i]);
	for (size_t i = 0; argc < 2 && i < sizeof(standard) / sizeof(*standard); i++)
		beside_a_target(standard[i]);
	bench_close();
	return 0;
}
