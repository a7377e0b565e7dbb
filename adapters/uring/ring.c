/* SPDX-License-Identifier: MIT */
/*
 * ring.c - back end: io_uring. An operation has one request at a time and the submission
 * queue has room for every operation, so it can't be full.
 */
#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include "internal.h"
#include "opcodes.h"

struct backend {
	struct io_uring uring;
};

/* IORING_FEAT_RW_CUR_POS: an offset of -1 is the only way to read a pipe. */
static int ring_init(struct io_uring *uring, unsigned depth)
{
	int err = io_uring_queue_init(depth, uring, 0);

	if (err)
		return err;
	if (uring->features & IORING_FEAT_RW_CUR_POS)
		return 0;
	io_uring_queue_exit(uring);
	return -ENOSYS;
}

static int ring_start(struct backend **out, unsigned depth)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	int err;

	if (!backend)
		return -ENOMEM;
	err = ring_init(&backend->uring, depth);
	if (err) {
		free(backend);
		return err;
	}
	*out = backend;
	return 0;
}

static void ring_stop(struct backend *backend)
{
	io_uring_queue_exit(&backend->uring);
	free(backend);
}

static int ring_fd(const struct backend *backend)
{
	return backend->uring.ring_fd;
}

static void prepare_fixed(struct io_uring_sqe *sqe, const struct request *request)
{
	const struct iovec *iov = request->iov;
	bool reads = request->code == REQUEST_READ;
	int one = reads ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED;
	int many = reads ? URING_OP_READV_FIXED : URING_OP_WRITEV_FIXED;
	uint64_t offset = (uint64_t)request->offset;

	if (request->nr == 1)
		io_uring_prep_rw(one, sqe, request->fd, iov->iov_base,
				 (unsigned)iov->iov_len, offset);
	else
		io_uring_prep_rw(many, sqe, request->fd, iov, request->nr, offset);
	sqe->buf_index = (uint16_t)request->buffer;
}

static bool is_fixed(const struct request *request)
{
	return (request->code == REQUEST_READ || request->code == REQUEST_WRITE) &&
	       request->buffer >= 0;
}

/* One element needs no vector: the kernel saves a copy of the list. */
static void prepare(struct io_uring_sqe *sqe, const struct request *request)
{
	const struct iovec *iov = request->iov;
	bool one = request->nr == 1;
	uint64_t offset = (uint64_t)request->offset;

	switch (request->code) {
	case REQUEST_READ:
		if (one)
			io_uring_prep_read(sqe, request->fd, iov->iov_base,
					   (unsigned)iov->iov_len, offset);
		else
			io_uring_prep_readv(sqe, request->fd, iov, request->nr, offset);
		break;
	case REQUEST_WRITE:
		if (one)
			io_uring_prep_write(sqe, request->fd, iov->iov_base,
					    (unsigned)iov->iov_len, offset);
		else
			io_uring_prep_writev(sqe, request->fd, iov, request->nr, offset);
		break;
	case REQUEST_FSYNC:
		io_uring_prep_fsync(sqe, request->fd, 0);
		break;
	case REQUEST_POLL:
		io_uring_prep_poll_add(sqe, request->fd, (unsigned)request->poll);
		break;
	case REQUEST_NOP:
		io_uring_prep_nop(sqe);
		break;
	}
}

static void ring_queue(struct backend *backend, struct request *request)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&backend->uring);

	assert(sqe);
	if (is_fixed(request))
		prepare_fixed(sqe, request);
	else
		prepare(sqe, request);
	io_uring_sqe_set_data(sqe, request);
}

/* What the kernel can't take at the moment stays in the queue for the next time. */
static bool try_later(int err)
{
	return err == -EAGAIN || err == -EBUSY || err == -EINTR;
}

static int ring_flush(struct backend *backend)
{
	int err = io_uring_submit(&backend->uring);

	return err < 0 && !try_later(err) ? err : 0;
}

static int ring_wait(struct backend *backend, int timeout)
{
	struct pollfd pfd = {.fd = backend->uring.ring_fd, .events = POLLIN};
	int err;

	if (timeout < 0) {
		err = io_uring_submit_and_wait(&backend->uring, 1);
		return err < 0 && !try_later(err) ? err : 0;
	}
	err = ring_flush(backend);
	if (!err && poll(&pfd, 1, timeout) < 0 && errno != EINTR)
		err = -errno;
	return err;
}

static struct request *ring_reap(struct backend *backend)
{
	struct request *request;
	struct io_uring_cqe *cqe;

	if (io_uring_peek_cqe(&backend->uring, &cqe))
		return NULL;
	request = io_uring_cqe_get_data(cqe);
	request->result = cqe->res;
	io_uring_cqe_seen(&backend->uring, cqe);
	return request;
}

static bool can_fixed_vectors(struct io_uring *uring)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(uring);
	bool can = probe && io_uring_opcode_supported(probe, URING_OP_READV_FIXED) &&
		   io_uring_opcode_supported(probe, URING_OP_WRITEV_FIXED);

	if (probe)
		io_uring_free_probe(probe);
	return can;
}

static int ring_buffers(struct backend *backend, unsigned nr, bool *vectored)
{
	*vectored = can_fixed_vectors(&backend->uring);
	return io_uring_register_buffers_sparse(&backend->uring, nr);
}

static int ring_set_buffer(struct backend *backend, unsigned slot, void *addr, size_t len)
{
	struct iovec iov = {addr, len};
	int n = io_uring_register_buffers_update_tag(&backend->uring, slot, &iov, NULL,
						     1);

	return n < 0 ? n : 0;
}

const struct backend_ops uring_backend_ring = {
	.id = DECANT_URING_RING,
	.start = ring_start,
	.stop = ring_stop,
	.fd = ring_fd,
	.queue = ring_queue,
	.flush = ring_flush,
	.wait = ring_wait,
	.reap = ring_reap,
	.buffers = ring_buffers,
	.set_buffer = ring_set_buffer,
};
