/* SPDX-License-Identifier: MIT */
#ifndef DECANT_URING_INTERNAL_H
#define DECANT_URING_INTERNAL_H
/*
 * internal.h - what the files of the adapter share.
 *
 *	uring.c		the public calls: rings, events
 *	begin.c		the public calls that begin operations
 *	operation.c	an operation from its beginning to its event; knows no back end
 *	plain.c		the same for one that is one request of one piece
 *	bounce.c	memory that has no address here
 *	cancel.c	an operation that ends before it is done
 *	deadline.c	which operations must end when
 *	fork.c		a ring in a child process
 *	plan.c		the next request of an operation, and what its transfer came to
 *	gather.c	many small pieces as one
 *	edge.c		blocks of which a write changes only a part: read before
 *	claim.c		who may write which blocks of a file now
 *	fixed.c		regions as registered buffers
 *	registered.c	files that the kernel looks up once
 *	file.c		what a file demands
 *	socket.c	what a socket transfers at once
 *	ring.c		back end: io_uring
 *	sqe.c		its submissions
 *	threads.c	back end: a pool of threads
 *	watch.c		its thread for what waits for a peer
 *	perform.c	its system calls
 *
 * An operation has at most one request under way. The engine runs in the caller's thread;
 * only threads.c has others, and these see nothing but a request.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <decant/uring.h>

#define REQUEST_ELEMENTS     1024u	 /* IOV_MAX of Linux */
#define REQUEST_ELEMENTS_FEW 16u	 /* as many have room in the operation itself */
#define REQUEST_BYTES	     0x7ffff000u /* MAX_RW_COUNT of Linux */
#define SCRATCH_ALIGN	     4096u	 /* what a pool's buffers are aligned to */
#define OFFSET_ALIGN_MAX     65536u /* larger blocks are not read and written directly */
#define FILES_MAX	     64u    /* files that a ring registers */
#define FIXED_DEFAULT	     1024u  /* regions that a ring registers */
#define FIXED_REFUSED	     64u    /* refused ones that it remembers */
#define EDGE_SPAN	     16384u /* edges no further apart are read at once */

/* The operation's code, or what it needs on the way. */
enum request_code {
	REQUEST_NOP,
	REQUEST_READ,
	REQUEST_WRITE,
	REQUEST_SEND,
	REQUEST_RECV,
	REQUEST_FSYNC,
	REQUEST_POLL, /* wait until @fd is ready for @poll */
};

/**
 * struct request - what a back end is given
 * @code: what to do
 * @fd: with which file
 * @poll: events to wait for
 * @nr: elements in @iov
 * @iov: the memory
 * @offset: position in the file, or -1: a file without positions
 * @buffer: the registered buffer that all of @iov lies in, or -1
 * @place: the registered file that @fd is, or -1; of reads and writes
 * @header: SEND, RECV: the message around @iov, or NULL: just bytes, one element
 * @flags: of it: MSG_MORE and its like
 * @zero_copy: the kernel shall take the bytes from where they lie
 * @pending: so many requests with @zero_copy did the kernel take and not let go of yet
 * @copied: of those it let go of, how many it copied after all
 * @spared: and how many it did not
 * @held: nothing is under way; it comes back from @reap when there are none @pending
 * @result: bytes or a negative errno; set by the back end
 * @cancelled: it shall end; the back end's own
 * @list: which one it is on, or NULL
 * @link: there
 */
struct request {
	enum request_code code;
	int fd;
	short poll;
	unsigned nr;
	struct iovec *iov;
	int64_t offset;
	int buffer;
	int place;
	struct msghdr *header;
	int flags;
	bool zero_copy;
	bool held;
	bool cancelled;
	unsigned pending;
	int copied;
	int spared;
	ssize_t result;
	struct request_list *list;
	TAILQ_ENTRY(request) link;
};

TAILQ_HEAD(request_list, request);

static inline void request_push(struct request_list *list, struct request *request)
{
	request->list = list;
	TAILQ_INSERT_TAIL(list, request, link);
}

static inline void request_take(struct request *request)
{
	TAILQ_REMOVE(request->list, request, link);
	request->list = NULL;
}

