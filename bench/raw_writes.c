/* SPDX-License-Identifier: MIT */
/*
 * raw_writes.c - how fast memory gets from one process to another with nothing else to
 * do: bare fi_writemsg(), or a plain connection. What is behind decant copy, without it.
 *
 * usage: bench-raw-writes tcp|PROVIDER BYTES
 *
 * BYTES in writes of 1 MiB, 16 of them under way; prints the seconds that took. What it
 * takes to get there, and to find out what is slow the first time, is not in them.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include "ofi_pair.h"

static unsigned char *place(unsigned char *memory, size_t i)
{
	return memory + i % PAIR_WINDOW * PAIR_BLOCK;
}

static void write_all(struct pair *pair, size_t operations)
{
	size_t posted = 0, done = 0;

	while (done < operations) {
		while (posted < operations && posted - done < PAIR_WINDOW &&
		       pair_post(pair, posted, place(pair->memory, posted), PAIR_BLOCK))
			posted++;
		done += pair_gather(pair);
	}
}

static double over_fabric(const char *provider, size_t operations)
{
	struct pair pair;
	double begun;

	pair_open(&pair, provider, false);
	pair_tell(&pair, PAIR_DRIVE);
	write_all(&pair, PAIR_WINDOW);
	begun = bench_wall();
	write_all(&pair, operations);
	begun = bench_wall() - begun;
	pair_close(&pair);
	return begun;
}

/* Both ends of a connection over the loopback. */
static void connection(int *ends)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	bench_need(!bind(listener, (void *)&at, len) && !listen(listener, 1) &&
			   !getsockname(listener, (void *)&at, &len),
		   "listening");
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	bench_need(!connect(ends[0], (void *)&at, len), "connecting");
	ends[1] = accept(listener, NULL, NULL);
	bench_need(ends[1] >= 0, "accepting");
	close(listener);
}

/* Takes all that comes, and answers a byte for as many as one operation is long. */
static void receive(int fd, size_t operations)
{
	unsigned char *memory = pair_memory();

	for (size_t i = 0; i < operations; i++)
		bench_need(recv(fd, place(memory, i), PAIR_BLOCK, MSG_WAITALL) ==
				   PAIR_BLOCK,
			   "receiving");
	bench_need(send(fd, "q", 1, 0) == 1, "answering");
	exit(0);
}

static void send_all(int fd, unsigned char *memory, size_t operations)
{
	for (size_t i = 0; i < operations; i++)
		bench_need(send(fd, place(memory, i), PAIR_BLOCK, 0) == PAIR_BLOCK,
			   "sending");
}

static double over_sockets(size_t operations)
{
	unsigned char *memory = pair_memory();
	int ends[2], status;
	char answer;
	double begun;
	pid_t pid;

	connection(ends);
	pid = fork();
	bench_need(pid >= 0, "fork");
	if (!pid) {
		close(ends[0]);
		receive(ends[1], operations + PAIR_WINDOW);
	}
	close(ends[1]); /* or a receiver that dies would be waited for */
	send_all(ends[0], memory, PAIR_WINDOW);
	begun = bench_wall();
	send_all(ends[0], memory, operations);
	bench_need(recv(ends[0], &answer, 1, 0) == 1, "the answer");
	begun = bench_wall() - begun;
	bench_need(waitpid(pid, &status, 0) == pid && !status, "the receiver");
	return begun;
}

int main(int argc, char **argv)
{
	size_t operations = argc == 3 ? strtoull(argv[2], NULL, 10) / PAIR_BLOCK : 0;

	if (!operations) {
		fprintf(stderr, "usage: bench-raw-writes tcp|PROVIDER BYTES\n");
		return 2;
	}
	printf("%.6f\n", strcmp(argv[1], "tcp") ? over_fabric(argv[1], operations)
						: over_sockets(operations));
	return 0;
}
