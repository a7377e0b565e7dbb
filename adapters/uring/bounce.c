/* SPDX-License-Identifier: MIT */
/*
 * bounce.c - memory that has no address here, another process's: an operation has a
 * buffer of its own instead, filled when it begins or emptied when it is done.
 */
#include <errno.h>
#include <stdlib.h>
#include "internal.h"

static int own(struct operation *op, struct decant_iter *it, size_t len,
	       enum decant_policy policy)
{
	struct decant_own_options options = {.size = sizeof(options)};

	options.space = op->ring->space;
	options.policy = policy;
	op->owned = decant_iter_own(it, len, &options);
	return op->owned ? 0 : options.error;
}

static int own_buffer(struct operation *op, struct decant_iter *it, size_t len)
{
	struct decant_iter buffer;
	int err;

	op->bounce = malloc(len);
	if (!op->bounce)
		return -ENOMEM;
	err = decant_iter_buf(&buffer, DECANT_DEST, op->bounce, len);
	if (!err)
		err = own(op, &buffer, len, DECANT_TRUST);
	if (err)
		return err;
	op->into = *it;
	return decant_iter_advance(it, len);
}

int uring_own(struct operation *op, struct decant_iter *it, size_t len)
{
	int err = own(op, it, len, DECANT_TRUST);

	if (err != -EFAULT)
		return err;
	if (it->direction == DECANT_SOURCE)
		return own(op, it, len, DECANT_STAGE);
	return own_buffer(op, it, len);
}

ssize_t uring_bounced(struct operation *op, ssize_t result)
{
	void *bytes = op->gathered ? op->one.addr : op->bounce;

	if (!bytes || result <= 0 || op->code != REQUEST_READ)
		return result;
	return decant_copy_from(&op->into, bytes, (size_t)result);
}

void uring_disown(struct operation *op)
{
	decant_hold_truncate(&op->hold, 0);
	if (op->owned)
		decant_owned_put(op->owned);
	op->owned = NULL;
	if (op->bounce)
		free(op->bounce);
	op->bounce = NULL;
}

struct decant_iter uring_memory(const struct operation *op)
{
	bool reads = op->code == REQUEST_READ;
	struct decant_iter it = {0};

	if (op->owned && !op->gathered)
		return decant_owned_iter(op->owned);
	(void)!decant_iter_bvec(&it, reads ? DECANT_DEST : DECANT_SOURCE, &op->one, 1);
	return it;
}

size_t uring_elements(const struct operation *op)
{
	if (op->owned && !op->gathered)
		return decant_owned_elements(op->owned);
	return op->one.len != 0;
}
