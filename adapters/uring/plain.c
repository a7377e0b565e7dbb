/* SPDX-License-Identifier: MIT */
/*
 * plain.c - an operation that is one request of one piece of memory, as most are: nothing
 * is decanted, cut, planned or walked again. Its iterator's next span is all of it, one
 * region owns it or the caller does, and the file takes it as it lies. Or its pieces are
 * so small that they were gathered (gather.c). If its transfer
 * comes to less, or to nothing, it becomes an operation as any other.
 */
#include <errno.h>
#include "internal.h"

#define PLAIN_BYTES ((size_t)1 << 30) /* whole blocks, and below REQUEST_BYTES */

/* Kinds whose spans stay where they are, as an owned iterator would list them. */
static bool has_plain_spans(const struct decant_iter *it)
{
	return it->kind == DECANT_KIND_BUF || it->kind == DECANT_KIND_IOVEC ||
	       it->kind == DECANT_KIND_BVEC;
}

/* Whether the file takes it with one request, without any edge. */
static bool takes(struct operation *op, const struct decant_span *span, size_t len,
		  uint64_t pos)
{
	struct decant_uring_file *file = op->file;
	uint64_t off_block = (pos | len) & (file->info.offset_align - 1);

	if (off_block || (uintptr_t)span->addr & (file->info.mem_align - 1))
		return false;
	return op->code == REQUEST_WRITE || !file->info.direct ||
	       pos + len <= uring_file_size(file, pos + len);
}

static bool lies_in(const struct decant_region *region, const void *addr, size_t len)
{
	struct decant_span span = decant_region_span(region);
	size_t at = (size_t)((uintptr_t)addr - (uintptr_t)span.addr);

	return at < span.len && len <= span.len - at;
}

/* Find the owner and hold it; false: there are several, or it takes a closer look. */
static bool hold_owner(struct operation *op, struct decant_span *span, size_t len)
{
	struct decant_space *space = op->ring->space;
	bool held;

	if (span->region || !space)
		return !span->region || !decant_hold_add(&op->hold, span->region);
	span->region = decant_space_find(space, span->addr);
	if (!span->region)
		return false;
	held = lies_in(span->region, span->addr, len) &&
	       !decant_hold_add(&op->hold, span->region);
	decant_region_put(span->region);
	return held;
}

static void plan(struct operation *op, uint64_t pos)
{
	struct request *request = &op->request;
	const struct decant_uring_file *file = op->file;
	bool direct = file->info.direct;

	op->few[0] = (struct iovec){op->one.addr, op->one.len};
	request->code = op->code;
	request->fd = direct ? file->direct_fd : file->fd;
	request->place = uring_file_place(op, direct);
	request->iov = op->few;
	request->nr = 1;
	request->offset = (int64_t)pos;
	request->zero_copy = false;
	uring_fixed_plan(op, op->one.region);
	op->ring->stats.elements++;
}

/* Its one piece: the caller's, or the ring's instead of many small ones. */
static bool find_piece(struct operation *op, const struct decant_iter *it, size_t len,
		       uint64_t pos)
{
	struct decant_span span = {0};

	if (has_plain_spans(it))
		span = decant_iter_peek(it);
	if (span.len < len)
		span.addr = NULL; /* wherever it is, it will be aligned */
	if (!takes(op, &span, len, pos))
		return false;
	if (span.len < len)
		return uring_gather(op, it, len, span.len);
	if (!hold_owner(op, &span, len))
		return false;
	op->one = (struct decant_bvec){span.addr, len, span.region};
	return true;
}

int uring_plain_begin(struct operation *op, struct decant_iter *it, size_t len,
		      uint64_t pos)
{
	int err = 0;

	op->plain = op->gathered = false;
	if (!op->file->positions || !len || len > PLAIN_BYTES ||
	    !find_piece(op, it, len, pos))
		return 1;
	if (!op->gathered)
		err = uring_fixed_need(op->ring, op->one.region);
	if (!err && op->code == REQUEST_WRITE && op->file->info.direct)
		err = uring_claim(op, pos, len);
	if (err && err != -EBUSY) {
		uring_disown(op);
		return err;
	}
	plan(op, pos);
	op->plain = true;
	return decant_iter_advance(it, len);
}

bool uring_plain_complete(struct operation *op)
{
	struct decant_uring_stats *stats = &op->ring->stats;
	size_t len = op->one.len;

	if (op->request.result != (ssize_t)len)
		return false;
	if (!op->file->info.direct)
		stats->buffered_bytes += len;
	else if (op->gathered)
		stats->staged_bytes += len;
	else
		stats->direct_bytes += len;
	return true;
}

void uring_plain_end(struct operation *op)
{
	struct leg *body = &op->legs[LEG_BODY];

	op->plain = false;
	(void)uring_message_begin(op, NULL);
	uring_lay(op, (uint64_t)op->request.offset);
	op->leg = body;
	op->after = body->iter;
	op->before = 0;
	op->asked = op->sink.bytes = op->one.len;
	decant_iter_advance(&op->after, op->asked);
}
