/* SPDX-License-Identifier: MIT */
/* inject.c - the calls behind fault.h: the real ones, unless they are to fail. */
#define FAULT_ITSELF
#include <errno.h>
#include "fault.h"

#define MOST_PIECES 256

size_t fault_at, fault_calls, fault_most;
int fault_errno = ENOMEM;
long fault_mapped, fault_kept, fault_files;
const char *fault_name;

bool fault_fails(const char *name, int error)
{
	if (++fault_calls != fault_at)
		return false;
	fault_name = name;
	errno = error;
	return true;
}

void *fault_malloc(size_t size)
{
	return fault_fails("malloc", ENOMEM) ? NULL : malloc(size);
}

void *fault_calloc(size_t nr, size_t size)
{
	return fault_fails("calloc", ENOMEM) ? NULL : calloc(nr, size);
}

void *fault_realloc(void *old, size_t size)
{
	return fault_fails("realloc", ENOMEM) ? NULL : realloc(old, size);
}

void *fault_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	void *got = MAP_FAILED;

	if (!fault_fails("mmap", fault_errno))
		got = mmap(addr, len, prot, flags, fd, offset);
	if (got != MAP_FAILED)
		fault_mapped += (long)len;
	return got;
}

int fault_munmap(void *addr, size_t len)
{
	if (fault_fails("munmap", ENOMEM)) {
		fault_kept += (long)len;
		return -1;
	}
	fault_mapped -= (long)len;
	return munmap(addr, len);
}

int fault_madvise(void *addr, size_t len, int advice)
{
	return fault_fails("madvise", fault_errno) ? -1 : madvise(addr, len, advice);
}

int fault_memfd_create(const char *name, unsigned flags)
{
	int fd =
		fault_fails("memfd_create", fault_errno) ? -1 : memfd_create(name, flags);

	fault_files += fd >= 0;
	return fd;
}

int fault_ftruncate(int fd, off_t len)
{
	return fault_fails("ftruncate", fault_errno) ? -1 : ftruncate(fd, len);
}

/* Linux closes it, whatever it says. */
int fault_close(int fd)
{
	int err = close(fd);

	fault_files--;
	return fault_fails("close", fault_errno) ? -1 : err;
}

/* The first most bytes of a list. */
static unsigned long cut(const struct iovec *iov, unsigned long nr, struct iovec *out,
			 size_t most)
{
	unsigned long i;

	for (i = 0; i < nr && i < MOST_PIECES && most; i++) {
		out[i] = iov[i];
		if (out[i].iov_len > most)
			out[i].iov_len = most;
		most -= out[i].iov_len;
	}
	return i;
}

ssize_t fault_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long nr,
			       const struct iovec *remote, unsigned long nr_remote,
			       unsigned long flags)
{
	struct iovec less[MOST_PIECES];

	if (fault_fails("process_vm_readv", fault_errno))
		return fault_errno ? -1 : 0;
	if (!fault_most)
		return process_vm_readv(pid, local, nr, remote, nr_remote, flags);
	nr = cut(local, nr, less, fault_most);
	return process_vm_readv(pid, less, nr, remote, nr_remote, flags);
}

ssize_t fault_process_vm_writev(pid_t pid, const struct iovec *local, unsigned long nr,
				const struct iovec *remote, unsigned long nr_remote,
				unsigned long flags)
{
	struct iovec less[MOST_PIECES];

	if (fault_fails("process_vm_writev", fault_errno))
		return fault_errno ? -1 : 0;
	if (!fault_most)
		return process_vm_writev(pid, local, nr, remote, nr_remote, flags);
	nr = cut(local, nr, less, fault_most);
	return process_vm_writev(pid, less, nr, remote, nr_remote, flags);
}
