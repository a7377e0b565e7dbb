/* SPDX-License-Identifier: MIT */
/* explain_from.c - where layouts and limits come from: files, processes, devices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "explain_options.h"
#include "real.h"

/* Most bytes of a layout that is read: EXPLAIN_PIECES in a wordy form. */
#define TEXT_MOST ((size_t)1 << 30)

/* Text that was given or read. */
struct source {
	char *text;
	size_t len;
	bool read; /* and is ours to free */
};

static bool read_all(FILE *file, struct source *source)
{
	size_t room = 0, got;

	do {
		if (source->len == room) {
			void *text;

			room = room ? 2 * room : 1 << 16;
			text = room > TEXT_MOST ? NULL : realloc(source->text, room);
			if (!text) {
				errno = ENOMEM;
				return false;
			}
			source->text = text;
		}
		got = fread(source->text + source->len, 1, room - source->len, file);
		source->len += got;
	} while (got);
	return !ferror(file);
}

/* An option's text: as it stands, or that of @FILE or standard input. */
static bool source_open(struct source *source, const char *option, const char *arg,
			struct report *report)
{
	bool standard = !strcmp(arg, "-");
	FILE *file;
	bool good;

	*source = (struct source){.read = standard || *arg == '@'};
	if (!source->read) {
		source->text = (char *)(uintptr_t)arg;
		source->len = strlen(arg);
		return true;
	}
	file = standard ? stdin : fopen(arg + 1, "re");
	good = file && read_all(file, source);
	if (!good)
		report_set(report, EXIT_SOURCE, "--%s %s: %s", option, arg,
			   strerror(errno));
	if (file && !standard)
		fclose(file);
	if (!good)
		free(source->text);
	return good;
}

static void source_close(struct source *source)
{
	if (source->read)
		free(source->text);
}

/* What is wrong, and where: the whole text would not fit into a line. */
static bool wrong(struct report *report, const char *option, const char *arg,
		  const struct explain_error *error)
{
	return report_set(report, EXIT_USAGE, "--%s%s%.200s: at %zu: %s", option,
			  *arg == '@' || *arg == '-' ? " " : "",
			  *arg == '@' || *arg == '-' ? arg : "", error->at, error->text);
}

bool layout_from_text(struct explain_layout *layout, const char *arg,
		      struct report *report)
{
	struct explain_error error = {0};
	struct source source;
	bool good;

	if (!source_open(&source, "layout", arg, report))
		return false;
	good = explain_layout_parse(layout, source.text, source.len, &error) ||
	       wrong(report, "layout", arg, &error);
	source_close(&source);
	return good;
}

/* PID:ADDRESS:NR */
static bool parse_process(const char *arg, uint64_t value[3], struct explain_error *error)
{
	static const char *const names[] = {"pid", "address", "number"};
	struct explain_text t = {arg, arg, arg + strlen(arg), error};
	size_t at[3];

	for (unsigned i = 0; i < 3; i++) {
		if (i && explain_next(&t) != ':')
			return explain_fail(error, explain_pos(&t),
					    "expected PID:ADDRESS:NR");
		t.at += i > 0;
		at[i] = explain_pos(&t);
		if (!explain_number(&t, names[i], &value[i]))
			return false;
	}
	if (t.at < t.end)
		return explain_fail(error, explain_pos(&t), "expected nothing more");
	if (value[0] > INT32_MAX)
		return explain_fail(error, at[0], "pid: there is no such process");
	if (value[2] > EXPLAIN_PIECES)
		return explain_fail(error, at[2], "number: more than %u", EXPLAIN_PIECES);
	return true;
}

