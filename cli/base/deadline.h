/* SPDX-License-Identifier: MIT */
#ifndef CLI_DEADLINE_H
#define CLI_DEADLINE_H
/* deadline.h - a time by which something has to be done, and what poll(2) is given. */
#include <limits.h>
#include <stdint.h>
#include <time.h>

typedef uint64_t deadline_t; /* milliseconds of CLOCK_MONOTONIC */

#define DEADLINE_NEVER UINT64_MAX

static inline deadline_t deadline_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A negative number of milliseconds is for ever. */
static inline deadline_t deadline_in(int64_t ms)
{
	return ms < 0 ? DEADLINE_NEVER : deadline_now() + (uint64_t)ms;
}

/* Milliseconds that are left: 0 if it has passed, -1 for ever. */
static inline int deadline_left(deadline_t deadline)
{
	deadline_t now = deadline_now();

	if (deadline == DEADLINE_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}
#endif
