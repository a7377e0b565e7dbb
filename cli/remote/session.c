/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "route.h"
#include "session.h"

#define PROTOCOL 3

/* Seconds without a sign of life that a client of a server which listens puts up with. */
#define SILENCE 60

/* The server's address as its user's connection came in, or as the client knows it. */
static const char *server_node(const struct session *s, char *room, size_t max)
{
	const char *ssh = getenv("SSH_CONNECTION");

	if (s->control.tls) {
		inet_name(s->control.in, false, false, room);
		return *room ? room : NULL;
	}
	/* SSH_CONNECTION: client address, client port, server address, server port
	 * (ssh(1)). */
	if (ssh && max >= 128 && sscanf(ssh, "%*s %*s %127s", room) == 1)
		return room;
	return *s->request.node ? s->request.node : NULL;
}

static bool open_rails(struct session *s, const char *fabric, const char *node)
{
	const struct request *r = &s->request;
	const struct rails_options options = {.fabric = fabric,
					      .node = node,
					      .nr = r->rails,
					      .chunk = r->chunk,
					      .depth = r->depth,
					      .passive = !s->client,
					      .timeout = (int)r->timeout,
					      .ports = s->ports};

	return rails_open(&s->rails, &options, s->report);
}

static void put_meta(struct wire *w, const struct file_meta *meta)
{
	wire_put_u64(w, meta->size);
	wire_put_u64(w, meta->mode);
	wire_put_u64(w, meta->keep);
	wire_put_u64(w, (uint64_t)meta->atime.tv_sec);
	wire_put_u64(w, (uint64_t)meta->atime.tv_nsec);
	wire_put_u64(w, (uint64_t)meta->mtime.tv_sec);
	wire_put_u64(w, (uint64_t)meta->mtime.tv_nsec);
}

static void get_meta(struct wire *w, struct file_meta *meta)
{
	meta->size = wire_get_u64(w);
	meta->mode = (uint32_t)wire_get_u64(w) & 07777;
	meta->keep = wire_get_u64(w) != 0;
	meta->atime.tv_sec = (time_t)wire_get_u64(w);
	meta->atime.tv_nsec = (long)(wire_get_u64(w) % 1000000000u);
	meta->mtime.tv_sec = (time_t)wire_get_u64(w);
	meta->mtime.tv_nsec = (long)(wire_get_u64(w) % 1000000000u);
	if (meta->size > INT64_MAX && meta->size != SIZE_UNKNOWN)
		w->bad = true;
}

static void put_request(struct wire *w, const struct request *r)
{
	wire_put_u64(w, r->push);
	wire_put_text(w, r->path);
	wire_put_text(w, r->name);
	wire_put_u64(w, r->chunk);
	wire_put_u64(w, r->depth);
	wire_put_u64(w, r->direct);
	wire_put_u64(w, r->io);
	wire_put_text(w, r->fabric);
	wire_put_text(w, r->offer);
	wire_put_u64(w, r->rails);
	wire_put_u64(w, r->timeout);
	wire_put_u64(w, r->plain);
	wire_put_u64(w, r->trace);
	wire_put_text(w, r->node);
	wire_put_bytes(w, r->key, r->key_len);
	put_meta(w, &r->meta);
}

static void get_request(struct wire *w, struct request *r)
{
	r->push = wire_get_u64(w) != 0;
	wire_get_text(w, r->path, sizeof(r->path));
	wire_get_text(w, r->name, sizeof(r->name));
	r->chunk = wire_get_u64(w);
	r->depth = wire_get_u64(w);
	r->direct = wire_get_u64(w);
	r->io = wire_get_u64(w);
	wire_get_text(w, r->fabric, sizeof(r->fabric));
	wire_get_text(w, r->offer, sizeof(r->offer));
	r->rails = wire_get_u64(w);
	r->timeout = wire_get_u64(w);
	r->plain = wire_get_u64(w) != 0;
	r->trace = wire_get_u64(w) != 0;
	wire_get_text(w, r->node, sizeof(r->node));
	r->key_len = wire_get_bytes(w, r->key, sizeof(r->key));
	get_meta(w, &r->meta);
	if (r->direct > DECANT_URING_DIRECT_NEVER || r->io > DECANT_URING_THREADS ||
	    r->rails - 1 >= RAILS_MOST || r->timeout > INT_MAX)
		w->bad = true;
}

