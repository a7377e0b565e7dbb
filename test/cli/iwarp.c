/* SPDX-License-Identifier: MIT */
/*
 * iwarp.c - rails over iWARP, where one side listens and the other calls, on a device of
 * our own. Copies over it are in test/guest.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../check.h"
#include "device.h"
#include "engine.h"
#include "rails.h"

#define STRANGERS 100

struct side {
	struct rails rails;
	struct control control;
	struct report report;
	bool connected;
};

static bool open_side(struct side *s, bool passive, uint64_t nr, struct inet_ports ports)
{
	const struct rails_options options = {.fabric = "verbs",
					      .node = "127.0.0.1",
					      .nr = nr,
					      .chunk = 4096,
					      .depth = 1,
					      .passive = passive,
					      .ports = ports};

	memset(s, 0, sizeof(*s));
	return rails_open(&s->rails, &options, &s->report);
}

static void *serve(void *user)
{
	struct side *s = user;
	bool ready = false;

	s->connected = rails_connect(&s->rails, &s->control, true, &ready, &s->report);
	return NULL;
}

/* Calls of those who do not know the token. */
static void call_as_strangers(struct side *client)
{
	struct rail *rail = &client->rails.rail[0];

	rail->address[0] ^= 1;
	for (int i = 0; i < STRANGERS && !check_failed; i++)
		CHECK_EQ(rail->at->ops->connect(rail->at, rail->address,
						rail->address_len),
			 -ECONNREFUSED);
	rail->address[0] ^= 1;
}

static void strangers(void)
{
	static struct side client, server;
	static struct wire wire;
	pthread_t thread;
	int ends[2];

	REQUIRE(open_side(&server, true, 1, (struct inet_ports){0}) &&
		open_side(&client, false, 1, (struct inet_ports){0}));
	REQUIRE(rails_put(&server.rails, &wire, false, &server.report) &&
		rails_get(&client.rails, &wire));
	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	server.control.in = server.control.out = ends[0];
	REQUIRE(!pthread_create(&thread, NULL, serve, &server));
	call_as_strangers(&client);
	CHECK(rails_connect(&client.rails, &client.control, false, &(bool){0},
			    &client.report));
	pthread_join(thread, NULL);
	CHECK(server.connected);
	rails_close(&client.rails);
	rails_close(&server.rails);
	close(ends[0]);
	close(ends[1]);
}

static void ports(void)
{
	static struct side server;

	CHECK(!open_side(&server, true, 2, (struct inet_ports){20100, 20100}));
	CHECK_EQ(server.report.code, EXIT_PEER);
	CHECK(strstr(server.report.text, "--rails 2: the server has only 1"));
	rails_close(&server.rails);
	CHECK(open_side(&server, true, 2, (struct inet_ports){20100, 20101}));
	rails_close(&server.rails);
}

/* Nobody answers the call; the signal that came before it is repeated while it waits. */
static void interrupted(void)
{
	static struct side client, server;
	static struct wire wire;

	REQUIRE(open_side(&server, true, 1, (struct inet_ports){0}) &&
		open_side(&client, false, 1, (struct inet_ports){0}));
	REQUIRE(rails_put(&server.rails, &wire, false, &server.report) &&
		rails_get(&client.rails, &wire));
	engine_catch_signals();
	raise(SIGINT);
	CHECK(!rails_connect(&client.rails, &client.control, false, &(bool){0},
			     &client.report));
	alarm(0);
	CHECK_EQ(client.report.code, EXIT_INTERRUPTED);
	CHECK(strstr(transport_error(client.rails.rail[0].at), "Interrupted"));
	rails_close(&client.rails);
	rails_close(&server.rails);
}

static void nothing_left(void)
{
	CHECK_EQ(device.pairs, 0);
	CHECK_EQ(device.regions, 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"any number of strangers", strangers},
		{"each rail needs a port", ports},
		{"a signal ends the call", interrupted},
		{"nothing is left", nothing_left},
	};

	device.iwarp = 1;
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
