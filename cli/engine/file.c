/* SPDX-License-Identifier: MIT */
/* file.c - end points with positions: regular files and block devices, directly where it
 * goes. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"
#include "text.h"

struct file {
	struct endpoint ep;
	struct decant_uring_file *io;
	char *path;
	int fd;
	struct stat began;  /* of a source, to see whether it changes */
	uint64_t next;	    /* number of the next chunk to read */
	struct draft draft; /* of a target that isn't written in place */
	bool in_place;
};

static struct file *file_of(struct endpoint *ep)
{
	return (struct file *)ep;
}

static bool fail(struct file *f, enum exit_code code, int err)
{
	return report_set(f->ep.engine->report, code, "%s: %s", f->path, strerror(err));
}

/* Ask for what is missing of a chunk. */
static bool read_rest(struct file *f, struct chunk *chunk)
{
	struct decant_iter it = chunk_iter(chunk, DECANT_DEST);
	int err = decant_iter_advance(&it, chunk->done);

	if (!err)
		err = decant_uring_read(f->ep.engine->ring, f->io, &it,
					chunk->len - chunk->done,
					chunk->pos + chunk->done, chunk);
	return !err || fail(f, EXIT_SOURCE, -err);
}

static enum start file_read(struct endpoint *ep, struct chunk *chunk)
{
	struct file *f = file_of(ep);
	uint64_t left;

	chunk->number = f->next;
	chunk->pos = f->next * ep->engine->chunk_bytes;
	left = ep->meta.size - chunk->pos;
	chunk->len = left < ep->engine->chunk_bytes ? left : ep->engine->chunk_bytes;
	chunk->last = chunk->len == left;
	chunk->done = 0;
	f->next++;
	if (!chunk->len) {
		engine_filled(ep->engine, chunk);
		return START_DONE;
	}
	stage_begin(ep->stage, chunk->number);
	if (!read_rest(f, chunk))
		return START_FAILED;
	if (chunk->last)
		chunk->hop->ended = true;
	return START_DONE;
}

static ssize_t file_peek(struct endpoint *ep, const struct iovec *iov, int nr,
			 uint64_t pos)
{
	ssize_t got = preadv(file_of(ep)->fd, iov, nr, (off_t)pos);

	return got < 0 ? -errno : got;
}

static bool file_changed(struct file *f, const char *how)
{
	return report_set(f->ep.engine->report, EXIT_SOURCE, "%s: %s while it was copied",
			  f->path, how);
}

static void file_was_read(struct endpoint *ep, struct chunk *chunk, ssize_t result)
{
	struct file *f = file_of(ep);

	if (result > 0)
		chunk->done += (size_t)result;
	/* What comes back short is continued: that tells the end from an error. */
	if (result > 0 && chunk->done < chunk->len && read_rest(f, chunk))
		return;
	stage_end(ep->stage, chunk->number, chunk->done);
	chunk->at = NULL;
	if (result < 0)
		fail(f, EXIT_SOURCE, (int)-result);
	else if (!result)
		file_changed(f, "it shrank");
	else if (chunk->done == chunk->len)
		engine_filled(ep->engine, chunk);
}

static bool write_rest(struct file *f, struct chunk *chunk)
{
	struct decant_iter it = chunk_iter(chunk, DECANT_SOURCE);
	int err = decant_iter_advance(&it, chunk->done);

	if (!err)
		err = decant_uring_write(f->ep.engine->ring, f->io, &it,
					 chunk->len - chunk->done,
					 chunk->pos + chunk->done, chunk);
	return !err || fail(f, EXIT_TARGET, -err);
}

static bool file_write(struct endpoint *ep, struct chunk *chunk)
{
	struct file *f = file_of(ep);

	if (!chunk->len) {
		engine_emptied(chunk);
		return true;
	}
	stage_begin(ep->stage, chunk->number);
	chunk->done = 0;
	return write_rest(f, chunk);
}

static void file_was_written(struct endpoint *ep, struct chunk *chunk, ssize_t result)
{
	struct file *f = file_of(ep);

	if (result > 0)
		chunk->done += (size_t)result;
	if (result > 0 && chunk->done < chunk->len && write_rest(f, chunk))
		return;
	stage_end(ep->stage, chunk->number, chunk->done);
	if (result <= 0)
		fail(f, EXIT_TARGET, result ? (int)-result : EIO);
	engine_emptied(chunk);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool source_finish(struct endpoint *ep)
{
	struct file *f = file_of(ep);
	struct stat now;

	if (fstat(f->fd, &now))
		return fail(f, EXIT_SOURCE, errno);
	if (!S_ISREG(now.st_mode))
		return true;
	if (now.st_size != f->began.st_size)
		return file_changed(f, now.st_size > f->began.st_size ? "it grew"
								      : "it shrank");
	return same_time(now.st_mtim, f->began.st_mtim) || file_changed(f, "it changed");
}

static bool target_finish(struct endpoint *ep)
{
	struct file *f = file_of(ep);

	if (!f->in_place)
		return draft_publish(&f->draft, &ep->meta, ep->engine->report);
	return !fsync(f->fd) || fail(f, EXIT_TARGET, errno);
}

static void target_abandon(struct endpoint *ep)
{
	draft_abandon(&file_of(ep)->draft);
}

static void file_close(struct endpoint *ep)
{
	struct file *f = file_of(ep);

	if (f->io)
		decant_uring_file_close(f->io);
	if (f->draft.path)
		draft_close(&f->draft);
	else if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
}

static const struct endpoint_ops source_ops = {
	.name = "file",
	.read = file_read,
	.peek = file_peek,
	.completed = file_was_read,
	.finish = source_finish,
	.close = file_close,
};

static const struct endpoint_ops target_ops = {
	.name = "file",
	.write = file_write,
	.completed = file_was_written,
	.finish = target_finish,
	.abandon = target_abandon,
	.close = file_close,
};

static struct file *file_new(struct engine *engine, const struct endpoint_ops *ops,
			     const char *path)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->ep.ops = ops;
	f->ep.engine = engine;
	f->fd = -1;
	f->path = strdup(path);
	return f;
}

