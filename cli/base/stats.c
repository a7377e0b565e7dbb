/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "stats.h"
#include "text.h"

uint64_t stats_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct stage_stats *stats_stage(struct side_stats *side, uint32_t hop, const char *name)
{
	struct stage_stats *stage = &side->stages[side->nr++];

	snprintf(stage->name, sizeof(stage->name), "%s", name);
	stage->trace = side->trace;
	if (stage->trace)
		stage->track = trace_track(stage->trace, TRACE_STAGE, hop, name);
	return stage;
}

void stats_describe(struct side_stats *side, const char *text)
{
	size_t len = strlen(side->file);

	snprintf(side->file + len, sizeof(side->file) - len, "%s%s", len ? " -> " : "",
		 text);
}

void stage_begin(struct stage_stats *stage, uint64_t number)
{
	bool idle = !stage->under_way++;
	uint64_t now = idle || stage->trace ? stats_now() : 0;

	if (idle)
		stage->since = now;
	if (stage->trace)
		trace_begin(stage->trace, stage->track, number, now);
}

void stage_end(struct stage_stats *stage, uint64_t number, size_t bytes)
{
	bool idle = !--stage->under_way;
	uint64_t now = idle || stage->trace ? stats_now() : 0;

	stage->chunks++;
	stage->bytes += bytes;
	if (idle)
		stage->busy_ns += now - stage->since;
	if (stage->trace)
		trace_end(stage->trace, stage->track, number, bytes, now);
}

uint64_t stats_phase(struct side_stats *side, const char *name, uint64_t began)
{
	uint64_t now = stats_now();

	if (side->trace)
		trace_phase(side->trace, name, began, now);
	return now;
}

void stage_has_workers(struct stage_stats *stage)
{
	char name[sizeof(stage->name) + sizeof(": thread")];

	if (!stage->trace)
		return;
	snprintf(name, sizeof(name), "%s: thread", stage->name);
	stage->workers = trace_track(stage->trace, TRACE_THREADS, TRACE_NO_HOP, name);
}

void stage_worked(struct stage_stats *stage, const struct trace_job *job, uint64_t number,
		  size_t bytes)
{
	if (stage->trace)
		trace_work(stage->trace, stage->workers, job, number, bytes);
}

static double seconds(uint64_t ns)
{
	return (double)ns * 1e-9;
}

static double mib_per_second(uint64_t bytes, uint64_t ns)
{
	return ns ? (double)bytes / (1 << 20) / seconds(ns) : 0;
}

static void print_row(const struct stage_stats *s, const struct copy_stats *stats,
		      FILE *out)
{
	double part =
		stats->elapsed_ns ? (double)s->busy_ns / (double)stats->elapsed_ns : 0;

	fprintf(out, "  %-22s %9llu %12s %9.3f %9.0f %6.0f%%\n", s->name,
		(unsigned long long)s->chunks, text_of_size(s->bytes).text,
		seconds(s->busy_ns), mib_per_second(s->bytes, s->busy_ns), 100 * part);
}

static void print_side(const char *title, const struct side_stats *side, FILE *out)
{
	const struct decant_uring_stats *r = &side->ring;

	if (!side->nr)
		return;
	fprintf(out, "%s: %s; %s\n", title, side->io, side->file);
	fprintf(out,
		"  %llu requests, %llu elements (%llu merged), direct %s, staged %s, "
		"page cache %s\n",
		(unsigned long long)r->submissions, (unsigned long long)r->elements,
		(unsigned long long)r->merged, text_of_size(r->direct_bytes).text,
		text_of_size(r->staged_bytes).text, text_of_size(r->buffered_bytes).text);
}

static const char *seal_name(const struct copy_stats *stats)
{
	return stats->plain ? "not sealed" : "sealed with AES-256-GCM";
}

