/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "remote.h"
#include "trace_file.h"

/* Whether a path leads to the place where the draft will appear. */
static bool is_place_of(const struct draft *draft, const char *path)
{
	struct stat mine, its;
	char *name = NULL;
	int dir = root_directory(NULL, path, &name);
	bool same = dir >= 0 && name && !strcmp(name, draft->name) &&
		    !fstat(draft->dir, &mine) && !fstat(dir, &its) &&
		    mine.st_dev == its.st_dev && mine.st_ino == its.st_ino;

	if (dir >= 0)
		close(dir);
	free(name);
	return same;
}

/* A file in the directory that the target may be has the source's name. */
static bool is_inside(const struct draft *draft, const struct copy_options *o)
{
	char source[PATH_MAX], path[2 * PATH_MAX];
	struct report nobodys = {0};
	struct remote remote;

	snprintf(source, sizeof(source), "%s",
		 remote_parse(&remote, o->source, &nobodys) ? remote.path : o->source);
	snprintf(path, sizeof(path), "%s/%s", o->target, basename(source));
	return is_place_of(draft, path);
}

static bool is_apart(const struct draft *draft, const struct copy_options *o,
		     struct report *report)
{
	bool source = is_place_of(draft, o->source);

	if (!source && !is_place_of(draft, o->target) && !is_inside(draft, o))
		return true;
	return report_set(report, EXIT_USAGE,
			  "--trace %s: that is %s; name a file of its own", o->trace,
			  source ? "SRC" : "DST");
}

/* What is there and no file would be lost under another one's name. */
static bool is_file(const char *path, struct report *report)
{
	struct stat st;

	return stat(path, &st) || S_ISREG(st.st_mode) ||
	       report_set(report, EXIT_USAGE, "--trace %s: not a regular file", path);
}

bool trace_file_open(struct trace_file *file, const struct copy_options *o,
		     uint64_t began, struct report *report)
{
	*file = (struct trace_file){0};
	if (!o->trace)
		return true;
	if (!is_file(o->trace, report))
		return false;
	file->trace = trace_new(began, TRACE_EVENTS_MOST);
	if (!file->trace)
		return report_set(report, EXIT_RESOURCES, "--trace: no memory");
	return draft_open(&file->draft, NULL, o->trace, report) &&
	       is_apart(&file->draft, o, report);
}

static bool write_all(struct trace_file *file, const struct trace_about *about,
		      struct report *report)
{
	const struct file_meta meta = {0};
	int fd = dup(file->draft.fd);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = out && trace_write(about, out);

	if (out)
		good &= !fclose(out);
	else if (fd >= 0)
		close(fd);
	if (good)
		return draft_publish(&file->draft, &meta, report);
	return report_set(report, EXIT_TRACE, "%s: %s", file->draft.path,
			  strerror(errno ? errno : ENOMEM));
}

bool trace_file_write(struct trace_file *file, const struct trace_about *about,
		      struct report *report)
{
	struct report trouble = {0};

	errno = 0;
	if (!write_all(file, about, &trouble))
		return report_set(report, EXIT_TRACE,
				  "--trace %.4000s; the copy itself is done",
				  trouble.text);
	return !about->missing ||
	       report_set(report, EXIT_TRACE,
			  "--trace: without the other side: %.4000s; the copy itself is "
			  "done",
			  about->missing);
}

void trace_file_abandon(struct trace_file *file)
{
	if (file->trace && file->draft.path)
		draft_abandon(&file->draft);
}

void trace_file_close(struct trace_file *file)
{
	if (file->trace)
		draft_close(&file->draft);
	trace_free(file->trace);
}