static inline struct request *request_pop(struct request_list *list)
{
	struct request *request = TAILQ_FIRST(list);

	if (request)
		request_take(request);
	return request;
}

struct backend;

/**
 * struct backend_ops - who carries out requests
 * @id: which one it is
 * @start: begin, for at most @depth requests at a time; @one_thread: only the one that
 *	calls it will call the others
 * @stop: end; nothing is under way
 * @abandon: end in a child process: nothing of the parent's changes
 * @fd: becomes readable when @reap has something to give
 * @queue: take a request; it may stay in user space until @flush or @wait
 * @flush: hand over everything that was queued; 0 or a negative errno
 * @wait: flush, then wait until @reap has something to give or @timeout (nanoseconds, -1
 *	for ever) is over; may return early; 0 or a negative errno
 * @reap: a request that is complete, or NULL
 * @zero_copy: whether it can send without a copy. NULL: it can't.
 * @buffers: make room for @nr registered buffers, and say whether several elements may
 *	lie in one. NULL: there are none in this back end.
 * @set_buffer: register memory as number @slot; NULL: empty it
 * @files: make room for @nr registered files. NULL: as with @buffers.
 * @set_file: register a descriptor as number @slot; -1: empty it
 * @cancel: ask that a request that was queued complete at once; it comes back from @reap
 *	in any case. False: not now, ask again after @flush.
 * @alarm: be readable at a time (nanoseconds, CLOCK_MONOTONIC) at the latest; replaces
 *	the one before, unless that is earlier
 */
struct backend_ops {
	enum decant_uring_backend id;
	int (*start)(struct backend **out, unsigned depth, bool one_thread);
	void (*stop)(struct backend *backend);
	void (*abandon)(struct backend *backend);
	int (*fd)(struct backend *backend);
	void (*queue)(struct backend *backend, struct request *request);
	int (*flush)(struct backend *backend);
	int (*wait)(struct backend *backend, int64_t timeout);
	struct request *(*reap)(struct backend *backend);
	bool (*zero_copy)(struct backend *backend);
	int (*buffers)(struct backend *backend, unsigned nr, bool *vectored);
	int (*set_buffer)(struct backend *backend, unsigned slot, void *addr, size_t len);
	int (*files)(struct backend *backend, unsigned nr);
	int (*set_file)(struct backend *backend, unsigned slot, int fd);
	bool (*cancel)(struct backend *backend, struct request *request);
	void (*alarm)(struct backend *backend, int64_t at);
};

extern const struct backend_ops uring_backend_ring;
extern const struct backend_ops uring_backend_threads;

/* Bytes of a file from @start to @end. */
struct range {
	uint64_t start;
	uint64_t end;
};

enum { EDGE_HEAD, EDGE_TAIL, EDGES };

/**
 * struct claim - what a write under way writes, so that edges don't meet
 * @all: what is written, blocks or pages that are changed in part counted whole
 * @edge: those blocks or pages; empty if there are none
 * @edged: whether there are any
 * @waiting: on the list of those that wait, not of those that write
 * @polled: waits for @wake_fd to become readable
 * @claimed: on one of the lists
 * @wake_fd: an eventfd that belongs to the operation for good, or 0 before one was needed
 * @link: on the list
 */
struct claim {
	struct range all;
	struct range edge[EDGES];
	bool edged;
	bool waiting;
	bool polled;
	bool claimed;
	int wake_fd;
	TAILQ_ENTRY(claim) link;
};

TAILQ_HEAD(claim_list, claim);

/* The claims of a file; operations of several rings may share it. */
struct claims {
	pthread_mutex_t lock;
	struct claim_list writing;
	struct claim_list waiting; /* in the order in which they came */
	unsigned nr_edged;	   /* on both lists */
};

