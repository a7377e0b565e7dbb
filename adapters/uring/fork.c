/* SPDX-License-Identifier: MIT */
/*
 * fork.c - a ring stays the parent's. In a child it is known by a page that the kernel
 * clears there: its queues are shared with the parent, and the threads are not there.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "internal.h"

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int uring_fork_init(struct decant_uring *ring)
{
	void *mark = mmap(NULL, page(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mark == MAP_FAILED)
		return -errno;
	/* Linux before 4.14 can't: then a child must not touch the ring at all. */
	(void)madvise(mark, page(), MADV_WIPEONFORK);
	ring->mark = mark;
	*ring->mark = 1;
	return 0;
}

void uring_fork_fini(struct decant_uring *ring)
{
	if (ring->mark)
		munmap(ring->mark, page());
}

void uring_fork_free(struct decant_uring *ring)
{
	for (unsigned i = 0; i < ring->depth; i++) {
		struct operation *op = &ring->operations[i];

		if (op->state == OPERATION_IDLE)
			continue;
		uring_message_end(op);
		uring_disown(op);
	}
	ring->ops->abandon(ring->backend);
}
