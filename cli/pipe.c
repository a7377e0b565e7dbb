/* SPDX-License-Identifier: MIT */
/* pipe.c - end points without positions: pipes, terminals, sockets, /dev/null. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"

struct pipe {
	struct endpoint ep;
	struct decant_uring_file *io;
	char *path;
	int fd;
	bool owned;
	bool busy; /* bytes of a pipe come one read at a time */
	uint64_t next;
	struct chunk **waiting; /* to be written, in order; a ring of depth entries */
	unsigned first, nr;
};

static struct pipe *pipe_of(struct endpoint *ep)
{
	return (struct pipe *)ep;
}

static void fail(struct pipe *p, enum exit_code code, int err)
{
	report_set(p->ep.engine->report, code, "%s: %s", p->path, strerror(err));
}

static enum start pipe_read(struct endpoint *ep, struct chunk *chunk)
{
	struct pipe *p = pipe_of(ep);
	struct decant_iter it;
	int err;

	if (p->busy)
		return START_NOT_NOW;
	chunk->number = p->next;
	chunk->pos = p->next * ep->engine->chunk_bytes;
	chunk->len = ep->engine->chunk_bytes;
	it = chunk_iter(chunk, DECANT_DEST);
	err = decant_uring_read(ep->engine->ring, p->io, &it, chunk->len, 0, chunk);
	if (err) {
		fail(p, EXIT_SOURCE, -err);
		return START_FAILED;
	}
	stage_begin(ep->stage);
	p->busy = true;
	p->next++;
	return START_DONE;
}

static void pipe_was_read(struct endpoint *ep, struct chunk *chunk, ssize_t result)
{
	struct pipe *p = pipe_of(ep);

	p->busy = false;
	stage_end(ep->stage, result > 0 ? (size_t)result : 0);
	chunk->at = NULL;
	if (result < 0) {
		fail(p, EXIT_SOURCE, (int)-result);
		return;
	}
	/* A read that comes back short has seen the end. */
	chunk->last = (size_t)result < chunk->len;
	chunk->len = (size_t)result;
	engine_filled(ep->engine, chunk);
}

static bool write_next(struct pipe *p)
{
	struct chunk *chunk = p->waiting[p->first];
	struct decant_iter it = chunk_iter(chunk, DECANT_SOURCE);
	int err =
		decant_uring_write(p->ep.engine->ring, p->io, &it, chunk->len, 0, chunk);

	if (err) {
		fail(p, EXIT_TARGET, -err);
		return false;
	}
	stage_begin(p->ep.stage);
	p->busy = true;
	return true;
}

static bool pipe_write(struct endpoint *ep, struct chunk *chunk)
{
	struct pipe *p = pipe_of(ep);

	if (!chunk->len) {
		engine_emptied(ep->engine, chunk);
		return true;
	}
	p->waiting[(p->first + p->nr++) % ep->engine->depth] = chunk;
	return p->busy || write_next(p);
}

static void pipe_was_written(struct endpoint *ep, struct chunk *chunk, ssize_t result)
{
	struct pipe *p = pipe_of(ep);

	p->busy = false;
	p->first = (p->first + 1) % ep->engine->depth;
	p->nr--;
	stage_end(ep->stage, result > 0 ? (size_t)result : 0);
	if (result < 0 || (size_t)result != chunk->len)
		fail(p, EXIT_TARGET, result < 0 ? (int)-result : EIO);
	engine_emptied(ep->engine, chunk);
	if (p->nr && !ep->engine->report->code)
		write_next(p);
}

static bool pipe_finish(struct endpoint *ep)
{
	(void)ep;
	return true;
}

static void pipe_close(struct endpoint *ep)
{
	struct pipe *p = pipe_of(ep);

	if (p->io)
		decant_uring_file_close(p->io);
	if (p->owned && p->fd >= 0)
		close(p->fd);
	free(p->waiting);
	free(p->path);
	free(p);
}

static const struct endpoint_ops source_ops = {
	.name = "pipe",
	.read = pipe_read,
	.completed = pipe_was_read,
	.finish = pipe_finish,
	.close = pipe_close,
};

static const struct endpoint_ops target_ops = {
	.name = "pipe",
	.in_order = true,
	.write = pipe_write,
	.completed = pipe_was_written,
	.finish = pipe_finish,
	.close = pipe_close,
};

struct endpoint *pipe_open(struct engine *engine, int fd, bool owned, bool source,
			   const char *path)
{
	struct pipe *p = calloc(1, sizeof(*p));
	int err = -ENOMEM;

	if (p) {
		p->ep.ops = source ? &source_ops : &target_ops;
		p->ep.engine = engine;
		p->ep.meta.size = SIZE_UNKNOWN;
		p->fd = fd;
		p->owned = owned;
		p->path = strdup(path);
		p->waiting = calloc(engine->depth, sizeof(*p->waiting));
		if (p->path && p->waiting)
			err = decant_uring_file_open(&p->io, fd,
						     DECANT_URING_DIRECT_NEVER);
	}
	if (err) {
		report_set(engine->report, source ? EXIT_SOURCE : EXIT_TARGET, "%s: %s",
			   path, strerror(-err));
		if (p)
			pipe_close(&p->ep);
		return NULL;
	}
	snprintf(engine->stats.file, sizeof(engine->stats.file), "pipe");
	p->ep.stage = stats_stage(&engine->stats, source ? "read" : "write");
	return &p->ep;
}
