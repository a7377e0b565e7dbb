/* SPDX-License-Identifier: MIT */
#ifndef CLI_CREW_H
#define CLI_CREW_H
/*
 * crew.h - jobs done by threads, and by whoever waits for them. They are handed in and
 * taken back in the same order.
 */
#include <pthread.h>
#include <stdbool.h>

struct crew {
	void (*run)(void *user, unsigned slot);
	void *user;
	pthread_t *threads;
	unsigned nr_threads;
	int fd; /* readable when a thread has finished a job, see crew_may_sleep() */
	unsigned slots; /* of jobs, as a ring */
	bool *done;
	unsigned long handed_in, started, taken_back;
	bool quit;
	pthread_mutex_t lock;
	pthread_cond_t wake;
};

/* A negative errno. threads counts whoever waits, so 1 makes none. */
int crew_init(struct crew *crew, unsigned threads, unsigned slots,
	      void (*run)(void *user, unsigned slot), void *user);
void crew_fini(struct crew *crew);

bool crew_has_room(const struct crew *crew);
/* The slot that the next job will have; then it can be handed in. */
unsigned crew_next_slot(const struct crew *crew);
void crew_hand_in(struct crew *crew);
/* Do a job that nobody has begun, if there is one. */
bool crew_help(struct crew *crew);
/* The slot of the oldest job if it is done, else -1. */
int crew_finished(struct crew *crew);
void crew_take_back(struct crew *crew);
/* False if the oldest job is done; else fd is readable when a thread finishes one. */
bool crew_may_sleep(struct crew *crew);
bool crew_is_idle(const struct crew *crew);
#endif