struct decant_uring_file {
	int fd;		/* through the page cache */
	int direct_fd;	/* past it, or -1 */
	int opened;	/* the one of the two that is ours to close, or -1 */
	bool positions; /* whether the file has positions */
	bool socket;
	bool messages; /* a socket that has messages, not bytes */
	/* without positions: what came after bytes, for the next write, and read */
	int error[2];
	unsigned copied; /* sends in a row that were to be spared the copy and were not */
	bool readable;	 /* so that a write can read what it changes in part */
	bool blocks;	 /* a block device: it ends with a whole block */
	_Atomic(uint64_t) size; /* a regular file's when it was last asked for */
	bool fallback; /* whether what can't go directly may go through the page cache */
	struct claims claims;
	_Atomic(struct decant_uring *) ring; /* with which it is registered, or NULL */
	unsigned slot;			     /* of that ring */
	struct decant_uring_file_info info;
};

/* A part of an operation that is transferred in one way. */
struct leg {
	struct decant_iter iter; /* what is left */
	uint64_t pos;		 /* where that lies in the file */
	size_t left;
	size_t done;
	bool direct;
	bool ended; /* nothing more will come: end of file or @error */
	int error;
};

/*
 * The legs of an operation in the order of the file. A direct write has edges that can't
 * be read and written back (edge.c) written through the page cache; all else is one body.
 */
enum { LEG_HEAD, LEG_BODY, LEG_TAIL, LEG_COUNT };

/**
 * struct edges - the blocks of which a direct write changes only a part, as they are
 * @wanted: which are needed
 * @pos: where a block begins
 * @bytes: what is in it, in @memory
 * @next: the first that was not read; EDGES: all were
 * @reading: how many are being read
 * @memory: the operation's for good, once some was needed
 * @size: bytes of it
 */
struct edges {
	bool wanted[EDGES];
	uint64_t pos[EDGES];
	unsigned char *bytes[EDGES];
	unsigned next;
	unsigned reading;
	unsigned char *memory;
	size_t size;
};

struct operation {
	struct request request;
	struct decant_uring *ring;
	struct decant_uring_file *file;
	void *user;
	enum request_code code;
	unsigned flags; /* enum decant_uring_flag */
	enum {
		OPERATION_IDLE,
		OPERATION_QUEUED,
		OPERATION_STARVED,
		OPERATION_HELD
	} state;
	bool plain;    /* one request of @one, without legs */
	bool gathered; /* @one is the ring's */
	int stopped;   /* 0, or why it must end: -ECANCELED, -ETIMEDOUT */
	bool unasked;  /* the back end must still be asked to */
	bool given_up; /* the kernel ended the request before unasked, and it goes on */
	int64_t deadline;	  /* or 0 */
	unsigned place;		  /* in the ring's heap of deadlines */
	ssize_t result;		  /* of one that is held */
	enum request_code polled; /* what will be possible after REQUEST_POLL */

	/* Of a socket's. */
	bool single;	/* one request, which is a message */
	bool delivered; /* it was */
	struct msghdr header;
	int message_flags;
	struct decant_uring_message *message; /* where to put what was received */
	size_t control_room;
	unsigned char *copied; /* address and control data of what is sent */

	/* The memory: of a plain one, or what was one, @one and @hold, else @owned. */
	struct decant_bvec one;
	struct decant_hold hold;
	struct decant_owned *owned;
	unsigned char *bounce;	 /* instead of memory that has no address here */
	struct decant_iter into; /* and where to copy it in the end */
	struct leg legs[LEG_COUNT];
	struct leg *leg; /* the one under way */
	struct claim claim;
	struct edges edges;

	/* The request under way. */
	struct decant_iter after; /* the leg's iterator when all of it arrives */
	size_t before;		  /* bytes ahead of the caller's that nobody asked for */
	size_t asked;		  /* the caller's bytes in it */
	struct decant_sink sink;
	struct decant_stage stage;
	struct iovec *many; /* a table of REQUEST_ELEMENTS, once one was needed */
	struct iovec few[REQUEST_ELEMENTS_FEW];
	struct iovec pieces[REQUEST_ELEMENTS_FEW]; /* behind @into */
};

