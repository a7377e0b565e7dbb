/* SPDX-License-Identifier: MIT */
/*
 * transport_tcp.c - a plain connection as a transport.
 *
 * Both directions are frames: a header, then a message or the bytes of a write, which go
 * straight to the memory that was granted. The ring does the input and output, and sends
 * without a copy where that pays; one send of several frames and one receive are under
 * way at a time, since a stream has an order.
 */
#include <decant/uring_socket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "connection.h"
#include "transport.h"
#include "wire.h"

#define HEADER	   24 /* kind, offset, length */
#define BATCH	   16 /* frames in one send */
#define RING_DEPTH 4
#define TURNS	   8 /* of the ring in one poll */

enum { FRAME_MESSAGE = 1, FRAME_WRITE = 2 };

struct frame {
	unsigned char header[HEADER];
	struct decant_iter it;
	size_t len;
	void *user;
	enum transport_kind kind;
};

/* A receive that waits for its message. */
struct landing {
	struct decant_iter it;
	size_t len;
	void *user;
};

/* A queue's places; what lies in them is the owner's. */
struct places {
	unsigned first, nr, size;
};

/* What of a frame comes next. */
enum coming { COMING_HEADER, COMING_MESSAGE, COMING_WRITE };

struct tcp {
	struct transport base;
	struct connection connection;
	struct decant_uring *ring;
	struct decant_uring_file *file;
	struct decant_span granted; /* what the peer may write to */
	struct frame *frames;
	struct places out;
	unsigned flying; /* frames in the send that is under way */
	size_t flying_bytes;
	struct landing *landings;
	struct places in;
	struct transport_event *done;
	struct places events;
	unsigned char header[HEADER];
	enum coming coming;
	size_t expected;
	bool receiving;
	bool stirring; /* the last turn of the ring moved something: so may the next */
	int dead;
};

static struct tcp *tcp_of(struct transport *t)
{
	return (struct tcp *)t;
}

static unsigned place_add(struct places *p)
{
	return (p->first + p->nr++) % p->size;
}

static unsigned place_take(struct places *p)
{
	unsigned at = p->first;

	p->first = (p->first + 1) % p->size;
	p->nr--;
	return at;
}

static int tables(struct tcp *t, unsigned depth)
{
	t->out.size = t->in.size = t->events.size = depth;
	t->frames = calloc(depth, sizeof(*t->frames));
	t->landings = calloc(depth, sizeof(*t->landings));
	t->done = calloc(depth, sizeof(*t->done));
	return t->frames && t->landings && t->done ? 0 : -ENOMEM;
}

static int tcp_ports(const char *what)
{
	(void)what;
	return 1;
}

static int tcp_open(struct transport **out, const struct transport_options *options)
{
	struct decant_uring_options ring = {.size = sizeof(ring),
					    .depth = RING_DEPTH,
					    .one_thread = true,
					    .space = options->space};
	struct tcp *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->base.ops = &transport_tcp;
	*out = &t->base;
	connection_init(&t->connection, options->timeout, options->accept_timeout);
	if (*options->what)
		return transport_fail(&t->base, -EINVAL, "tcp has no device '%s'",
				      options->what);
	err = tables(t, options->depth);
	if (!err)
		err = decant_uring_new(&t->ring, &ring);
	if (err)
		return transport_fail(&t->base, err, "preparing a connection");
	if (options->passive)
		err = connection_listen(&t->connection, options->node, &options->ports);
	return err ? transport_fail(&t->base, err, "listening on %s",
				    options->node ? options->node : "any address")
		   : 0;
}

static void tcp_close(struct transport *transport)
{
	struct tcp *t = tcp_of(transport);

	connection_shut(&t->connection);
	decant_uring_free(t->ring);
	decant_uring_file_close(t->file);
	connection_close(&t->connection);
	free(t->frames);
	free(t->landings);
	free(t->done);
	free(t);
}

static void tcp_describe(const struct transport *t, char *room, size_t max)
{
	snprintf(room, max, "%s", t->ops->name);
}

static int tcp_address(struct transport *transport, void *address, size_t *len)
{
	struct tcp *t = tcp_of(transport);

	return meeting_put(&t->connection.meeting, address, len);
}

/* The connection is there: files of the ring, and nothing more to wait for. */
static int established(struct tcp *t)
{
	int err = decant_uring_file_open(&t->file, t->connection.fd,
					 DECANT_URING_DIRECT_NEVER);

	return err ? transport_fail(&t->base, err, "the connection") : 0;
}

