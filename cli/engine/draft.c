/* SPDX-License-Identifier: MIT */
/*
 * draft.c - a file that appears under its name only when it is complete and synced.
 *
 * Where the file system can, the draft has no name at all (O_TMPFILE), so that nothing is
 * left behind even if the process is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "file.h"

static bool fail(const struct draft *draft, struct report *report)
{
	return report_set(report, EXIT_TARGET, "%s: %s", draft->path,
			  root_strerror(errno));
}

/* A name nobody else uses, beside the final one. */
static void temp_name(const struct draft *draft, char *room, size_t max)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) < 0)
		number = (uint64_t)getpid();
	snprintf(room, max, ".%.200s.decant-%016llx", draft->name,
		 (unsigned long long)number);
}

/* A path that can't be a file's. */
static int path_error(const char *path)
{
	size_t len = strlen(path);

	if (!len)
		return ENOENT;
	return path[len - 1] == '/' ? EISDIR : 0;
}

static int open_named(struct draft *draft)
{
	char name[sizeof(draft->temp)];
	int fd;

	temp_name(draft, name, sizeof(name));
	fd = openat(draft->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		strcpy(draft->temp, name);
	return fd;
}

/* An old target that may not be written is not replaced behind its owner's back either.
 */
static bool may_replace(const struct draft *draft, struct report *report)
{
	if (!faccessat(draft->dir, draft->name, W_OK, AT_EACCESS) || errno == ENOENT)
		return true;
	return fail(draft, report);
}

bool draft_open(struct draft *draft, const struct root *root, const char *path,
		struct report *report)
{
	*draft = (struct draft){
		.fd = -1, .dir = -1, .path = strdup(path), .masked = root != NULL};
	if (!draft->path)
		return report_set(report, EXIT_RESOURCES, "%s: no memory", path);
	errno = path_error(path);
	if (errno)
		return fail(draft, report);
	draft->dir = root_directory(root, path, &draft->name);
	if (draft->dir < 0 || !draft->name)
		return fail(draft, report);
	if (!may_replace(draft, report))
		return false;
	draft->fd = openat(draft->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (draft->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		draft->fd = open_named(draft);
	return draft->fd >= 0 || fail(draft, report);
}

/* Give a nameless draft a name: the final one if it is free, else one to rename from. */
static int link_draft(struct draft *draft)
{
	char proc[64], name[sizeof(draft->temp)];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", draft->fd);
	if (!linkat(AT_FDCWD, proc, draft->dir, draft->name, AT_SYMLINK_FOLLOW))
		return 0;
	if (errno != EEXIST)
		return -1;
	temp_name(draft, name, sizeof(name));
	if (linkat(AT_FDCWD, proc, draft->dir, name, AT_SYMLINK_FOLLOW))
		return -1;
	strcpy(draft->temp, name);
	return 0;
}

static int keep_meta(const struct draft *draft, const struct file_meta *meta)
{
	const struct timespec times[2] = {meta->atime, meta->mtime};
	mode_t mask = umask(0), mode = meta->keep ? meta->mode : 0666;

	umask(mask);
	if (!meta->keep || draft->masked)
		mode &= ~mask;
	/* The owner may be another one here: no set-id bits. */
	return fchmod(draft->fd, mode & 01777) ||
	       (meta->keep && futimens(draft->fd, times));
}

bool draft_publish(struct draft *draft, const struct file_meta *meta,
		   struct report *report)
{
	if (keep_meta(draft, meta) || fsync(draft->fd))
		return fail(draft, report);
	if (!*draft->temp && link_draft(draft))
		return fail(draft, report);
	if (*draft->temp && renameat(draft->dir, draft->temp, draft->dir, draft->name))
		return fail(draft, report);
	draft->temp[0] = '\0';
	/* Some file systems can't sync a directory; the file itself is safe. */
	return !fsync(draft->dir) || errno == EINVAL || fail(draft, report);
}

void draft_abandon(struct draft *draft)
{
	if (*draft->temp)
		unlinkat(draft->dir, draft->temp, 0);
	draft->temp[0] = '\0';
}

void draft_close(struct draft *draft)
{
	draft_abandon(draft);
	if (draft->fd >= 0)
		close(draft->fd);
	if (draft->dir >= 0)
		close(draft->dir);
	free(draft->name);
	free(draft->path);
}