static void print_text(const struct copy_stats *stats, FILE *out)
{
	const struct side_stats *first = stats->sender ? &stats->here : &stats->there;
	const struct side_stats *second = stats->sender ? &stats->there : &stats->here;

	fprintf(out, "%s (%llu bytes) in %.3f s, %.0f MiB/s%s%s; buffers: %s\n",
		text_of_size(stats->bytes).text, (unsigned long long)stats->bytes,
		seconds(stats->elapsed_ns),
		mib_per_second(stats->bytes, stats->elapsed_ns),
		*stats->fabric ? " over " : "", stats->fabric, stats->backing);
	if (*stats->fabric)
		fprintf(out, "  %u rail%s, %s%s%s\n", stats->rails,
			stats->rails > 1 ? "s" : "", seal_name(stats),
			*stats->why ? "; chosen because " : "", stats->why);
	fprintf(out, "  %-22s %9s %12s %9s %9s %7s\n", "stage", "chunks", "bytes",
		"busy s", "MiB/s", "busy");
	for (uint32_t i = 0; i < first->nr; i++)
		print_row(&first->stages[i], stats, out);
	/* The receiver opened its file first, but chunks reach it last. */
	for (uint32_t i = second->nr; i-- > 0;)
		print_row(&second->stages[i], stats, out);
	print_side(stats->sender ? "here" : "there", first, out);
	print_side(stats->sender ? "there" : "here", second, out);
}

static void json_string(FILE *out, const char *name, const char *value)
{
	fprintf(out, "\"%s\":", name);
	text_json(out, value);
}

static void json_number(FILE *out, const char *name, uint64_t value)
{
	fprintf(out, "\"%s\":%llu", name, (unsigned long long)value);
}

static void json_stages(FILE *out, const struct side_stats *side)
{
	fputs("\"stages\":[", out);
	for (uint32_t i = 0; i < side->nr; i++) {
		const struct stage_stats *s = &side->stages[i];

		fputs(i ? ",{" : "{", out);
		json_string(out, "name", s->name);
		fprintf(out, ",\"chunks\":%llu,\"bytes\":%llu,\"busy_seconds\":%.6f}",
			(unsigned long long)s->chunks, (unsigned long long)s->bytes,
			seconds(s->busy_ns));
	}
	fputc(']', out);
}

static void json_side(FILE *out, const char *name, const struct side_stats *side)
{
	const struct decant_uring_stats *r = &side->ring;
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"operations", r->operations},
		{"submissions", r->submissions},
		{"elements", r->elements},
		{"merged", r->merged},
		{"direct_bytes", r->direct_bytes},
		{"staged_bytes", r->staged_bytes},
		{"buffered_bytes", r->buffered_bytes},
		{"resumed", r->resumed},
	};

	fprintf(out, "\"%s\":{", name);
	json_string(out, "io", side->io);
	fputc(',', out);
	json_string(out, "file", side->file);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		fputc(',', out);
		json_number(out, numbers[i].name, numbers[i].value);
	}
	fputc(',', out);
	json_stages(out, side);
	fputc('}', out);
}

static void print_json(const struct copy_stats *stats, FILE *out)
{
	const struct decant_uring_stats *a = &stats->here.ring, *b = &stats->there.ring;

	fputc('{', out);
	json_number(out, "bytes", stats->bytes);
	fprintf(out, ",\"seconds\":%.6f,\"transfer_seconds\":%.6f,",
		seconds(stats->elapsed_ns), seconds(stats->transfer_ns));
	json_number(out, "elements", a->elements + b->elements);
	fputc(',', out);
	json_number(out, "merged", a->merged + b->merged);
	fputc(',', out);
	json_number(out, "staged_bytes", a->staged_bytes + b->staged_bytes);
	fputc(',', out);
	json_string(out, "fabric", stats->fabric);
	fputc(',', out);
	json_string(out, "fabric_why", stats->why);
	fputc(',', out);
	json_number(out, "rails", stats->rails);
	fprintf(out, ",\"sealed\":%s,",
		*stats->fabric && !stats->plain ? "true" : "false");
	json_string(out, "buffers", stats->backing);
	fputc(',', out);
	json_side(out, "here", &stats->here);
	if (*stats->fabric) {
		fputc(',', out);
		json_side(out, "there", &stats->there);
	}
	fputs("}\n", out);
}

void stats_print(const struct copy_stats *stats, enum stats_format format, FILE *out)
{
	if (format == STATS_TEXT)
		print_text(stats, out);
	else if (format == STATS_JSON)
		print_json(stats, out);
}