/**
 * struct fixed - regions as registered buffers
 * @domain: which regions are; the slot is a mapping's lkey
 * @lock: over all else; after the domain's and the region's
 * @possible: whether to try
 * @always: whether an operation fails if its regions can't be registered
 * @table: whether the kernel has made its table
 * @vectored: whether a request may have several elements in a buffer
 * @why: why not @possible, or NULL
 * @max: slots of the table
 * @slots: what is in them
 * @nr_stale: how many are to be emptied by the ring's thread
 * @regions: how many are registered
 * @locked: bytes of them, in whole pages
 * @needed: what RLIMIT_MEMLOCK should have been, when it was too small last
 * @starved: something was refused for lack of room
 * @refused: what
 */
struct fixed {
	struct decant_domain domain;
	pthread_mutex_t lock;
	_Atomic(bool) possible;
	bool always;
	bool table;
	bool vectored;
	const char *why;
	unsigned max;
	unsigned char *slots;
	_Atomic(unsigned) nr_stale;
	unsigned regions;
	uint64_t locked;
	uint64_t needed;
	bool starved;
	_Atomic(uint64_t) refused[FIXED_REFUSED];
};

struct decant_uring {
	unsigned char *mark; /* 0 in a child process */
	const struct backend_ops *ops;
	struct backend *backend;
	const char *reason;
	struct decant_space *space;
	size_t stage_bytes;
	size_t small_piece;
	struct operation *operations;
	unsigned depth;
	unsigned active;
	unsigned batch; /* when so many were begun, they are submitted */
	unsigned begun;
	struct request_list idle;     /* the one that was used last first */
	struct request_list starved;  /* waiting for scratch memory */
	unsigned unasked;	      /* operations that are */
	struct operation **deadlines; /* a heap, the first one on top */
	unsigned nr_deadlines;
	bool zero_copy; /* whether the back end can */
	size_t zero_copy_bytes;
	struct decant_pool *pool;   /* scratch memory, once some was needed */
	struct decant_pool *gather; /* a place for each operation, likewise */
	struct fixed fixed;
	bool file_table; /* whether the kernel has one for @files */
	struct decant_uring_file *files[FILES_MAX];
	struct decant_uring_stats stats;
};

static inline struct operation *request_operation(struct request *request)
{
	return (struct operation *)request; /* its first member */
}

/* file.c: the size, asked for anew if @end was beyond it last time */
uint64_t uring_file_size(struct decant_uring_file *file, uint64_t end);

/* whether a write may change a part of the block that ends at @end and write it whole */
bool uring_file_rewrites(struct decant_uring_file *file, uint64_t end);

/*
 * claim.c: 0, -EBUSY: wait until @claim.wake_fd is readable, or a negative errno
 */
void uring_claims_init(struct claims *claims);
void uring_claims_fini(struct claims *claims);
int uring_claim(struct operation *op, uint64_t pos, size_t len);
void uring_unclaim(struct operation *op);
void uring_claim_fini(struct operation *op);

/* edge.c: what must be read before the body is written, and the next read of it */
void uring_edges_begin(struct operation *op);
int uring_edges_plan(struct operation *op, bool *planned);
/* a read of edges came to @result bytes; false: the file has no such blocks any more */
bool uring_edges_arrived(struct operation *op, size_t result);
/* a read of edges failed; true: only the tail's, and what is before it can be written */
bool uring_edges_failed(struct operation *op);
/* give a staged block the bytes of the file before and behind the caller's */
void uring_edges_fill(const struct operation *op, uint64_t pos, unsigned char *block,
		      size_t before, size_t len);
void uring_edges_fini(struct operation *op);

/* fixed.c: */
int uring_fixed_init(struct decant_uring *ring,
		     const struct decant_uring_options *options);
void uring_fixed_fini(struct decant_uring *ring);
/* empty what other threads gave up */
void uring_fixed_tidy(struct decant_uring *ring);
/* register a region, or an operation's, if that is a must */
int uring_fixed_need(struct decant_uring *ring, struct decant_region *region);
int uring_fixed_map(struct operation *op);
/* find the registered buffer of a request; one of its elements lies in @region */
void uring_fixed_plan(struct operation *op, struct decant_region *region);
/* whether several elements in @region, which may be NULL, go as a registered buffer */
bool uring_fixed_vectors(struct decant_uring *ring, struct decant_region *region);

