/* SPDX-License-Identifier: MIT */
#ifndef CLI_RAILS_H
#define CLI_RAILS_H
/*
 * rails.h - the connections of a copy between hosts, all of them alike: one transport
 * each, the same memory behind all of them.
 */
#include "control.h"
#include "transport.h"

#define RAILS_MOST  8
#define RAILS_NOTE  64	/* bytes that a small message has, its own cache line */
#define RAILS_NAMES 256 /* bytes of the names of several, separated by commas */

struct rail {
	struct transport *at;
	struct transport_remote remote; /* the slots of the other side */
	unsigned char address[TRANSPORT_ADDRESS_MAX];
	size_t address_len;
};

struct rails {
	struct rail rail[RAILS_MOST];
	unsigned nr;
	char fabric[RAILS_NAMES]; /* what was taken */
	struct decant_space *space;
	struct decant_pool *slots; /* sealed chunks: the receiver's are granted */
	struct decant_pool *notes; /* small messages, all in one buffer */
	size_t stride;		   /* bytes between the beginnings of two slots */
	unsigned nr_notes;
};

struct rails_options {
	const char *fabric; /* as --fabric; several take turns */
	const char *node;   /* the address here, or NULL */
	uint64_t nr;
	uint64_t chunk;
	uint64_t depth;
	bool passive;
	int timeout;		 /* milliseconds to connect in; 0: as usual */
	struct inet_ports ports; /* to accept on */
};

/* Receives that are posted on each rail: notes of chunks and of credits. */
unsigned rails_receives(uint64_t depth);

bool rails_open(struct rails *rails, const struct rails_options *options,
		struct report *report);

/* Addresses, and the memory that is granted if there is some to grant. */
bool rails_put(struct rails *rails, struct wire *wire, bool grant, struct report *report);
/* What the other side put. False if it makes no sense. */
bool rails_get(struct rails *rails, struct wire *wire);

/*
 * Connect to the other side, or let it connect if this one is passive; meanwhile it may
 * say on the control channel that it is gone, or, once, *ready.
 */
bool rails_connect(struct rails *rails, struct control *control, bool passive,
		   bool *ready, struct report *report);

/* Say that a rail failed, by its name. */
bool rails_failed(const struct rails *rails, unsigned rail, const char *host, int err,
		  struct report *report);

/* Shared memory of a fabric has a name that outlives the process: first this. */
void rails_abandon(struct rails *rails);
void rails_close(struct rails *rails);
#endif
