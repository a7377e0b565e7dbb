/* SPDX-License-Identifier: MIT */
#ifndef CLI_TRANSPORT_H
#define CLI_TRANSPORT_H
/*
 * transport.h - what carries sealed chunks from one side to the other. A transport is one
 * connection with one peer: small messages, and writes into memory that the peer granted.
 * The peer may be driven, too, so both sides call poll.
 *
 *	NAME on the command line	file
 *	tcp				transport_tcp.c		sockets
 *	verbs[:DEVICE]			transport_verbs.c	RDMA
 *	[ofi:]PROVIDER			transport_ofi.c		libfabric
 */
#include <decant/decant.h>
#include "inet.h"

struct wire;

#define TRANSPORT_ADDRESS_MAX 256
#define TRANSPORT_NAME_MAX    64

enum transport_kind { TRANSPORT_SENT, TRANSPORT_RECEIVED, TRANSPORT_WRITTEN };

/* An operation that is over: bytes, or a negative errno. */
struct transport_event {
	void *user;
	enum transport_kind kind;
	ssize_t result;
};

/* What the peer granted: where its memory begins and the key for it. */
struct transport_remote {
	uint64_t addr;
	uint64_t key;
};

struct transport_options {
	const char *what;	 /* the device or provider; "" for any */
	const char *node;	 /* the local address to bind to, or NULL */
	unsigned depth;		 /* operations under way, with receives */
	unsigned receives;	 /* of these, at most */
	bool passive;		 /* will accept, not connect */
	int timeout;		 /* milliseconds to connect in */
	int accept_timeout;	 /* milliseconds of one call of accept */
	struct inet_ports ports; /* to accept on, see ports() */
	struct decant_space *space;
};

struct transport {
	const struct transport_ops *ops;
	char error[512]; /* of those that have no text of their own */
};

/*
 * What a transport can do; errors are negative errnos. Memory in send, recv and write
 * stays until the event, and lies in a region that was mapped.
 */
struct transport_ops {
	const char *name;
	/* How many of the ports it is given a passive one takes; -1: any others. */
	int (*ports)(const char *what);
	/* *out may be set on errors, for its text; then it is good for close only. */
	int (*open)(struct transport **out, const struct transport_options *options);
	void (*close)(struct transport *t);
	const char *(*error)(const struct transport *t);
	/* Which it is, to be given to the other side. */
	void (*describe)(const struct transport *t, char *room, size_t max);
	/* Where the peer finds this side; *len is room, then bytes. */
	int (*address)(struct transport *t, void *address, size_t *len);
	/* -EINTR: a signal came, it may be called again. */
	int (*connect)(struct transport *t, const void *address, size_t len);
	/* So here, and -ETIMEDOUT: nobody was there. */
	int (*accept)(struct transport *t, const void *address, size_t len);
	/* Memory for use here. */
	int (*map)(struct transport *t, struct decant_region *region);
	/* Memory, mapped already, that the peer may write to. */
	int (*grant)(struct transport *t, struct decant_region *region,
		     struct transport_remote *remote);
	int (*send)(struct transport *t, struct decant_iter *it, size_t len, void *user);
	int (*recv)(struct transport *t, struct decant_iter *it, size_t len, void *user);
	int (*write)(struct transport *t, struct decant_iter *it, size_t len,
		     const struct transport_remote *remote, uint64_t offset, void *user);
	/* How many events; the error of which the connection died. */
	int (*poll)(struct transport *t, struct transport_event *events, unsigned max);
	/* What to sleep on, and whether it is safe now; -1 for nothing. */
	int (*fd)(struct transport *t, bool *may_sleep);
};

extern const struct transport_ops transport_tcp, transport_ofi;
#ifdef HAVE_VERBS
extern const struct transport_ops transport_verbs;
#endif

/* The transport of that name, and what follows in it; NULL if it was left out here. Any
 * name that is none of theirs is a provider of libfabric's. */
const struct transport_ops *transport_find(const char *name, const char **what);

/* Record an error with its text; returns it. */
__attribute__((format(printf, 3, 4))) int transport_fail(struct transport *t, int err,
							 const char *format, ...);
const char *transport_error(const struct transport *t);

#endif
