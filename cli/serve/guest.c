/* SPDX-License-Identifier: MIT */
/* guest.c - one client of `decant serve --listen`, from its first byte to the log. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "engine.h"
#include "log.h"
#include "serve.h"

#define PATIENCE_MS 60000 /* for an answer of a client that has proved its key */
#define LINGER_MS   2000  /* for it to read why it ends */

/* The client reads the reason before the connection is gone; what it still says goes
 * nowhere, for bytes that nobody took would make the kernel forget ours. */
static void linger(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	deadline_t deadline = deadline_in(LINGER_MS);
	char nowhere[4096];

	shutdown(fd, SHUT_WR);
	while (poll(&poller, 1, deadline_left(deadline)) > 0)
		if (read(fd, nowhere, sizeof(nowhere)) <= 0)
			return;
}

__attribute__((noreturn)) static void refuse(const struct report *report, const char *who)
{
	log_line(LOG_REFUSED, "%s: refused: %s", who, report->text);
	_exit(report->code);
}

/* Is there room for one more? */
static bool is_welcome(int line, struct report *report)
{
	char answer = LINE_PROVED;
	ssize_t got = write(line, &answer, 1);

	while (got == 1 && (got = read(line, &answer, 1)) < 0 && errno == EINTR)
		got = 1;
	if (got == 1 && answer == LINE_WELCOME)
		return true;
	return report_set(report, EXIT_RESOURCES,
			  "all connections are taken; try again later");
}

static bool prove(const struct service *service, struct control *control, int fd,
		  struct report *report)
{
	deadline_t deadline = deadline_in(1000 * (int64_t)service->options->handshake);
	struct psk_list keys = service->keys;
	bool ok;

	control->tls = tls_new(true, fd, &keys, report);
	ok = control->tls && tls_handshake(control->tls, "client", deadline, report);
	psk_free(&keys);
	return ok;
}

static void serve(const struct service *service, struct control *control, const char *who)
{
	static struct account account;
	bool done = serve_copy(control, &service->policy, &account);
	const char *way = account.push ? "push of " : "pull of ";

	if (done) {
		log_line(LOG_NOTE, "%s: %s %s, %llu bytes", who,
			 account.push ? "took" : "gave", account.path,
			 (unsigned long long)account.bytes);
		return;
	}
	linger(control->in);
	log_line(LOG_REFUSED, "%s: %s%s failed: %s", who, *account.path ? way : "request",
		 account.path, account.report.text);
	_exit(account.report.code);
}

void guest_run(const struct service *service, int fd, int line)
{
	struct control control = {.in = fd, .out = fd, .patience_ms = PATIENCE_MS};
	char address[INET_NAME], who[INET_NAME + PSK_NAME_MOST + 4];
	struct report report = {0};

	if (service->policy.silence < PATIENCE_MS)
		control.patience_ms = (int)service->policy.silence;
	inet_name(fd, true, true, address);
	inet_tune(fd);
	strcpy(control.host, "client");
	if (!prove(service, &control, fd, &report))
		refuse(&report, address);
	snprintf(who, sizeof(who), "%s (%s)", address, tls_name(control.tls));
	if (!is_welcome(line, &report)) {
		control_report(&control, &report);
		linger(fd);
		refuse(&report, who);
	}
	serve(service, &control, who);
	_exit(EXIT_DONE);
}
