/* SPDX-License-Identifier: MIT */
/* late.c - preloaded: a signal that comes just before the wait for a connection. */
#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) int poll(struct pollfd *fds, nfds_t nr,
						int timeout)
{
	static int (*real)(struct pollfd *, nfds_t, int);
	static int sent;
	void *at = dlsym(RTLD_NEXT, "poll");

	if (!at)
		abort();
	memcpy(&real, &at, sizeof(at));
	if (nr == 1 && fds->events == POLLOUT && timeout > 1000 && !sent++)
		raise(SIGINT);
	return real(fds, nr, timeout);
}
