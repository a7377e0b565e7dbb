/* SPDX-License-Identifier: MIT */
/* explain_options.c - the command line of `decant explain`. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <decant/registry.h>
#include "explain_options.h"

enum {
	OPT_LAYOUT = 256,
	OPT_PROCESS,
	OPT_PIECES,
	OPT_SIZE,
	OPT_MISALIGN,
	OPT_STRIDE,
	OPT_LIMITS,
	OPT_SINK,
	OPT_PAGE,
	OPT_STAGE,
	OPT_GAPS,
	OPT_UNREGISTERED,
	OPT_POSITION,
	OPT_ELEMENTS,
	OPT_COLUMNS,
	OPT_SVG,
	OPT_JSON
};

static const struct option long_options[] = {
	{"layout", required_argument, NULL, OPT_LAYOUT},
	{"process", required_argument, NULL, OPT_PROCESS},
	{"pieces", required_argument, NULL, OPT_PIECES},
	{"size", required_argument, NULL, OPT_SIZE},
	{"misalign", required_argument, NULL, OPT_MISALIGN},
	{"stride", required_argument, NULL, OPT_STRIDE},
	{"limits", required_argument, NULL, OPT_LIMITS},
	{"sink", required_argument, NULL, OPT_SINK},
	{"page-size", required_argument, NULL, OPT_PAGE},
	{"stage", required_argument, NULL, OPT_STAGE},
	{"stage-gaps", no_argument, NULL, OPT_GAPS},
	{"unregistered", required_argument, NULL, OPT_UNREGISTERED},
	{"position", required_argument, NULL, OPT_POSITION},
	{"elements", required_argument, NULL, OPT_ELEMENTS},
	{"columns", required_argument, NULL, OPT_COLUMNS},
	{"svg", required_argument, NULL, OPT_SVG},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const char help_text[] =
	"usage: decant explain LAYOUT [options]\n"
	"\n"
	"Show what becomes of a list of buffers under a device's rules: the elements,\n"
	"where they merged, were split or staged, and why. Nothing is read at the\n"
	"addresses.\n"
	"\n"
	"LAYOUT, one of:\n"
	"  --layout TEXT      pieces LENGTH@ADDRESS, such as\n"
	"                     64@0x1000,8x512@0x3000+17/4096 (8 pieces, 4096 bytes\n"
	"                     apart), and regions NAME=LENGTH@ADDRESS>DEVICE; or JSON;\n"
	"                     or @FILE with either; or - for standard input\n"
	"  --process PID:ADDRESS:NR  so many iovecs of a live process\n"
	"  --pieces N --size SIZE    so many pieces; --misalign N bytes behind the "
	"start\n"
	"                     of a page, --stride N bytes apart (in pages of their own)\n"
	"\n"
	"  --limits RULES     NAME=NUMBER,... of max_elements, max_element_bytes,\n"
	"                     max_bytes, boundary, addr_align, len_align, gap, block; "
	"or\n"
	"                     JSON as from `decant limits --json`; or @FILE with "
	"either;\n"
	"                     or of something real: file:PATH, block:NAME,\n"
	"                     fabric:PROVIDER, verbs:DEVICE, uring,\n"
	"                     nvme:mdts=N,page=N,block=N,sgls=N. Given again: both\n"
	"  --sink NAME        iovec, bvec, sge, sglist, dma, prp, nvme-sgl, count, or\n"
	"                     direct: direct I/O on a file (iovec)\n"
	"  --page-size SIZE   of the prp sink (4K)\n"
	"  --stage SIZE       scratch memory of a request; 0: none (1M)\n"
	"  --stage-gaps       stage what breaks the gap rule; don't end the request "
	"there\n"
	"  --unregistered DO  with memory in no region: trust, refuse, stage or "
	"register\n"
	"                     (trust)\n"
	"  --position N       of the first byte in the file, with --sink direct (0)\n"
	"\n"
	"  --elements N       elements in the table and in the picture; or all (100)\n"
	"  --columns N        how wide the picture is (the terminal)\n"
	"  --svg FILE         draw it as well\n"
	"  --json             all of it as JSON\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 done, also if the device would not take it all; 2 wrong usage,\n"
	"layout or limits; 3 a file or a process can't be read; 4 the output can't be\n"
	"written; 5 no such provider or device; 7 memory is missing.\n";

void explain_options_help(void)
{
	fputs(help_text, stdout);
}

struct parser {
	struct explain_options *o;
	struct report *report;
	const char *layout;
	const char *process;
	struct pattern pattern;
	unsigned layouts;
	bool sized;
};

static bool parse_sink(struct explain_options *o, const char *arg, struct report *report)
{
	static char name[32];
	const struct decant_sink_ops *ops;

	snprintf(name, sizeof(name), "%s", arg);
	for (char *at = name; *at; at++)
		if (*at == '-')
			*at = '_';
	o->job.sink = name;
	if (!strcmp(name, "direct"))
		return true;
	for (unsigned i = 0; (ops = decant_sink_get(i)); i++)
		if (!strcmp(ops->name, name))
			return true;
	return report_set(report, EXIT_USAGE,
			  "--sink %s: no such sink; see decant explain --help", arg);
}

static bool parse_policy(struct explain_options *o, const char *arg,
			 struct report *report)
{
	static const char *const names[] = {[DECANT_TRUST] = "trust",
					    [DECANT_REFUSE] = "refuse",
					    [DECANT_STAGE] = "stage",
					    [DECANT_REGISTER] = "register"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(arg, names[i])) {
			o->job.policy = (enum decant_policy)i;
			return true;
		}
	return report_set(report, EXIT_USAGE,
			  "--unregistered %s: expected trust, refuse, stage or register",
			  arg);
}

static bool parse_page(struct explain_options *o, const char *arg, struct report *report)
{
	uint64_t size;

	if (!number_from("page-size", arg, &size, report))
		return false;
	o->job.page_size = size;
	return (size >= 4096 && size <= 1u << 30 && !(size & (size - 1))) ||
	       report_set(report, EXIT_USAGE,
			  "--page-size %s: expected a power of two from 4096 to 1G", arg);
}

static bool parse_output(struct explain_options *o, int option, const char *arg,
			 struct report *report)
{
	switch (option) {
	case OPT_ELEMENTS:
		o->elements = SIZE_MAX;
		return !strcmp(arg, "all") ||
		       number_from("elements", arg, &o->elements, report);
	case OPT_COLUMNS:
		if (!number_from("columns", arg, &o->columns, report))
			return false;
		return (o->columns >= 40 && o->columns <= 900) ||
		       report_set(report, EXIT_USAGE, "--columns %s: expected 40 to 900",
				  arg);
	case OPT_SVG:
		o->svg = arg;
		return true;
	default:
		o->json = true;
		return true;
	}
}

static bool parse_source(struct parser *p, int option, const char *arg)
{
	struct pattern *pattern = &p->pattern;

	switch (option) {
	case OPT_LAYOUT:
		p->layout = arg;
		p->layouts++;
		return true;
	case OPT_PROCESS:
		p->process = arg;
		p->layouts++;
		return true;
	case OPT_PIECES:
		p->layouts++;
		return number_from("pieces", arg, &pattern->pieces, p->report);
	case OPT_SIZE:
		p->sized = true;
		return number_from("size", arg, &pattern->size, p->report);
	case OPT_MISALIGN:
		return number_from("misalign", arg, &pattern->misalign, p->report);
	default:
		return number_from("stride", arg, &pattern->stride, p->report);
	}
}

static bool parse_one(struct parser *p, int option, const char *arg)
{
	struct explain_options *o = p->o;

	switch (option) {
	case OPT_LIMITS:
		return limits_from_text(&o->job.limits, arg, p->report);
	case OPT_SINK:
		return parse_sink(o, arg, p->report);
	case OPT_PAGE:
		return parse_page(o, arg, p->report);
	case OPT_STAGE:
		return number_from("stage", arg, &o->job.stage_bytes, p->report);
	case OPT_GAPS:
		o->job.stage_gaps = true;
		return true;
	case OPT_UNREGISTERED:
		return parse_policy(o, arg, p->report);
	case OPT_POSITION:
		return number_from("position", arg, &o->job.position, p->report);
	case OPT_ELEMENTS:
	case OPT_COLUMNS:
	case OPT_SVG:
	case OPT_JSON:
		return parse_output(o, option, arg, p->report);
	default:
		return parse_source(p, option, arg);
	}
}

/* The layout that was asked for; and what direct I/O demands where nothing else does. */
static bool finish(struct parser *p)
{
	struct explain_options *o = p->o;
	static const struct decant_limits direct = {.max_elements = 1024,
						    .max_bytes = 0x7ffff000,
						    .addr_align = 512,
						    .len_align = 512};
	struct decant_limits *limits = &o->job.limits;

	if (p->layouts != 1)
		return report_set(p->report, EXIT_USAGE,
				  "explain: expected one of --layout, --process and "
				  "--pieces; see decant explain --help");
	if (!strcmp(o->job.sink, "direct") && !limits->len_align && !limits->addr_align)
		decant_limits_merge(limits, &direct);
	if (decant_limits_check(limits))
		return report_set(p->report, EXIT_USAGE,
				  "--limits: the rules together can't hold: see "
				  "decant_limits_check(3)");
	if (p->layout)
		return layout_from_text(&o->layout, p->layout, p->report);
	if (p->process)
		return layout_from_process(&o->layout, p->process, p->report);
	if (!p->sized)
		return report_set(p->report, EXIT_USAGE, "--pieces: --size is missing");
	return layout_from_pattern(&o->layout, &p->pattern, p->report);
}

bool explain_options_parse(struct explain_options *o, int argc, char **argv,
			   struct report *report, bool *help)
{
	struct parser p = {.o = o, .report = report};
	int option;

	*o = (struct explain_options){.elements = 100};
	o->job = (struct explain_job){.layout = &o->layout,
				      .sink = "iovec",
				      .page_size = 4096,
				      .stage_bytes = 1 << 20};
	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h') {
			*help = true;
			return false;
		}
		if (option == '?')
			return report_set(report, EXIT_USAGE,
					  "%s: unknown option, or its value is missing; "
					  "see decant explain --help",
					  argv[optind - 1]);
		if (!parse_one(&p, option, optarg))
			return false;
	}
	if (optind < argc)
		return report_set(report, EXIT_USAGE,
				  "%s: unexpected; see decant explain --help",
				  argv[optind]);
	return finish(&p);
}
