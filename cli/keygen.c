/* SPDX-License-Identifier: MIT */
/* keygen.c - `decant keygen`: an identity, as age-keygen writes it, or a key to share. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <decant/age.h>
#include "args.h"
#include "command.h"
#include "psk.h"
#include "text.h"

static const char help_text[] =
	"usage: decant keygen [--psk [--name NAME]] [FILE]\n"
	"\n"
	"Make an identity that `decant copy --decrypt-with` and age decrypt with. FILE\n"
	"must not be there yet, and only you will be able to read it; without FILE, or\n"
	"with -, it goes to standard output. The recipient to encrypt to is in it as\n"
	"well, and printed on standard output if there is a FILE.\n"
	"\n"
	"  --psk        a key for both sides of `decant serve --listen` instead\n"
	"  --name NAME  what the key is called on the wire and in logs (something "
	"random)\n"
	"  -h, --help   this text\n"
	"\n"
	"Exit status: 0 done; 2 wrong usage; 4 the file is there, or it or\n"
	"standard output can't be written; 7 no random bytes.\n";

struct key_request {
	bool psk;
	const char *name;
	const char *path;
};

/* What was made: a file's text, and what of it may be shown. */
struct key {
	char text[512];
	char shown[128]; /* a recipient, or a name */
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

static bool put_out(const char *text, struct report *report)
{
	return text_write(STDOUT_FILENO, text, strlen(text)) ||
	       report_set(report, EXIT_TARGET, "standard output: %s", strerror(errno));
}

/* 0 or an errno; the file is closed. */
static int fill(int fd, const char *text)
{
	int err = text_write(fd, text, strlen(text)) && !fsync(fd) ? 0 : errno;

	return close(fd) && !err ? errno : err;
}

/* A file that can't be finished is none. */
static bool put_file(const char *path, const struct key *key, struct report *report)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err;
	char line[sizeof(key->shown) + 1];

	if (fd < 0 && errno == EEXIST)
		return report_set(report, EXIT_TARGET,
				  "%s: is there already, and a key is not "
				  "overwritten",
				  path);
	if (fd < 0)
		return report_set(report, EXIT_TARGET, "%s: %s", path, strerror(errno));
	err = fill(fd, key->text);
	if (err) {
		unlink(path);
		return report_set(report, EXIT_TARGET, "%s: %s", path, strerror(err));
	}
	snprintf(line, sizeof(line), "%s\n", key->shown);
	return put_out(line, report);
}

static bool make_identity(struct key *key, const char *when, struct report *report)
{
	char identity[DECANT_AGE_IDENTITY_CHARS];

	if (decant_age_identity_new(identity, key->shown))
		return report_set(report, EXIT_RESOURCES, "OpenSSL has no random bytes");
	snprintf(key->text, sizeof(key->text), "# created: %s\n# public key: %s\n%s\n",
		 when, key->shown, identity);
	explicit_bzero(identity, sizeof(identity));
	return true;
}

static bool make_psk(struct key *key, const char *name, const char *when,
		     struct report *report)
{
	char line[PSK_LINE_BYTES];
	struct psk psk;

	if (!psk_new(&psk, name, report))
		return false;
	psk_line(&psk, line);
	snprintf(key->shown, sizeof(key->shown), "%s", psk.name);
	snprintf(key->text, sizeof(key->text), "# created: %s\n%s\n", when, line);
	explicit_bzero(line, sizeof(line));
	explicit_bzero(&psk, sizeof(psk));
	return true;
}

static bool run(const struct key_request *request, struct report *report)
{
	struct key key;
	char when[40];
	bool ok;

	put_time(when, sizeof(when));
	ok = request->psk ? make_psk(&key, request->name, when, report)
			  : make_identity(&key, when, report);
	if (ok && strcmp(request->path, "-"))
		ok = put_file(request->path, &key, report);
	else if (ok)
		ok = put_out(key.text, report);
	explicit_bzero(&key, sizeof(key));
	return ok;
}

static bool check(const struct key_request *request, struct report *report)
{
	if (!request->name)
		return true;
	if (!request->psk)
		return report_set(report, EXIT_USAGE,
				  "--name: only a key of --psk has a name");
	return psk_name_ok(request->name) ||
	       report_set(report, EXIT_USAGE,
			  "--name %s: expected up to %u letters, digits and "
			  "any of . _ - @",
			  request->name, PSK_NAME_MOST);
}

#define FIELD(name) offsetof(struct key_request, name)

static const struct args_option options[] = {
	{"psk", no_argument, args_flag, FIELD(psk)},
	{"name", required_argument, args_text, FIELD(name)},
};

static const struct args args = {
	"keygen", help_text, options, ARGS_NR(options), "a FILE or nothing", 0, 1};

int command_keygen(int argc, char **argv)
{
	struct report report = {0};
	struct key_request request = {.path = "-"};
	int at = args_parse(&args, argc, argv, &request, &report);

	if (at && at < argc)
		request.path = argv[at];
	if (at && check(&request, &report))
		run(&request, &report);
	return report_print(&report);
}
