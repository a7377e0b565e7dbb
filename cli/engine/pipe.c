/* SPDX-License-Identifier: MIT */
/*
 * pipe.c - end points whose bytes come and go in order: pipes, terminals, sockets,
 * /dev/null, and files as standard input and output, from where these stand.
 */
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
	bool positions;
	bool busy;    /* one request at a time */
	size_t done;  /* bytes of the chunk under way */
	uint64_t pos; /* of the next byte, where there are positions */
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

/* Ask for what is missing of a chunk. */
static bool read_rest(struct pipe *p, struct chunk *chunk)
{
	struct decant_iter it = chunk_iter(chunk, DECANT_DEST);
	int err = decant_iter_advance(&it, p->done);

	if (!err)
		err = decant_uring_read(p->ep.engine->ring, p->io, &it,
					chunk->len - p->done, p->pos, chunk);
	if (err)
		fail(p, EXIT_SOURCE, -err);
	return !err;
}

static enum start pipe_read(struct endpoint *ep, struct chunk *chunk)
{
	struct pipe *p = pipe_of(ep);

	if (p->busy)
		return START_NOT_NOW;
	chunk->number = p->next;
	chunk->pos = p->next * ep->engine->chunk_bytes;
	chunk->len = ep->engine->chunk_bytes;
	p->done = 0;
	if (!read_rest(p, chunk))
		return START_FAILED;
	stage_begin(ep->stage, chunk->number);
	p->busy = true;
	p->next++;
	return START_DONE;
}

/* No bytes at all are the end. A few may come before an error, so the rest is read, too.
 */
static bool read_goes_on(struct pipe *p, struct chunk *chunk, ssize_t result)
{
	if (result <= 0)
		return false;
	p->done += (size_t)result;
	p->pos += (size_t)result;
	return p->done < chunk->len && read_rest(p, chunk);
}

static void pipe_was_read(struct endpoint *ep, struct chunk *chunk, ssize_t result)
{
	struct pipe *p = pipe_of(ep);

	if (read_goes_on(p, chunk, result))
		return;
	p->busy = false;
	stage_end(ep->stage, chunk->number, p->done);
	chunk->at = NULL;
	if (result < 0)
		fail(p, EXIT_SOURCE, (int)-result);
	if (ep->engine->report->code)
		return;
	chunk->last = !result;
	chunk->len = p->done;
	engine_filled(ep->engine, chunk);
}

static bool write_rest(struct pipe *p, struct chunk *chunk)
{
	struct decant_iter it = chunk_iter(chunk, DECANT_SOURCE);
	int err = decant_iter_advance(&it, p->done);

	if (!err)
		err = decant_uring_write(p->ep.engine->ring, p->io, &it,
					 chunk->len - p->done, p->pos, chunk);
	if (err)
		fail(p, EXIT_TARGET, -err);
	return !err;
}

static bool write_next(struct pipe *p)
{
	struct chunk *chunk = p->waiting[p->first];

	p->done = 0;
	if (!write_rest(p, chunk))
		return false;
	stage_begin(p->ep.stage, chunk->number);
	p->busy = true;
	return true;
}

/* What comes back short is continued: that tells what is in the way. */
static bool write_goes_on(struct pipe *p, struct chunk *chunk, ssize_t result)
{
	if (result <= 0) {
		fail(p, EXIT_TARGET, result ? (int)-result : EIO);
		return false;
	}
	p->done += (size_t)result;
	p->pos += (size_t)result;
	return p->done < chunk->len && write_rest(p, chunk);
}

static bool pipe_write(struct endpoint *ep, struct chunk *chunk)
{
	struct pipe *p = pipe_of(ep);

	if (!chunk->len) {
		engine_emptied(chunk);
		return true;
	}
	p->waiting[(p->first + p->nr++) % ep->engine->depth] = chunk;
	return p->busy || write_next(p);
}

static void pipe_was_written(struct endpoint *ep, struct chunk *chunk, ssize_t result)
{
	struct pipe *p = pipe_of(ep);

	if (write_goes_on(p, chunk, result))
		return;
	p->busy = false;
	p->first = (p->first + 1) % ep->engine->depth;
	p->nr--;
	stage_end(ep->stage, chunk->number, p->done);
	engine_emptied(chunk);
	if (p->nr && !ep->engine->report->code)
		write_next(p);
}

/* Whoever has the descriptor, too, goes on behind our bytes. */
static bool pipe_finish(struct endpoint *ep)
{
	struct pipe *p = pipe_of(ep);

	if (p->positions)
		lseek(p->fd, (off_t)p->pos, SEEK_SET);
	return true;
}

static void find_position(struct pipe *p)
{
	struct stat st;
	off_t pos = lseek(p->fd, 0, SEEK_CUR);

	p->positions = pos >= 0 && !fstat(p->fd, &st) &&
		       (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
	p->pos = p->positions ? (uint64_t)pos : 0;
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
		find_position(p);
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
	stats_describe(&engine->stats, "pipe");
	p->ep.stage = engine_stage(engine, source, source ? "read" : "write");
	return &p->ep;
}
