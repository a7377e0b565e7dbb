/* SPDX-License-Identifier: MIT */
/*
 * threads.c - back end: a pool of threads that make the plain system calls. It grows
 * while there is more to do than idle threads. Requests that may wait for a peer (pipes)
 * are the watcher's, else a write that they wait for could never begin.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "threads.h"

#define FILE_THREADS 8u

/* What may wait for a peer. */
static bool is_watched(const struct request *request)
{
	return request->offset < 0 || request->code == REQUEST_POLL;
}

/* An eventfd refuses a write only when its counter is full. */
void threads_signal(struct backend *backend)
{
	if (!backend->signalled)
		eventfd_write(backend->event_fd, 1);
	backend->signalled = true;
}

void threads_done(struct backend *backend, struct request *request, ssize_t result)
{
	request->result = result;
	request_push(&backend->done, request);
	threads_signal(backend);
}

static struct request *next_queued(struct backend *backend)
{
	struct request *request;

	while (TAILQ_EMPTY(&backend->queued) && !backend->stopping) {
		backend->nr_idle++;
		pthread_cond_wait(&backend->work, &backend->lock);
		backend->nr_idle--;
	}
	request = request_pop(&backend->queued);
	if (request)
		backend->nr_queued--;
	return request;
}

static void *worker(void *arg)
{
	struct backend *backend = arg;
	struct request *request;
	ssize_t result;

	pthread_mutex_lock(&backend->lock);
	while ((request = next_queued(backend))) {
		pthread_mutex_unlock(&backend->lock);
		result = uring_perform(request);
		pthread_mutex_lock(&backend->lock);
		threads_done(backend, request, result);
	}
	pthread_mutex_unlock(&backend->lock);
	return NULL;
}

/* Signals are the program's: a thread of ours handles none, and SIGPIPE dies with it. */
static int spawn(pthread_t *thread, void *(*run)(void *), struct backend *backend)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, NULL, run, backend);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static int spawn_worker(struct backend *backend)
{
	int err = spawn(&backend->workers[backend->nr_workers], worker, backend);

	if (!err)
		backend->nr_workers++;
	return err;
}

static bool wants_worker(const struct backend *backend)
{
	return backend->nr_queued > backend->nr_idle &&
	       backend->nr_workers < backend->max_workers;
}

/* In a child process there are no threads, and the lock may be someone's for good. */
static void threads_abandon(struct backend *backend)
{
	if (backend->event_fd >= 0)
		close(backend->event_fd);
	if (backend->wake_fd >= 0)
		close(backend->wake_fd);
	free(backend->polled);
	free(backend);
}

static void threads_release(struct backend *backend)
{
	pthread_cond_destroy(&backend->work);
	pthread_mutex_destroy(&backend->lock);
	threads_abandon(backend);
}

static void threads_stop(struct backend *backend)
{
	pthread_mutex_lock(&backend->lock);
	backend->stopping = true;
	pthread_cond_broadcast(&backend->work);
	pthread_mutex_unlock(&backend->lock);
	watch_wake(backend);
	for (unsigned i = 0; i < backend->nr_workers; i++)
		pthread_join(backend->workers[i], NULL);
	pthread_join(backend->watcher, NULL);
	threads_release(backend);
}

static struct backend *threads_alloc(unsigned depth)
{
	unsigned workers = depth < FILE_THREADS ? depth : FILE_THREADS;
	struct backend *backend =
		calloc(1, sizeof(*backend) + workers * sizeof(pthread_t));

	if (!backend)
		return NULL;
	pthread_mutex_init(&backend->lock, NULL);
	pthread_cond_init(&backend->work, NULL);
	TAILQ_INIT(&backend->queued);
	TAILQ_INIT(&backend->watched);
	TAILQ_INIT(&backend->done);
	backend->max_workers = workers;
	backend->polled = calloc(depth + 1, sizeof(*backend->polled));
	backend->event_fd = backend->wake_fd = -1;
	return backend;
}

static int threads_open(struct backend *backend)
{
	if (!backend->polled)
		return -ENOMEM;
	backend->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (backend->event_fd < 0)
		return -errno;
	backend->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (backend->wake_fd < 0)
		return -errno;
	return spawn(&backend->watcher, watch, backend);
}

static int threads_start(struct backend **out, unsigned depth, bool one_thread)
{
	struct backend *backend = threads_alloc(depth);
	int err = backend ? threads_open(backend) : -ENOMEM;

	(void)one_thread;
	if (err) {
		if (backend)
			threads_release(backend);
		return err;
	}
	err = spawn_worker(backend);
	if (err) {
		threads_stop(backend);
		return err;
	}
	*out = backend;
	return 0;
}

static int threads_fd(struct backend *backend)
{
	return backend->event_fd;
}

/* A thread that can't be had now is no error: those that are there get to it. */
static void give_worker(struct backend *backend, struct request *request)
{
	request_push(&backend->queued, request);
	backend->nr_queued++;
	if (wants_worker(backend))
		spawn_worker(backend);
	pthread_cond_signal(&backend->work);
}

static void threads_queue(struct backend *backend, struct request *request)
{
	bool watched = is_watched(request);

	request->cancelled = false;
	pthread_mutex_lock(&backend->lock);
	if (watched)
		request_push(&backend->watched, request);
	else
		give_worker(backend, request);
	pthread_mutex_unlock(&backend->lock);
	if (watched)
		watch_wake(backend);
}

/* A worker's call goes on; the watcher makes no more calls for it. */
static bool threads_cancel(struct backend *backend, struct request *request)
{
	bool watched = is_watched(request);

	pthread_mutex_lock(&backend->lock);
	request->cancelled = true;
	if (request->list == &backend->queued) {
		request_take(request);
		backend->nr_queued--;
		threads_done(backend, request, -ECANCELED);
	}
	pthread_mutex_unlock(&backend->lock);
	if (watched)
		watch_wake(backend);
	return true;
}

static void threads_alarm(struct backend *backend, int64_t at)
{
	bool earlier;

	pthread_mutex_lock(&backend->lock);
	earlier = !backend->alarm || at < backend->alarm;
	if (earlier)
		backend->alarm = at;
	pthread_mutex_unlock(&backend->lock);
	if (earlier)
		watch_wake(backend);
}

static int threads_flush(struct backend *backend)
{
	(void)backend;
	return 0;
}

static int threads_wait(struct backend *backend, int64_t timeout)
{
	struct pollfd pfd = {.fd = backend->event_fd, .events = POLLIN};
	struct timespec left = {timeout / 1000000000, timeout % 1000000000};

	if (ppoll(&pfd, 1, timeout < 0 ? NULL : &left, NULL) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static struct request *threads_reap(struct backend *backend)
{
	struct request *request;
	eventfd_t count;

	pthread_mutex_lock(&backend->lock);
	request = request_pop(&backend->done);
	if (TAILQ_EMPTY(&backend->done) && backend->signalled) {
		eventfd_read(backend->event_fd, &count);
		backend->signalled = false;
	}
	pthread_mutex_unlock(&backend->lock);
	return request;
}

const struct backend_ops uring_backend_threads = {
	.id = DECANT_URING_THREADS,
	.start = threads_start,
	.stop = threads_stop,
	.abandon = threads_abandon,
	.fd = threads_fd,
	.queue = threads_queue,
	.flush = threads_flush,
	.wait = threads_wait,
	.reap = threads_reap,
	.cancel = threads_cancel,
	.alarm = threads_alarm,
};