static int tcp_connect(struct transport *transport, const void *address, size_t len)
{
	struct tcp *t = tcp_of(transport);
	int err = connection_connect(&t->connection, address, len);

	if (err)
		return transport_fail(transport, err, "connecting to %s",
				      t->connection.meeting.name);
	return established(t);
}

static int tcp_accept(struct transport *transport, const void *address, size_t len)
{
	struct tcp *t = tcp_of(transport);
	int err = connection_accept(&t->connection);

	(void)address;
	(void)len;
	if (err)
		return transport_fail(transport, err, "waiting for a connection at %s",
				      t->connection.meeting.name);
	return established(t);
}

static int tcp_map(struct transport *t, struct decant_region *region)
{
	(void)t;
	(void)region;
	return 0;
}

/* There is one grant; writes are told from messages by the frame, so it needs no key. */
static int tcp_grant(struct transport *transport, struct decant_region *region,
		     struct transport_remote *remote)
{
	tcp_of(transport)->granted = decant_region_span(region);
	*remote = (struct transport_remote){0};
	return 0;
}

static int add_frame(struct tcp *t, uint64_t kind, uint64_t offset,
		     struct decant_iter *it, size_t len, void *user)
{
	struct frame *frame;

	if (t->dead)
		return t->dead;
	if (!t->file)
		return -ENOTCONN;
	if (t->out.nr == t->out.size)
		return -EAGAIN;
	frame = &t->frames[place_add(&t->out)];
	wire_store_u64(frame->header, kind);
	wire_store_u64(frame->header + 8, offset);
	wire_store_u64(frame->header + 16, len);
	frame->it = *it;
	decant_iter_truncate(&frame->it, len);
	frame->len = len;
	frame->user = user;
	frame->kind = kind == FRAME_WRITE ? TRANSPORT_WRITTEN : TRANSPORT_SENT;
	return 0;
}

static int tcp_send(struct transport *t, struct decant_iter *it, size_t len, void *user)
{
	return add_frame(tcp_of(t), FRAME_MESSAGE, 0, it, len, user);
}

static int tcp_write(struct transport *t, struct decant_iter *it, size_t len,
		     const struct transport_remote *remote, uint64_t offset, void *user)
{
	return add_frame(tcp_of(t), FRAME_WRITE, remote->addr + offset, it, len, user);
}

static int tcp_recv(struct transport *transport, struct decant_iter *it, size_t len,
		    void *user)
{
	struct tcp *t = tcp_of(transport);

	if (t->dead)
		return t->dead;
	if (t->in.nr == t->in.size)
		return -EAGAIN;
	t->landings[place_add(&t->in)] = (struct landing){*it, len, user};
	return 0;
}

static int die(struct tcp *t, int err, const char *what)
{
	if (!t->dead)
		t->dead = transport_fail(&t->base, err, "%s %s", what,
					 t->connection.meeting.name);
	return t->dead;
}

static void add_event(struct tcp *t, void *user, enum transport_kind kind, ssize_t result)
{
	if (t->events.nr == t->events.size) {
		die(t, -EOVERFLOW, "more events than agreed with");
		return;
	}
	t->done[place_add(&t->events)] = (struct transport_event){user, kind, result};
}

/* Hand as many frames as wait to the ring, as one stretch of bytes. */
static void start_sending(struct tcp *t)
{
	struct decant_iter parts[2 * BATCH], all;
	unsigned nr = 0;
	int err;

	if (t->flying || !t->out.nr || t->dead)
		return;
	t->flying_bytes = 0;
	for (; nr < BATCH && nr < t->out.nr; nr++) {
		struct frame *f = &t->frames[(t->out.first + nr) % t->out.size];

		decant_iter_buf(&parts[2 * nr], DECANT_SOURCE, f->header, HEADER);
		parts[2 * nr + 1] = f->it;
		t->flying_bytes += HEADER + f->len;
	}
	err = decant_iter_chain(&all, DECANT_SOURCE, parts, 2 * (size_t)nr);
	if (!err)
		err = decant_uring_send(t->ring, t->file, &all, SIZE_MAX, NULL,
					t->frames);
	if (err)
		die(t, err, "sending to");
	else
		t->flying = nr;
}

