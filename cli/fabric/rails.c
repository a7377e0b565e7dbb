/* SPDX-License-Identifier: MIT */
#include "rails.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "engine.h"

#define PAGE 4096

/* The client is given 30 s to connect; the server looks after it now and then. */
#define CONNECT_MS 30000
#define ACCEPT_MS  500

/* How long to wait for a port of those that were given, and between two looks. */
#define PORTS_MS     3000
#define PORTS_NAP_MS 20

unsigned rails_receives(uint64_t depth)
{
	return 2 * (unsigned)depth + 4;
}

static bool failed(const struct rails *rails, unsigned rail, const char *host, int err,
		   const char *hint, struct report *report)
{
	const struct transport *at = rails->rail[rail].at;
	const char *text = at ? transport_error(at) : "";
	char which[32] = "";

	if (rails->nr > 1)
		snprintf(which, sizeof(which), ", rail %u of %u", rail + 1, rails->nr);
	return report_set(report, EXIT_PEER, "%s%sfabric %s%s: %s%s", host ? host : "",
			  host ? ": " : "", rails->fabric, which,
			  *text ? text : strerror(-err), hint);
}

bool rails_failed(const struct rails *rails, unsigned rail, const char *host, int err,
		  struct report *report)
{
	return failed(rails, rail, host, err, "", report);
}

/* The name for a rail: one of those between commas. */
static void name_of(const char *names, unsigned rail, char *room, size_t max)
{
	unsigned nr = 1;
	const char *at = names;

	for (const char *c = names; *c; c++)
		nr += *c == ',';
	for (rail %= nr; rail; rail--)
		at = strchr(at, ',') + 1;
	snprintf(room, max, "%.*s", (int)strcspn(at, ","), at);
}

static int open_rail(struct rails *r, unsigned i, const struct rails_options *options)
{
	unsigned receives = rails_receives(options->depth);
	struct transport_options o = {.node = options->node,
				      .depth = (unsigned)options->depth + 2 * receives,
				      .receives = receives,
				      .passive = options->passive,
				      .timeout = CONNECT_MS,
				      .accept_timeout = ACCEPT_MS,
				      .ports = options->ports,
				      .space = r->space};
	char name[TRANSPORT_NAME_MAX];
	int err;

	if (options->timeout && options->timeout < CONNECT_MS)
		o.timeout = options->timeout;
	name_of(options->fabric, i, name, sizeof(name));
	err = transport_find(name, &o.what)->open(&r->rail[i].at, &o);
	if (err)
		snprintf(r->fabric, sizeof(r->fabric), "%s", *name ? name : "(any)");
	return err;
}

static int open_all(struct rails *r, const struct rails_options *options)
{
	int err = 0;

	for (; r->nr < options->nr && !err; r->nr += !err)
		err = open_rail(r, r->nr, options);
	return err;
}

/* What can't be is said before anything is tried. */
static bool check(const struct rails_options *o, struct report *report)
{
	unsigned most = o->ports.high - o->ports.low + 1, wanted = 0;
	const struct transport_ops *ops;
	char name[TRANSPORT_NAME_MAX];
	const char *what;

	for (unsigned i = 0; i < o->nr; i++) {
		int ports;

		name_of(o->fabric, i, name, sizeof(name));
		ops = transport_find(name, &what);
		if (!ops)
			return report_set(report, EXIT_PEER,
					  "fabric %s: this decant was built without it",
					  name);
		ports = o->ports.low ? ops->ports(what) : 0;
		wanted += ports > 0;
		if (ports < 0)
			return report_set(report, EXIT_PEER,
					  "fabric %s: can't be told which ports to take, "
					  "and the server has --data-ports; tcp can",
					  *name ? name : "(any)");
	}
	return wanted <= most ||
	       report_set(report, EXIT_PEER,
			  "--rails %llu: the server has only %u --data-ports",
			  (unsigned long long)o->nr, most);
}

/*
 * A few ports may serve many: each is taken only while a rail is being connected, or as
 * long as libfabric keeps it. Who waits has none, so that nobody waits for each other.
 */
static bool open_rails(struct rails *r, const struct rails_options *o,
		       struct report *report)
{
	deadline_t deadline = deadline_in(PORTS_MS);
	bool wait;
	int err;

	do {
		err = open_all(r, o);
		wait = err == -EADDRINUSE && o->ports.low && deadline_left(deadline) &&
		       !engine_interrupted(report);
		if (wait) {
			rails_abandon(r);
			r->nr = 0;
			poll(NULL, 0, PORTS_NAP_MS + getpid() % PORTS_NAP_MS);
		}
	} while (wait);
	if (err == -EADDRINUSE && o->ports.low)
		return report_set(report, EXIT_RESOURCES,
				  "all of --data-ports %u-%u are taken; try again later",
				  o->ports.low, o->ports.high);
	return !err || rails_failed(r, r->nr, NULL, err, report);
}

/* What was taken, once for each name. */
static void describe(struct rails *r)
{
	char name[TRANSPORT_NAME_MAX];
	size_t used = 0;

	*r->fabric = '\0';
	for (unsigned i = 0; i < r->nr && used < sizeof(r->fabric); i++) {
		r->rail[i].at->ops->describe(r->rail[i].at, name, sizeof(name));
		if (i && strstr(r->fabric, name))
			continue;
		used += (size_t)snprintf(r->fabric + used, sizeof(r->fabric) - used,
					 "%s%s", i ? "," : "", name);
	}
}