/* Say how the file is reached, for the statistics. */
static void describe(struct file *f)
{
	struct side_stats *stats = &f->ep.engine->stats;
	struct decant_uring_file_info info;
	char text[sizeof(stats->file)];

	decant_uring_file_info(f->io, &info);
	if (info.direct)
		snprintf(text, sizeof(text), "direct (memory %u, offset %u%s)",
			 info.mem_align, info.offset_align,
			 info.known ? "" : ", a safe guess");
	else
		snprintf(text, sizeof(text), "page cache%s%s%s", info.why ? " (" : "",
			 info.why ? info.why : "", info.why ? ")" : "");
	stats_describe(stats, text);
}

/* Attach the ring's file. On failure the end point is closed. */
static struct endpoint *file_attach(struct file *f, enum decant_uring_direct direct,
				    enum exit_code code, const char *stage)
{
	int err = decant_uring_file_open(&f->io, f->fd, direct);

	if (err && direct == DECANT_URING_DIRECT_ALWAYS)
		report_set(f->ep.engine->report, code, "%s: --direct=always: %s", f->path,
			   strerror(-err));
	else if (err)
		fail(f, code, -err);
	if (err) {
		file_close(&f->ep);
		return NULL;
	}
	describe(f);
	f->ep.stage = engine_stage(f->ep.engine, code == EXIT_SOURCE, stage);
	return &f->ep;
}

/* The size of a regular file or a block device. */
static uint64_t size_of(int fd, const struct stat *st)
{
	off_t end;

	if (S_ISREG(st->st_mode))
		return (uint64_t)st->st_size;
	end = lseek(fd, 0, SEEK_END);
	return end < 0 ? 0 : (uint64_t)end;
}

static void meta_from(struct file_meta *meta, int fd, const struct stat *st)
{
	*meta = (struct file_meta){.size = size_of(fd, st),
				   .mode = st->st_mode & 07777,
				   .keep = S_ISREG(st->st_mode),
				   .atime = st->st_atim,
				   .mtime = st->st_mtim,
				   .device = st->st_dev,
				   .inode = st->st_ino};
}

/* Files that the kernel makes up (/proc) have bytes although their size is 0. */
static bool is_made_up(int fd, const struct stat *st)
{
	char byte;

	return S_ISREG(st->st_mode) && !st->st_size && pread(fd, &byte, 1, 0) > 0;
}

/*
 * Below a root only what is a regular file is opened for reading: the rest may block, or
 * do something. An O_PATH descriptor keeps it the same file.
 */
static int open_regular(struct engine *engine, const struct root *root, const char *path,
			struct stat *st)
{
	int found = root_open(root, path, O_PATH), fd = -1;
	char proc[64];

