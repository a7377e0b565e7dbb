/* SPDX-License-Identifier: MIT */
#ifndef DECANT_VERBS_INTERNAL_H
#define DECANT_VERBS_INTERNAL_H
/* internal.h - what the files of this adapter share. */
#include <decant/verbs.h>
#include <errno.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <sys/queue.h>

/* Sets of uses: a domain for each. */
#define VERBS_DOMAINS 8
/* Work requests given to the device in one call. */
#define VERBS_CHAIN 32
/* Most elements in one work request, whatever a device takes. */
#define VERBS_ELEMENTS 256
/* Cuts that an operation has room for without asking for memory. */
#define VERBS_CUTS 4

struct verbs_domain {
	struct decant_domain domain; /* first */
	struct decant_verbs *verbs;
	unsigned uses;
};

struct decant_verbs {
	struct ibv_context *context;
	struct ibv_context **shared; /* librdmacm's list that @context is from, or NULL */
	struct ibv_pd *pd;
	struct decant_verbs_caps caps;
	struct ibv_port_attr port;
	bool unordered;	 /* reads complete by themselves, behind what follows them */
	bool signal_all; /* only what is signalled is done with when it completes */
	struct verbs_domain domains[VERBS_DOMAINS];
};

/* Buffers of a queue pair for what is staged. */
#define VERBS_SCRATCH_BYTES   65536
#define VERBS_SCRATCH_BUFFERS 16

/* One work request of an operation: the next @elements of its elements. */
struct verbs_cut {
	uint64_t addr;
	uint32_t rkey;
	uint32_t elements;
};

/* Registered memory that bytes go through, and what else that needs. */
struct verbs_scratch {
	struct decant_stage stage;
	struct decant_region *region; /* made for this operation, or NULL */
	void *pooled;		      /* a buffer of the pair's pool, or NULL */
	struct decant_owned *owned;
	struct decant_staged *records;
	size_t max_records;
	struct decant_iter rest; /* of a destination: what the records point into */
};

struct verbs_op {
	STAILQ_ENTRY(verbs_op) next;
	struct decant_verbs_pair *pair;
	void *user;
	struct decant_hold hold;
	struct verbs_scratch *scratch;
	struct decant_sge *sges;
	struct verbs_cut *cuts;
	size_t max_sges, max_cuts;
	size_t nr_sges, nr_cuts;
	size_t next_sge, next_cut; /* the first that is not posted */
	size_t under_way;	   /* work requests posted and not completed */
	uint64_t number;	   /* of a receive: in which order it was posted */
	size_t len;
	ssize_t result;
	size_t failed;
	unsigned status;
	enum decant_verbs_kind kind;
	enum decant_stop stop; /* why cutting it went no further */
	uint32_t imm;
	bool with_imm, written, inlined, gathered, busy, queued, counted;
	struct decant_span buffer;
	struct decant_sge *own_sges;
	unsigned char *bytes;
	struct verbs_cut own_cuts[VERBS_CUTS];
};

STAILQ_HEAD(verbs_list, verbs_op);

/* A work request in the send queue, by its number modulo the queue's size. */
struct verbs_slot {
	struct verbs_op *op;
	uint64_t number;
	size_t cut;
	bool done; /* though one before it is not */
};

enum verbs_state { VERBS_NEW, VERBS_READY, VERBS_CONNECTED, VERBS_DEAD };

struct decant_verbs_pair {
	struct decant_verbs *verbs;
	struct decant_verbs_queue *queue;
	struct decant_verbs_pair_options options;
	struct decant_domain *domain;
	struct ibv_qp *qp;
	enum verbs_state state;
	int error;
	uint16_t index;	     /* in the queue's table */
	uint16_t generation; /* so that old completions are known as such */
	uint32_t psn;
	size_t inline_bytes;
	size_t reads;		     /* that may be under way */
	struct decant_limits limits; /* of a message */
	struct decant_limits write_limits;
	struct decant_limits read_limits;
	struct verbs_op *ops; /* depth, then receives */
	struct decant_sge *sges;
	unsigned char *bytes;
	struct decant_pool *scratch;
	struct verbs_slot *slots;
	struct verbs_op **receives; /* by slot; the free slots' numbers are in @spare */
	uint32_t *spare;
	size_t nr_spare;
	uint64_t nr_receives;	  /* posted so far */
	uint64_t posted, retired; /* work requests in the send queue */
	size_t reads_under_way;
	size_t budget; /* work requests that the operation in front may still post */
	size_t handed; /* operations that are not free */
	struct verbs_list free_tx, free_rx, tx, rx;
	struct decant_verbs_pair_info counts;
	struct rdma_event_channel *channel;
	struct rdma_cm_id *id;
	unsigned char private_data[256];
	size_t private_len;
	bool hung_up;
	int64_t died; /* when, as verbs_now() counts */
	bool managed; /* connected by address, or tried to be */
	char text[256];
};