static void sent(struct tcp *t, ssize_t result)
{
	if (result < 0 || (size_t)result < t->flying_bytes) {
		die(t, result < 0 ? (int)result : -EPIPE, "sending to");
		return;
	}
	for (; t->flying; t->flying--) {
		const struct frame *f = &t->frames[place_take(&t->out)];

		add_event(t, f->user, f->kind, (ssize_t)f->len);
	}
}

/* Receive into memory; the size is what the state says. */
static void receive(struct tcp *t, struct decant_iter *it)
{
	int err = decant_uring_recv(t->ring, t->file, it, t->expected, NULL, t->landings);

	if (err)
		die(t, err, "receiving from");
	t->receiving = !err;
}

static void start_receiving(struct tcp *t)
{
	struct decant_iter it;

	if (t->receiving || t->dead)
		return;
	if (t->coming == COMING_MESSAGE) {
		if (!t->in.nr)
			return;
		it = t->landings[t->in.first].it;
		if (t->expected > t->landings[t->in.first].len)
			die(t, -EMSGSIZE, "a message from");
	} else if (t->coming == COMING_WRITE) {
		decant_iter_buf(&it, DECANT_DEST,
				(char *)t->granted.addr + wire_load_u64(t->header + 8),
				t->expected);
	} else {
		t->expected = HEADER;
		decant_iter_buf(&it, DECANT_DEST, t->header, HEADER);
	}
	if (!t->dead)
		receive(t, &it);
}

/* What a header says is the peer's word: nothing of it is used unchecked. */
static void header_came(struct tcp *t)
{
	uint64_t kind = wire_load_u64(t->header), offset = wire_load_u64(t->header + 8),
		 len = wire_load_u64(t->header + 16);

	if (kind == FRAME_MESSAGE && len) {
		t->coming = COMING_MESSAGE;
	} else if (kind == FRAME_WRITE && len && len <= t->granted.len &&
		   offset <= t->granted.len - len) {
		t->coming = COMING_WRITE;
	} else {
		die(t, -EPROTO, "what came makes no sense from");
		return;
	}
	t->expected = len;
}

static void received(struct tcp *t, ssize_t result)
{
	t->receiving = false;
	if (result < 0 || (size_t)result < t->expected) {
		die(t, result < 0 ? (int)result : -ECONNRESET, "receiving from");
		return;
	}
	if (t->coming == COMING_HEADER) {
		header_came(t);
		return;
	}
	if (t->coming == COMING_MESSAGE) {
		const struct landing *l = &t->landings[place_take(&t->in)];

		add_event(t, l->user, TRANSPORT_RECEIVED, (ssize_t)t->expected);
	}
	t->coming = COMING_HEADER;
}

/* One turn of the ring; whether there was anything. */
static bool turn(struct tcp *t)
{
	struct decant_uring_event events[RING_DEPTH];
	int nr;

	start_sending(t);
	start_receiving(t);
	nr = decant_uring_wait(t->ring, events, RING_DEPTH, 0);
	if (nr < 0)
		die(t, nr, "the connection to");
	for (int i = 0; i < nr; i++) {
		if (events[i].user == t->frames)
			sent(t, events[i].result);
		else
			received(t, events[i].result);
	}
	return nr > 0;
}

static int tcp_poll(struct transport *transport, struct transport_event *events,
		    unsigned max)
{
	struct tcp *t = tcp_of(transport);
	unsigned nr = 0;

	t->stirring = true;
	for (int i = 0; i < TURNS && !t->dead && t->stirring; i++)
		t->stirring = turn(t);
	for (; nr < max && t->events.nr; nr++)
		events[nr] = t->done[place_take(&t->events)];
	return nr || t->events.nr ? (int)nr : t->dead;
}

static int tcp_fd(struct transport *transport, bool *may_sleep)
{
	struct tcp *t = tcp_of(transport);

	*may_sleep =
		!t->dead && !t->events.nr && !t->stirring && (t->flying || !t->out.nr);
	return decant_uring_fd(t->ring);
}

const struct transport_ops transport_tcp = {
	.name = "tcp",
	.ports = tcp_ports,
	.open = tcp_open,
	.close = tcp_close,
	.describe = tcp_describe,
	.address = tcp_address,
	.connect = tcp_connect,
	.accept = tcp_accept,
	.map = tcp_map,
	.grant = tcp_grant,
	.send = tcp_send,
	.recv = tcp_recv,
	.write = tcp_write,
	.poll = tcp_poll,
	.fd = tcp_fd,
};
