/* SPDX-License-Identifier: MIT */
/* file.c - what a file demands: direct or not, and at which alignment. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "internal.h"

#define GUESSED_ALIGN 4096u

static const char why_never[] = "direct I/O was not asked for";
static const char why_stream[] = "neither a regular file nor a block device";
static const char why_append[] = "opened with O_APPEND: writes ignore their position";
static const char why_unable[] = "the file system says that this file can't";
static const char why_blocks[] = "its blocks are larger than 64 KiB";
static const char why_refused[] = "the file system refuses O_DIRECT";
static const char why_permission[] = "no permission to open it again with O_DIRECT";
static const char why_proc[] = "it can't be opened again: /proc is not there";
static const char why_open[] = "it could not be opened again with O_DIRECT";
static const char why_guess[] = "the alignment is a guess: the file system does not say";

/*
 * The kernel's struct statx up to the fields of direct I/O, and its mask bits, which the
 * C library may be too old to know.
 */
#define STATX_ABI_DIOALIGN 0x2000u

struct statx_abi {
	uint32_t mask;
	uint32_t skipped[37];
	uint32_t dio_mem_align;
	uint32_t dio_offset_align;
	uint32_t rest[24];
};

_Static_assert(offsetof(struct statx_abi, dio_mem_align) == 0x98, "struct statx");
_Static_assert(sizeof(struct statx_abi) == 0x100, "struct statx");

static bool read_alignment(int fd, uint32_t *mem, uint32_t *offset)
{
	struct statx_abi st = {0};

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_ABI_DIOALIGN, &st))
		return false;
	*mem = st.dio_mem_align;
	*offset = st.dio_offset_align;
	return st.mask & STATX_ABI_DIOALIGN;
}

static bool is_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* The alignments for direct I/O, or why there is none. */
static const char *find_alignment(struct decant_uring_file *file, int fd)
{
	struct decant_uring_file_info *info = &file->info;
	uint32_t mem, offset;

	info->known = read_alignment(fd, &mem, &offset);
	if (!info->known) {
		info->mem_align = info->offset_align = GUESSED_ALIGN;
		return NULL;
	}
	if (!is_power_of_two(mem) || !is_power_of_two(offset))
		return why_unable;
	if (mem > SCRATCH_ALIGN || offset > OFFSET_ALIGN_MAX)
		return why_blocks;
	info->mem_align = mem;
	info->offset_align = offset;
	return NULL;
}

/* Open the same file once more, whatever its name was. */
static int reopen(int fd, int flags)
{
	char path[32];
	int opened;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = open(path, (flags & (O_ACCMODE | O_SYNC | O_DIRECT)) | O_CLOEXEC);
	return opened < 0 ? -errno : opened;
}

static const char *why_not_opened(int err)
{
	switch (err) {
	case -EINVAL:
		return why_refused;
	case -EACCES:
	case -EPERM:
		return why_permission;
	case -ENOENT:
		return why_proc;
	default:
		return why_open;
	}
}

static const char *why_not_direct(const struct decant_uring_file *file, int flags,
				  enum decant_uring_direct direct)
{
	if (direct == DECANT_URING_DIRECT_NEVER)
		return why_never;
	if (!file->positions)
		return why_stream;
	return flags & O_APPEND ? why_append : NULL;
}

/* Get the descriptor that is missing: the one with O_DIRECT, or the one without. */
static int open_other(struct decant_uring_file *file, int fd, int flags)
{
	bool is_direct = flags & O_DIRECT;

	file->opened = reopen(fd, flags ^ O_DIRECT);
	if (file->opened < 0)
		return file->opened;
	file->fd = is_direct ? file->opened : fd;
	file->direct_fd = is_direct ? fd : file->opened;
	return 0;
}

static void set_buffered(struct decant_uring_file *file, const char *why)
{
	file->direct_fd = -1;
	file->info = (struct decant_uring_file_info){
		.mem_align = 1, .offset_align = 1, .why = why};
}

/*
 * A file that may or can't be direct. The caller's descriptor does, unless it has
 * O_DIRECT.
 */
static int open_buffered(struct decant_uring_file *file, int fd, int flags,
			 const char *why)
{
	int err = 0;

	if (flags & O_DIRECT && file->positions)
		err = open_other(file, fd, flags);
	set_buffered(file, why);
	return err;
}

static int open_direct(struct decant_uring_file *file, int fd, int flags)
{
	const char *why = find_alignment(file, fd);
	int err;

	if (why)
		return file->fallback ? open_buffered(file, fd, flags, why) : -EINVAL;
	err = open_other(file, fd, flags);
	if (err && file->fallback && !(flags & O_DIRECT)) {
		set_buffered(file, why_not_opened(err));
		return 0;
	}
	file->info.direct = true;
	file->info.why = file->info.known ? NULL : why_guess;
	return err;
}

static int file_init(struct decant_uring_file *file, int fd,
		     enum decant_uring_direct direct)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;
	const char *why;
	int err;

	if (flags < 0 || fstat(fd, &st))
		return -errno;
	if (flags & O_PATH)
		return -EBADF;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	*file = (struct decant_uring_file){.fd = fd, .direct_fd = -1, .opened = -1};
	file->positions = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	file->blocks = S_ISBLK(st.st_mode);
	file->readable = (flags & O_ACCMODE) == O_RDWR;
	file->fallback = direct == DECANT_URING_DIRECT_AUTO;
	err = S_ISSOCK(st.st_mode) ? uring_socket_open(file) : 0;
	if (err)
		return err;
	why = why_not_direct(file, flags, direct);
	if (!why)
		return open_direct(file, fd, flags);
	if (direct == DECANT_URING_DIRECT_ALWAYS)
		return -EINVAL;
	return open_buffered(file, fd, flags, why);
}

uint64_t uring_file_size(struct decant_uring_file *file, uint64_t end)
{
	struct stat st;

	if (file->blocks)
		return UINT64_MAX;
	if (end > file->size && !fstat(file->fd, &st))
		file->size = (uint64_t)st.st_size;
	return file->size;
}

bool uring_file_rewrites(struct decant_uring_file *file, uint64_t end)
{
	return file->readable && end <= uring_file_size(file, end);
}

int decant_uring_file_open(struct decant_uring_file **out, int fd,
			   enum decant_uring_direct direct)
{
	struct decant_uring_file *file;
	int err;

	if (direct > DECANT_URING_DIRECT_NEVER)
		return -EINVAL;
	file = malloc(sizeof(*file));
	if (!file)
		return -ENOMEM;
	err = file_init(file, fd, direct);
	if (err) {
		free(file);
		return err;
	}
	uring_claims_init(&file->claims);
	*out = file;
	return 0;
}

void decant_uring_file_close(struct decant_uring_file *file)
{
	if (!file)
		return;
	if (file->ring)
		decant_uring_file_unregister(file->ring, file);
	if (file->opened >= 0)
		close(file->opened);
	uring_claims_fini(&file->claims);
	free(file);
}

void decant_uring_file_info(const struct decant_uring_file *file,
			    struct decant_uring_file_info *info)
{
	*info = file->info;
}
