/* SPDX-License-Identifier: MIT */
/*
 * daemon.c - the service that listens: it starts a process for each connection, counts
 * them, and sees to their end. It never touches what clients say.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "engine.h"
#include "log.h"
#include "serve.h"

/* Clients that have not proved anything yet; the oldest makes room for a new one. */
#define STRANGERS_MOST 32
#define ROLL_BACK_MS   10000 /* for a process that was told to end */
#define NAP_MS	       200   /* when no process can be started */
#define STARTS	       5     /* tries to start one */

struct client {
	pid_t pid;
	int line;     /* to the process; -1 when it ends */
	bool proved;  /* it has the key */
	bool dropped; /* to make room */
	char name[INET_NAME];
};

enum phase { SERVING, FINISHING, ROLLING_BACK, KILLING };

struct daemon {
	struct service *service;
	struct client *clients; /* in the order of their coming */
	size_t nr, nr_proved, most;
	enum phase phase;
	deadline_t deadline; /* of the phase */
	int signals;
	pid_t pid; /* of the service itself */
};

static void forget(struct daemon *d, size_t i)
{
	struct client *c = &d->clients[i];

	if (c->line >= 0)
		close(c->line);
	d->nr_proved -= c->proved;
	d->nr--;
	memmove(c, c + 1, (d->nr - i) * sizeof(*c));
}

/* A process ended; it has logged why, unless it could not. */
static void ended(struct daemon *d, pid_t pid, int status)
{
	for (size_t i = 0; i < d->nr; i++) {
		if (d->clients[i].pid != pid)
			continue;
		if (WIFSIGNALED(status) && !d->clients[i].dropped)
			log_line(LOG_ERROR,
				 "%s: its process was killed by signal %d (%s)",
				 d->clients[i].name, WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
		forget(d, i);
		return;
	}
}

static void reap(struct daemon *d)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(d, pid, status);
}

static bool is_stranger(const struct client *c)
{
	return !c->proved && !c->dropped;
}

/* Nothing is lost with a client that has not said who it is: if there are so many, the
 * oldest goes. */
static void limit_strangers(struct daemon *d, unsigned most)
{
	struct client *oldest = NULL;
	unsigned nr = 0;

	for (size_t i = d->nr; i-- > 0;)
		if (is_stranger(&d->clients[i])) {
			oldest = &d->clients[i];
			nr++;
		}
	if (!nr || nr < most)
		return;
	log_line(LOG_REFUSED, "%s: refused: too many connections without a key",
		 oldest->name);
	kill(oldest->pid, SIGKILL);
	oldest->dropped = true;
}

static void log_lack(const char *name, const char *what)
{
	log_line(LOG_ERROR, "%s: no %s for it: %s", name, what, strerror(errno));
}

/* Something is missing that strangers may have. */
static void make_room(struct daemon *d)
{
	limit_strangers(d, 1);
	poll(NULL, 0, NAP_MS);
	reap(d);
}

static void close_listeners(struct service *s)
{
	for (unsigned i = 0; i < s->nr_listeners; i++)
		close(s->listeners[i]);
	s->nr_listeners = 0;
}

/* In the new process: nothing of the service's stays open, signals end the copy, and so
 * does the service's end, also if it has come already. */
