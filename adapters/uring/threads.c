/* SPDX-License-Identifier: MIT */
/*
 * threads.c - back end: a pool of threads that make the plain system calls. It grows
 * while there is more to do than idle threads. Requests that may wait for a peer (pipes)
 * don't count against the limit, else a write that they wait for could never begin.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "internal.h"

#define FILE_THREADS 8u

struct backend {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct request_list queued;
	struct request_list done;
	unsigned nr_queued;
	unsigned nr_idle;
	unsigned nr_streams; /* requests without a position, queued or under way */
	unsigned nr_threads;
	unsigned max_threads;
	bool stopping;
	int event_fd; /* readable while @done is not empty */
	pthread_t threads[];
};

static bool is_stream(const struct request *request)
{
	return request->offset < 0 || request->code == REQUEST_POLL;
}

static ssize_t perform_read(const struct request *request)
{
	int nr = (int)request->nr;

	if (request->offset < 0)
		return readv(request->fd, request->iov, nr);
	return preadv(request->fd, request->iov, nr, request->offset);
}

static ssize_t perform_write(const struct request *request)
{
	int nr = (int)request->nr;

	if (request->offset < 0)
		return writev(request->fd, request->iov, nr);
	return pwritev(request->fd, request->iov, nr, request->offset);
}

static ssize_t perform_poll(const struct request *request)
{
	struct pollfd pfd = {.fd = request->fd, .events = request->poll};

	return poll(&pfd, 1, -1);
}

static ssize_t perform(const struct request *request)
{
	ssize_t n = 0;

	switch (request->code) {
	case REQUEST_READ:
		n = perform_read(request);
		break;
	case REQUEST_WRITE:
		n = perform_write(request);
		break;
	case REQUEST_FSYNC:
		n = fsync(request->fd);
		break;
	case REQUEST_POLL:
		n = perform_poll(request);
		break;
	case REQUEST_NOP:
		break;
	}
	return n < 0 ? -errno : n;
}

/* An eventfd refuses a write only when its counter is full. */
static void signal_done(struct backend *backend)
{
	eventfd_write(backend->event_fd, 1);
}

static void put_done(struct backend *backend, struct request *request)
{
	if (!backend->done.head)
		signal_done(backend);
	request_list_push(&backend->done, request);
	if (is_stream(request))
		backend->nr_streams--;
}

static struct request *next_queued(struct backend *backend)
{
	struct request *request;

	while (!backend->queued.head && !backend->stopping) {
		backend->nr_idle++;
		pthread_cond_wait(&backend->work, &backend->lock);
		backend->nr_idle--;
	}
	request = request_list_pop(&backend->queued);
	if (request)
		backend->nr_queued--;
	return request;
}

static void *worker(void *arg)
{
	struct backend *backend = arg;
	struct request *request;

	pthread_mutex_lock(&backend->lock);
	while ((request = next_queued(backend))) {
		pthread_mutex_unlock(&backend->lock);
		request->result = perform(request);
		pthread_mutex_lock(&backend->lock);
		put_done(backend, request);
	}
	pthread_mutex_unlock(&backend->lock);
	return NULL;
}

/* Signals are the program's: a thread of ours handles none, and SIGPIPE dies with it. */
static int spawn(struct backend *backend)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&backend->threads[backend->nr_threads], NULL, worker,
			     backend);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		backend->nr_threads++;
	return -err;
}

static bool wants_thread(const struct backend *backend)
{
	unsigned limit = FILE_THREADS + backend->nr_streams;

	if (limit > backend->max_threads)
		limit = backend->max_threads;
	return backend->nr_queued > backend->nr_idle && backend->nr_threads < limit;
}

static void threads_release(struct backend *backend)
{
	pthread_cond_destroy(&backend->work);
	pthread_mutex_destroy(&backend->lock);
	close(backend->event_fd);
	free(backend);
}

static void threads_stop(struct backend *backend)
{
	pthread_mutex_lock(&backend->lock);
	backend->stopping = true;
	pthread_cond_broadcast(&backend->work);
	pthread_mutex_unlock(&backend->lock);
	for (unsigned i = 0; i < backend->nr_threads; i++)
		pthread_join(backend->threads[i], NULL);
	threads_release(backend);
}

static struct backend *threads_alloc(unsigned depth)
{
	struct backend *backend = calloc(1, sizeof(*backend) + depth * sizeof(pthread_t));

	if (!backend)
		return NULL;
	pthread_mutex_init(&backend->lock, NULL);
	pthread_cond_init(&backend->work, NULL);
	request_list_init(&backend->queued);
	request_list_init(&backend->done);
	backend->max_threads = depth;
	return backend;
}

static int threads_start(struct backend **out, unsigned depth)
{
	struct backend *backend = threads_alloc(depth);
	int err;

	if (!backend)
		return -ENOMEM;
	backend->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = backend->event_fd < 0 ? -errno : spawn(backend);
	if (err) {
		threads_release(backend);
		return err;
	}
	*out = backend;
	return 0;
}

static int threads_fd(const struct backend *backend)
{
	return backend->event_fd;
}

/* A thread that can't be had now is no error: those that are there get to it. */
static void threads_queue(struct backend *backend, struct request *request)
{
	pthread_mutex_lock(&backend->lock);
	request_list_push(&backend->queued, request);
	backend->nr_queued++;
	if (is_stream(request))
		backend->nr_streams++;
	if (wants_thread(backend))
		spawn(backend);
	pthread_cond_signal(&backend->work);
	pthread_mutex_unlock(&backend->lock);
}

static int threads_flush(struct backend *backend)
{
	(void)backend;
	return 0;
}

static int threads_wait(struct backend *backend, int timeout)
{
	struct pollfd pfd = {.fd = backend->event_fd, .events = POLLIN};

	return poll(&pfd, 1, timeout) < 0 && errno != EINTR ? -errno : 0;
}

static struct request *threads_reap(struct backend *backend)
{
	struct request *request;
	eventfd_t count;

	pthread_mutex_lock(&backend->lock);
	request = request_list_pop(&backend->done);
	if (request && !backend->done.head)
		eventfd_read(backend->event_fd, &count);
	pthread_mutex_unlock(&backend->lock);
	return request;
}

const struct backend_ops uring_backend_threads = {
	.id = DECANT_URING_THREADS,
	.start = threads_start,
	.stop = threads_stop,
	.fd = threads_fd,
	.queue = threads_queue,
	.flush = threads_flush,
	.wait = threads_wait,
	.reap = threads_reap,
};
