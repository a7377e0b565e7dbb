/* SPDX-License-Identifier: MIT */
/* explain_options.c - the command line of `decant explain`. */
#include <stdio.h>
#include <string.h>
#include <decant/registry.h>
#include "args.h"
#include "explain_options.h"

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
	"either,\n"
	"                     and #NAME behind it if the JSON has several; or of\n"
	"                     something real: file:PATH, block:NAME,\n"
	"                     fabric:PROVIDER, verbs:DEVICE (verbs-read:DEVICE for\n"
	"                     what reads from a peer), uring,\n"
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

/* Its name may have dashes where the registry's has underscores. */
static bool take_sink(const struct args_option *option, void *field, const char *value,
		      struct report *report)
{
	static char name[32];
	const struct decant_sink_ops *ops;

	(void)option;
	snprintf(name, sizeof(name), "%s", value);
	for (char *at = name; *at; at++)
		if (*at == '-')
			*at = '_';
	*(const char **)field = name;
	if (!strcmp(name, "direct"))
		return true;
	for (unsigned i = 0; (ops = decant_sink_get(i)); i++)
		if (!strcmp(ops->name, name))
			return true;
	return report_set(report, EXIT_USAGE,
			  "--sink %s: no such sink; see decant explain --help", value);
}

static bool take_page(const struct args_option *option, void *field, const char *value,
		      struct report *report)
{
	const uint64_t *size = field;

	if (!args_number(option, field, value, report))
		return false;
	return !(*size & (*size - 1)) ||
	       report_set(report, EXIT_USAGE, "--page-size %s: expected a power of two",
			  value);
}

static bool take_elements(const struct args_option *option, void *field,
			  const char *value, struct report *report)
{
	*(uint64_t *)field = UINT64_MAX;
	return !strcmp(value, "all") || args_number(option, field, value, report);
}

static bool take_limits(const struct args_option *option, void *field, const char *value,
			struct report *report)
{
	(void)option;
	return limits_from_text(field, value, report);
}

#define FIELD(name) offsetof(struct explain_options, name)

static const char *const policies[] = {[DECANT_TRUST] = "trust",
				       [DECANT_REFUSE] = "refuse",
				       [DECANT_STAGE] = "stage",
				       [DECANT_REGISTER] = "register",
				       NULL};

static const struct args_option options[] = {
	{"layout", required_argument, args_text, FIELD(text)},
	{"process", required_argument, args_text, FIELD(process)},
	{"pieces", required_argument, args_number, FIELD(pattern.pieces)},
	{"size", required_argument, args_number, FIELD(pattern.size)},
	{"misalign", required_argument, args_number, FIELD(pattern.misalign)},
	{"stride", required_argument, args_number, FIELD(pattern.stride)},
	{"limits", required_argument, take_limits, FIELD(job.limits)},
	{"sink", required_argument, take_sink, FIELD(job.sink)},
	{"page-size", required_argument, take_page, FIELD(job.page_size), .least = 4096,
	 .most = 1 << 30},
	{"stage", required_argument, args_number, FIELD(job.stage_bytes)},
	{"stage-gaps", no_argument, args_flag, FIELD(job.stage_gaps)},
	{"unregistered", required_argument, args_word, FIELD(job.policy),
	 .words = policies},
	{"position", required_argument, args_number, FIELD(job.position)},
	{"elements", required_argument, take_elements, FIELD(elements)},
	{"columns", required_argument, args_number, FIELD(columns), .least = 40,
	 .most = 900},
	{"svg", required_argument, args_text, FIELD(svg)},
	{"json", no_argument, args_flag, FIELD(json)},
};

static const struct args args = {"explain",	 help_text, options, ARGS_NR(options),
				 "only options", 0,	    0};

/* The one layout that was asked for. */
static bool open_layout(struct explain_options *o, struct report *report)
{
	bool pieces = o->pattern.pieces != PATTERN_NONE;

	if (!!o->text + !!o->process + pieces != 1)
		return report_set(report, EXIT_USAGE,
				  "explain: expected one of --layout, --process and "
				  "--pieces; see decant explain --help");
	if (o->text)
		return layout_from_text(&o->layout, o->text, report);
	if (o->process)
		return layout_from_process(&o->layout, o->process, report);
	if (o->pattern.size == PATTERN_NONE)
		return report_set(report, EXIT_USAGE, "--pieces: --size is missing");
	return layout_from_pattern(&o->layout, &o->pattern, report);
}

/* And what direct I/O demands where nothing else does. */
static bool finish(struct explain_options *o, struct report *report)
{
	static const struct decant_limits direct = {.max_elements = 1024,
						    .max_bytes = 0x7ffff000,
						    .addr_align = 512,
						    .len_align = 512};
	struct decant_limits *limits = &o->job.limits;

	if (!strcmp(o->job.sink, "direct") && !limits->len_align && !limits->addr_align)
		decant_limits_merge(limits, &direct);
	if (decant_limits_check(limits))
		return report_set(report, EXIT_USAGE,
				  "--limits: the rules together can't hold: see "
				  "decant_limits_check(3)");
	return open_layout(o, report);
}

bool explain_options_parse(struct explain_options *o, int argc, char **argv,
			   struct report *report)
{
	*o = (struct explain_options){
		.elements = 100,
		.pattern = {.pieces = PATTERN_NONE, .size = PATTERN_NONE},
		.job = {.layout = &o->layout,
			.sink = "iovec",
			.page_size = 4096,
			.stage_bytes = 1 << 20},
	};
	return args_parse(&args, argc, argv, o, report) && finish(o, report);
}
