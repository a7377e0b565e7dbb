/* SPDX-License-Identifier: MIT */
#ifndef BENCH_EVBUFFER_H
#define BENCH_EVBUFFER_H
/*
 * evbuffer.h - libevent's way to own fragments: referenced memory in a buffer. Without
 * libevent there is no such peer.
 */
#include <sys/uio.h>
#include "bench.h"

#if HAVE_LIBEVENT
#include <event2/buffer.h>

#define EVBUFFER_MOST 256

static void evbuffer_released(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	++*(size_t *)arg;
}

/* Every fragment added, looked at, released. */
static void evbuffer_life(const struct iovec *iov, size_t nr)
{
	struct evbuffer_iovec seen[EVBUFFER_MOST];
	struct evbuffer *buffer = evbuffer_new();
	size_t released = 0;

	bench_need(buffer && nr <= EVBUFFER_MOST, "evbuffer");
	for (size_t i = 0; i < nr; i++)
		bench_need(!evbuffer_add_reference(buffer, iov[i].iov_base,
						   iov[i].iov_len, evbuffer_released,
						   &released),
			   "add");
	bench_need(evbuffer_peek(buffer, -1, NULL, seen, EVBUFFER_MOST) == (int)nr,
		   "peek");
	for (size_t i = 0; i < nr; i++)
		bench_use(seen[i].iov_base);
	evbuffer_free(buffer);
	bench_need(released == nr, "release");
}
#else
static void evbuffer_life(const struct iovec *iov, size_t nr)
{
	(void)iov;
	(void)nr;
}
#endif
#endif
