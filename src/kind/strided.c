/* SPDX-License-Identifier: MIT */
#include "../kinds.h"
#include "../make.h"

/* What the blocks have, and that none of them wraps. */
static int check_blocks(const void *base, size_t block, size_t stride, size_t nr,
			size_t *total)
{
	size_t reach;

	if (nr > 1 && stride < block)
		return -EINVAL;
	if (__builtin_mul_overflow(block, nr, total) || *total > SSIZE_MAX)
		return -EOVERFLOW;
	if (!*total)
		return 0;
	if (__builtin_mul_overflow(stride, nr - 1, &reach) ||
	    __builtin_add_overflow(reach, block, &reach))
		return -EOVERFLOW;
	return check_range(base, reach);
}

int decant_iter_strided(struct decant_iter *it, enum decant_direction direction,
			void *base, size_t block, size_t stride, size_t nr)
{
	size_t total = 0;
	int err = check_direction(direction);

	if (!err)
		err = check_blocks(base, block, stride, nr, &total);
	if (err)
		return err;
	if (nr == 1 || block == stride)
		block = stride = total;
	*it = (struct decant_iter){.kind = DECANT_KIND_STRIDED,
				   .direction = (uint8_t)direction,
				   .count = total,
				   .at.addr = base,
				   .word = {block, stride}};
	return 0;
}
