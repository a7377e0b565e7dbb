/* SPDX-License-Identifier: MIT */
/* limits.c - `decant limits`: what files, devices, fabrics and libraries demand. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <decant/uring.h>
#include <print.h>
#include "args.h"
#include "command.h"
#include "real.h"
#include "text.h"

static const char help_text[] =
	"usage: decant limits [--json] WHAT\n"
	"\n"
	"Show what something demands of buffers: alignments, elements in a request, "
	"bytes\n"
	"in a request. `decant explain --limits` takes the JSON.\n"
	"\n"
	"  PATH, file:PATH    direct I/O on a file\n"
	"  block[:NAME]       block devices (vda), as sysfs has their queues\n"
	"  uring              io_uring: which of its features are there\n"
	"  fabric[:PROVIDER]  libfabric's providers\n"
	"  verbs[:DEVICE]     RDMA devices\n"
	"  crypto             who does the arithmetic for which cipher\n"
	"  all                all of these but files\n"
	"\n"
	"  --json             as JSON\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 done; 2 wrong usage; 3 the file can't be read; 4 standard "
	"output\n"
	"can't be written; 5 no such provider or device; 7 memory is missing.\n";

/* What can be asked for, and in explain --limits. */
static const struct {
	const char *name;
	limits_section *show;
	limits_of *of;
	enum { NAME_NEVER, NAME_PERHAPS, NAME_NEEDED } name_behind;
} sorts[] = {
	{"block", limits_block, limits_of_block, NAME_PERHAPS},
	{"uring", limits_uring, limits_of_uring, NAME_NEVER},
	{"fabric", limits_fabric, limits_of_fabric, NAME_PERHAPS},
	{"verbs", limits_verbs, limits_of_verbs, NAME_PERHAPS},
	{"crypto", limits_crypto, NULL, NAME_NEVER},
	{"file", limits_file, limits_of_file, NAME_NEEDED},
	{"nvme", NULL, limits_of_nvme, NAME_NEEDED},
	{"verbs-read", NULL, limits_of_verbs_read, NAME_PERHAPS},
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* The sort that an argument names, and the rest of it; -1 if it names none. */
static int sort_of(const char *arg, const char **rest)
{
	for (size_t i = 0; i < NR(sorts); i++) {
		size_t len = strlen(sorts[i].name);

		if (strncmp(arg, sorts[i].name, len) || (arg[len] && arg[len] != ':'))
			continue;
		*rest = arg[len] ? arg + len + 1 : NULL;
		if (*rest || sorts[i].name_behind != NAME_NEEDED)
			return (int)i;
	}
	return -1;
}

static bool may_have_name(int sort, const char *name, struct report *report)
{
	const char *what = sorts[sort].name;

	return !name || sorts[sort].name_behind != NAME_NEVER ||
	       report_set(report, EXIT_USAGE, "%s:%s: expected %s alone", what, name,
			  what);
}

void limits_print_json(FILE *file, const char *name, const struct decant_limits *limits)
{
	static struct out out;

	out_begin(&out, file);
	out_text(&out, "\"");
	out_text(&out, name);
	out_text(&out, "\":");
	limits_json(&out, limits);
	out_flush(&out);
}

bool limits_is_real(const char *arg)
{
	const char *rest;
	int sort = sort_of(arg, &rest);

	return sort >= 0 && sorts[sort].of;
}

bool limits_of_real(const char *arg, struct decant_limits *limits, struct report *report)
{
	const char *rest;
	int sort = sort_of(arg, &rest);

	return may_have_name(sort, rest, report) && sorts[sort].of(rest, limits, report);
}

static bool inspect(const char *path, struct decant_uring_file_info *info,
		    struct report *report)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	struct decant_uring_file *file;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		report_set(report, EXIT_SOURCE, "%s: %s", path, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		report_set(report, EXIT_SOURCE, "%s: is a directory; name a file in it",
			   path);
	} else {
		err = decant_uring_file_open(&file, fd, DECANT_URING_DIRECT_AUTO);
		if (err) {
			report_set(report, EXIT_SOURCE, "%s: %s", path, strerror(-err));
		} else {
			decant_uring_file_info(file, info);
			decant_uring_file_close(file);
		}
	}
	if (fd >= 0)
		close(fd);
	return !report->code;
}

struct decant_limits limits_of_info(const struct decant_uring_file_info *i)
{
	struct decant_limits limits = {.max_elements = IOV_MAX,
				       .max_bytes = REQUEST_BYTES};

