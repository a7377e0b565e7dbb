/* SPDX-License-Identifier: MIT */
#ifndef DECANT_OFI_FABRIC_H
#define DECANT_OFI_FABRIC_H
/*
 * fabric.h - what the files of this adapter share. Functions are called fabric_*, because
 * ofi_* is libfabric's own prefix inside.
 */
#include <decant/ofi.h>
#include <errno.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>
#include <sys/queue.h>

#define FABRIC_VERSION FI_VERSION(1, 17)

/* Most elements given to the provider in one request, however many it would take. */
#define FABRIC_ELEMENTS 32
/* Buffers for messages in more pieces than the provider takes. */
#define FABRIC_BOUNCE_BYTES 65536
#define FABRIC_BOUNCES	    16
/* A write whose full request would be smaller than this is gathered first... */
#define FABRIC_TINY 16384
/* ...up to this, so that a request is worth its cost. */
#define FABRIC_GATHER	 FABRIC_BOUNCE_BYTES
#define FABRIC_DEPTH_MAX 4096

/* Registered memory that a message goes through; all zeroes: none. */
struct fabric_bounce {
	void *addr;
	void *desc;
	struct decant_region *region; /* made for this one message; NULL: from the pool */
};

struct fabric_op;

/* One request given to the provider. */
struct fabric_request {
	struct fi_context2 context; /* first: completions point here */
	struct fabric_op *op;	    /* NULL while free */
	STAILQ_ENTRY(fabric_request) next;
	struct fabric_bounce bounce;
};

/* One operation of the caller's. */
struct fabric_op {
	STAILQ_ENTRY(fabric_op) next;
	struct decant_owned *owned; /* NULL before it begins and after it ends */
	struct decant_iter rest;    /* what is not posted yet */
	struct fabric_bounce bounce;
	void *user;
	enum decant_ofi_kind kind;
	bool tagged;
	bool queued; /* in one of the lists of what is to be posted */
	size_t len;
	size_t inflight;
	ssize_t result;
	uint64_t addr;
	uint64_t key;
	uint64_t tag;
	uint64_t ignore; /* bits of it, where it is received */
};

STAILQ_HEAD(fabric_list, fabric_op);
STAILQ_HEAD(fabric_requests, fabric_request);

/* The table that elements are extracted into: addresses and descriptors side by side. */
struct fabric_table {
	struct decant_sink sink;
	struct iovec iov[FABRIC_ELEMENTS];
	void *desc[FABRIC_ELEMENTS];
};

struct decant_ofi {
	struct decant_domain domain;
	struct decant_space *space;
	struct decant_pool *pool;
	struct fi_info *info;
	struct fid_fabric *fabric;
	struct fid_domain *access;
	struct fid_ep *ep;
	struct fid_pep *pep;
	struct fid_cq *cq;
	struct fid_cntr *counter; /* NULL: each request is reported */
	struct fid_eq *eq;
	struct fid_av *av;
	fi_addr_t peer;
	uint64_t delivery; /* FI_DELIVERY_COMPLETE if the provider has that */
	uint64_t next_key;
	int fd;
	int timeout;
	int accept_timeout;
	int dead; /* negative errno from which the end point did not recover, or 0 */
	bool msg;
	bool tagged;
	bool counters;
	bool granted; /* peers with a key may read, too */
	bool passive;
	bool connected;
	bool buried; /* closed after death; also read by threads that map a region */
	size_t limit[DECANT_OFI_READ + 1]; /* elements of each kind's requests */
	unsigned depth;
	unsigned window; /* most send and write requests under way */
	unsigned tx_inflight;
	unsigned rx_inflight;
	unsigned gathered; /* of them, how many hold a bounce buffer of the pool */
	struct fabric_op *ops;
	struct fabric_request *requests;
	struct fabric_requests free_tx;
	struct fabric_requests free_rx;
	struct fabric_requests uncounted; /* posted, not known to be over */
	uint64_t posted;		  /* of those, since the beginning */
	uint64_t failures;		  /* ...that were reported */
	uint64_t over;			  /* ...that the last look found over */
	uint64_t counted;		  /* operations */
	struct fabric_list free_ops;
	struct fabric_list tx;
	struct fabric_list rx;
	struct fabric_list done;
	int64_t idle;	/* milliseconds of polling without progress */
	int64_t polled; /* when that was last counted; 0: there was progress */
	struct fabric_table table;
	char error[512];
};

/* error.c */
int fabric_errno(ssize_t rc);
bool fabric_peer_gone(int error);
int fabric_fail(struct decant_ofi *ofi, ssize_t rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int64_t fabric_now(void);

/* load.c: whether libfabric is there; it is loaded with the first question. */
#define FABRIC_LIBRARY "libfabric.so.1"
bool fabric_loaded(void);

/* providers.c */
/* What to look for besides the name. */
struct fabric_wish {
	const char *node;
	enum fi_ep_type type;
	bool delivery;
	bool tagged;
};

struct fi_info *fabric_find(const char *provider, const struct fabric_wish *wish);
int fabric_unknown(struct decant_ofi *ofi, const char *provider, const char *node);
void fabric_describe(const struct fi_info *info, struct decant_ofi_info *out);

/* domain.c */
void fabric_domain_init(struct decant_ofi *ofi);

/* connect.c */
int fabric_endpoint(struct decant_ofi *ofi, struct fi_info *info);
bool fabric_endpoint_close(struct decant_ofi *ofi);

static inline size_t fabric_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Whether the provider asks for something about memory: a bit of mr_mode(3). */
static inline bool fabric_asks(const struct decant_ofi *ofi, int bit)
{
	return ofi->info->domain_attr->mr_mode & bit;
}

/* Whether an operation is one that is counted instead of reported. */
static inline bool fabric_counts(const struct decant_ofi *ofi, const struct fabric_op *op)
{
	return ofi->counter && op->kind != DECANT_OFI_RECV;
}

static inline uint64_t fabric_report(const struct decant_ofi *ofi,
				     const struct fabric_op *op)
{
	return fabric_counts(ofi, op) ? 0 : FI_COMPLETION;
}

/* bounce.c */
void fabric_table_init(struct decant_ofi *ofi);
struct decant_sink *fabric_sink(struct decant_ofi *ofi, const struct fabric_op *op);
bool fabric_injected(const struct decant_ofi *ofi, const struct fabric_op *op);
bool fabric_needs_keys(const struct decant_ofi *ofi, const struct fabric_op *op);
int fabric_bounce_get(struct decant_ofi *ofi, struct fabric_bounce *bounce, size_t len,
		      bool pool_only);
void fabric_bounce_put(struct decant_ofi *ofi, struct fabric_bounce *bounce);

/* table.c */
int fabric_tables_new(struct decant_ofi *ofi);
struct fabric_op *fabric_list_pop(struct fabric_list *list);
struct fabric_request *fabric_request_get(struct decant_ofi *ofi, struct fabric_op *op);
void fabric_request_posted(struct decant_ofi *ofi, struct fabric_request *request);
void fabric_request_put(struct decant_ofi *ofi, struct fabric_request *request);
struct fabric_request *fabric_request_of(struct decant_ofi *ofi, void *context);

/* post.c */
void fabric_post(struct decant_ofi *ofi);

/* poll.c */
void fabric_settle(struct decant_ofi *ofi, struct fabric_op *op);
void fabric_die(struct decant_ofi *ofi, int error);
void fabric_progress(struct decant_ofi *ofi);

#endif
