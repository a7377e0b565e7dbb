/* SPDX-License-Identifier: MIT */
/* keygen.c - `decant keygen`: an identity, as age-keygen writes it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <decant/age.h>
#include "command.h"

static const char help_text[] =
	"usage: decant keygen [FILE]\n"
	"\n"
	"Make an identity that `decant copy --decrypt-with` and age decrypt with. FILE\n"
	"must not be there yet, and only you will be able to read it; without FILE, or\n"
	"with -, it goes to standard output. The recipient to encrypt to is in it as\n"
	"well, and printed on standard output if there is a FILE.\n"
	"\n"
	"Exit status: 0 done; 2 wrong usage; 4 the file can't be written, or is there;\n"
	"7 no random bytes.\n";

struct key {
	char identity[DECANT_AGE_IDENTITY_CHARS];
	char recipient[DECANT_AGE_RECIPIENT_CHARS];
};

/* RFC 3339, in local time. */
static void put_time(char *room, size_t max)
{
	time_t now = time(NULL);
	struct tm tm;
	size_t len;

	localtime_r(&now, &tm);
	len = strftime(room, max, "%Y-%m-%dT%H:%M:%S%z", &tm);
	/* +0100 becomes +01:00, and none at all is Z. */
	if (!tm.tm_gmtoff) {
		strcpy(room + len - 5, "Z");
		return;
	}
	memmove(room + len - 1, room + len - 2, 3);
	room[len - 2] = ':';
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t got = write(fd, text, len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		text += got;
		len -= (size_t)got;
	}
	return true;
}

static bool put_key(int fd, const struct key *key)
{
	char text[512], when[40];
	int len;
	bool ok;

	put_time(when, sizeof(when));
	len = snprintf(text, sizeof(text), "# created: %s\n# public key: %s\n%s\n", when,
		       key->recipient, key->identity);
	ok = write_all(fd, text, (size_t)len);
	explicit_bzero(text, sizeof(text));
	return ok;
}

/* A file that can't be finished is none. */
static bool put_file(const char *path, const struct key *key, struct report *report)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err;

	if (fd < 0 && errno == EEXIST)
		return report_set(report, EXIT_TARGET,
				  "%s: is there already, and an identity is not "
				  "overwritten",
				  path);
	if (fd < 0)
		return report_set(report, EXIT_TARGET, "%s: %s", path, strerror(errno));
	if (put_key(fd, key) && !fsync(fd) && !close(fd)) {
		printf("%s\n", key->recipient);
		return true;
	}
	err = errno;
	unlink(path);
	close(fd);
	return report_set(report, EXIT_TARGET, "%s: %s", path, strerror(err));
}

static bool run(const char *path, struct report *report)
{
	struct key key;
	bool ok;

	if (decant_age_identity_new(key.identity, key.recipient))
		return report_set(report, EXIT_RESOURCES, "OpenSSL has no random bytes");
	if (strcmp(path, "-"))
		ok = put_file(path, &key, report);
	else
		ok = put_key(STDOUT_FILENO, &key) ||
		     report_set(report, EXIT_TARGET, "standard output: %s",
				strerror(errno));
	explicit_bzero(&key, sizeof(key));
	return ok;
}

int command_keygen(int argc, char **argv)
{
	struct report report = {0};

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help_text, stdout);
		return EXIT_DONE;
	}
	if (argc > 2 || (argc == 2 && argv[1][0] == '-' && argv[1][1]))
		report_set(&report, EXIT_USAGE,
			   "keygen: expected a FILE or nothing; see decant keygen "
			   "--help");
	else
		run(argc == 2 ? argv[1] : "-", &report);
	return report_print(&report);
}