static bool send_message(struct session *s, enum message type, const struct wire *w)
{
	if (w && w->bad)
		return report_set(s->report, EXIT_USAGE,
				  "a name is too long for the protocol");
	/* If the other side is gone it may have said why. */
	if (!control_send(&s->control, type, w)) {
		struct wire why = {.len = 0};

		control_expect(&s->control, MESSAGE_ERROR, &why, s->report);
		control_unexpected(&s->control, 1, MESSAGE_ERROR, &why, s->report);
		return false;
	}
	return true;
}

static bool bad_message(struct session *s)
{
	return report_set(s->report, EXIT_PEER, "%s: a message makes no sense",
			  s->control.host);
}

static bool expect(struct session *s, enum message type, struct wire *w)
{
	*w = (struct wire){.len = 0};
	return control_expect(&s->control, type, w, s->report);
}

static bool say_hello(struct session *s)
{
	struct wire w = {.len = 0};

	wire_put_u64(&w, PROTOCOL);
	wire_put_text(&w, decant_version());
	return send_message(s, MESSAGE_HELLO, &w);
}

static bool hear_hello(struct session *s)
{
	struct wire w;

	if (!expect(s, MESSAGE_HELLO, &w))
		return false;
	return wire_get_u64(&w) == PROTOCOL ||
	       report_set(s->report, EXIT_PEER,
			  "%s: another version of the protocol; install "
			  "the same decant on both sides",
			  s->control.host);
}

/*
 * The chunks' key. TLS gives it to both sides, and none travels; else the client makes
 * one up, and the remote shell's channel keeps it secret.
 */
static bool fresh_key(struct session *s)
{
	struct request *r = &s->request;

	if (s->control.tls) {
		r->key_len = 0;
		return tls_export(s->control.tls, "EXPORTER-decant-chunks", r->key) ||
		       report_set(s->report, EXIT_RESOURCES, "TLS gives no key");
	}
	r->key_len = sizeof(r->key);
	return getrandom(r->key, sizeof(r->key), 0) == sizeof(r->key) ||
	       report_set(s->report, EXIT_RESOURCES, "getrandom: %s", strerror(errno));
}

static bool request_key(struct session *s)
{
	if (s->request.key_len != (s->control.tls ? 0 : SESSION_KEY_BYTES))
		return bad_message(s);
	return !s->control.tls || fresh_key(s);
}

/* The client's own address and the server's, as far as they are known. */
static const char *addresses(struct session *s, const struct remote *remote)
{
	const char *name = strrchr(remote->host, '@');

	if (!remote->listens) {
		if (!route_to(name ? name + 1 : remote->host, s->node, s->request.node,
			      sizeof(s->node)))
			*s->node = '\0';
	} else {
		inet_name(s->control.in, true, false, s->request.node);
		inet_name(s->control.in, false, false, s->node);
	}
	return *s->node ? s->node : NULL;
}

/*
 * The client's rails, while the other side starts; but if that one is to choose, what
 * there is to choose from.
 */
static bool open_first(struct session *s, const char *node)
{
	struct request *r = &s->request;

	if (choose_is_auto(r->fabric)) {
		choose_offer(r->offer, sizeof(r->offer));
		return true;
	}
	if (!open_rails(s, r->fabric, node))
		return false;
	snprintf(r->fabric, sizeof(r->fabric), "%s", s->rails.fabric);
	return true;
}

