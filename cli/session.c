/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "session.h"

#define PROTOCOL 1
#define PAGE	 4096

/* The client is given 30 s to connect; the server looks after it now and then. */
#define ACCEPT_MS    500
#define ACCEPT_TURNS 60

size_t session_stride(const struct session *s)
{
	/* The tag follows the chunk; a page keeps the next slot aligned. */
	return s->request.chunk + PAGE;
}

/* Notes: those to receive, and one of each kind per chunk under way. */
unsigned session_notes(const struct session *s)
{
	return 4 * (unsigned)s->request.depth + 8;
}

static bool fabric_error(struct session *s, const char *what, int err)
{
	const char *text = s->ofi ? decant_ofi_error(s->ofi) : "";

	return report_set(s->report, EXIT_PEER, "fabric %s: %s: %s",
			  *s->request.provider ? s->request.provider : "(any)", what,
			  *text ? text : strerror(-err));
}

/* The local address from which host is reached, and host's own; both numeric. */
static bool route_to(const char *host, char *here, char *there, size_t max)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM},
			*list = NULL;
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	bool ok = false;
	int fd = -1;

	if (getaddrinfo(host, "9", &hints, &list))
		return false;
	fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, list->ai_addr, list->ai_addrlen) &&
	    !getsockname(fd, (struct sockaddr *)&local, &len))
		ok = !getnameinfo((struct sockaddr *)&local, len, here, (socklen_t)max,
				  NULL, 0, NI_NUMERICHOST) &&
		     !getnameinfo(list->ai_addr, list->ai_addrlen, there, (socklen_t)max,
				  NULL, 0, NI_NUMERICHOST);
	if (fd >= 0)
		close(fd);
	freeaddrinfo(list);
	return ok;
}

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

static bool open_fabric(struct session *s, const char *node)
{
	unsigned depth = (unsigned)s->request.depth + session_notes(s);
	struct decant_ofi_options options = {
		.size = sizeof(options),
		.provider = *s->request.provider ? s->request.provider : NULL,
		.node = node,
		.depth = depth,
		.passive = !s->client,
		.accept_timeout = ACCEPT_MS,
	};
	struct decant_ofi_info info;
	int err = decant_space_new(&s->space);

	options.space = s->space;
	if (!err)
		err = decant_ofi_new(&s->ofi, &options);
	if (err == -EADDRNOTAVAIL) {
		/* Behind an address translation the node is not ours: what the provider
		 * thinks. */
		decant_ofi_free(s->ofi);
		options.node = NULL;
		err = decant_ofi_new(&s->ofi, &options);
	}
	if (err)
		return fabric_error(s, "open", err);
	decant_ofi_info(s->ofi, &info);
	snprintf(s->request.provider, sizeof(s->request.provider), "%s", info.provider);
	return true;
}

static bool make_pool(struct session *s, struct decant_pool **pool, size_t bytes,
		      size_t nr, bool small)
{
	struct decant_pool_options options = {.size = sizeof(options),
					      .buffer_bytes = bytes,
					      .buffers = nr,
					      .small_pages = small};
	int err = decant_pool_new(pool, &options);

	if (!err)
		err = decant_domain_map(decant_ofi_domain(s->ofi),
					decant_pool_region(*pool));
	if (!err)
		err = decant_space_add(s->space, decant_pool_region(*pool));
	return !err || report_set(s->report, EXIT_RESOURCES, "buffers for the fabric: %s",
				  strerror(-err));
}

static bool make_pools(struct session *s)
{
	return make_pool(s, &s->slots, session_stride(s), s->request.depth, false) &&
	       make_pool(s, &s->notes, PAGE, session_notes(s), true);
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
	wire_put_text(w, r->provider);
	wire_put_text(w, r->node);
	wire_put_bytes(w, r->key, r->key_len);
	put_meta(w, &r->meta);
	wire_put_bytes(w, r->address, r->address_len);
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
	wire_get_text(w, r->provider, sizeof(r->provider));
	wire_get_text(w, r->node, sizeof(r->node));
	r->key_len = wire_get_bytes(w, r->key, sizeof(r->key));
	get_meta(w, &r->meta);
	r->address_len = wire_get_bytes(w, r->address, sizeof(r->address));
	if (r->direct > DECANT_URING_DIRECT_NEVER || r->io > DECANT_URING_THREADS)
		w->bad = true;
}

/* Memory of ours that the other side may write to; nothing if we are the one that writes.
 */
static bool put_grant(struct session *s, struct wire *w)
{
	struct decant_ofi_remote grant = {0};
	int err = 0;

	if (!s->sender)
		err = decant_ofi_grant(s->ofi, decant_pool_region(s->slots), &grant);
	wire_put_u64(w, grant.addr);
	wire_put_u64(w, grant.key);
	return !err || fabric_error(s, "register", err);
}

static void get_grant(struct session *s, struct wire *w)
{
	s->remote.addr = wire_get_u64(w);
	s->remote.key = wire_get_u64(w);
}

