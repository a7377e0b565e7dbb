/* SPDX-License-Identifier: MIT */
#ifndef BENCH_H
#define BENCH_H
/*
 * bench.h - what every benchmark needs: a clock, repetition, a bound measured in the same
 * breath, and JSON.
 *
 * A case and its bound (a plain loop, a peer) alternate run by run, so that whatever else
 * the machine does hits both; the ratio of each pair is what is compared between days.
 * BENCH_ONLY=TEXT in the environment leaves only the rows that have TEXT in their name.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_RUNS    41
#define BENCH_SECONDS 0.001 /* of one run: most fit between two interruptions */

/* The compiler must believe that *p is read and written here. */
static inline void bench_use(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* A number whose value the compiler can't know. */
static inline size_t bench_hide(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static inline void bench_need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static inline double bench_seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Processor time of this thread: others may want the machine as well. */
static inline double bench_now(void)
{
	return bench_seconds(CLOCK_THREAD_CPUTIME_ID);
}

/* By the clock: where somebody else does a part of the work. */
static inline double bench_wall(void)
{
	return bench_seconds(CLOCK_MONOTONIC);
}

struct bench_stat {
	double median, low, high, min, max; /* low and high: the quartiles */
};

static inline int bench_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static inline struct bench_stat bench_stat(double *values)
{
	qsort(values, BENCH_RUNS, sizeof(*values), bench_compare);
	return (struct bench_stat){values[BENCH_RUNS / 2], values[BENCH_RUNS / 4],
				   values[3 * BENCH_RUNS / 4], values[0],
				   values[BENCH_RUNS - 1]};
}

/*
 * One row. fn does units pieces of work on arg; bound, if there is one, does as much of
 * what nothing can be faster than, or of a peer's. goal is the most the row should show,
 * in nanoseconds for one piece, or the largest ratio if ratio_goal is set.
 */
struct bench_case {
	const char *name;
	const char *unit;
	void (*fn)(void *arg);
	void *arg;
	double units;
	const char *bound_name;
	void (*bound)(void *arg);
	void *bound_arg;
	double goal;
	bool ratio_goal;
};

static inline double bench_time(void (*fn)(void *arg), void *arg, size_t times)
{
	double start = bench_now();

	for (size_t i = 0; i < times; i++)
		fn(arg);
	return bench_now() - start;
}

/* How often to call for one run; warms up as well. */
static inline size_t bench_times(void (*fn)(void *arg), void *arg)
{
	size_t times = 1;

	while (bench_time(fn, arg, times) < BENCH_SECONDS / 4)
		times *= 2;
	return 4 * times;
}

static inline void bench_stat_print(const char *prefix, struct bench_stat s)
{
	const char *names[] = {"median", "low", "high", "min", "max"};
	double values[] = {s.median, s.low, s.high, s.min, s.max};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		printf(", \"%s%s\": %.4g", prefix, names[i], values[i]);
}

static inline void bench_open(const char *name)
{
	printf("{\"bench\": \"%s\", \"rows\": [", name);
}

/* Rows are separated by commas: the first one of a program has none before it. */
static inline void bench_separate(void)
{
	static bool later;

	printf("%s\n  ", later ? "," : "");
	later = true;
}

static inline bool bench_wanted(const char *name)
{
	const char *only = getenv("BENCH_ONLY");

	return !only || strstr(name, only);
}

/* Of BENCH_RUNS runs that took turns; theirs means nothing without a bound. */
static inline void bench_row(const struct bench_case *c, double *ours, double *theirs)
{
	double ratio[BENCH_RUNS];

	for (size_t i = 0; c->bound_name && i < BENCH_RUNS; i++)
		ratio[i] = ours[i] / theirs[i];
	bench_separate();
	printf("{\"name\": \"%s\", \"unit\": \"%s\", \"runs\": %d", c->name, c->unit,
	       BENCH_RUNS);
	bench_stat_print("", bench_stat(ours));
	if (c->bound_name) {
		printf(", \"bound\": \"%s\"", c->bound_name);
		bench_stat_print("bound_", bench_stat(theirs));
		bench_stat_print("ratio_", bench_stat(ratio));
	}
	if (c->goal > 0)
		printf(", \"goal\": %.3g, \"goal_of\": \"%s\"", c->goal,
		       c->ratio_goal ? "ratio" : "time");
	printf("}");
	fflush(stdout);
}

static inline void bench_measure(const struct bench_case *c)
{
	double ours[BENCH_RUNS], theirs[BENCH_RUNS];
	void *bound_arg = c->bound_arg ? c->bound_arg : c->arg;
	size_t times = bench_times(c->fn, c->arg);
	size_t bound_times = c->bound ? bench_times(c->bound, bound_arg) : 0;

	for (size_t i = 0; i < BENCH_RUNS; i++) {
		double scale = 1e9 / c->units;

		ours[i] = bench_time(c->fn, c->arg, times) / (double)times * scale;
		if (!c->bound)
			continue;
		theirs[i] = bench_time(c->bound, bound_arg, bound_times) /
			    (double)bound_times * scale;
	}
	bench_row(c, ours, theirs);
}

static inline void bench_run(const struct bench_case *c)
{
	if (bench_wanted(c->name))
		bench_measure(c);
}

/* A number that is the same each time: elements, requests, allocations. */
static inline void bench_count(const char *name, const char *unit, size_t value,
			       size_t expected)
{
	bench_separate();
	printf("{\"name\": \"%s\", \"unit\": \"%s\", \"count\": %zu, \"expected\": %zu}",
	       name, unit, value, expected);
	bench_need(value == expected, name);
}

static inline void bench_close(void)
{
	printf("\n]}\n");
}
#endif
