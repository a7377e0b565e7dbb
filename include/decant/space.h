/* SPDX-License-Identifier: MIT */
#ifndef DECANT_SPACE_H
#define DECANT_SPACE_H
#include <decant/region.h>

DECANT_BEGIN

struct decant_space;

/**
 * decant_space_new - begin an empty set of regions
 * @out: receives the space; untouched on error
 *
 * Return: 0; -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_space_new(struct decant_space **out);

/**
 * decant_space_free - end a space and drop its references
 * @space: the space, or NULL; nobody else may be using it. Holds stay valid.
 *
 * Since: 0.1
 */
DECANT_API void decant_space_free(struct decant_space *space);

/**
 * decant_space_add - let a region be found by address
 * @space: the space
 * @region: the region; the space takes a reference of its own
 *
 * Safe from any thread, also while others look up and extract, and before them when many
 * do: a kind's callbacks, which run inside an extraction, must leave its space alone.
 *
 * Return: 0; -EEXIST if a byte of it lies in a region that is already there, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_space_add(struct decant_space *space,
					    struct decant_region *region);

/**
 * decant_space_remove - let a region be found no more
 * @space: the space
 * @region: the region
 *
 * New look-ups fail; holds that were taken before stay valid and keep the memory.
 *
 * Return: 0; -ENOENT.
 * Since: 0.1
 */
DECANT_API int decant_space_remove(struct decant_space *space,
				   struct decant_region *region);

/**
 * decant_space_find - the region that an address lies in
 * @space: the space
 * @addr: the address
 *
 * Return: the region with a reference for the caller, or NULL.
 * Since: 0.1
 */
DECANT_API DECANT_MUST struct decant_region *decant_space_find(struct decant_space *space,
							       const void *addr);

DECANT_END
#endif
