/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_TOUCHED_H
#define DECANT_TEST_TOUCHED_H
/*
 * touched.h - how many pages of a list are looked at: what it takes to get somewhere,
 * without a clock. Every page is protected; the first access to each faults and counts.
 */
#include <signal.h>
#include <sys/mman.h>
#include "check.h"

#define TOUCHED_PAGE 4096

struct touched {
	unsigned char *memory;
	size_t bytes;
	size_t pages;
};

static struct touched touched;

static void touched_fault(int sig, siginfo_t *info, void *context)
{
	size_t offset = (size_t)((unsigned char *)info->si_addr - touched.memory);

	(void)context;
	if (offset >= touched.bytes) {
		signal(sig, SIG_DFL);
		return;
	}
	offset &= ~(size_t)(TOUCHED_PAGE - 1);
	mprotect(touched.memory + offset, TOUCHED_PAGE, PROT_READ | PROT_WRITE);
	touched.pages++;
}

static void *touched_new(size_t bytes)
{
	struct sigaction action = {.sa_sigaction = touched_fault, .sa_flags = SA_SIGINFO};

	bytes = (bytes + TOUCHED_PAGE - 1) & ~(size_t)(TOUCHED_PAGE - 1);
	touched.bytes = bytes;
	touched.memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(touched.memory != MAP_FAILED && !sigaction(SIGSEGV, &action, NULL));
	return touched.memory;
}

static void touched_begin(void)
{
	touched.pages = 0;
	REQUIRE(!mprotect(touched.memory, touched.bytes, PROT_NONE));
}

static size_t touched_end(void)
{
	REQUIRE(!mprotect(touched.memory, touched.bytes, PROT_READ | PROT_WRITE));
	return touched.pages;
}

static void touched_free(void)
{
	signal(SIGSEGV, SIG_DFL);
	munmap(touched.memory, touched.bytes);
}
#endif
