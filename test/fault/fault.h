/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FAULT_H
#define DECANT_TEST_FAULT_H
/*
 * fault.h - allocations that fail when told to. The core is compiled into the test with
 * this file included first, so that it works under any sanitizer.
 */
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

void *fault_malloc(size_t size);
void *fault_calloc(size_t nr, size_t size);
void *fault_realloc(void *old, size_t size);
void *fault_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int fault_munmap(void *addr, size_t len);
int fault_madvise(void *addr, size_t len, int advice);

#ifndef FAULT_ITSELF
#define malloc(size)	   fault_malloc(size)
#define calloc(nr, size)   fault_calloc(nr, size)
#define realloc(old, size) fault_realloc(old, size)
#define mmap(addr, len, prot, flags, fd, offset)                                         \
	fault_mmap(addr, len, prot, flags, fd, offset)
#define munmap(addr, len)	   fault_munmap(addr, len)
#define madvise(addr, len, advice) fault_madvise(addr, len, advice)
#endif
#endif
