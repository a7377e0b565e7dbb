/* SPDX-License-Identifier: MIT */
/* explain.c - `decant explain`: what becomes of a layout under a device's rules. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "command.h"
#include "explain_options.h"

/* Most elements that are kept to be drawn. */
#define DRAWN 2000u

static unsigned columns_of(const struct explain_options *o)
{
	struct winsize size;

	if (o->columns)
		return (unsigned)o->columns;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 40)
		return size.ws_col;
	return 96;
}

static bool draw(const struct explain_options *o, const struct drawing *drawing,
		 struct report *report)
{
	FILE *file = fopen(o->svg, "we");
	bool good;

	if (!file)
		return report_set(report, EXIT_TARGET, "--svg %s: %s", o->svg,
				  strerror(errno));
	errno = ENOSPC;
	good = picture_svg(drawing, file);
	good = !fclose(file) && good;
	return good || report_set(report, EXIT_TARGET, "--svg %s: %s", o->svg,
				  drawing->picture->nr ? strerror(errno)
						       : "there is nothing to draw");
}

static void failed(int err, struct report *report)
{
	if (err == -E2BIG)
		report_set(report, EXIT_RESOURCES,
			   "more than %u elements in one request; --limits "
			   "max_elements=... cuts it into several",
			   EXPLAIN_ELEMENTS);
	else if (err == -ECANCELED)
		report_set(report, EXIT_TARGET, "standard output: %s", strerror(errno));
	else if (err == -EADDRNOTAVAIL)
		report_set(report, EXIT_USAGE,
			   "--stage: the layout leaves no addresses for it; --stage 0 "
			   "does without");
	else
		report_set(report, EXIT_RESOURCES, "explain: %s", strerror(-err));
}

static void explain(const struct explain_options *o, struct printer *p,
		    struct report *report)
{
	struct explain_out out = {p, text_element, text_request};
	struct drawing drawing;
	struct explain_totals totals;
	int err;

	if (o->json)
		out = (struct explain_out){p, json_element, json_request};
	(o->json ? json_begin : text_begin)(p);
	err = explain_run(&o->job, &out, &totals);
	if (err) {
		out_flush(p->out);
		failed(err, report);
		return;
	}
	(o->json ? json_end : text_end)(p, &totals);
	out_flush(p->out);
	if (fflush(stdout) || ferror(stdout))
		report_set(report, EXIT_TARGET, "standard output: %s", strerror(errno));
	drawing = (struct drawing){&o->job, &totals, p->picture};
	if (p->picture->failed)
		report_set(report, EXIT_RESOURCES, "explain: no memory for the picture");
	else if (o->svg)
		draw(o, &drawing, report);
}

int command_explain(int argc, char **argv)
{
	static struct report report;
	static struct out out;
	struct explain_options o;
	struct picture picture = {.layout = &o.layout};
	struct printer printer = {.job = &o.job, .out = &out, .picture = &picture};

	if (explain_options_parse(&o, argc, argv, &report)) {
		out_begin(&out, stdout);
		printer.els = o.elements;
		printer.columns = columns_of(&o);
		picture.max = o.svg ? DRAWN : o.elements < DRAWN ? o.elements : DRAWN;
		explain(&o, &printer, &report);
	}
	picture_fini(&picture);
	explain_layout_free(&o.layout);
	return report_print(&report);
}
