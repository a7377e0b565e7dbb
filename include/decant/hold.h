/* SPDX-License-Identifier: MIT */
#ifndef DECANT_HOLD_H
#define DECANT_HOLD_H
#include <decant/region.h>

DECANT_BEGIN

#define DECANT_HOLD_INLINE 12

/**
 * struct decant_hold - the references that extractions took
 * @nr: how many regions are held; read only
 * @max: room in @more; the library's own
 * @more: room beyond the inline one; the library's own
 * @index: for finding a region again in a large hold; the library's own
 * @inlined: room for the first regions; the library's own
 * @name: the caller's: what decant_region_holders() calls it, or NULL. A string that
 *	stays; not changed while anything is held.
 *
 * Begin it with zeroes. It may be moved while nobody uses it. A region is held once
 * however often it was extracted. Up to DECANT_HOLD_INLINE regions need no allocation.
 *
 * Since: 0.1
 */
struct decant_hold {
	size_t nr;
	size_t max;
	struct decant_region **more;
	uint32_t *index;
	struct decant_region *inlined[DECANT_HOLD_INLINE];
	const char *name;
};

/**
 * decant_hold_add - hold one more region
 * @hold: the hold
 * @region: the region; the caller has a reference or the right to take one
 *
 * Return: 0, also when it was held already; -ENOMEM, and nothing changed.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_hold_add(struct decant_hold *hold,
					   struct decant_region *region);

/**
 * decant_hold_reserve - make room so that later additions need no allocation
 * @hold: the hold
 * @nr: how many regions in all it shall have room for, up to 2^31
 *
 * Return: 0; -ENOMEM or -EINVAL, and nothing changed.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_hold_reserve(struct decant_hold *hold, size_t nr);

/**
 * decant_hold_truncate - give back the newest references
 * @hold: the hold
 * @nr: how many regions shall be left; a number not below the present one changes nothing
 *
 * Since: 0.1
 */
DECANT_API void decant_hold_truncate(struct decant_hold *hold, size_t nr);

/**
 * decant_hold_release - give back everything, whatever mixture of regions it is
 * @hold: the hold; empty afterwards and ready for use again
 *
 * Since: 0.1
 */
DECANT_API void decant_hold_release(struct decant_hold *hold);

DECANT_END
#endif
