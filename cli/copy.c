/* SPDX-License-Identifier: MIT */
/* copy.c - `decant copy`. */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "file.h"
#include "filter.h"
#include "remote.h"
#include "session.h"
#include "trace_file.h"

struct copy {
	struct copy_options options;
	struct report report;
	struct engine engine;
	struct session session;
	struct endpoint *source;
	struct endpoint *filters[HOPS_MOST - 1]; /* that encrypt or decrypt, and armor */
	unsigned nr_filters;
	struct endpoint *target;
	struct copy_stats stats;
	struct remote remote;
	struct trace_file trace;
};

/*
 * What stands between source and target, if anything does. *meta is the source's, and
 * then what comes out. source is NULL if it is not open yet.
 */
static bool open_filter(struct copy *c, struct file_meta *meta, struct endpoint *source)
{
	const struct crypt_options *crypt = &c->options.crypt;
	struct endpoint *ep;

	while (c->nr_filters < crypt_filters(crypt)) {
		ep = c->nr_filters ? armor_open(&c->engine, meta)
				   : filter_open(&c->engine, crypt, meta, source,
						 c->options.source);
		if (!ep)
			return false;
		c->filters[c->nr_filters++] = ep;
		*meta = ep->meta;
	}
	return true;
}

/* The source and what follows it; *meta says what the target gets. */
static bool open_source(struct copy *c, struct file_meta *meta)
{
	const struct copy_options *o = &c->options;

	c->source = source_open(&c->engine, NULL, o->source, o->direct);
	if (!c->source)
		return false;
	*meta = c->source->meta;
	return open_filter(c, meta, c->source);
}

static void open_local(struct copy *c)
{
	const struct copy_options *o = &c->options;
	struct file_meta meta;

	if (open_source(c, &meta))
		c->target = target_open(&c->engine, NULL, o->target, o->source, &meta,
					o->direct);
}

static void open_push(struct copy *c)
{
	const struct copy_options *o = &c->options;
	struct request *r = &c->session.request;
	struct file_meta meta;
	char copy[4096];

	if (!open_source(c, &meta) ||
	    !session_call(&c->session, &c->remote, o, &c->report))
		return;
	snprintf(copy, sizeof(copy), "%s", o->source);
	snprintf(r->name, sizeof(r->name), "%s", basename(copy));
	r->push = true;
	if (session_agree(&c->session, &meta))
		c->target = peer_open(&c->engine, &c->session);
}

static void open_pull(struct copy *c)
{
	const struct copy_options *o = &c->options;
	struct file_meta meta = {0};

	if (!session_call(&c->session, &c->remote, o, &c->report) ||
	    !session_agree(&c->session, &meta) || !open_filter(c, &meta, NULL))
		return;
	c->target = target_open(&c->engine, NULL, o->target, c->remote.path, &meta,
				o->direct);
	if (c->target)
		c->source = peer_open(&c->engine, &c->session);
}

static void open_ends(struct copy *c)
{
	const struct copy_options *o = &c->options;
	struct remote other;
	bool from = remote_parse(&c->remote, o->source, &c->report);
	bool to = remote_parse(from ? &other : &c->remote, o->target, &c->report);

	if (from && to)
		report_set(&c->report, EXIT_USAGE,
			   "one of SRC and DST must be on this host");
	if (c->report.code)
		return;
	if (from)
		open_pull(c);
	else if (to)
		open_push(c);
	else
		open_local(c);
}

static void describe_fabric(const struct copy *c, struct copy_stats *s)
{
	snprintf(s->fabric, sizeof(s->fabric), "%s", c->session.rails.fabric);
	snprintf(s->why, sizeof(s->why), "%s", c->session.why);
	s->rails = c->session.rails.nr;
	s->plain = c->session.request.plain;
}

/* Who asked for the best wants to know what that is. */
static void say_choice(const struct copy *c)
{
	if (*c->session.why && c->options.fabric && !c->options.quiet)
		fprintf(stderr, "decant: fabric %s: %s\n", c->session.rails.fabric,
			c->session.why);
}

