/* SPDX-License-Identifier: MIT */
/*
 * edge.c - blocks of which a direct write changes only a part.
 *
 *	file	|...........|...........|...........|...........|
 *	caller	       [=================================]
 *	written	[ head      | blocks                | tail      ]
 *
 * Head and tail are read first, at once if they are near each other, and then written
 * together with the rest. The claim (claim.c) keeps other writes of these blocks away
 * from the first read to the end of the write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

static size_t block_of(const struct operation *op)
{
	return op->file->info.offset_align;
}

void uring_edges_begin(struct operation *op)
{
	const struct leg *leg = &op->legs[LEG_BODY];
	uint64_t mask = block_of(op) - 1, end = leg->pos + decant_iter_count(&leg->iter);
	struct edges *edges = &op->edges;
	uint64_t *pos = edges->pos;

	edges->next = edges->reading = 0;
	pos[EDGE_HEAD] = leg->pos & ~mask;
	pos[EDGE_TAIL] = end & ~mask;
	edges->wanted[EDGE_HEAD] = leg->direct && leg->pos & mask;
	edges->wanted[EDGE_TAIL] = leg->direct && end & mask;
	if (!edges->wanted[EDGE_HEAD])
		edges->next = edges->wanted[EDGE_TAIL] ? EDGE_TAIL : EDGES;
	else if (pos[EDGE_HEAD] == pos[EDGE_TAIL])
		edges->wanted[EDGE_TAIL] = false;
}

static int need_memory(struct operation *op)
{
	size_t size = EDGES * block_of(op);
	struct edges *edges = &op->edges;
	void *memory;

	if (size < EDGE_SPAN)
		size = EDGE_SPAN;
	if (edges->size >= size)
		return 0;
	if (posix_memalign(&memory, SCRATCH_ALIGN, size))
		return -ENOMEM;
	free(edges->memory);
	edges->memory = memory;
	edges->size = size;
	return 0;
}

/* Where the edges go, and how many bytes of the file from the next one on are read. */
static size_t lay_read(struct operation *op)
{
	struct edges *edges = &op->edges;
	uint64_t apart = edges->pos[EDGE_TAIL] - edges->pos[EDGE_HEAD];
	size_t block = block_of(op);
	bool both = edges->wanted[EDGE_HEAD] && edges->wanted[EDGE_TAIL];
	bool near = both && apart + block <= EDGE_SPAN;

	edges->bytes[EDGE_HEAD] = edges->memory;
	edges->bytes[EDGE_TAIL] = edges->memory + (near ? apart : block);
	edges->reading = near ? EDGES : 1;
	return near ? apart + block : block;
}

int uring_edges_plan(struct operation *op, bool *planned)
{
	struct edges *edges = &op->edges;
	struct request *request = &op->request;
	int err;

	*planned = edges->next < EDGES && op->leg->direct;
	if (!*planned)
		return 0;
	err = need_memory(op);
	if (err)
		return err;
	if (!edges->reading) {
		op->few[0].iov_len = lay_read(op);
		op->few[0].iov_base = edges->bytes[edges->next];
		request->offset = (int64_t)edges->pos[edges->next];
	}
	request->code = REQUEST_READ;
	request->fd = op->file->direct_fd;
	request->iov = op->few;
	request->nr = 1;
	request->buffer = -1;
	request->place = uring_file_place(op, true);
	return 0;
}

/* The edges that were read are there, or given up; which is next? */
static void finish_read(struct edges *edges)
{
	edges->next += edges->reading;
	edges->reading = 0;
	if (edges->next == EDGE_TAIL && !edges->wanted[EDGE_TAIL])
		edges->next = EDGES;
}

bool uring_edges_arrived(struct operation *op, size_t result)
{
	struct iovec *rest = op->few;

	rest->iov_base = (unsigned char *)rest->iov_base + result;
	rest->iov_len -= result;
	if (rest->iov_len && result && result % block_of(op) == 0) {
		op->request.offset += (int64_t)result;
		op->ring->stats.resumed++;
		return true;
	}
	op->ring->stats.edges += op->edges.reading;
	finish_read(&op->edges);
	return !rest->iov_len;
}

bool uring_edges_failed(struct operation *op)
{
	bool tail = op->edges.next == EDGE_TAIL && op->edges.wanted[EDGE_HEAD];

	finish_read(&op->edges);
	return tail;
}

void uring_edges_fill(const struct operation *op, uint64_t pos, unsigned char *block,
		      size_t before, size_t len)
{
	const struct edges *edges = &op->edges;
	bool is_head = edges->wanted[EDGE_HEAD] && pos == edges->pos[EDGE_HEAD];
	const unsigned char *bytes = edges->bytes[is_head ? EDGE_HEAD : EDGE_TAIL];
	size_t behind = before + len;

	memcpy(block, bytes, before);
	memcpy(block + behind, bytes + behind, block_of(op) - behind);
}

void uring_edges_fini(struct operation *op)
{
	free(op->edges.memory);
}