bool session_call(struct session *s, const struct remote *remote,
		  const struct copy_options *options, struct report *report)
{
	struct request *r = &s->request;

	*s = (struct session){.report = report, .client = true};
	r->chunk = options->chunk;
	r->depth = options->depth;
	r->direct = options->direct;
	r->io = options->io;
	r->rails = options->rails;
	r->timeout = 1000 * options->timeout;
	if (remote->listens && !r->timeout)
		r->timeout = 1000 * SILENCE;
	r->plain = options->seal == SEAL_NONE;
	r->trace = options->trace != NULL;
	snprintf(r->fabric, sizeof(r->fabric), "%s",
		 options->fabric ? options->fabric : "");
	strcpy(r->path, remote->path);
	return remote_reach(remote, &s->control, options, report) && fresh_key(s) &&
	       say_hello(s) && open_first(s, addresses(s, remote)) && hear_hello(s);
}

static bool compare_clocks(struct session *s)
{
	return s->client ? clock_read(&s->control, &s->clock, s->report)
			 : clock_show(&s->control, s->report);
}

static bool connect_rails(struct session *s)
{
	return rails_connect(&s->rails, &s->control, !s->client, &s->ready, s->report);
}

bool session_ready(struct session *s)
{
	struct wire w;

	return send_message(s, MESSAGE_READY, NULL) &&
	       (s->ready || expect(s, MESSAGE_READY, &w)) &&
	       (!s->request.trace || compare_clocks(s));
}

/* What a person will read, on a terminal perhaps. */
static void get_line(struct wire *w, char *room, size_t max)
{
	wire_get_text(w, room, max);
	report_plain(room);
}

/* The client's rails, if the server had the choice. */
static bool open_chosen(struct session *s, struct wire *offer)
{
	char fabric[RAILS_NAMES];

	wire_get_text(offer, fabric, sizeof(fabric));
	get_line(offer, s->why, sizeof(s->why));
	if (offer->bad)
		return bad_message(s);
	return s->rails.nr || open_rails(s, fabric, *s->node ? s->node : NULL);
}

bool session_agree(struct session *s, struct file_meta *meta)
{
	struct wire w = {.len = 0}, offer;
	uint64_t asked = s->request.timeout;

	s->sender = s->request.push;
	if (s->request.push)
		s->request.meta = *meta;
	put_request(&w, &s->request);
	if (!send_message(s, MESSAGE_REQUEST, &w) || !expect(s, MESSAGE_OFFER, &offer))
		return false;
	get_meta(&offer, &s->request.meta);
	s->request.timeout = wire_get_u64(&offer);
	/* No longer than what was asked for; 0 is for ever. */
	if (s->request.timeout > INT_MAX || s->request.timeout - 1 > asked - 1)
		return bad_message(s);
	if (!open_chosen(s, &offer))
		return false;
	if (!rails_get(&s->rails, &offer))
		return bad_message(s);
	if (!s->request.push)
		*meta = s->request.meta;
	w = (struct wire){.len = 0};
	return rails_put(&s->rails, &w, !s->sender, s->report) &&
	       send_message(s, MESSAGE_ACCEPT, &w) && connect_rails(s);
}

/* Whoever runs a service decides what travels in the clear, and nobody has. */
static bool is_allowed(struct session *s)
{
	return !s->control.tls || !s->request.plain ||
	       report_set(s->report, EXIT_USAGE,
			  "--seal none: not with a server that listens");
}

bool session_listen(struct session *s, const struct control *control,
		    struct report *report)
{
	struct wire w;

	*s = (struct session){.report = report, .control = *control};
	if (!say_hello(s) || !hear_hello(s) || !expect(s, MESSAGE_REQUEST, &w))
		return false;
	get_request(&w, &s->request);
	s->sender = !s->request.push;
	if (w.bad)
		return bad_message(s);
	return request_key(s) && is_allowed(s);
}

