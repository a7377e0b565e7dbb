/* SPDX-License-Identifier: MIT */
/*
 * registered.c - files that the kernel looks up once. A file has two places in a ring's
 * table: for its descriptor through the page cache and for the one past it.
 */
#include <errno.h>
#include "internal.h"

static unsigned place_of(const struct decant_uring_file *file, bool direct)
{
	return 2 * file->slot + direct;
}

static int set_places(struct decant_uring *ring, const struct decant_uring_file *file,
		      int fd, int direct_fd)
{
	struct backend *backend = ring->backend;
	int err = ring->ops->set_file(backend, place_of(file, false), fd);

	if (!err && file->direct_fd >= 0)
		err = ring->ops->set_file(backend, place_of(file, true), direct_fd);
	return err;
}

static int find_slot(struct decant_uring *ring, unsigned *slot)
{
	for (*slot = 0; *slot < FILES_MAX; (*slot)++)
		if (!ring->files[*slot])
			return 0;
	return -ENOSPC;
}

static int register_now(struct decant_uring *ring, struct decant_uring_file *file)
{
	int err = find_slot(ring, &file->slot);

	if (!err && !ring->file_table)
		err = ring->ops->files(ring->backend, 2 * FILES_MAX);
	if (err)
		return err;
	ring->file_table = true;
	err = set_places(ring, file, file->fd, file->direct_fd);
	if (err)
		set_places(ring, file, -1, -1);
	return err;
}

int decant_uring_file_register(struct decant_uring *ring, struct decant_uring_file *file)
{
	int err;

	if (uring_forked(ring))
		return -EPERM;
	if (file->ring)
		return file->ring == ring ? 0 : -EBUSY;
	err = ring->ops->files ? register_now(ring, file) : find_slot(ring, &file->slot);
	if (err)
		return err;
	ring->files[file->slot] = file;
	file->ring = ring;
	return 0;
}

int decant_uring_file_unregister(struct decant_uring *ring,
				 struct decant_uring_file *file)
{
	if (file->ring != ring)
		return -ENOENT;
	if (ring->ops->files && !uring_forked(ring))
		set_places(ring, file, -1, -1);
	ring->files[file->slot] = NULL;
	file->ring = NULL;
	return 0;
}

void uring_files_forget(struct decant_uring *ring)
{
	for (unsigned i = 0; i < FILES_MAX; i++)
		if (ring->files[i])
			ring->files[i]->ring = NULL;
}

int uring_file_place(const struct operation *op, bool direct)
{
	const struct decant_uring_file *file = op->file;

	return file->ring == op->ring ? (int)place_of(file, direct) : -1;
}