/* The list as the process has it: 1 MiB at a time. */
static bool read_process(const uint64_t value[3], struct iovec *list, size_t *done)
{
	size_t bytes = value[2] * sizeof(*list);

	*done = 0;
	while (*done < bytes) {
		size_t n = bytes - *done < 1 << 20 ? bytes - *done : 1 << 20;
		struct iovec local = {(char *)list + *done, n};
		struct iovec remote = {(void *)(uintptr_t)(value[1] + *done), n};
		ssize_t got = process_vm_readv((pid_t)value[0], &local, 1, &remote, 1, 0);

		if (got <= 0)
			return false;
		*done += (size_t)got;
	}
	return true;
}

bool layout_from_process(struct explain_layout *layout, const char *arg,
			 struct report *report)
{
	struct explain_error error = {0};
	struct iovec *list;
	uint64_t value[3];
	bool good;
	size_t done;

	if (!parse_process(arg, value, &error))
		return report_set(report, EXIT_USAGE, "--process %s: at %zu: %s", arg,
				  error.at, error.text);
	list = calloc(value[2] + 1, sizeof(*list));
	if (!list)
		return report_set(report, EXIT_RESOURCES, "--process: %s",
				  strerror(errno));
	good = read_process(value, list, &done) ||
	       report_set(report, EXIT_SOURCE, "--process %s: entry %zu: %s", arg,
			  done / sizeof(*list), strerror(errno));
	for (size_t i = 0; good && i < value[2]; i++) {
		struct explain_item item = {.at = i,
					    .count = 1,
					    .length = list[i].iov_len,
					    .address = (uintptr_t)list[i].iov_base};

		good = explain_layout_add(layout, &item, &error) ||
		       report_set(report, EXIT_SOURCE, "--process %s: entry %zu: %s", arg,
				  i, error.text);
	}
	free(list);
	if (good && !layout->nr)
		return report_set(report, EXIT_USAGE, "--process %s: no entries", arg);
	return good;
}

/* Where thought-up pieces lie. */
#define PATTERN_BASE 0x10000000u
#define PATTERN_PAGE 4096u

bool layout_from_pattern(struct explain_layout *layout, const struct pattern *pattern,
			 struct report *report)
{
	struct explain_error error = {0};
	struct explain_item item = {.count = pattern->pieces,
				    .length = pattern->size,
				    .address = PATTERN_BASE,
				    .offset = pattern->misalign,
				    .stride = pattern->stride};

	if (!item.stride && pattern->size < UINT64_MAX - 2 * PATTERN_PAGE)
		item.stride = (pattern->size / PATTERN_PAGE + 1) * PATTERN_PAGE;
	return explain_layout_add(layout, &item, &error) ||
	       report_set(report, EXIT_USAGE, "--pieces: %s", error.text);
}

/* Behind @FILE or -, a # and which of the limits there; arg ends in front of it. */
static const char *cut_name(char *arg)
{
	char *mark = *arg == '@' || *arg == '-' ? strrchr(arg, '#') : NULL;

	if (!mark || (*arg == '@' && !access(arg + 1, F_OK)))
		return NULL;
	*mark = 0;
	return mark + 1;
}

static bool limits_from_source(struct decant_limits *limits, const char *arg,
			       const char *name, struct report *report)
{
	struct explain_error error = {0};
	struct source source;
	bool good;

	if (!source_open(&source, "limits", arg, report))
		return false;
	good = explain_limits_parse(limits, name, source.text, source.len, &error) ||
	       wrong(report, "limits", arg, &error);
	source_close(&source);
	return good;
}

bool limits_from_text(struct decant_limits *limits, const char *arg,
		      struct report *report)
{
	struct decant_limits real = {0};
	const char *name;
	char *copy;
	bool good;

	if (limits_is_real(arg)) {
		good = limits_of_real(arg, &real, report);
		decant_limits_merge(limits, &real);
		return good;
	}
	copy = strdup(arg);
	if (!copy)
		return report_set(report, EXIT_RESOURCES, "--limits: no memory");
	name = cut_name(copy);
	good = limits_from_source(limits, copy, name, report);
	free(copy);
	return good;
}
