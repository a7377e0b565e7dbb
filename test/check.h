/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_CHECK_H
#define DECANT_TEST_CHECK_H
/*
 * check.h - a test program is a table of named cases; the output is TAP, which the test
 * runner counts case by case.
 *
 *	static void adds(void) { CHECK(1 + 1 == 2); CHECK_EQ(f(), 3); }
 *	int main(void) { static const struct check_case cases[] = {{"adds", adds}};
 *			 return check_run(cases, 1); }
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_case {
	const char *name;
	void (*run)(void);
};

static bool check_failed;
static const char *check_skipped;

__attribute__((format(printf, 3, 4), unused)) static void
check_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	check_failed = true;
	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

__attribute__((unused)) static bool check_true(bool ok, const char *file, int line,
					       const char *text)
{
	if (!ok)
		check_fail(file, line, "%s does not hold", text);
	return ok;
}

__attribute__((unused)) static bool
check_equal(long long a, long long b, const char *file, int line, const char *text)
{
	if (a != b)
		check_fail(file, line, "%s: %lld, wanted %lld", text, a, b);
	return a == b;
}

/* End the program: nothing sensible can follow. */
__attribute__((unused)) static void check_require(bool ok, const char *file, int line,
						  const char *text)
{
	if (ok)
		return;
	printf("Bail out! %s:%d: %s does not hold\n", file, line, text);
	fflush(stdout);
	_Exit(1);
}

/* The case can't run here; say why. Return from the case afterwards. */
__attribute__((unused)) static void check_skip(const char *reason)
{
	check_skipped = reason;
}

#define CHECK(cond) check_true((cond), __FILE__, __LINE__, #cond)
#define CHECK_EQ(got, want)                                                              \
	check_equal((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define REQUIRE(cond) check_require((cond), __FILE__, __LINE__, #cond)

/* xorshift64*: the same numbers everywhere for the same seed. */
static uint64_t check_seed = 1;

__attribute__((unused)) static uint64_t check_random(void)
{
	check_seed ^= check_seed >> 12;
	check_seed ^= check_seed << 25;
	check_seed ^= check_seed >> 27;
	return check_seed * 0x2545f4914f6cdd1dull;
}

__attribute__((unused)) static size_t check_below(size_t n)
{
	return n ? (size_t)(check_random() % n) : 0;
}

/* Take the seed from the environment or make one, and print it. */
__attribute__((unused)) static void check_seed_init(void)
{
	const char *text = getenv("DECANT_TEST_SEED");

	check_seed = text ? strtoull(text, NULL, 0) : 0x9e3779b97f4a7c15ull;
	if (!check_seed)
		check_seed = 1;
	printf("# DECANT_TEST_SEED=%#llx\n", (unsigned long long)check_seed);
}

__attribute__((unused)) static size_t check_cases(size_t standard)
{
	const char *text = getenv("DECANT_TEST_CASES");

	return text ? strtoull(text, NULL, 0) : standard;
}

__attribute__((unused)) static int check_run(const struct check_case *cases, size_t nr)
{
	bool failed = false;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", nr);
	for (size_t i = 0; i < nr; i++) {
		check_failed = false;
		check_skipped = NULL;
		cases[i].run();
		printf("%sok %zu - %s", check_failed ? "not " : "", i + 1, cases[i].name);
		if (check_skipped && !check_failed)
			printf(" # SKIP %s", check_skipped);
		printf("\n");
		failed |= check_failed;
	}
	return failed;
}
#endif
