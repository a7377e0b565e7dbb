/* SPDX-License-Identifier: MIT */
#ifndef SRC_SPACE_H
#define SRC_SPACE_H
/* space.h - looking owners up many times under one lock. */
#include <decant/space.h>

void space_lock(struct decant_space *space);
void space_unlock(struct decant_space *space);

/*
 * Between lock and unlock: the owner of addr, NULL for nobody, and the range around addr
 * for which the answer holds.
 */
struct decant_region *space_look_up(struct decant_space *space, uintptr_t addr,
				    uintptr_t *lo, uintptr_t *hi);
#endif
