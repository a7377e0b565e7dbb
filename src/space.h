/* SPDX-License-Identifier: MIT */
#ifndef SRC_SPACE_H
#define SRC_SPACE_H
/* space.h - looking owners up many times under one lock. */
#include <pthread.h>
#include <stdatomic.h>
#include <decant/space.h>
#include "util.h"

/* The range beside the region, so that a search touches nothing else. */
struct space_entry {
	uintptr_t start;
	uintptr_t end;
	struct decant_region *region;
};

#define SPACE_GUESSES 1024

struct decant_space {
	pthread_rwlock_t lock;
	struct space_entry *entries;
	size_t nr;
	size_t max;
	/*
	 * Which entry a look-up near an address found last. A guess is checked before it
	 * is used, so it may be as old or as wrong as it likes.
	 */
	_Atomic(uint16_t) guesses[SPACE_GUESSES];
	unsigned grain; /* how near: no region had fewer than 2^grain bytes */
};

void space_lock(struct decant_space *space);
void space_unlock(struct decant_space *space);

/* Where the guess for addr is kept. */
static inline _Atomic(uint16_t) *space_guess(struct decant_space *space, uintptr_t addr)
{
	uint32_t near = (uint32_t)((uint64_t)addr >> space->grain) * 0x9e3779b1u;

	return &space->guesses[near / (UINT32_MAX / SPACE_GUESSES + 1)];
}

/* Between lock and unlock: the entry that has addr, if guessed right; else NULL. */
static inline const struct space_entry *space_guessed(struct decant_space *space,
						      uintptr_t addr)
{
	size_t i = atomic_load_explicit(space_guess(space, addr), memory_order_relaxed);
	const struct space_entry *entry;

	if (unlikely(i >= space->nr))
		return NULL; /* there may be no entries at all to point into */
	entry = space->entries + i;
	return likely(addr - entry->start < entry->end - entry->start) ? entry : NULL;
}

/*
 * Between lock and unlock: the owner of addr, NULL for nobody, and the range around addr
 * for which the answer holds.
 */
struct decant_region *space_look_up(struct decant_space *space, uintptr_t addr,
				    uintptr_t *lo, uintptr_t *hi);
#endif
