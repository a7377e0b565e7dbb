/* SPDX-License-Identifier: MIT */
/* limits.c - `decant limits`: what a file or a fabric demands. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <decant/ofi.h>
#include <decant/uring.h>
#include "command.h"
#include "text.h"

/* What the kernel takes in one request: MAX_RW_COUNT, see read(2). */
#define REQUEST_BYTES 0x7ffff000u

static const char help_text[] =
	"usage: decant limits [--json] PATH|fabric|fabric:PROVIDER\n"
	"\n"
	"Show what direct I/O on a file demands, or what the fabric's providers do:\n"
	"alignments, elements in a request, bytes in a request.\n"
	"\n"
	"Exit status: 0 done; 2 wrong usage; 3 the file can't be read; 5 no such\n"
	"provider.\n";

struct limits_request {
	bool json;
	const char *what;
	struct report report;
	unsigned found;
};

static void print_file_json(const char *path, const struct decant_uring_file_info *i)
{
	printf("{\"file\":");
	text_json(stdout, path);
	printf(",\"direct\":%s,\"addr_align\":%u,\"len_align\":%u,\"offset_align\":%u,"
	       "\"max_elements\":%u,\"max_bytes\":%u,\"known\":%s",
	       i->direct ? "true" : "false", i->mem_align, i->offset_align,
	       i->offset_align, IOV_MAX, REQUEST_BYTES, i->known ? "true" : "false");
	if (i->why) {
		printf(",\"why\":");
		text_json(stdout, i->why);
	}
	printf("}\n");
}

static void print_file(const char *path, const struct decant_uring_file_info *i)
{
	printf("file             %s\n", path);
	printf("direct I/O       %s%s%s\n", i->direct ? "yes" : "no", i->why ? ": " : "",
	       i->why ? i->why : "");
	printf("memory           multiples of %u bytes%s\n", i->mem_align,
	       i->known || !i->direct ? "" : " (a safe guess)");
	printf("position, length multiples of %u bytes; decant stages the rest\n",
	       i->offset_align);
	printf("elements         at most %u in a request\n", IOV_MAX);
	printf("bytes            at most %u in a request\n", REQUEST_BYTES);
}

static int limits_file(struct limits_request *r)
{
	int fd = open(r->what, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	struct decant_uring_file_info info;
	struct decant_uring_file *file;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		report_set(&r->report, EXIT_SOURCE, "%s: %s", r->what, strerror(errno));
		return report_print(&r->report);
	}
	if (S_ISDIR(st.st_mode)) {
		report_set(&r->report, EXIT_SOURCE,
			   "%s: is a directory; name a file in it", r->what);
		return report_print(&r->report);
	}
	err = decant_uring_file_open(&file, fd, DECANT_URING_DIRECT_AUTO);
	if (err) {
		report_set(&r->report, EXIT_SOURCE, "%s: %s", r->what, strerror(-err));
		return report_print(&r->report);
	}
	decant_uring_file_info(file, &info);
	if (r->json)
		print_file_json(r->what, &info);
	else
		print_file(r->what, &info);
	decant_uring_file_close(file);
	close(fd);
	return EXIT_DONE;
}

static void print_provider_json(const struct decant_ofi_info *i, bool first)
{
	printf("%s{\"provider\":", first ? "" : ",");
	text_json(stdout, i->provider);
	printf(",\"endpoint\":");
	text_json(stdout, i->endpoint);
	printf(",\"max_elements\":%zu,\"rma_max_elements\":%zu,\"max_bytes\":%zu,"
	       "\"inject_bytes\":%zu,\"mr_local\":%s,\"mr_virt_addr\":%s,\"manual_"
	       "progress\":%s}",
	       i->iov_limit, i->rma_iov_limit, i->max_msg_bytes, i->inject_bytes,
	       i->mr_local ? "true" : "false", i->mr_virt_addr ? "true" : "false",
	       i->manual_progress ? "true" : "false");
}

static void print_provider(const struct decant_ofi_info *i, bool first)
{
	if (first)
		printf("%-16s %-4s %8s %8s %12s %8s  %s\n", "provider", "type",
		       "elements", "remote", "bytes", "inject", "notes");
	printf("%-16s %-4s %8zu %8zu %12s %8zu  %s%s%s\n", i->provider, i->endpoint,
	       i->iov_limit, i->rma_iov_limit, text_of_size(i->max_msg_bytes).text,
	       i->inject_bytes, i->mr_local ? "local keys; " : "",
	       i->mr_virt_addr ? "virtual addresses; " : "",
	       i->manual_progress ? "both sides must poll" : "");
}

/* Nothing is printed before there is something: an error has no output. */
static int on_provider(void *user, const struct decant_ofi_info *info)
{
	struct limits_request *r = user;
	const char *wanted = strchr(r->what, ':');

	if (wanted && strcmp(wanted + 1, info->provider))
		return 0;
	if (r->json && !r->found)
		printf("{\"providers\":[");
	if (r->json)
		print_provider_json(info, !r->found);
	else
		print_provider(info, !r->found);
	r->found++;
	return 0;
}

static int limits_fabric(struct limits_request *r)
{
	int err = decant_ofi_providers(on_provider, r);

	if (r->json && r->found)
		printf("]}\n");
	if (err < 0)
		report_set(&r->report, EXIT_PEER, "libfabric: %s", strerror(-err));
	else if (!r->found)
		report_set(&r->report, EXIT_PEER,
			   "%s: no such provider here; see decant limits fabric",
			   r->what);
	return report_print(&r->report);
}

int command_limits(int argc, char **argv)
{
	struct limits_request r = {0};

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(help_text, stdout);
			return EXIT_DONE;
		}
		if (!strcmp(argv[i], "--json"))
			r.json = true;
		else if (argv[i][0] == '-' || r.what)
			report_set(&r.report, EXIT_USAGE,
				   "%s: unexpected; see decant limits --help", argv[i]);
		else
			r.what = argv[i];
	}
	if (!r.what)
		report_set(&r.report, EXIT_USAGE, "limits: expected PATH or fabric");
	if (r.report.code)
		return report_print(&r.report);
	if (!strcmp(r.what, "fabric") || !strncmp(r.what, "fabric:", 7))
		return limits_fabric(&r);
	return limits_file(&r);
}