static bool make_pool(struct rails *r, struct decant_pool **pool, size_t bytes, size_t nr,
		      bool small, struct report *report)
{
	struct decant_pool_options options = {.size = sizeof(options),
					      .buffer_bytes = bytes,
					      .buffers = nr,
					      .small_pages = small};
	int err = decant_pool_new(pool, &options);

	for (unsigned i = 0; i < r->nr && !err; i++)
		err = r->rail[i].at->ops->map(r->rail[i].at, decant_pool_region(*pool));
	if (!err)
		err = decant_space_add(r->space, decant_pool_region(*pool));
	return !err || report_set(report, EXIT_RESOURCES, "buffers for the fabric: %s",
				  strerror(-err));
}

bool rails_open(struct rails *r, const struct rails_options *o, struct report *report)
{
	int err = decant_space_new(&r->space);

	if (err)
		return report_set(report, EXIT_RESOURCES, "no memory");
	if (!check(o, report) || !open_rails(r, o, report))
		return false;
	describe(r);
	/* The tag follows the chunk; a page keeps the next slot aligned. */
	r->stride = o->chunk + PAGE;
	/* Those to receive, and one of each kind per chunk under way. */
	r->nr_notes = (r->nr + 1) * rails_receives(o->depth);
	return make_pool(r, &r->slots, r->stride, o->depth, false, report) &&
	       make_pool(r, &r->notes, (size_t)RAILS_NOTE * r->nr_notes, 1, true, report);
}

bool rails_put(struct rails *r, struct wire *w, bool grant, struct report *report)
{
	wire_put_u64(w, r->nr);
	for (unsigned i = 0; i < r->nr; i++) {
		struct transport *t = r->rail[i].at;
		unsigned char address[TRANSPORT_ADDRESS_MAX];
		struct transport_remote remote = {0};
		size_t len = sizeof(address);
		int err = t->ops->address(t, address, &len);

		if (!err && grant)
			err = t->ops->grant(t, decant_pool_region(r->slots), &remote);
		if (err)
			return rails_failed(r, i, NULL, err, report);
		wire_put_bytes(w, address, len);
		wire_put_u64(w, remote.addr);
		wire_put_u64(w, remote.key);
	}
	return true;
}

bool rails_get(struct rails *r, struct wire *w)
{
	uint64_t nr = wire_get_u64(w);

	for (unsigned i = 0; i < nr && i < r->nr; i++) {
		struct rail *rail = &r->rail[i];

		rail->address_len =
			wire_get_bytes(w, rail->address, sizeof(rail->address));
		rail->remote.addr = wire_get_u64(w);
		rail->remote.key = wire_get_u64(w);
	}
	return nr == r->nr && !w->bad;
}

/* The control connection is there, so the hosts can be reached. */
static const char *why_unreachable(int err)
{
	bool stopped = err == -ETIMEDOUT || err == -ECONNREFUSED || err == -EHOSTUNREACH;

	return stopped ? "; if a firewall is in between, see serve --data-ports" : "";
}

/* A call that a signal ended has an error of its own, which is nobody's business. */
static bool unconnected(const struct rails *r, unsigned i, int err, const char *hint,
			struct report *report)
{
	return !engine_interrupted(report) && failed(r, i, NULL, err, hint, report);
}

static bool connect_rail(struct rails *r, unsigned i, struct report *report)
{
	struct rail *rail = &r->rail[i];
	deadline_t deadline = deadline_in(CONNECT_MS);
	int err;

	/* a signal that is none of ours: the process was stopped, and goes on */
	do
		err = rail->at->ops->connect(rail->at, rail->address, rail->address_len);
	while (err == -EINTR && deadline_left(deadline) && !engine_interrupted(report));
	return !err || unconnected(r, i, err, why_unreachable(err), report);
}

/*
 * Meanwhile the client may go away: it says so on the control channel only. That it is
 * ready, too, and this may overtake what it says on the rail.
 */
static bool accept_rail(struct rails *r, unsigned i, struct control *control, bool *ready,
			struct report *report)
{
	struct rail *rail = &r->rail[i];
	deadline_t deadline = deadline_in(CONNECT_MS);
	enum message type = 0;
	struct wire w = {.len = 0};
	bool gone;
	int err, got;

	do {
		err = rail->at->ops->accept(rail->at, rail->address, rail->address_len);
		got = err ? control_poll(control, &type, &w, 0) : 0;
		if (got > 0 && type == MESSAGE_READY && !*ready) {
			*ready = true;
			got = 0;
		}
	} while ((err == -ETIMEDOUT || err == -EINTR) && !got &&
		 deadline_left(deadline) && !engine_interrupted(report));
	/* The log of a service is to say where the client did not come. */
	gone = got < 0 && control->tls && !tls_problem(control->tls);
	if (got && !gone)
		control_unexpected(control, got, type, &w, report);
	return !err ||
	       unconnected(r, i, err,
			   gone ? "; the client has gone" : why_unreachable(err), report);
}

bool rails_connect(struct rails *r, struct control *control, bool passive, bool *ready,
		   struct report *report)
{
	bool ok = true;

	for (unsigned i = 0; i < r->nr && ok; i++)
		ok = passive ? accept_rail(r, i, control, ready, report)
			     : connect_rail(r, i, report);
	return ok;
}

void rails_abandon(struct rails *r)
{
	for (unsigned i = 0; i < RAILS_MOST; i++) {
		if (r->rail[i].at)
			r->rail[i].at->ops->close(r->rail[i].at);
		r->rail[i].at = NULL;
	}
}

void rails_close(struct rails *r)
{
	rails_abandon(r);
	decant_pool_free(r->slots);
	decant_pool_free(r->notes);
	decant_space_free(r->space);
}
