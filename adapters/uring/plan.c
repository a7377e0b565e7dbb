/* SPDX-License-Identifier: MIT */
/*
 * plan.c - the next request of an operation, and what its transfer came to.
 *
 * A direct transfer whose ends are off a block boundary asks for the whole blocks:
 *
 *	file	|...........|...........|...........|...........|
 *	caller	       [=================================]
 *	request	[ edge      | blocks                | edge      ]
 *
 * Edges lie in scratch memory; so do those pieces of the blocks that are misaligned in
 * memory, as the core decides, and the block that the file ends in. All else goes
 * directly. A write's edges were read before (edge.c).
 */
#include <errno.h>
#include <stdlib.h>
#include "internal.h"

/* Scratch memory of all operations together, so that a deep ring doesn't take it all. */
#define POOL_BYTES (64u << 20)

static size_t round_down(size_t n, size_t align)
{
	return n & ~(align - 1);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A buffer holds the scratch memory and, behind it, the records of what is in it. */
static size_t scratch_records(const struct decant_uring *ring)
{
	return ring->stage_bytes / 512;
}

static int scratch_pool(struct decant_uring *ring)
{
	struct decant_pool_options options = {.size = sizeof(options)};
	size_t records = scratch_records(ring) * sizeof(struct decant_staged);
	int err;

	options.buffer_bytes = ring->stage_bytes + records;
	options.buffers = smaller(ring->depth, POOL_BYTES / options.buffer_bytes);
	if (!options.buffers)
		options.buffers = 1;
	err = decant_pool_new(&ring->pool, &options);
	/* Best in a registered buffer, but it does without. */
	if (!err && ring->fixed.possible)
		(void)!decant_domain_map(&ring->fixed.domain,
					 decant_pool_region(ring->pool));
	return err;
}

/* Give the operation scratch memory, unless it has some. */
static int scratch_get(struct operation *op)
{
	struct decant_uring *ring = op->ring;
	struct decant_span memory;
	void *records;
	int err;

	if (op->stage.memory.addr)
		return 0;
	err = ring->pool ? 0 : scratch_pool(ring);
	if (err)
		return err;
	memory = decant_pool_get(ring->pool);
	if (!memory.addr)
		return -EBUSY;
	records = (char *)memory.addr + ring->stage_bytes;
	memory.len = ring->stage_bytes;
	decant_stage_init(&op->stage, memory, records, scratch_records(ring));
	return 0;
}

void uring_scratch_put(struct operation *op)
{
	if (!op->stage.memory.addr)
		return;
	decant_pool_put(op->ring->pool, op->stage.memory.addr);
	op->stage = (struct decant_stage){0};
}

/* Without memory for a large table, small requests do the same. */
static void begin_table(struct operation *op)
{
	size_t wanted = 2 * uring_elements(op) + 3;

	if (wanted > REQUEST_ELEMENTS_FEW && !op->many)
		op->many = calloc(REQUEST_ELEMENTS, sizeof(*op->many));
	if (wanted > REQUEST_ELEMENTS_FEW && op->many)
		decant_sink_iovec(&op->sink, op->many, REQUEST_ELEMENTS);
	else
		decant_sink_iovec(&op->sink, op->few, REQUEST_ELEMENTS_FEW);
}

static void begin_sink(struct operation *op)
{
	const struct decant_uring_file_info *info = &op->file->info;

	begin_table(op);
	op->sink.limits.max_bytes = REQUEST_BYTES;
	if (!op->leg->direct)
		return;
	op->sink.limits.max_bytes = round_down(REQUEST_BYTES, info->offset_align);
	op->sink.limits.addr_align = info->mem_align;
	op->sink.limits.len_align = info->offset_align;
}

/*
 * Scratch memory for one block, of which @len bytes after the first @before are the
 * iterator's.
 */
static int stage_block(struct operation *op, struct decant_iter *it, size_t before,
		       size_t len, struct decant_span *block)
{
	size_t size = op->file->info.offset_align;
	size_t align = op->file->info.mem_align, behind = size - before - len;
	struct decant_span part;
	int err;

	if (op->stage.memory.len - op->stage.used < 2 * size)
		return -ENOSPC;
	err = before ? decant_stage_pad(&op->stage, before, align, block) : 0;
	if (err)
		return err;
	err = decant_stage_take(&op->stage, it, len, before ? 1 : align,
				op->sink.bytes + before, &part);
	if (!err && !before)
		*block = part;
	block->len = size;
	return err || !behind ? err : decant_stage_pad(&op->stage, behind, 1, &part);
}

/* How far @it is ahead of the leg. */
static size_t ahead(const struct operation *op, const struct decant_iter *it)
{
	return decant_iter_count(&op->leg->iter) - decant_iter_count(it);
}

/* An iterator over scratch memory, which has an owner. */
static int iter_span(struct decant_iter *it, const struct decant_span *span,
		     struct decant_bvec *bvec)
{
	*bvec = (struct decant_bvec){span->addr, span->len, span->region};
	return decant_iter_bvec(it, DECANT_DEST, bvec, 1);
}

/* A block that is the caller's only in part. */
static int put_edge(struct operation *op, struct decant_iter *it, size_t before,
		    size_t len)
{
	struct decant_iter rest = *it, from;
	struct decant_span block = {0};
	struct decant_bvec bvec;
	int err = scratch_get(op);
	ssize_t n;

	if (!err)
		err = stage_block(op, &rest, before, len, &block);
	if (!err)
		err = iter_span(&from, &block, &bvec);
	if (err)
		return err;
	if (op->code == REQUEST_WRITE)
		uring_edges_fill(op, op->leg->pos + ahead(op, it) - before, block.addr,
				 before, len);
	n = decant_extract_all(&from, &op->sink, block.len);
	if (n < 0)
		return (int)n;
	*it = rest;
	return 0;
}

/*
 * Small pieces, for which one copy is cheaper than the kernel's or device's work on each.
 */
static bool is_fine(const struct operation *op)
{
	struct decant_iter whole = uring_memory(op);

	return uring_is_fine(op, decant_iter_count(&whole), uring_elements(op),
			     op->leg->direct, decant_iter_peek(&whole).region);
}

/* At most @len bytes as one piece of scratch memory; bytes put, 0 or less if there is
 * none. */
static ssize_t put_small(struct operation *op, struct decant_iter *it, size_t len)
{
	const struct decant_uring_file_info *info = &op->file->info;
	struct decant_span piece;
	struct decant_bvec bvec;
	struct decant_iter from;
	int err = scratch_get(op);

	if (err)
		return err;
	len = smaller(len, decant_iter_count(it));
	len = smaller(len, round_down(op->stage.memory.len - op->stage.used,
				      info->offset_align));
	err = decant_stage_take(&op->stage, it, len, info->mem_align, op->sink.bytes,
				&piece);
	if (!err)
		err = iter_span(&from, &piece, &bvec);
	return err ? err : decant_extract(&from, &op->sink, len);
}

/* Whole blocks: as they lie, until the first that is misaligned asks for a stage. */
static int put_blocks(struct operation *op, struct decant_iter *it, size_t len)
{
	size_t left = decant_iter_count(it) - len;
	ssize_t n;
	int err;

	if (!len || (is_fine(op) && put_small(op, it, len) > 0))
		return 0;
	op->sink.stage = op->stage.memory.addr ? &op->stage : NULL;
	n = decant_extract(it, &op->sink, len);
	if (op->sink.stop == DECANT_STOP_ALIGNMENT && !op->sink.stage) {
		err = scratch_get(op);
		if (err)
			return err;
		op->sink.stage = &op->stage;
		n = decant_extract(it, &op->sink, decant_iter_count(it) - left);
	}
	return n < 0 ? (int)n : 0;
}

/*
 * How many whole blocks may go directly. A device reads the block that the file ends in
 * as a whole, so that one is an edge too: not one byte behind the result is touched.
 */
static size_t whole_blocks(const struct operation *op, const struct decant_iter *it)
{
	size_t left = decant_iter_count(it), align = op->file->info.offset_align;
	uint64_t pos = op->leg->pos + ahead(op, it), size;

	if (op->code == REQUEST_READ) {
		size = uring_file_size(op->file, pos + left);
		left = pos >= size ? 0 : smaller(left, size - pos);
	}
	return round_down(left, align);
}

static int plan_direct(struct operation *op, struct leg *leg)
{
	size_t align = op->file->info.offset_align, blocks, rest;
	struct decant_iter *it = &op->after;
	int err = 0;

	op->before = leg->pos & (align - 1);
	if (op->before)
		err = put_edge(op, it, op->before,
			       smaller(align - op->before, decant_iter_count(it)));
	blocks = whole_blocks(op, it);
	rest = decant_iter_count(it) - blocks;
	if (!err)
		err = put_blocks(op, it, blocks);
	if (!err && rest && decant_iter_count(it) == rest)
		err = put_edge(op, it, 0, smaller(align, rest));
	return op->sink.bytes ? 0 : err;
}

static int plan_buffered(struct operation *op)
{
	ssize_t n;

	if (is_fine(op) && put_small(op, &op->after, SIZE_MAX) > 0)
		return 0;
	n = decant_extract(&op->after, &op->sink, decant_iter_count(&op->after));
	return n < 0 ? (int)n : 0;
}

/* All of it in one request, gathered if it is in too many pieces. */
static int plan_message(struct operation *op)
{
	struct decant_iter *it = &op->after;
	ssize_t n;

	if (!uring_elements(op))
		return 0;
	n = plan_buffered(op);
	if (n || !decant_iter_count(it))
		return (int)n;
	uring_scratch_put(op);
	*it = op->leg->iter;
	begin_sink(op);
	n = put_small(op, it, SIZE_MAX);
	if (n < 0)
		return (int)n;
	return decant_iter_count(it) && op->code == REQUEST_WRITE ? -EMSGSIZE : 0;
}

static int plan_elements(struct operation *op)
{
	if (op->leg->direct)
		return plan_direct(op, op->leg);
	return op->single ? plan_message(op) : plan_buffered(op);
}

int uring_plan(struct operation *op)
{
	struct decant_uring_file *file = op->file;
	struct request *request = &op->request;
	struct leg *leg = op->leg;
	bool planned = false;
	int err = op->code == REQUEST_WRITE ? uring_edges_plan(op, &planned) : 0;

	if (err || planned)
		return err;
	op->after = leg->iter;
	op->before = 0;
	begin_sink(op);
	err = plan_elements(op);
	if (err) {
		uring_scratch_put(op);
		return err;
	}
	op->asked = ahead(op, &op->after);
	op->ring->stats.elements += op->sink.nr;
	op->ring->stats.merged += op->sink.merged;
	request->code = op->code;
	request->fd = leg->direct ? file->direct_fd : file->fd;
	request->place = uring_file_place(op, leg->direct);
	request->iov = op->sink.table;
	request->nr = (unsigned)op->sink.nr;
	request->offset = file->positions ? (int64_t)(leg->pos - op->before) : -1;
	if (file->socket)
		uring_socket_plan(op);
	uring_fixed_plan(op, op->sink.last.region);
	return 0;
}

static void count_bytes(struct operation *op, size_t bytes, size_t staged)
{
	struct decant_uring_stats *stats = &op->ring->stats;

	if (!op->leg->direct) {
		stats->buffered_bytes += bytes;
		return;
	}
	stats->staged_bytes += staged;
	stats->direct_bytes += bytes - staged;
}

size_t uring_arrived(struct operation *op, size_t result)
{
	size_t bytes = result > op->before ? smaller(result - op->before, op->asked) : 0;
	struct leg *leg = op->leg;
	size_t staged = smaller(op->stage.bytes, bytes);

	if (op->code == REQUEST_READ)
		staged = decant_stage_scatter(&op->stage, result);
	/* On its way to the ring's memory or from it. */
	if (op->gathered)
		staged = bytes;
	uring_scratch_put(op);
	count_bytes(op, bytes, staged);
	if (bytes == op->asked)
		leg->iter = op->after;
	else
		decant_iter_advance(&leg->iter, bytes);
	leg->pos += bytes;
	leg->done += bytes;
	return bytes;
}
