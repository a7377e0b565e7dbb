/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "control.h"
#include "text.h"

#define HEADER	   16
#define WORDS_MOST 64
#define END_MS	   3000 /* how long the other side may take to end */

/* command's words, then host and the remote command; false if they are too many. */
static bool build_argv(char **argv, char *command, const char *host, const char *remote)
{
	const char *rest[] = {host, remote, "serve", "--stdio"};
	char *save, *word;
	int nr = 0;

	for (word = strtok_r(command, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (nr + 5 >= WORDS_MOST)
			return false;
		argv[nr++] = word;
	}
	for (int i = 0; nr && i < 4; i++)
		argv[nr++] = (char *)(uintptr_t)rest[i];
	argv[nr] = NULL;
	return nr > 0;
}

/* The child: stdin and stdout are the channel; a failure to start comes back as an errno.
 */
static void run_child(char **argv, int in, int out, int failed)
{
	int err;

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	signal(SIGPIPE, SIG_DFL);
	/*
	 * A terminal's interrupt is for us; the other side hears of it when we close. The
	 * process stays in our group, for ssh may have to ask for a password there.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	execvp(argv[0], argv);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

struct pipes {
	int to[2], from[2], failed[2];
};

static bool make_pipes(struct pipes *p)
{
	memset(p, -1, sizeof(*p));
	return !pipe2(p->to, O_CLOEXEC) && !pipe2(p->from, O_CLOEXEC) &&
	       !pipe2(p->failed, O_CLOEXEC);
}

/* The child's errno if it could not start, 0 if it runs. */
static int start_error(int failed)
{
	int err = 0;

	while (read(failed, &err, sizeof(err)) < 0 && errno == EINTR)
		;
	return err;
}

static bool start(struct control *control, char **argv, struct report *report)
{
	struct pipes p;
	int err;

	if (!make_pipes(&p))
		return report_set(report, EXIT_RESOURCES, "pipe: %s", strerror(errno));
	control->child = fork();
	if (control->child < 0)
		return report_set(report, EXIT_RESOURCES, "fork: %s", strerror(errno));
	if (!control->child)
		run_child(argv, p.to[0], p.from[1], p.failed[1]);
	close(p.to[0]);
	close(p.from[1]);
	close(p.failed[1]);
	err = start_error(p.failed[0]);
	close(p.failed[0]);
	control->in = p.from[0];
	control->out = p.to[1];
	if (!err)
		return true;
	control_close(control);
	return report_set(report, EXIT_PEER, "--rsh %s: %s", argv[0], strerror(err));
}

bool control_start(struct control *control, const char *command, const char *host,
		   const char *remote, struct report *report)
{
	char *words = strdup(command), *argv[WORDS_MOST];
	bool ok;

	*control = (struct control){.in = -1, .out = -1};
	snprintf(control->host, sizeof(control->host), "%s", host);
	if (words && build_argv(argv, words, host, remote))
		ok = start(control, argv, report);
	else
		ok = report_set(report, EXIT_USAGE, "--rsh '%s': expected a command",
				command);
	free(words);
	return ok;
}

static deadline_t deadline_of(const struct control *c)
{
	return deadline_in(c->patience_ms ? c->patience_ms : -1);
}

static bool put_bytes(struct control *c, const void *bytes, size_t len)
{
	return c->tls ? tls_write(c->tls, bytes, len, deadline_of(c))
		      : text_write(c->out, bytes, len);
}

bool control_send(struct control *control, enum message type, const struct wire *wire)
{
	unsigned char message[HEADER + WIRE_MOST];
	size_t len = wire ? wire->len : 0;

	wire_store_u64(message, type);
	wire_store_u64(message + 8, len);
	if (len)
		memcpy(message + HEADER, wire->data, len);
	return put_bytes(control, message, HEADER + len);
}

/* Take a whole message out of the buffer: 1, 0 if it isn't whole yet, -1 if it is none.
 */
static int take_message(struct control *c, enum message *type, struct wire *wire)
{
	uint64_t len;

	if (c->have < HEADER)
		return 0;
	len = wire_load_u64(c->buffer + 8);
	if (len > WIRE_MOST || wire_load_u64(c->buffer) - 1 >= MESSAGE_LAST)
		return -1;
	if (c->have < HEADER + len)
		return 0;
	*type = (enum message)wire_load_u64(c->buffer);
	memcpy(wire->data, c->buffer + HEADER, len);
	wire->len = len;
	wire->at = 0;
	wire->bad = false;
	c->have -= HEADER + len;
	memmove(c->buffer, c->buffer + HEADER + len, c->have);
	return 1;
}

/* More of it into the buffer: as control_poll() returns. */
static int get_plain(struct control *c, deadline_t deadline)
{
	struct pollfd fd = {.fd = c->in, .events = POLLIN};
	int got = poll(&fd, 1, deadline_left(deadline));
	ssize_t n;

	if (got <= 0)
		return got < 0 && errno != EINTR ? -1 : 0;
	n = read(c->in, c->buffer + c->have, sizeof(c->buffer) - c->have);
	if (n <= 0)
		return n < 0 && errno == EINTR ? 0 : -1;
	c->have += (size_t)n;
	return 1;
}

/* What OpenSSL has already is not seen by poll. */
static int get_sealed(struct control *c, deadline_t deadline)
{
	struct pollfd fd = {.fd = c->in, .events = POLLIN};
	ssize_t n;
	int got;

	while (!(
		n = tls_read(c->tls, c->buffer + c->have, sizeof(c->buffer) - c->have))) {
		got = poll(&fd, 1, deadline_left(deadline));
		if (got <= 0)
			return got < 0 && errno != EINTR ? -1 : 0;
	}
	if (n < 0)
		return -1;
	c->have += (size_t)n;
	return 1;
}

int control_poll(struct control *c, enum message *type, struct wire *wire, int timeout)
{
	deadline_t deadline = deadline_in(timeout);
	int got = take_message(c, type, wire);

	while (!got) {
		got = c->tls ? get_sealed(c, deadline) : get_plain(c, deadline);
		if (got <= 0)
			return got;
		got = take_message(c, type, wire);
	}
	return got;
}

/* How the process behind the channel ended, in words. */
static void describe_end(struct control *c, char *room, size_t max)
{
	int status = 0;
	pid_t got = 0;

	*room = '\0';
	for (int i = 0; c->child && !got && i < 50; i++) {
		got = waitpid(c->child, &status, WNOHANG);
		if (!got)
			poll(NULL, 0, 10);
	}
	if (got <= 0)
		return;
	c->child = 0;
	if (WIFSIGNALED(status))
		snprintf(room, max, " (killed by signal %d)", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		snprintf(room, max,
			 " (exit status 127: is decant installed there? see "
			 "--remote-decant)");
	else
		snprintf(room, max, " (exit status %d)", WEXITSTATUS(status));
}

static void report_other(struct control *c, struct wire *wire, struct report *report)
{
	uint64_t code = wire_get_u64(wire);
	char text[REPORT_BYTES];

	wire_get_text(wire, text, sizeof(text));
	if (wire->bad || code < EXIT_USAGE || code > EXIT_INTERRUPTED)
		report_set(report, EXIT_PEER, "%s: an error without a reason", c->host);
	else
		report_set(report, (enum exit_code)code, "%s: %s", c->host, text);
}

void control_unexpected(struct control *c, int got, enum message type, struct wire *wire,
			struct report *report)
{
	char how[128];

	if (got > 0 && type == MESSAGE_ERROR) {
		report_other(c, wire, report);
		return;
	}
	if (got < 0 && c->tls && tls_problem(c->tls)) {
		report_set(report, EXIT_TAMPERED, "%s: %s", c->host, tls_problem(c->tls));
		return;
	}
	if (got < 0 && c->have && !c->tls) {
		report_set(
			report, EXIT_PEER,
			"%s: what came back is not decant's protocol; does a shell print "
			"something there?",
			c->host);
		return;
	}
	if (got > 0) {
		report_set(report, EXIT_PEER, "%s: message %d came out of turn", c->host,
			   (int)type);
		return;
	}
	describe_end(c, how, sizeof(how));
	report_set(report, EXIT_PEER, "%s: the other side ended%s", c->host, how);
}

bool control_expect(struct control *c, enum message type, struct wire *wire,
		    struct report *report)
{
	deadline_t deadline = deadline_of(c);
	enum message found = 0;
	int got = control_poll(c, &found, wire, deadline_left(deadline));

	if (got > 0 && found == type)
		return true;
	if (!got && deadline_left(deadline))
		return report_set(report, EXIT_INTERRUPTED, "interrupted");
	if (!got)
		return report_set(report, EXIT_PEER, "%s: did not answer for %d s",
				  c->host, c->patience_ms / 1000);
	control_unexpected(c, got, found, wire, report);
	return false;
}

void control_report(struct control *c, const struct report *report)
{
	struct wire wire = {.len = 0};

	wire_put_u64(&wire, report->code);
	wire_put_text(&wire, report->text);
	control_send(c, MESSAGE_ERROR, &wire);
}

/* Give the process time to end by itself, for it has its target to clean up. */
static void end_child(struct control *c)
{
	static const int signals[] = {SIGTERM, SIGKILL};

	for (int i = 0; i < 3; i++) {
		for (int ms = 0; ms < END_MS; ms += 10) {
			if (waitpid(c->child, NULL, WNOHANG))
				return;
			poll(NULL, 0, 10);
		}
		if (i < 2)
			kill(c->child, signals[i]);
	}
}

void control_close(struct control *c)
{
	tls_free(c->tls);
	c->tls = NULL;
	if (c->out >= 0 && c->out != c->in)
		close(c->out);
	if (c->in >= 0)
		close(c->in);
	c->in = c->out = -1;
	if (c->child > 0)
		end_child(c);
	c->child = 0;
}
