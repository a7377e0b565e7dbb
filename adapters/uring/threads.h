/* SPDX-License-Identifier: MIT */
#ifndef DECANT_URING_THREADS_H
#define DECANT_URING_THREADS_H
/*
 * threads.h - what the two kinds of threads share. Workers make calls that take as long
 * as they take; one watcher makes those that would wait for a peer, once they don't.
 */
#include <poll.h>
#include <pthread.h>
#include "internal.h"

struct backend {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct request_list queued;  /* for the workers */
	struct request_list watched; /* only the watcher takes from it */
	struct request_list done;
	unsigned nr_queued;
	unsigned nr_idle;
	unsigned nr_workers;
	unsigned max_workers;
	bool stopping;
	bool signalled; /* @event_fd is readable */
	int event_fd;	/* readable while @done is not empty, or when an alarm rang */
	int wake_fd;	/* the watcher shall look again */
	int64_t alarm;	/* nanoseconds, or 0 */
	struct pollfd *polled;
	pthread_t watcher;
	pthread_t workers[];
};

/* threads.c; @backend is locked */
void threads_signal(struct backend *backend);
void threads_done(struct backend *backend, struct request *request, ssize_t result);

/* watch.c */
void *watch(void *backend);
void watch_wake(struct backend *backend);

#endif
