/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "root.h"

#define LINKS_MOST 40 /* as the kernel's */
#define TRIES	   64 /* the kernel gives up when the tree changes under a `..` */

static int open_beneath(int dir, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(unsigned)flags,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd = -1;

	errno = EAGAIN;
	for (int i = 0; i < TRIES && fd < 0 && errno == EAGAIN; i++)
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	return (int)fd;
}

bool root_init(struct root *root, const char *path, bool read_only, struct report *report)
{
	int probe;

	*root = (struct root){.read_only = read_only};
	root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0)
		return report_set(report, EXIT_USAGE, "--root %s: %s", path,
				  strerror(errno));
	probe = open_beneath(root->fd, ".", O_PATH | O_CLOEXEC);
	if (probe < 0) {
		report_set(report, EXIT_RESOURCES,
			   "--root %s: openat2: %s; Linux 5.6 or newer is needed", path,
			   strerror(errno));
		root_close(root);
		return false;
	}
	close(probe);
	return true;
}

void root_close(struct root *root)
{
	close(root->fd);
	root->fd = -1;
}

/* A client has no business above a directory, even where that leads back into the root.
 */
static bool climbs(const char *path)
{
	const char *at = path;

	while ((at = strstr(at, ".."))) {
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
		at += 2;
	}
	return false;
}

int root_open(const struct root *root, const char *path, int flags)
{
	if (!root)
		return open(path, flags | O_CLOEXEC);
	if (climbs(path)) {
		errno = EXDEV;
		return -1;
	}
	return open_beneath(root->fd, path, flags | O_CLOEXEC);
}

int root_stat(const struct root *root, const char *path, struct stat *st)
{
	int fd, err;

	if (!root)
		return stat(path, st);
	fd = root_open(root, path, O_PATH);
	if (fd < 0)
		return -1;
	err = fstat(fd, st);
	close(fd);
	return err;
}

const char *root_strerror(int err)
{
	return err == EXDEV ? "leads out of the root directory" : strerror(err);
}

/* Where a symbolic link in dir points to, as a path from where dir's is known from; NULL
 * and errno, EINVAL if it is none. */
static char *link_target(int dir, const char *dir_path, const char *name)
{
	char to[PATH_MAX], *joined = NULL;
	ssize_t len = readlinkat(dir, name, to, sizeof(to) - 1);

	if (len < 0)
		return NULL;
	to[len] = '\0';
	if (asprintf(&joined, "%s%s%s", *to == '/' ? "" : dir_path, *to == '/' ? "" : "/",
		     to) < 0)
		return NULL;
	return joined;
}

static int open_directory(const struct root *root, const char *path)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	return root ? open_beneath(root->fd, path, flags) : open(path, flags);
}

/*
 * One step: path's directory, open, and its last name. If that is a symbolic link, *next
 * is where it points to.
 */
static int step(const struct root *root, const char *path, char **name, char **next)
{
	char *one = strdup(path), *other = strdup(path);
	const char *dir_path;
	int dir = -1;

	*name = *next = NULL;
	if (one && other) {
		dir_path = dirname(one);
		dir = open_directory(root, dir_path);
		*name = strdup(basename(other));
		if (dir >= 0 && *name)
			*next = link_target(dir, dir_path, *name);
	}
	free(one);
	free(other);
	return dir;
}

int root_directory(const struct root *root, const char *path, char **name)
{
	char *at = strdup(path), *next = NULL;
	int dir;

	*name = NULL;
	if (!at)
		return -1;
	if (root && climbs(at)) {
		free(at);
		errno = EXDEV;
		return -1;
	}
	for (int i = 0; at && i <= LINKS_MOST; i++) {
		dir = step(root, at, name, &next);
		free(at);
		at = next;
		if (!next)
			return dir;
		close(dir);
		free(*name);
	}
	free(at);
	*name = NULL;
	errno = ELOOP;
	return -1;
}