	if (!i->direct)
		return limits;
	limits.addr_align = i->mem_align;
	limits.len_align = i->offset_align;
	limits.max_bytes &= ~((size_t)i->offset_align - 1);
	return limits;
}

bool limits_of_file(const char *name, struct decant_limits *limits, struct report *report)
{
	struct decant_uring_file_info info;

	if (!inspect(name, &info, report))
		return false;
	*limits = limits_of_info(&info);
	return true;
}

static void file_json(struct limits_request *r, const struct decant_uring_file_info *i)
{
	struct decant_limits limits = limits_of_info(i);

	fprintf(r->out, "\"file\":");
	text_json(r->out, r->name);
	fprintf(r->out,
		",\"direct\":%s,\"addr_align\":%u,\"len_align\":%u,\"offset_align\":%u,"
		"\"max_elements\":%u,\"max_bytes\":%u,\"known\":%s,",
		i->direct ? "true" : "false", i->mem_align, i->offset_align,
		i->offset_align, IOV_MAX, REQUEST_BYTES, i->known ? "true" : "false");
	if (i->why) {
		fprintf(r->out, "\"why\":");
		text_json(r->out, i->why);
		fprintf(r->out, ",");
	}
	limits_print_json(r->out, "limits", &limits);
}

static void file_text(struct limits_request *r, const struct decant_uring_file_info *i)
{
	fprintf(r->out, "file             %s\n", r->name);
	fprintf(r->out, "direct I/O       %s%s%s\n", i->direct ? "yes" : "no",
		i->why ? ": " : "", i->why ? i->why : "");
	fprintf(r->out, "memory           multiples of %u bytes%s\n", i->mem_align,
		i->known || !i->direct ? "" : " (a safe guess)");
	fprintf(r->out,
		"position, length multiples of %u bytes; decant stages the rest\n",
		i->offset_align);
	fprintf(r->out, "elements         at most %u in a request\n", IOV_MAX);
	fprintf(r->out, "bytes            at most %u in a request\n", REQUEST_BYTES);
}

bool limits_file(struct limits_request *r)
{
	struct decant_uring_file_info info;

	if (!inspect(r->name, &info, r->report))
		return false;
	(r->json ? file_json : file_text)(r, &info);
	return true;
}

/* All sections, one after the other. */
static bool show_all(struct limits_request *r)
{
	r->all = true;
	for (size_t i = 0; i < NR(sorts); i++) {
		if (sorts[i].name_behind == NAME_NEEDED || !sorts[i].show)
			continue;
		if (i)
			fprintf(r->out, r->json ? ",\n" : "\n");
		r->found = 0;
		if (!sorts[i].show(r))
			return false;
	}
	return true;
}

static bool show(struct limits_request *r, const char *what)
{
	int sort;

	if (!strcmp(what, "all"))
		return show_all(r);
	sort = sort_of(what, &r->name);
	if (sort >= 0 && sorts[sort].show)
		return may_have_name(sort, r->name, r->report) && sorts[sort].show(r);
	r->name = what;
	return limits_file(r);
}

/* Nothing is printed before all of it is there: an error has no output. */
static int run(bool json, const char *what, struct report *report)
{
	char *text = NULL;
	size_t len = 0;
	struct limits_request r = {.json = json, .report = report};

	r.out = open_memstream(&text, &len);
	if (!r.out) {
		report_set(report, EXIT_RESOURCES, "limits: %s", strerror(errno));
		return report_print(report);
	}
	if (json)
		fprintf(r.out, "{");
	show(&r, what);
	if (json)
		fprintf(r.out, "}\n");
	if (ferror(r.out) | fclose(r.out))
		report_set(report, EXIT_RESOURCES, "limits: %s", strerror(ENOMEM));
	if (!report->code && (fwrite(text, 1, len, stdout) < len || fflush(stdout)))
		report_set(report, EXIT_TARGET, "standard output: %s", strerror(errno));
	free(text);
	return report_print(report);
}

static const struct args_option options[] = {
	{"json", no_argument, args_flag, 0},
};

static const struct args args = {"limits",
				 help_text,
				 options,
				 ARGS_NR(options),
				 "PATH, fabric, verbs, block, uring, crypto or all",
				 1,
				 1};

int command_limits(int argc, char **argv)
{
	static struct report report;
	bool json = false;
	int at = args_parse(&args, argc, argv, &json, &report);

	return at ? run(json, argv[at], &report) : report_print(&report);
}
