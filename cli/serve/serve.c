/* SPDX-License-Identifier: MIT */
/* serve.c - `decant serve`: the other side of a remote copy, or of many. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "command.h"
#include "engine.h"
#include "log.h"
#include "serve.h"

#define SILENCE_S    600
#define FIRST_PASSED 3 /* SD_LISTEN_FDS_START, sd_listen_fds(3) */

static int serve_stdio(const struct serve_options *options, struct report *report)
{
	static struct account account;
	struct control control = {.in = STDIN_FILENO};
	struct policy policy = {.ports = options->ports,
				.silence = 1000 * options->timeout};
	struct root root;

	if (options->root) {
		if (!root_init(&root, options->root, options->read_only, report))
			return report_print(report);
		policy.root = &root;
	}
	engine_catch_signals();
	/* What this process prints by accident must not end up in the protocol. */
	control.out = dup(STDOUT_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	strcpy(control.host, "client");
	/* The client prints what went wrong; this side stays silent. */
	if (!serve_copy(&control, &policy, &account))
		_exit(account.report.code);
	return EXIT_DONE;
}

static bool add_listener(struct service *s, int fd, struct report *report)
{
	int listens = 0, flags = fcntl(fd, F_GETFL);
	socklen_t len = sizeof(listens);

	if (s->nr_listeners == INET_SOCKETS)
		return report_set(report, EXIT_USAGE, "more than %u sockets",
				  INET_SOCKETS);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) || !listens ||
	    flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return report_set(report, EXIT_USAGE,
				  "descriptor %d: is no socket that listens", fd);
	s->listeners[s->nr_listeners++] = fd;
	return true;
}

/* Sockets of the service manager's. */
static bool take_passed(struct service *s, struct report *report)
{
	const char *pid = getenv("LISTEN_PID"), *nr = getenv("LISTEN_FDS");
	int most = nr ? atoi(nr) : 0;

	if (!pid || atoi(pid) != getpid())
		return true;
	for (int fd = FIRST_PASSED; fd < FIRST_PASSED + most; fd++)
		if (!add_listener(s, fd, report))
			return false;
	return true;
}

/* ADDR:PORT, or one of the two. */
static bool listen_on(struct service *s, const char *where, struct report *report)
{
	char host[INET_HOST] = "", port[16];

	if (where[strspn(where, "0123456789")] == '\0' && strlen(where) < sizeof(port))
		strcpy(port, where);
	else if (!inet_split(where, strlen(where), host, port))
		return report_set(report, EXIT_USAGE,
				  "--listen %s: expected PORT, ADDR:PORT or [ADDR]:PORT",
				  where);
	return inet_listen(host, port, s->listeners, &s->nr_listeners, report);
}

static bool open_listeners(struct service *s, struct report *report)
{
	if (!take_passed(s, report))
		return false;
	for (unsigned i = 0; i < s->options->nr_listen; i++)
		if (!listen_on(s, s->options->listen[i], report))
			return false;
	return s->nr_listeners ||
	       report_set(report, EXIT_USAGE,
			  "serve: expected --stdio or --listen; see decant serve --help");
}

static void say_where(const struct service *s)
{
	char name[INET_NAME];

	for (unsigned i = 0; i < s->nr_listeners; i++) {
		inet_name(s->listeners[i], false, true, name);
		log_line(LOG_NOTE, "listening on %s; %s below %s; keys: %zu", name,
			 s->root.read_only ? "reading" : "reading and writing",
			 s->options->root, s->keys.nr);
	}
}

static int serve_listen(const struct serve_options *options, struct report *report)
{
	static struct service service;
	struct service *s = &service;
	const struct rlimit none = {0, 0};
	struct rlimit files;

	s->options = options;
	/* Keys are in this process' memory: none of it goes into a file. */
	setrlimit(RLIMIT_CORE, &none);
	/* The soft limit is select(2)'s, which nobody calls here. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!open_listeners(s, report) || !psk_load(&s->keys, options->key_file, report))
		return report_print(report);
	if (!root_init(&s->root, options->root, options->read_only, report))
		return report_print(report);
	s->policy = (struct policy){
		.root = &s->root,
		.memory = options->max_memory / options->max_connections,
		.service = true,
		.ports = options->ports,
		.silence = 1000 * (options->timeout ? options->timeout : SILENCE_S),
	};
	say_where(s);
	service_run(s, report);
	psk_free(&s->keys);
	root_close(&s->root);
	return report_print(report);
}

int command_serve(int argc, char **argv)
{
	struct serve_options options;
	struct report report = {0};

	if (!serve_options_parse(&options, argc, argv, &report))
		return report_print(&report);
	return options.stdio ? serve_stdio(&options, &report)
			     : serve_listen(&options, &report);
}
