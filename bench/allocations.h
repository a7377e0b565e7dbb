/* SPDX-License-Identifier: MIT */
#ifndef BENCH_ALLOCATIONS_H
#define BENCH_ALLOCATIONS_H
/* allocations.h - counts what the program and its libraries allocate. glibc only. */
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nr, size_t size);
extern void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size);
void *calloc(size_t nr, size_t size);
void *realloc(void *p, size_t size);

static size_t allocations;

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	allocations++;
	return __libc_calloc(nr, size);
}

void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}
#endif
