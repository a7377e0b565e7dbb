/* SPDX-License-Identifier: MIT */
/*
 * explain.c - what decant explain takes for a piece, from its text to the table and the
 * picture, or JSON, beside the extraction that it is about. A million pieces shall take
 * two seconds at most.
 */
#include <decant/decant.h>
#include <print.h>
#include "bench.h"

#define PIECES	20000
#define MILLION 1000000

struct rig {
	const char *text;
	struct decant_limits limits;
	struct explain_layout layout;
	bool json;
	struct decant_sge *table;
	size_t elements;
};

static FILE *nowhere;

static void explain(void *arg)
{
	static struct out out;
	struct rig *rig = arg;
	struct explain_error error = {0};
	struct explain_layout layout = {0};
	struct explain_job job = {.layout = &layout,
				  .limits = rig->limits,
				  .sink = "sge",
				  .page_size = 4096,
				  .stage_bytes = 1 << 20};
	struct picture picture = {.layout = &layout, .max = 100};
	struct printer p = {
		.job = &job, .out = &out, .picture = &picture, .els = 100, .columns = 96};
	const struct explain_out text = {&p, text_element, text_request};
	const struct explain_out json = {&p, json_element, json_request};
	struct explain_totals totals;

	bench_need(explain_layout_parse(&layout, rig->text, strlen(rig->text), &error),
		   error.text);
	out_begin(&out, nowhere);
	(rig->json ? json_begin : text_begin)(&p);
	bench_need(!explain_run(&job, rig->json ? &json : &text, &totals), "explain");
	(rig->json ? json_end : text_end)(&p, &totals);
	out_flush(&out);
	rig->elements = totals.elements;
	picture_fini(&picture);
	explain_layout_free(&layout);
}

/* The same layout through the loop, without a question. */
static void extract(void *arg)
{
	struct rig *rig = arg;
	struct decant_iter it;
	struct decant_sink sink;

	bench_need(
		!decant_iter_iovec(&it, DECANT_DEST, rig->layout.pieces, rig->layout.nr),
		"iovec");
	decant_sink_sge(&sink, rig->table, rig->layout.nr * 4);
	sink.limits = rig->limits;
	bench_need(decant_extract(&it, &sink, SIZE_MAX) > 0, "extract");
	bench_use(rig->table);
}

static void row(const char *name, struct rig *rig)
{
	struct explain_error error = {0};
	struct bench_case c = {.name = name,
			       .unit = "ns/piece",
			       .fn = explain,
			       .arg = rig,
			       .bound_name = "decant_extract alone",
			       .bound = extract,
			       .goal = 2000};

	bench_need(
		explain_layout_parse(&rig->layout, rig->text, strlen(rig->text), &error),
		error.text);
	c.units = (double)rig->layout.nr;
	rig->table = malloc(rig->layout.nr * 4 * sizeof(*rig->table));
	bench_need(rig->table, "memory");
	bench_run(&c);
	free(rig->table);
	explain_layout_free(&rig->layout);
}

/* As somebody writes it who writes them all. */
static char *long_text(void)
{
	char *text = malloc(PIECES * 32), *at = text;

	bench_need(text, "memory");
	for (size_t i = 0; i < PIECES; i++)
		at += sprintf(at, "512@%#zx\n", 0x10000003 + i * 4096);
	return text;
}

int main(void)
{
	struct rig apart = {.text = "20000x512@0x10000003/4096"};
	struct rig split = {.text = "20000x5000@0x10000100/8192",
			    .limits = {.boundary = 4096}};
	struct rig million = {.text = "1000000x512@0x10000003/4096"};
	char *text = long_text();
	struct rig written = {.text = text};

	nowhere = fopen("/dev/null", "w");
	bench_need(nowhere, "/dev/null");
	bench_open("explain");
	row("pieces apart, a table", &apart);
	row("pieces apart, each written", &written);
	row("pieces split at a boundary, a table", &split);
	apart.json = split.json = true;
	row("pieces apart, JSON", &apart);
	row("pieces split at a boundary, JSON", &split);
	explain(&million);
	bench_count("pieces apart, 1,000,000", "elements", million.elements, MILLION);
	bench_close();
	free(text);
	return 0;
}
