/* SPDX-License-Identifier: MIT */
#ifndef SRC_STAGE_H
#define SRC_STAGE_H
#include <decant/stage.h>

/* Bytes that one more piece could have. */
size_t stage_room(const struct decant_stage *stage, size_t align);

/* decant_stage_take() that takes what can be read: bytes taken, or a negative errno. */
ssize_t stage_take(struct decant_stage *stage, struct decant_iter *it, size_t len,
		   size_t align, size_t at, struct decant_span *out);

/* Give back the newest n bytes of what was taken last; reverting is the caller's. */
void stage_give_back(struct decant_stage *stage, enum decant_direction direction,
		     size_t n);
#endif
