/* SPDX-License-Identifier: MIT */
#ifndef SRC_SPACE_H
#define SRC_SPACE_H
/* space.h - looking owners up many times under one lock. */
#include <decant/space.h>

/* Who owns [lo, hi): region, or nobody if that is NULL. */
struct space_answer {
	struct decant_region *region;
	uintptr_t lo;
	uintptr_t hi;
};

void space_lock(struct decant_space *space);
void space_unlock(struct decant_space *space);

/* Between lock and unlock: the owner of addr and how far the answer holds. */
struct space_answer space_look_up(const struct decant_space *space, uintptr_t addr);
#endif
