/* SPDX-License-Identifier: MIT */
/*
 * ofi_write.c - remote writes through decant beside bare fi_writemsg() of one piece on
 * the same end point, by the clock; and those that are only counted beside those that
 * have an event each.
 *
 * usage: bench-ofi-write [PROVIDER]...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ofi_pair.h"

#define PIECES 1024

struct work {
	const char *what;
	size_t bytes, pieces, operations;
	bool counted; /* beside the same with an event each; others beside bare writes */
};

/* One end point. */
struct bench {
	struct pair pair;
	struct iovec iov[PIECES];
	const struct work *work;
	bool bare;
	uint64_t counted; /* of all, by the last look */
};

static bool post_bare(struct bench *b, size_t i)
{
	return pair_post(&b->pair, i, b->pair.memory, b->work->bytes);
}

static bool post_decant(struct bench *b, size_t i)
{
	struct decant_iter it;
	int rc;

	decant_iter_iovec(&it, DECANT_SOURCE, b->iov, b->work->pieces);
	rc = decant_ofi_write(b->pair.ofi, &it, b->work->bytes, &b->pair.remote,
			      i % PAIR_WINDOW * PAIR_BLOCK, NULL);
	bench_need(!rc || rc == -EAGAIN, decant_ofi_error(b->pair.ofi));
	return !rc;
}

static size_t gather(struct bench *b)
{
	struct decant_ofi_event events[PAIR_WINDOW];
	uint64_t before = b->counted;
	ssize_t n;

	if (b->bare)
		return pair_gather(&b->pair);
	n = decant_ofi_poll(b->pair.ofi, events, PAIR_WINDOW);
	bench_need(n >= 0, decant_ofi_error(b->pair.ofi));
	for (ssize_t i = 0; i < n; i++)
		bench_need(events[i].result == (ssize_t)b->work->bytes,
			   decant_ofi_error(b->pair.ofi));
	b->counted = decant_ofi_counted(b->pair.ofi);
	return (size_t)n + (size_t)(b->counted - before);
}

static double seconds(struct bench *b, size_t operations)
{
	size_t posted = 0, done = 0;
	double begun = bench_wall();

	while (done < operations) {
		while (posted < operations && posted - done < PAIR_WINDOW &&
		       (b->bare ? post_bare : post_decant)(b, posted))
			posted++;
		done += gather(b);
	}
	return bench_wall() - begun;
}

/* Pieces with gaps between them, so that nothing merges; the first half of the memory. */
static void cut(struct bench *b)
{
	size_t piece = b->work->bytes / b->work->pieces;

	for (size_t i = 0; i < b->work->pieces; i++)
		b->iov[i] = (struct iovec){b->pair.memory + i * (piece + 64), piece};
}

static const struct work works[] = {
	{"1 MiB in one piece", PAIR_BLOCK, 1, 16, false},
	{"1 MiB in 4 pieces", PAIR_BLOCK, 4, 16, false},
	{"1 MiB in 64 pieces", PAIR_BLOCK, 64, 16, false},
	{"1 MiB in 1,024 pieces", PAIR_BLOCK, PIECES, 16, false},
	{"4 KiB in one piece", 4096, 1, 400, false},
	{"4 KiB in 4 pieces", 4096, 4, 400, false},
	{"4 KiB in 64 pieces", 4096, 64, 400, false},
	{"64 bytes, counted", 64, 1, 400, true},
	{"8 KiB, counted", 8192, 1, 400, true},
};

/* Microseconds an operation, while other targets rest. */
static double each(struct bench *b, const struct work *work, bool bare)
{
	double took;

	b->work = work;
	b->bare = bare;
	cut(b);
	pair_tell(&b->pair, PAIR_DRIVE);
	seconds(b, 1); /* it does now */
	took = seconds(b, work->operations);
	pair_tell(&b->pair, PAIR_REST);
	return took / (double)work->operations * 1e6;
}

/* Who is first alternates as well, so that both see the same weather. */
static void measure(struct bench *ours, struct bench *theirs, const char *provider,
		    const struct work *work)
{
	double with[BENCH_RUNS], beside[BENCH_RUNS];
	char name[80];

	snprintf(name, sizeof(name), "%s, %s", provider, work->what);
	if (!bench_wanted(name))
		return;
	for (size_t i = 0; i < BENCH_RUNS; i++) {
		if (i % 2)
			beside[i] = each(theirs, work, !work->counted);
		with[i] = each(ours, work, false);
		if (i % 2 == 0)
			beside[i] = each(theirs, work, !work->counted);
	}
	bench_row(
		&(struct bench_case){.name = name,
				     .unit = "us/operation",
				     .bound_name = work->counted
							   ? "an event each"
							   : "fi_writemsg of one piece"},
		with, beside);
}

static bool has_counters(const char *provider)
{
	struct decant_ofi_options o = {.size = sizeof(o),
				       .provider = provider,
				       .node = "127.0.0.1",
				       .counters = true};
	struct decant_ofi *ofi;
	int rc = decant_ofi_new(&ofi, &o);

	decant_ofi_free(ofi);
	return !rc;
}

static void beside_a_target(const char *provider)
{
	struct bench plain = {.bare = false}, counted = plain;
	bool both = has_counters(provider);

	pair_open(&plain.pair, provider, false);
	if (both)
		pair_open(&counted.pair, provider, true);
	for (size_t i = 0; i < sizeof(works) / sizeof(*works); i++)
		if (both || !works[i].counted)
			measure(works[i].counted ? &counted : &plain, &plain, provider,
				&works[i]);
	pair_close(&plain.pair);
	if (both)
		pair_close(&counted.pair);
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
