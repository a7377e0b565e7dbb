/* SPDX-License-Identifier: MIT */
/*
 * speak PORT KEYFILE - prove the key to `decant serve --listen` on this machine, then
 * send standard input as it is and print what comes back, until the other side ends. An
 * input that ends with a line "." alone is sent without it, and that is all: hang up.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "inet.h"
#include "tls.h"

#define MOST (1u << 20)

static size_t read_input(unsigned char *room)
{
	size_t len = 0;
	ssize_t got;

	while (len < MOST && (got = read(STDIN_FILENO, room + len, MOST - len)) > 0)
		len += (size_t)got;
	return len;
}

static void print_answers(struct tls *tls, int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	unsigned char room[4096];
	ssize_t got;

	while ((got = tls_read(tls, room, sizeof(room))) >= 0) {
		if (got && write(STDOUT_FILENO, room, (size_t)got) < 0)
			return;
		if (!got && poll(&poller, 1, -1) < 0)
			return;
	}
}

int main(int argc, char **argv)
{
	deadline_t deadline = deadline_in(20000);
	struct report report = {0};
	struct psk_list keys;
	unsigned char *input = malloc(MOST);
	struct tls *tls;
	size_t len;
	bool bye;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	if (argc != 3 || !input || !psk_load(&keys, argv[2], &report))
		return report_print(&report);
	fd = inet_connect("127.0.0.1", argv[1], deadline, &report);
	tls = fd < 0 ? NULL : tls_new(false, fd, &keys, &report);
	if (!tls || !tls_handshake(tls, "server", deadline, &report))
		return report_print(&report);
	len = read_input(input);
	bye = len >= 3 && !memcmp(input + len - 3, "\n.\n", 3);
	if (!tls_write(tls, input, len - (bye ? 3 : 0), deadline))
		fputs("speak: not all of it was taken\n", stderr);
	if (!bye)
		print_answers(tls, fd);
	tls_free(tls);
	close(fd);
	psk_free(&keys);
	free(input);
	return 0;
}
