/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "crew.h"

/* The next job, with the lock held; -1 if there is none. */
static int start_next(struct crew *crew)
{
	return crew->started == crew->handed_in ? -1
						: (int)(crew->started++ % crew->slots);
}

static void finish(struct crew *crew, int slot)
{
	pthread_mutex_lock(&crew->lock);
	crew->done[slot] = true;
	pthread_mutex_unlock(&crew->lock);
}

static int await_job(struct crew *crew)
{
	int slot = -1;

	pthread_mutex_lock(&crew->lock);
	while (!crew->quit && (slot = start_next(crew)) < 0)
		pthread_cond_wait(&crew->wake, &crew->lock);
	pthread_mutex_unlock(&crew->lock);
	return slot;
}

static void *work(void *arg)
{
	const uint64_t one = 1;
	struct crew *crew = arg;
	int slot;

	while ((slot = await_job(crew)) >= 0) {
		crew->run(crew->user, (unsigned)slot);
		finish(crew, slot);
		/* As many as would fill the counter are never done. */
		if (write(crew->fd, &one, sizeof(one)) < 0)
			continue;
	}
	return NULL;
}

/* Signals are the main thread's. */
static int start_threads(struct crew *crew, unsigned nr)
{
	sigset_t all, before;
	int err = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (crew->nr_threads < nr && !err) {
		err = pthread_create(&crew->threads[crew->nr_threads], NULL, work, crew);
		crew->nr_threads += !err;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

int crew_init(struct crew *crew, unsigned threads, unsigned slots,
	      void (*run)(void *user, unsigned slot), void *user)
{
	*crew = (struct crew){.run = run, .user = user, .slots = slots};
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->wake, NULL);
	crew->done = calloc(slots, sizeof(*crew->done));
	crew->threads = calloc(threads, sizeof(*crew->threads));
	crew->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (crew->fd < 0)
		return -errno;
	if (!crew->done || !crew->threads)
		return -ENOMEM;
	return start_threads(crew, threads - 1);
}

void crew_fini(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->quit = true;
	pthread_cond_broadcast(&crew->wake);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < crew->nr_threads; i++)
		pthread_join(crew->threads[i], NULL);
	if (crew->fd >= 0)
		close(crew->fd);
	free(crew->threads);
	free(crew->done);
	pthread_cond_destroy(&crew->wake);
	pthread_mutex_destroy(&crew->lock);
}

bool crew_has_room(const struct crew *crew)
{
	return crew->handed_in - crew->taken_back < crew->slots;
}

unsigned crew_next_slot(const struct crew *crew)
{
	return (unsigned)(crew->handed_in % crew->slots);
}

void crew_hand_in(struct crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->done[crew->handed_in++ % crew->slots] = false;
	if (crew->nr_threads)
		pthread_cond_signal(&crew->wake);
	pthread_mutex_unlock(&crew->lock);
}

bool crew_help(struct crew *crew)
{
	int slot;

	pthread_mutex_lock(&crew->lock);
	slot = start_next(crew);
	pthread_mutex_unlock(&crew->lock);
	if (slot < 0)
		return false;
	crew->run(crew->user, (unsigned)slot);
	finish(crew, slot);
	return true;
}

int crew_finished(struct crew *crew)
{
	unsigned slot = (unsigned)(crew->taken_back % crew->slots);
	bool done;

	if (crew_is_idle(crew))
		return -1;
	pthread_mutex_lock(&crew->lock);
	done = crew->done[slot];
	pthread_mutex_unlock(&crew->lock);
	return done ? (int)slot : -1;
}

/* What is finished from here on makes it readable again. */
bool crew_may_sleep(struct crew *crew)
{
	eventfd_t count;

	(void)!eventfd_read(crew->fd, &count);
	return crew_finished(crew) < 0;
}

void crew_take_back(struct crew *crew)
{
	crew->taken_back++;
}

bool crew_is_idle(const struct crew *crew)
{
	return crew->taken_back == crew->handed_in;
}
