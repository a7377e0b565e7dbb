/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "secret.h"

#define FILE_MOST (1u << 20)

/*
 * systemd keeps credentials (systemd.exec(5)) in a directory that only the service can
 * enter; what the group's bits show there is the mask of an access list.
 */
static mode_t others(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t len = dir ? strlen(dir) : 0;

	return len && !strncmp(path, dir, len) && path[len] == '/' ? 0007 : 0077;
}

static bool is_private(const char *path, int fd, struct report *report)
{
	struct stat st;

	if (fstat(fd, &st))
		return report_set(report, EXIT_KEY, "%s: %s", path, strerror(errno));
	if (st.st_mode & others(path))
		return report_set(
			report, EXIT_KEY,
			"%s: others may read or write it (mode %04o); chmod 600 "
			"it, and make a new key if they may have",
			path, (unsigned)(st.st_mode & 07777));
	if (st.st_uid && st.st_uid != geteuid())
		return report_set(report, EXIT_KEY, "%s: belongs to another user", path);
	return true;
}

static bool read_all(const char *path, int fd, char *room, size_t *len,
		     struct report *report)
{
	ssize_t got = 1;

	for (*len = 0; got > 0 && *len < FILE_MOST; *len += (size_t)got) {
		got = read(fd, room + *len, FILE_MOST - *len);
		if (got <= 0)
			break;
	}
	if (got < 0)
		return report_set(report, EXIT_KEY, "%s: %s", path, strerror(errno));
	return *len < FILE_MOST ||
	       report_set(report, EXIT_KEY, "%s: is too large for keys", path);
}

char *secret_read(const char *path, enum secret_readers readers, size_t *len,
		  struct report *report)
{
	char *room = calloc(1, FILE_MOST + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = room && fd >= 0;

	if (!ok)
		report_set(report, EXIT_KEY, "%s: %s", path, strerror(errno));
	if (ok && readers == SECRET_NOBODY_ELSE)
		ok = is_private(path, fd, report);
	ok = ok && read_all(path, fd, room, len, report) &&
	     (strlen(room) == *len ||
	      report_set(report, EXIT_KEY, "%s: is no text", path));
	if (fd >= 0)
		close(fd);
	if (ok)
		return room;
	if (room)
		secret_free(room, FILE_MOST);
	return NULL;
}

void secret_free(char *text, size_t len)
{
	explicit_bzero(text, len);
	free(text);
}

char *secret_line(char **rest)
{
	char *line = strsep(rest, "\n");
	size_t len = line ? strlen(line) : 0;

	if (len && line[len - 1] == '\r')
		line[len - 1] = '\0';
	return line;
}