static bool put_address(struct session *s, struct wire *w)
{
	unsigned char address[DECANT_OFI_ADDRESS_MAX];
	size_t len = sizeof(address);
	int err = decant_ofi_address(s->ofi, address, &len);

	wire_put_bytes(w, address, len);
	return !err || fabric_error(s, "address", err);
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
static const char *addresses(struct session *s, const struct remote *remote, char *here,
			     size_t max)
{
	const char *name = strrchr(remote->host, '@');

	if (!remote->listens)
		return route_to(name ? name + 1 : remote->host, here, s->request.node,
				max)
			       ? here
			       : NULL;
	inet_name(s->control.in, true, false, s->request.node);
	inet_name(s->control.in, false, false, here);
	return *here ? here : NULL;
}

bool session_call(struct session *s, const struct remote *remote,
		  const struct copy_options *options, struct report *report)
{
	struct request *r = &s->request;
	char here[128];

	*s = (struct session){.report = report, .client = true};
	r->chunk = options->chunk;
	r->depth = options->depth;
	r->direct = options->direct;
	r->io = options->io;
	snprintf(r->provider, sizeof(r->provider), "%s",
		 options->fabric ? options->fabric : "");
	strcpy(r->path, remote->path);
	/* Both sides look for their fabrics at the same time: that takes the longest. */
	return remote_reach(remote, &s->control, options, report) && fresh_key(s) &&
	       say_hello(s) && open_fabric(s, addresses(s, remote, here, sizeof(here))) &&
	       make_pools(s) && hear_hello(s);
}

/* Meanwhile the client may go away: it says so on the control channel only. */
static int accept_client(struct session *s, const unsigned char *address, size_t len)
{
	enum message type = 0;
	struct wire w = {.len = 0};
	int err = -ETIMEDOUT, got = 0;

	for (int i = 0; i < ACCEPT_TURNS && err == -ETIMEDOUT && !got; i++) {
		err = decant_ofi_accept(s->ofi, address, len);
		if (err)
			got = control_poll(&s->control, &type, &w, 0);
	}
	if (got)
		control_unexpected(&s->control, got, type, &w, s->report);
	return err;
}

static bool connect_fabric(struct session *s, const unsigned char *address, size_t len)
{
	struct wire w;
	int err;

	if (s->client)
		err = decant_ofi_connect(s->ofi, address, len);
	else
		err = accept_client(s, address, len);
	if (err)
		return fabric_error(s, "connect", err);
	return send_message(s, MESSAGE_READY, NULL) && expect(s, MESSAGE_READY, &w);
}

bool session_agree(struct session *s, struct file_meta *meta)
{
	unsigned char address[DECANT_OFI_ADDRESS_MAX];
	struct wire w = {.len = 0}, offer;
	size_t len;

	s->sender = s->request.push;
	if (s->request.push)
		s->request.meta = *meta;
	s->request.address_len = sizeof(s->request.address);
	if (decant_ofi_address(s->ofi, s->request.address, &s->request.address_len))
		return fabric_error(s, "address", -EIO);
	put_request(&w, &s->request);
	if (!send_message(s, MESSAGE_REQUEST, &w) || !expect(s, MESSAGE_OFFER, &offer))
		return false;
	get_meta(&offer, &s->request.meta);
	len = wire_get_bytes(&offer, address, sizeof(address));
	get_grant(s, &offer);
	if (offer.bad)
		return bad_message(s);
	if (!s->request.push)
		*meta = s->request.meta;
	w = (struct wire){.len = 0};
	return put_grant(s, &w) && send_message(s, MESSAGE_ACCEPT, &w) &&
	       connect_fabric(s, address, len);
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
	return w.bad ? bad_message(s) : request_key(s);
}

bool session_answer(struct session *s, const struct file_meta *meta)
{
	struct wire w = {.len = 0}, accept;
	char node[128];

	if (!open_fabric(s, server_node(s, node, sizeof(node))) || !make_pools(s))
		return false;
	s->request.meta = *meta;
	put_meta(&w, meta);
	if (!put_address(s, &w) || !put_grant(s, &w) ||
	    !send_message(s, MESSAGE_OFFER, &w) || !expect(s, MESSAGE_ACCEPT, &accept))
		return false;
	/* Each side keeps what the other granted; only the sender will use it. */
	get_grant(s, &accept);
	return accept.bad ? bad_message(s)
			  : connect_fabric(s, s->request.address, s->request.address_len);
}

/* Shared memory of a fabric has a name that outlives the process. */
void session_abandon(struct session *s)
{
	explicit_bzero(s->request.key, sizeof(s->request.key));
	if (s->ofi)
		decant_ofi_free(s->ofi);
	s->ofi = NULL;
}

void session_close(struct session *s)
{
	explicit_bzero(s->request.key, sizeof(s->request.key));
	if (s->ofi)
		decant_ofi_free(s->ofi);
	decant_pool_free(s->slots);
	decant_pool_free(s->notes);
	decant_space_free(s->space);
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

	wire_get_text(w, stats->io, sizeof(stats->io));
	wire_get_text(w, stats->file, sizeof(stats->file));
	get_ring(w, &stats->ring);
	nr = wire_get_u64(w);
	for (uint64_t i = 0; i < nr && i < STAGES_MOST && !w->bad; i++) {
		struct stage_stats *stage = &stats->stages[stats->nr++];

		wire_get_text(w, stage->name, sizeof(stage->name));
		stage->chunks = wire_get_u64(w);
		stage->bytes = wire_get_u64(w);
		stage->busy_ns = wire_get_u64(w);
	}
	return !w->bad && nr <= STAGES_MOST;
}
