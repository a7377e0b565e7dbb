/* SPDX-License-Identifier: MIT */
/*
 * watch.c - the thread for what waits for a peer: it polls all of it and makes a call
 * only when that will not wait. So a request can be taken back at any time, and a
 * thousand pipes need one thread. It also keeps the time.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include "threads.h"

void watch_wake(struct backend *backend)
{
	eventfd_write(backend->wake_fd, 1);
}

static nfds_t fill(struct backend *backend)
{
	struct request *request;
	nfds_t n = 1;

	backend->polled[0] = (struct pollfd){.fd = backend->wake_fd, .events = POLLIN};
	TAILQ_FOREACH(request, &backend->watched, link)
	backend->polled[n++] =
		(struct pollfd){.fd = request->fd, .events = uring_awaited(request)};
	return n;
}

static struct timespec *time_left(const struct backend *backend, struct timespec *left)
{
	int64_t ns = backend->alarm - uring_now();

	if (!backend->alarm)
		return NULL;
	if (ns < 0)
		ns = 0;
	*left = (struct timespec){ns / 1000000000, ns % 1000000000};
	return left;
}

/* Without the lock: the caller's memory may be large. */
static bool attempt(struct backend *backend, struct request *request, ssize_t *result)
{
	pthread_mutex_unlock(&backend->lock);
	*result = uring_attempt(request);
	pthread_mutex_lock(&backend->lock);
	return *result != -EAGAIN && *result != -EINTR;
}

static void end(struct backend *backend, struct request *request, ssize_t result)
{
	request_take(request);
	threads_done(backend, request, result);
}

static void end_cancelled(struct backend *backend)
{
	struct request *request = TAILQ_FIRST(&backend->watched), *next;

	for (; request; request = next) {
		next = TAILQ_NEXT(request, link);
		if (request->cancelled)
			end(backend, request, -ECANCELED);
	}
}

/* The first @nr - 1 that are watched; more may have come behind them. */
static void serve(struct backend *backend, nfds_t nr)
{
	struct request *request = TAILQ_FIRST(&backend->watched), *next;
	ssize_t result;
	bool ends;

	for (nfds_t i = 1; i < nr; i++, request = next) {
		ends = !request->cancelled && backend->polled[i].revents &&
		       attempt(backend, request, &result);
		next = TAILQ_NEXT(request, link);
		if (ends)
			end(backend, request, result);
	}
}

static void ring_alarm(struct backend *backend)
{
	if (!backend->alarm || uring_now() < backend->alarm)
		return;
	backend->alarm = 0;
	threads_signal(backend);
}

static void watch_once(struct backend *backend)
{
	struct timespec buffer, *left = time_left(backend, &buffer);
	eventfd_t count;
	nfds_t nr;
	int n;

	end_cancelled(backend);
	nr = fill(backend);
	pthread_mutex_unlock(&backend->lock);
	n = ppoll(backend->polled, nr, left, NULL);
	if (n > 0 && backend->polled[0].revents)
		eventfd_read(backend->wake_fd, &count);
	pthread_mutex_lock(&backend->lock);
	if (n > 0)
		serve(backend, nr);
	ring_alarm(backend);
}

void *watch(void *arg)
{
	struct backend *backend = arg;

	pthread_mutex_lock(&backend->lock);
	while (!backend->stopping)
		watch_once(backend);
	pthread_mutex_unlock(&backend->lock);
	return NULL;
}