	if (found < 0 || fstat(found, st)) {
		report_set(engine->report, EXIT_SOURCE, "%s: %s", path,
			   root_strerror(errno));
	} else if (!S_ISREG(st->st_mode)) {
		report_set(engine->report, EXIT_SOURCE, "%s: is %s", path,
			   S_ISDIR(st->st_mode) ? "a directory; name a file"
						: "no regular file");
	} else {
		snprintf(proc, sizeof(proc), "/proc/self/fd/%d", found);
		fd = open(proc, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			engine_failed(engine, EXIT_SOURCE, path);
	}
	if (found >= 0)
		close(found);
	return fd;
}

static int open_anything(struct engine *engine, const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && !fstat(fd, st) && !S_ISDIR(st->st_mode))
		return fd;
	if (fd >= 0 && S_ISDIR(st->st_mode))
		report_set(engine->report, EXIT_SOURCE, "%s: is a directory; name a file",
			   path);
	else
		engine_failed(engine, EXIT_SOURCE, path);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct endpoint *source_open(struct engine *engine, const struct root *root,
			     const char *path, enum decant_uring_direct direct)
{
	struct file *f;
	struct stat st = {0};
	int fd;

	if (!strcmp(path, "-") && !root)
		return pipe_open(engine, STDIN_FILENO, false, true, "standard input");
	fd = root ? open_regular(engine, root, path, &st)
		  : open_anything(engine, path, &st);
	if (fd < 0)
		return NULL;
	if ((!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) || is_made_up(fd, &st))
		return pipe_open(engine, fd, true, true, path);
	f = file_new(engine, &source_ops, path);
	if (!f) {
		report_set(engine->report, EXIT_RESOURCES, "%s: no memory", path);
		return NULL;
	}
	f->fd = fd;
	f->began = st;
	meta_from(&f->ep.meta, fd, &st);
	return file_attach(f, direct, EXIT_SOURCE, "read");
}

/* Room for the whole file now, so that a full file system is found before it is filled.
 */
static bool allocate(struct file *f)
{
	uint64_t size = f->ep.meta.size;

	if (size == SIZE_UNKNOWN || !size)
		return true;
	if (!fallocate(f->draft.fd, 0, 0, (off_t)size))
		return true;
	if (errno == EOPNOTSUPP || errno == ENOSYS)
		return !ftruncate(f->draft.fd, (off_t)size) ||
		       fail(f, EXIT_TARGET, errno);
	if (errno == EINTR && engine_interrupted(f->ep.engine->report))
		return false;
	return report_set(f->ep.engine->report, EXIT_TARGET, "%s: %s (%s are needed)",
			  f->path, strerror(errno), text_of_size(size).text);
}

static struct endpoint *target_in_place(struct engine *engine, const char *path,
					mode_t mode, enum decant_uring_direct direct)
{
	int fd = open(path, (S_ISBLK(mode) ? O_RDWR : O_WRONLY) | O_CLOEXEC);
	struct file *f;

	if (fd < 0) {
		engine_failed(engine, EXIT_TARGET, path);
		return NULL;
	}
	if (!S_ISBLK(mode))
		return pipe_open(engine, fd, true, false, path);
	f = file_new(engine, &target_ops, path);
	if (!f) {
		close(fd);
		report_set(engine->report, EXIT_RESOURCES, "%s: no memory", path);
		return NULL;
	}
	f->fd = fd;
	f->in_place = true;
	return file_attach(f, direct, EXIT_TARGET, "write");
}

static struct endpoint *target_draft(struct engine *engine, const struct root *root,
				     const char *path, const struct file_meta *meta,
				     enum decant_uring_direct direct)
{
	struct file *f = file_new(engine, &target_ops, path);

	if (!f) {
		report_set(engine->report, EXIT_RESOURCES, "%s: no memory", path);
		return NULL;
	}
	f->ep.meta = *meta;
	if (!draft_open(&f->draft, root, path, engine->report) || !allocate(f)) {
		file_close(&f->ep);
		return NULL;
	}
	f->fd = f->draft.fd;
	return file_attach(f, direct, EXIT_TARGET, "write");
}

/* DST as a directory: the file keeps its name in it. */
static bool inside_directory(char *room, size_t max, const char *dir,
			     const char *source_name, struct report *report)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", source_name);
	if (!strcmp(source_name, "-"))
		return report_set(report, EXIT_TARGET, "%s: is a directory; name a file",
				  dir);
	snprintf(room, max, "%s/%s", dir, basename(copy));
	return true;
}

/* What is there already, if anything is, and in its way. */
static bool may_write(struct engine *engine, const struct root *root, const char *path,
		      const struct stat *st)
{
	if (root && root->read_only)
		return report_set(engine->report, EXIT_TARGET, "%s: read-only here",
				  path);
	if (st->st_mode && S_ISDIR(st->st_mode))
		return report_set(engine->report, EXIT_TARGET, "%s: is a directory",
				  path);
	if (root && st->st_mode && !S_ISREG(st->st_mode))
		return report_set(engine->report, EXIT_TARGET, "%s: is no regular file",
				  path);
	return true;
}

struct endpoint *target_open(struct engine *engine, const struct root *root,
			     const char *path, const char *source_name,
			     const struct file_meta *meta,
			     enum decant_uring_direct direct)
{
	char inside[2 * PATH_MAX];
	struct stat st;

	if (!strcmp(path, "-") && !root)
		return pipe_open(engine, STDOUT_FILENO, false, false, "standard output");
	if (!root_stat(root, path, &st) && S_ISDIR(st.st_mode)) {
		if (!inside_directory(inside, sizeof(inside), path, source_name,
				      engine->report))
			return NULL;
		path = inside;
	}
	if (root_stat(root, path, &st)) {
		st = (struct stat){0};
		if (errno != ENOENT)
			report_set(engine->report, EXIT_TARGET, "%s: %s", path,
				   root_strerror(errno));
	}
	if (engine->report->code || !may_write(engine, root, path, &st))
		return NULL;
	if (st.st_mode && !S_ISREG(st.st_mode))
		return target_in_place(engine, path, st.st_mode, direct);
	if (st.st_mode && meta->inode && st.st_dev == meta->device &&
	    st.st_ino == meta->inode) {
		report_set(engine->report, EXIT_USAGE, "%s and %s are the same file",
			   source_name, path);
		return NULL;
	}
	return target_draft(engine, root, path, meta, direct);
}
