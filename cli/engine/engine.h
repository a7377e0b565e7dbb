/* SPDX-License-Identifier: MIT */
#ifndef CLI_ENGINE_H
#define CLI_ENGINE_H
/*
 * engine.h - chunks going from one end point to another.
 *
 *	  free ---> source fills it ---> target empties it ---> free
 *
 * There are as many chunks as the depth. Files fill and empty them in any order and
 * several at a time; a pipe or a peer gets them in the order of their numbers. Everything
 * happens in one thread; what takes time is under way in the ring or in the fabric.
 *
 * That is a hop. A copy whose bytes change on their way has two of them, with chunks of
 * their own, and the end point between them is the target of one and the source of the
 * other.
 */
#include <poll.h>
#include <sys/stat.h>
#include <decant/uring.h>
#include "options.h"
#include "progress.h"
#include "stats.h"

struct engine;
struct endpoint;
struct hop;

/* A part of the file on its way. */
struct chunk {
	uint64_t number;
	uint64_t pos;
	size_t len;  /* bytes of the file in it */
	size_t done; /* of these, for the end point at work */
	bool last;
	bool filled; /* waits for its turn */
	struct decant_span buffer;
	struct endpoint *at; /* who works on it; NULL: free */
	struct hop *hop;     /* where it goes round */
};

enum start { START_DONE, START_NOT_NOW, START_ENDED, START_FAILED };

/* What the file is like, for the other end. */
struct file_meta {
	uint64_t size; /* UINT64_MAX: not known before its end */
	uint32_t mode;
	bool keep; /* mode and times mean something */
	struct timespec atime;
	struct timespec mtime;
	dev_t device; /* of a file on this machine, to know it again */
	ino_t inode;
};

#define SIZE_UNKNOWN UINT64_MAX

struct endpoint_ops {
	const char *name;
	bool in_order; /* as a target it wants chunks by their numbers */
	/* Begin to fill a free chunk. engine_filled() follows, also from within. */
	enum start (*read)(struct endpoint *ep, struct chunk *chunk);
	/* Look at bytes before the copy begins; bytes or a negative errno. NULL: that
	 * can't be. */
	ssize_t (*peek)(struct endpoint *ep, const struct iovec *iov, int nr,
			uint64_t pos);
	/* Begin to empty a filled chunk. engine_emptied() follows, also from within. */
	bool (*write)(struct endpoint *ep, struct chunk *chunk);
	/* The ring has finished a request for a chunk. */
	void (*completed)(struct endpoint *ep, struct chunk *chunk, ssize_t result);
	/* Make progress outside the ring; whether there was any. NULL: nothing to do. */
	bool (*poll)(struct endpoint *ep);
	/* What to sleep on; how many entries were filled. NULL: only the ring. */
	unsigned (*sleep)(struct endpoint *ep, struct pollfd *fds, int *timeout);
	/* Every chunk has passed. The source first, then the target, then the source
	 * again. */
	bool (*finish)(struct endpoint *ep);
	bool (*confirm)(struct endpoint *ep);
	/* After an error: leave no trace outside this process. NULL: there is none. */
	void (*abandon)(struct endpoint *ep);
	/* Give everything back, when the ring is gone. */
	void (*close)(struct endpoint *ep);
};

struct endpoint {
	const struct endpoint_ops *ops;
	struct engine *engine;
	struct stage_stats *stage;
	struct file_meta meta;
};

struct hop {
	struct endpoint *source;
	struct endpoint *target;
	struct decant_pool *pool;
	struct chunk *chunks;
	uint64_t next_number; /* of the next chunk an ordered target gets */
	uint64_t bytes;	      /* emptied so far */
	bool ended;	      /* the source has nothing more */
};

#define HOPS_MOST 3

struct engine {
	struct report *report;
	struct decant_uring *ring;
	struct decant_space *space;
	struct hop hops[HOPS_MOST];
	unsigned nr_hops;
	unsigned depth;
	size_t chunk_bytes;
	unsigned idle_turns;
	uint64_t transfer_ns; /* in which chunks were under way */
	struct progress progress;
	struct side_stats stats;
};

/* Rings, buffers and chunks for a copy. */
bool engine_init(struct engine *engine, const struct copy_options *options,
		 struct report *report);
/* Wait for the ring's requests and end it; then the end points may be closed. */
void engine_stop(struct engine *engine);
void engine_fini(struct engine *engine);

/*
 * Run until everything has passed from source to target and both have finished. filters
 * are what stands between them, where the bytes change: one less than there are hops.
 */
bool engine_run(struct engine *engine, struct endpoint *source,
		struct endpoint *const *filters, struct endpoint *target);

/* For end points. */
void engine_filled(struct engine *engine, struct chunk *chunk);
void engine_emptied(struct chunk *chunk);
bool engine_interrupted(struct report *report);
/* A call that ended with errno set: was it a signal that ends the copy? Else the path and
 * the reason are the error. */
void engine_failed(struct engine *engine, enum exit_code code, const char *path);

/* A stage that the source's chunks go through, or the target's. */
struct stage_stats *engine_stage(struct engine *engine, bool source, const char *name);
/* Say in engine->stats how I/O is done. */
void engine_describe(struct engine *engine);

/* Make SIGINT, SIGTERM and SIGHUP end the copy cleanly, SIGPIPE and SIGXFSZ an error
 * code. */
void engine_catch_signals(void);

/* The whole of a chunk's bytes as an iterator. */
struct decant_iter chunk_iter(const struct chunk *chunk, enum decant_direction direction);
#endif
