/* SPDX-License-Identifier: MIT */
/* backed.c - regions over memory that the library maps itself. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <decant/region.h>

static void unmap(void *user, void *addr, size_t len)
{
	(void)user;
	munmap(addr, len);
}

/* A region over [offset, offset + len) of a file. */
static int map_region(struct decant_region **out, int fd, uint64_t offset, size_t len,
		      int prot)
{
	struct decant_region_options options = {.size = sizeof(options),
						.release = unmap};
	void *addr;
	int err;

	if (!len)
		return -EINVAL;
	if (offset > INT64_MAX)
		return -EOVERFLOW;
	addr = mmap(NULL, len, prot, MAP_SHARED, fd, (off_t)offset);
	if (addr == MAP_FAILED)
		return -errno;
	err = decant_region_new(out, addr, len, &options);
	if (err)
		munmap(addr, len);
	return err;
}

int decant_region_file(struct decant_region **out, int fd, uint64_t offset, size_t len,
		       enum decant_direction direction)
{
	int prot = PROT_READ;

	if (direction == DECANT_DEST)
		prot |= PROT_WRITE;
	else if (direction != DECANT_SOURCE)
		return -EINVAL;
	return map_region(out, fd, offset, len, prot);
}

int decant_region_memfd(struct decant_region **out, const char *name, size_t len, int *fd)
{
	int file, err;

	if (len > INT64_MAX)
		return -EOVERFLOW;
	file = memfd_create(name, MFD_CLOEXEC);
	if (file < 0)
		return -errno;
	err = ftruncate(file, (off_t)len) ? -errno : 0;
	if (!err)
		err = map_region(out, file, 0, len, PROT_READ | PROT_WRITE);
	if (!err && fd)
		*fd = file;
	else
		close(file);
	return err;
}