struct decant_verbs_queue {
	struct decant_verbs *verbs;
	struct ibv_cq *cq;
	struct ibv_comp_channel *channel;
	int epoll;
	size_t entries, reserved;
	struct decant_verbs_pair **pairs;
	size_t max_pairs;
	uint16_t generation;
	unsigned idle; /* polls in a row that found nothing */
	unsigned unacked;
	int broken;
	bool needy; /* a pair has something to post that no completion announces */
	struct verbs_list done;
};

/*
 * A work request's number: the queue pair's place in its completion queue, a generation,
 * and which request or receive it is.
 */
#define VERBS_RECEIVE ((uint64_t)1 << 31)

static inline uint32_t verbs_place(uint64_t number)
{
	return (uint32_t)(number & (VERBS_RECEIVE - 1));
}

static inline bool verbs_is_receive(enum decant_verbs_kind kind)
{
	return kind == DECANT_VERBS_RECV || kind == DECANT_VERBS_MESSAGE;
}

static inline size_t verbs_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* device.c */
int verbs_errno(int rc);

/* domain.c */
void verbs_domains_init(struct decant_verbs *verbs);
void verbs_domains_fini(struct decant_verbs *verbs);

/* error.c */
int verbs_status_errno(unsigned status);
int verbs_fail(struct decant_verbs_pair *pair, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
const char *verbs_kind_name(enum decant_verbs_kind kind);

/* table.c */
struct verbs_op *verbs_list_pop(struct verbs_list *list);
int verbs_tables_new(struct decant_verbs_pair *pair);
void verbs_tables_free(struct decant_verbs_pair *pair);
struct verbs_op *verbs_op_get(struct decant_verbs_pair *pair, enum decant_verbs_kind kind,
			      void *user);
void verbs_op_put(struct verbs_op *op);
void verbs_op_let_go(struct verbs_op *op);
int verbs_more_sges(struct verbs_op *op);
int verbs_more_cuts(struct verbs_op *op);

/* cut.c */
struct verbs_want {
	const struct decant_verbs_remote *remote;
	size_t nr;
	const struct decant_verbs_how *how;
};
int verbs_cut(struct verbs_op *op, struct decant_iter *it, const struct verbs_want *want);

/* scratch.c */
int verbs_scratch_new(struct verbs_op *op, const struct decant_iter *it);
int verbs_scratch_byte(struct verbs_op *op, struct decant_sge *sge);
void verbs_scratch_free(struct verbs_op *op);

/* post.c */
void verbs_post_sends(struct decant_verbs_pair *pair);
void verbs_post_receives(struct decant_verbs_pair *pair);
void verbs_refill(struct decant_verbs_pair *pair);
void verbs_unpost(struct decant_verbs_pair *pair);

/* complete.c */
void verbs_settle(struct verbs_op *op);
bool verbs_reap(struct decant_verbs_queue *queue);
void verbs_drain(struct decant_verbs_queue *queue);
void verbs_die(struct decant_verbs_pair *pair, int error);
void verbs_kill(struct decant_verbs_pair *pair, int error);
void verbs_flush(struct decant_verbs_pair *pair);

/* queue.c */
int verbs_queue_add(struct decant_verbs_queue *queue, struct decant_verbs_pair *pair);
void verbs_queue_remove(struct decant_verbs_queue *queue, struct decant_verbs_pair *pair);

/* pair.c */
#define VERBS_LINGER 2000 /* ms that a device has to let go of a dead pair's requests */
int64_t verbs_now(void);
bool verbs_quiet(const struct decant_verbs_pair *pair);
int verbs_pair_init(struct decant_verbs_pair *pair, struct ibv_qp_attr *attr, int mask);
void verbs_pair_connected(struct decant_verbs_pair *pair, size_t reads);
int verbs_renew(struct decant_verbs_pair *pair);

/* connect.c */
void verbs_hang_up(struct decant_verbs_pair *pair);
void verbs_watch(struct decant_verbs_pair *pair);
void verbs_forget(struct decant_verbs_pair *pair);

#endif