/* The shorter patience of the two; 0 is for ever. */
static void agree_timeout(struct session *s)
{
	struct request *r = &s->request;

	if (s->silence && (!r->timeout || r->timeout > s->silence))
		r->timeout = s->silence;
}

/* The server's rails; *there is what the client calls them. */
static bool answer_rails(struct session *s, struct choice *c)
{
	const struct request *r = &s->request;
	char node[128];

	if (choose_is_auto(r->fabric))
		choose(r->offer, s->ports.low, c);
	if (!open_rails(s, *c->here ? c->here : r->fabric,
			server_node(s, node, sizeof(node))))
		return false;
	if (!*c->there)
		snprintf(c->there, sizeof(c->there), "%.63s", s->rails.fabric);
	return true;
}

bool session_answer(struct session *s, const struct file_meta *meta)
{
	struct wire w = {.len = 0}, accept;
	struct choice c = {0};

	agree_timeout(s);
	if (!answer_rails(s, &c))
		return false;
	s->request.meta = *meta;
	put_meta(&w, meta);
	wire_put_u64(&w, s->request.timeout);
	wire_put_text(&w, c.there);
	wire_put_text(&w, c.why);
	if (!rails_put(&s->rails, &w, !s->sender, s->report) ||
	    !send_message(s, MESSAGE_OFFER, &w) || !expect(s, MESSAGE_ACCEPT, &accept))
		return false;
	/* Each side keeps what the other granted; only the sender will use it. */
	return rails_get(&s->rails, &accept) ? connect_rails(s) : bad_message(s);
}

void session_abandon(struct session *s)
{
	explicit_bzero(s->request.key, sizeof(s->request.key));
	rails_abandon(&s->rails);
}

void session_close(struct session *s)
{
	explicit_bzero(s->request.key, sizeof(s->request.key));
	rails_close(&s->rails);
	control_close(&s->control);
}

static void put_ring(struct wire *w, const struct decant_uring_stats *r)
{
	const uint64_t numbers[] = {r->operations,     r->submissions,	r->elements,
				    r->merged,	       r->direct_bytes, r->staged_bytes,
				    r->buffered_bytes, r->resumed};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		wire_put_u64(w, numbers[i]);
}

static void get_ring(struct wire *w, struct decant_uring_stats *r)
{
	uint64_t *const numbers[] = {
		&r->operations,	  &r->submissions,  &r->elements,	&r->merged,
		&r->direct_bytes, &r->staged_bytes, &r->buffered_bytes, &r->resumed};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		*numbers[i] = wire_get_u64(w);
}

void session_put_stats(struct wire *w, const struct side_stats *stats)
{
	wire_put_text(w, stats->io);
	wire_put_text(w, stats->file);
	put_ring(w, &stats->ring);
	wire_put_u64(w, stats->nr);
	for (uint32_t i = 0; i < stats->nr; i++) {
		wire_put_text(w, stats->stages[i].name);
		wire_put_u64(w, stats->stages[i].chunks);
		wire_put_u64(w, stats->stages[i].bytes);
		wire_put_u64(w, stats->stages[i].busy_ns);
	}
}

bool session_get_stats(struct wire *w, struct side_stats *stats)
{
	uint64_t nr;

	get_line(w, stats->io, sizeof(stats->io));
	get_line(w, stats->file, sizeof(stats->file));
	get_ring(w, &stats->ring);
	nr = wire_get_u64(w);
	for (uint64_t i = 0; i < nr && i < STAGES_MOST && !w->bad; i++) {
		struct stage_stats *stage = &stats->stages[stats->nr++];

		get_line(w, stage->name, sizeof(stage->name));
		stage->chunks = wire_get_u64(w);
		stage->bytes = wire_get_u64(w);
		stage->busy_ns = wire_get_u64(w);
	}
	return !w->bad && nr <= STAGES_MOST;
}
