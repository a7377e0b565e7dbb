/* SPDX-License-Identifier: MIT */
/* serve.c - `decant serve --stdio`: the other side of a remote copy. */
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "file.h"
#include "session.h"

static const char help_text[] = "usage: decant serve --stdio\n"
				"\n"
				"The other side of `decant copy`: started by it on the "
				"other host, through ssh or\n"
				"what --rsh names. It serves one copy and ends. Whoever "
				"may start it may read and\n"
				"write what this user may.\n";

struct serve {
	struct report report;
	struct engine engine;
	struct session session;
	struct endpoint *source;
	struct endpoint *target;
};

static struct copy_options options_of(const struct request *r)
{
	return (struct copy_options){.chunk = r->chunk,
				     .depth = r->depth,
				     .direct = (enum decant_uring_direct)r->direct,
				     .io = (enum decant_uring_backend)r->io};
}

static void open_ends(struct serve *s)
{
	const struct request *r = &s->session.request;
	enum decant_uring_direct direct = (enum decant_uring_direct)r->direct;
	/* Standard input and output are the client's. */
	const char *path = strcmp(r->path, "-") ? r->path : "./-";

	if (r->push) {
		s->target = target_open(&s->engine, path, r->name, &r->meta, direct);
		if (s->target && session_answer(&s->session, &r->meta))
			s->source = peer_open(&s->engine, &s->session);
		return;
	}
	s->source = source_open(&s->engine, path, direct);
	if (s->source && session_answer(&s->session, &s->source->meta))
		s->target = peer_open(&s->engine, &s->session);
}

static bool begin(struct serve *s)
{
	struct copy_options options;

	/* What this process prints by accident must not end up in the protocol. */
	int out = dup(STDOUT_FILENO);

	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (!session_listen(&s->session, STDIN_FILENO, out, &s->report))
		return false;
	options = options_of(&s->session.request);
	return copy_options_check(&options, &s->report) &&
	       engine_init(&s->engine, &options, &s->report);
}

static void abandon(struct serve *s)
{
	if (s->target && s->target->ops->abandon)
		s->target->ops->abandon(s->target);
	if (s->session.control.out > 0)
		control_report(&s->session.control, &s->report);
	session_abandon(&s->session);
	/* The client prints it; this side stays silent. */
	_exit(s->report.code);
}

static int run(void)
{
	static struct serve serve;
	struct serve *s = &serve;

	engine_catch_signals();
	if (begin(s))
		open_ends(s);
	if (!s->report.code)
		engine_run(&s->engine, s->source, NULL, s->target);
	if (s->report.code)
		abandon(s);
	engine_stop(&s->engine);
	s->source->ops->close(s->source);
	s->target->ops->close(s->target);
	session_close(&s->session);
	engine_fini(&s->engine);
	return EXIT_DONE;
}

int command_serve(int argc, char **argv)
{
	struct report report = {0};

	if (argc == 2 && !strcmp(argv[1], "--stdio"))
		return run();
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help_text, stdout);
		return EXIT_DONE;
	}
	report_set(&report, EXIT_USAGE,
		   "serve: expected --stdio; see decant serve --help");
	return report_print(&report);
}
