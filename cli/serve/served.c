/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "file.h"
#include "served.h"
#include "session.h"

struct served {
	const struct policy *policy;
	struct account *account;
	struct engine engine;
	struct session session;
	struct trace *trace; /* NULL: the client wants none */
	struct endpoint *source;
	struct endpoint *target;
};

/* A trace takes an eighth of the memory, if there is a limit, and that is its own. */
static uint64_t trace_blocks(const struct policy *policy)
{
	uint64_t share = policy->memory / 8 / sizeof(struct trace_block);
	uint64_t most = TRACE_EVENTS_MOST / TRACE_BLOCK;

	return policy->memory && share < most ? share : most;
}

static bool begin_trace(struct served *s, struct copy_options *options)
{
	uint64_t blocks = trace_blocks(s->policy);

	if (!s->session.request.trace)
		return true;
	if (options->memory)
		options->memory -= blocks * sizeof(struct trace_block);
	s->trace = trace_new(stats_now(), (uint32_t)blocks * TRACE_BLOCK);
	return s->trace || report_set(&s->account->report, EXIT_RESOURCES, "no memory");
}

static struct copy_options options_of(const struct request *r,
				      const struct policy *policy)
{
	return (struct copy_options){.chunk = r->chunk,
				     .depth = r->depth,
				     .direct = (enum decant_uring_direct)r->direct,
				     .io = (enum decant_uring_backend)r->io,
				     .memory = policy->memory};
}

static bool open_ends(struct served *s)
{
	const struct request *r = &s->session.request;
	const struct root *root = s->policy->root;
	enum decant_uring_direct direct = (enum decant_uring_direct)r->direct;
	/* Standard input and output are the client's, or nobody's. */
	const char *path = strcmp(r->path, "-") ? r->path : "./-";

	if (r->push) {
		s->target =
			target_open(&s->engine, root, path, r->name, &r->meta, direct);
		if (s->target && session_answer(&s->session, &r->meta))
			s->source = peer_open(&s->engine, &s->session);
	} else {
		s->source = source_open(&s->engine, root, path, direct);
		if (s->source && session_answer(&s->session, &s->source->meta))
			s->target = peer_open(&s->engine, &s->session);
	}
	if (s->trace)
		stats_phase(&s->engine.stats, "begin", s->trace->began);
	return s->source && s->target;
}

static bool begin(struct served *s, const struct control *control)
{
	struct report *report = &s->account->report;
	struct copy_options options;

	if (!session_listen(&s->session, control, report))
		return false;
	s->session.ports = s->policy->ports;
	s->session.silence = s->policy->silence;
	s->account->push = s->session.request.push;
	strcpy(s->account->path, s->session.request.path);
	options = options_of(&s->session.request, s->policy);
	if (!begin_trace(s, &options) || !copy_options_check(&options, report) ||
	    !engine_init(&s->engine, &options, report))
		return false;
	s->engine.stats.trace = s->trace;
	return true;
}

/* Clients of a service hear of a server that ends, not of a signal. */
static void in_words(struct report *report)
{
	if (report->code != EXIT_INTERRUPTED)
		return;
	*report = (struct report){0};
	report_set(report, EXIT_PEER, "the server was stopped");
}

static bool abandon(struct served *s)
{
	if (s->target && s->target->ops->abandon)
		s->target->ops->abandon(s->target);
	if (s->policy->service)
		in_words(&s->account->report);
	control_report(&s->session.control, &s->account->report);
	session_abandon(&s->session);
	return false;
}

bool serve_copy(const struct control *control, const struct policy *policy,
		struct account *account)
{
	static struct served served;
	struct served *s = &served;

	*s = (struct served){.policy = policy, .account = account};
	if (!begin(s, control) || !open_ends(s) ||
	    !engine_run(&s->engine, s->source, NULL, s->target))
		return abandon(s);
	account->bytes = s->engine.hops[0].bytes;
	session_tell_trace(&s->session, s->trace);
	engine_stop(&s->engine);
	s->source->ops->close(s->source);
	s->target->ops->close(s->target);
	session_close(&s->session);
	engine_fini(&s->engine);
	trace_free(s->trace);
	return true;
}
