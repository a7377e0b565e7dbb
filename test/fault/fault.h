/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FAULT_H
#define DECANT_TEST_FAULT_H
/*
 * fault.h - allocations and system calls that fail when told to. The core is compiled
 * into the test with this file included first, so that it works under any sanitizer.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* inject.c: what is to happen. */
extern size_t fault_at;	       /* which call fails, from 1; 0 for none */
extern size_t fault_calls;     /* calls so far */
extern int fault_errno;	       /* what a system call that fails says */
extern size_t fault_most;      /* bytes that process_vm_readv and _writev move; 0: all */
extern long fault_mapped;      /* bytes that are mapped at the moment */
extern long fault_kept;	       /* of these, what munmap failed to unmap */
extern long fault_files;       /* descriptors that are open at the moment */
extern const char *fault_name; /* of the call that failed */

/* Count a call; whether it is the one to fail. */
bool fault_fails(const char *name, int error);

void *fault_malloc(size_t size);
void *fault_calloc(size_t nr, size_t size);
void *fault_realloc(void *old, size_t size);
void *fault_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
int fault_munmap(void *addr, size_t len);
int fault_madvise(void *addr, size_t len, int advice);
int fault_memfd_create(const char *name, unsigned flags);
int fault_ftruncate(int fd, off_t len);
int fault_close(int fd);
ssize_t fault_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long nr,
			       const struct iovec *remote, unsigned long nr_remote,
			       unsigned long flags);
ssize_t fault_process_vm_writev(pid_t pid, const struct iovec *local, unsigned long nr,
				const struct iovec *remote, unsigned long nr_remote,
				unsigned long flags);

#ifndef FAULT_ITSELF
#define malloc(size)	   fault_malloc(size)
#define calloc(nr, size)   fault_calloc(nr, size)
#define realloc(old, size) fault_realloc(old, size)
#define mmap(addr, len, prot, flags, fd, offset)                                         \
	fault_mmap(addr, len, prot, flags, fd, offset)
#define munmap(addr, len)	   fault_munmap(addr, len)
#define madvise(addr, len, advice) fault_madvise(addr, len, advice)
#define memfd_create(name, flags)  fault_memfd_create(name, flags)
#define ftruncate(fd, len)	   fault_ftruncate(fd, len)
#define close(fd)		   fault_close(fd)
#define process_vm_readv(pid, local, nr, remote, nr_remote, flags)                       \
	fault_process_vm_readv(pid, local, nr, remote, nr_remote, flags)
#define process_vm_writev(pid, local, nr, remote, nr_remote, flags)                      \
	fault_process_vm_writev(pid, local, nr, remote, nr_remote, flags)
#endif
#endif