static void print_stats(struct copy *c, uint64_t began)
{
	const struct copy_options *o = &c->options;
	struct copy_stats *s = &c->stats;

	engine_describe(&c->engine);
	s->bytes = c->engine.hops[0].bytes;
	s->elapsed_ns = stats_now() - began;
	s->transfer_ns = c->engine.transfer_ns;
	s->here = c->engine.stats;
	s->there = c->session.other;
	s->sender = !c->session.client || c->session.sender;
	if (c->session.client)
		describe_fabric(c, s);
	snprintf(s->backing, sizeof(s->backing), "%s",
		 decant_backing_name(decant_pool_backing(c->engine.hops[0].pool)));
	stats_print(s, o->stats, strcmp(o->target, "-") ? stdout : stderr);
}

/* What is beyond the bound is missing in the file, and nobody should have to find out. */
static void say_dropped(const struct copy *c, const struct trace_about *about)
{
	for (unsigned i = 0; i < about->sides && !c->options.quiet; i++)
		if (about->side[i].trace->dropped)
			fprintf(stderr,
				"decant: --trace: %s: full after %u events, %llu are "
				"left out\n",
				about->side[i].name, about->side[i].trace->nr_events,
				(unsigned long long)about->side[i].trace->dropped);
}

/* The two processes of a copy between hosts, or the one of a local copy. */
static void add_sides(struct copy *c, struct trace_about *about, struct trace *there)
{
	bool sends = !c->session.client || c->session.sender;
	struct trace_side *here = &about->side[there && !sends];
	struct trace_side *other = &about->side[!!sends];

	about->sides = there ? 2 : 1;
	here->trace = c->trace.trace;
	here->wire = sends ? c->engine.nr_hops - 1 : 0;
	snprintf(here->name, sizeof(here->name), "decant copy%s",
		 !c->session.client ? ""
		 : sends	    ? ": sends"
				    : ": receives");
	if (!there)
		return;
	other->trace = there;
	snprintf(other->name, sizeof(other->name), "decant serve at %s: %s",
		 c->session.control.host, sends ? "receives" : "sends");
}

static void write_trace(struct copy *c)
{
	struct trace_about about = {.source = c->options.source,
				    .target = c->options.target,
				    .bytes = c->stats.bytes};
	struct report trouble = {0};
	struct trace *there = NULL;

	if (!c->trace.trace)
		return;
	if (c->session.client)
		there = session_hear_trace(&c->session, c->trace.trace,
					   &about.clock_error, &trouble);
	if (trouble.code)
		about.missing = trouble.text;
	add_sides(c, &about, there);
	if (trace_file_write(&c->trace, &about, &c->report))
		say_dropped(c, &about);
	trace_free(there);
}

/*
 * After an error requests may still be under way in buffers that can't be given back (a
 * read from a terminal never ends), so the process ends as it is, once nothing is left
 * behind.
 */
static void abandon(struct copy *c)
{
	if (c->target && c->target->ops->abandon)
		c->target->ops->abandon(c->target);
	trace_file_abandon(&c->trace);
	if (c->session.client) {
		session_abandon(&c->session);
		control_close(&c->session.control);
	}
	command_abandon(&c->report);
}

static void close_all(struct copy *c)
{
	engine_stop(&c->engine);
	c->source->ops->close(c->source);
	for (unsigned i = 0; i < c->nr_filters; i++)
		c->filters[i]->ops->close(c->filters[i]);
	c->target->ops->close(c->target);
	if (c->session.client)
		session_close(&c->session);
	engine_fini(&c->engine);
	trace_file_close(&c->trace);
	decant_age_keys_free(c->options.crypt.keys);
}

int command_copy(int argc, char **argv)
{
	static struct copy copy;
	struct copy *c = &copy;
	uint64_t began = stats_now();

	if (!copy_options_parse(&c->options, argc, argv, &c->report))
		return report_print(&c->report);
	engine_catch_signals();
	if (trace_file_open(&c->trace, &c->options, began, &c->report) &&
	    engine_init(&c->engine, &c->options, &c->report)) {
		c->engine.stats.trace = c->trace.trace;
		open_ends(c);
		stats_phase(&c->engine.stats, "begin", began);
	}
	if (!c->report.code) {
		say_choice(c);
		progress_begin(&c->engine.progress, c->options.quiet,
			       c->source->meta.size);
		engine_run(&c->engine, c->source, c->filters, c->target);
	}
	if (c->report.code)
		abandon(c);
	print_stats(c, began);
	write_trace(c);
	close_all(c);
	return report_print(&c->report);
}