/* registered.c: the ring ends before the files do */
void uring_files_forget(struct decant_uring *ring);
/* the registered file of an operation, or -1 */
int uring_file_place(const struct operation *op, bool direct);

/* plan.c: -EBUSY: scratch memory is needed and all of it is in use */
int uring_plan(struct operation *op);
/* what a transfer of @result bytes was worth to the caller; scratch memory is given back
 */
size_t uring_arrived(struct operation *op, size_t result);
void uring_scratch_put(struct operation *op);

/*
 * plain.c: begin it as one request of one piece; 0, a negative errno, or 1: it is not
 */
int uring_plain_begin(struct operation *op, struct decant_iter *it, size_t len,
		      uint64_t pos);
/* whether its transfer was all of it */
bool uring_plain_complete(struct operation *op);
/* go on as any other: its request is the first of its legs' */
void uring_plain_end(struct operation *op);

/*
 * gather.c: have one piece of the ring's memory, op->one, instead of the iterator's next
 * bytes, if their pieces are small; it is not advanced. @first: how long the first is, 0
 * if that is not known.
 */
bool uring_gather(struct operation *op, const struct decant_iter *it, size_t len,
		  size_t first);
/* whether @nr pieces of @len bytes together are; @region has the first, or NULL */
bool uring_is_fine(const struct operation *op, size_t len, size_t nr, bool direct,
		   struct decant_region *region);

/* operation.c */
/* divide its memory into legs, of which none has begun */
void uring_lay(struct operation *op, uint64_t pos);
/* the operation's own form of the memory: nothing of @it is needed any more */
int uring_prepare(struct operation *op, struct decant_iter *it, size_t len, uint64_t pos);
bool uring_complete(struct operation *op, ssize_t *result);
/* one that waits for scratch memory takes its turn, or comes to its end */
void uring_start(struct operation *op);
void uring_feed(struct decant_uring *ring);
void uring_retire(struct operation *op);
void uring_idle(struct operation *op);

/* bounce.c: the operation's own form of the memory, and what it looks like */
int uring_own(struct operation *op, struct decant_iter *it, size_t len);
/* the result, once the bytes are where they belong */
ssize_t uring_bounced(struct operation *op, ssize_t result);
void uring_disown(struct operation *op);
struct decant_iter uring_memory(const struct operation *op);
size_t uring_elements(const struct operation *op);

/* fork.c */
int uring_fork_init(struct decant_uring *ring);
void uring_fork_fini(struct decant_uring *ring);
/* give back what the operations under way hold, and end the back end */
void uring_fork_free(struct decant_uring *ring);

static inline bool uring_forked(const struct decant_uring *ring)
{
	return !*ring->mark;
}

/* socket.c */
int uring_socket_open(struct decant_uring_file *file);
int uring_message_check(const struct decant_uring_operation *what);
int uring_message_begin(struct operation *op, struct decant_uring_message *message);
void uring_message_end(struct operation *op);
void uring_socket_plan(struct operation *op);
/* whether that was all of it */
bool uring_socket_arrived(struct operation *op);
/* whether it must be sent again as a copy */
bool uring_zero_copy_refused(struct operation *op, ssize_t result);
/* what became of what the kernel let go of */
void uring_zero_copy_account(struct operation *op);

/* sqe.c */
struct io_uring_sqe;
void uring_sqe_fill(struct io_uring_sqe *sqe, const struct request *request);

/* cancel.c */
void uring_stop(struct operation *op, int reason);
unsigned uring_stop_all(struct decant_uring *ring, int reason);
/* ask the back end for what it could not be asked for, @again: for all that shall end */
void uring_ask(struct decant_uring *ring, bool again);

/* deadline.c */
int64_t uring_now(void);
void uring_deadline_add(struct operation *op);
void uring_deadline_remove(struct operation *op);
/* stop what is due; have the back end call for the next one */
void uring_deadlines(struct decant_uring *ring);

/* perform.c: bytes or a negative errno; attempts don't wait, -EAGAIN */
ssize_t uring_perform(const struct request *request);
ssize_t uring_attempt(const struct request *request);
short uring_awaited(const struct request *request);

#endif
