/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_INTERRUPT_H
#define DECANT_TEST_INTERRUPT_H
/*
 * interrupt.h - a signal with a handler, again and again until it is told to end: one
 * alone might come just before the wait that it is to end.
 */
#include <dirent.h>
#include <signal.h>
#include <time.h>
#include "check.h"

#define INTERRUPT_EVERY 20000000 /* nanoseconds */

static timer_t interrupt_timer;

static void interrupt_caught(int number)
{
	(void)number;
}

/* With or without SA_RESTART. */
static void interrupt_begin(int flags)
{
	const struct sigaction action = {.sa_handler = interrupt_caught,
					 .sa_flags = flags};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	const struct itimerspec often = {{0, INTERRUPT_EVERY},
					 {0, 1 + (long)check_below(INTERRUPT_EVERY)}};

	REQUIRE(!sigaction(SIGUSR1, &action, NULL));
	REQUIRE(!timer_create(CLOCK_MONOTONIC, &event, &interrupt_timer));
	REQUIRE(!timer_settime(interrupt_timer, 0, &often, NULL));
}

static void interrupt_end(void)
{
	REQUIRE(!timer_delete(interrupt_timer));
}

/* How many files are open: what a wait that was given up leaves shows there. */
static size_t interrupt_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t nr = 0;

	REQUIRE(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}
#endif