__attribute__((noreturn)) static void become_guest(struct daemon *d, int fd, int line)
{
	struct service *s = d->service;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != d->pid)
		_exit(EXIT_PEER);
	close_listeners(s);
	for (size_t i = 0; i < d->nr; i++)
		if (d->clients[i].line >= 0)
			close(d->clients[i].line);
	close(d->signals);
	engine_catch_signals();
	/* A terminal's interrupt is for the service. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	guest_run(s, fd, line);
}

static bool start_guest(struct daemon *d, int fd, struct client *c)
{
	int pair[2];

	inet_name(fd, true, true, c->name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	c->pid = fork();
	if (!c->pid) {
		close(pair[0]);
		become_guest(d, fd, pair[1]);
	}
	close(pair[1]);
	c->line = pair[0];
	if (c->pid < 0)
		close(c->line);
	return c->pid > 0;
}

static void accept_one(struct daemon *d, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct client client = {0};
	bool started = false;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
		log_lack("a client", "descriptor");
		make_room(d);
	}
	if (fd < 0)
		return;
	limit_strangers(d, STRANGERS_MOST);
	for (int i = 0; i < STARTS && !started; i++) {
		if (i)
			make_room(d);
		started = start_guest(d, fd, &client);
		if (!started)
			log_lack(client.name, "process");
	}
	if (started)
		d->clients[d->nr++] = client;
	close(fd);
}

/* A client has proved its key, and wants to know whether there is room. */
static void hear(struct daemon *d, struct client *c)
{
	char word = 0;
	bool room = d->nr_proved < d->service->options->max_connections;

	/* The end of the line is the end of the process, of which there is a signal. */
	if (recv(c->line, &word, 1, MSG_DONTWAIT) != 1 || word != LINE_PROVED ||
	    c->proved) {
		close(c->line);
		c->line = -1;
		return;
	}
	c->proved = room;
	d->nr_proved += room;
	word = room ? LINE_WELCOME : LINE_FULL;
	if (send(c->line, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		log_line(LOG_ERROR, "%s: its process does not listen", c->name);
}

static void signal_clients(const struct daemon *d, int signal, bool strangers)
{
	for (size_t i = 0; i < d->nr; i++)
		if (!strangers || !d->clients[i].proved)
			kill(d->clients[i].pid, signal);
}

/* One step further towards the end. */
static void next_phase(struct daemon *d)
{
	if (d->phase == SERVING) {
		log_notify("STOPPING=1");
		log_line(LOG_NOTE, "stopping; copies under way: %zu", d->nr_proved);
		d->deadline = deadline_in(1000 * (int64_t)d->service->options->grace);
		close_listeners(d->service);
		signal_clients(d, SIGTERM, true);
	} else if (d->phase == FINISHING) {
		d->deadline = deadline_in(ROLL_BACK_MS);
		signal_clients(d, SIGTERM, false);
	} else {
		d->deadline = DEADLINE_NEVER;
		signal_clients(d, SIGKILL, false);
	}
	if (d->phase < KILLING)
		d->phase++;
}

static void hear_signals(struct daemon *d)
{
	struct signalfd_siginfo info;

	while (read(d->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGCHLD)
			reap(d);
		else if (d->phase < ROLLING_BACK)
			next_phase(d);
}

/* Wait for something and deal with it. */
static void turn(struct daemon *d, struct pollfd *fds)
{
	const struct service *s = d->service;
	unsigned listeners = d->nr < d->most ? s->nr_listeners : 0;
	size_t nr = 0, clients = d->nr;

	fds[nr++] = (struct pollfd){.fd = d->signals, .events = POLLIN};
	for (size_t i = 0; i < clients; i++)
		fds[nr++] = (struct pollfd){.fd = d->clients[i].line, .events = POLLIN};
	for (unsigned i = 0; i < listeners; i++)
		fds[nr++] = (struct pollfd){.fd = s->listeners[i], .events = POLLIN};
	if (poll(fds, nr, deadline_left(d->deadline)) <= 0)
		return;
	/* Lines first: the signals' part forgets clients. */
	for (size_t i = 0; i < clients; i++)
		if (fds[1 + i].revents & (POLLIN | POLLHUP))
			hear(d, &d->clients[i]);
	hear_signals(d);
	for (unsigned i = 0; i < s->nr_listeners && i < listeners && d->nr < d->most; i++)
		if (fds[1 + clients + i].revents)
			accept_one(d, s->listeners[i]);
}

static bool prepare(struct daemon *d, struct pollfd **fds, struct report *report)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	/* Those that are told to go are not for long. */
	d->most = d->service->options->max_connections + 2 * STRANGERS_MOST;
	d->clients = calloc(d->most, sizeof(*d->clients));
	*fds = calloc(d->most + INET_SOCKETS + 1, sizeof(**fds));
	if (!d->clients || !*fds)
		return report_set(report, EXIT_RESOURCES, "no memory");
	sigprocmask(SIG_BLOCK, &set, NULL);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	return d->signals >= 0 ||
	       report_set(report, EXIT_RESOURCES, "signalfd: %s", strerror(errno));
}

int service_run(struct service *service, struct report *report)
{
	struct daemon d = {.service = service,
			   .deadline = DEADLINE_NEVER,
			   .signals = -1,
			   .pid = getpid()};
	struct pollfd *fds = NULL;

	if (prepare(&d, &fds, report)) {
		log_notify("READY=1");
		while (d.phase == SERVING || d.nr) {
			turn(&d, fds);
			if (!deadline_left(d.deadline))
				next_phase(&d);
		}
	}
	free(d.clients);
	free(fds);
	if (d.signals >= 0)
		close(d.signals);
	return report->code;
}
