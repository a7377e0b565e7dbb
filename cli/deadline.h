/* SPDX-License-Identifier: MIT */
#ifndef CLI_DEADLINE_H
#define CLI_DEADLINE_H
/* deadline.h - a time by which something has to be done, and what poll(2) is given. */
#include <limits.h>
#include "stats.h"

typedef uint64_t deadline_t; /* milliseconds of stats_now()'s clock */

#define DEADLINE_NEVER UINT64_MAX

/* A negative number of milliseconds is for ever. */
static inline deadline_t deadline_in(int64_t ms)
{
	return ms < 0 ? DEADLINE_NEVER : stats_now() / 1000000u + (uint64_t)ms;
}

/* Milliseconds that are left: 0 if it has passed, -1 for ever. */
static inline int deadline_left(deadline_t deadline)
{
	uint64_t now = stats_now() / 1000000u;

	if (deadline == DEADLINE_NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}
#endif
