/* SPDX-License-Identifier: MIT */
/* ring.c - back end: io_uring. */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include "internal.h"
#include "opcodes.h"

#define TAG_IGNORED NULL /* of a request that nobody waits for */
#define TAG_ALARM   ((void *)1)

struct backend {
	struct io_uring uring;
	struct request_list late; /* for which the submission queue had no room */
	int64_t alarm;		  /* nanoseconds, or 0 */
	struct __kernel_timespec alarm_time;
};

/* What must be there: waiting with a time, and an offset of -1 to read a pipe. */
#define FEATURES (IORING_FEAT_RW_CUR_POS | IORING_FEAT_EXT_ARG)

static int ring_init(struct io_uring *uring, unsigned depth)
{
	int err = io_uring_queue_init(depth, uring, 0);

	if (err)
		return err;
	if ((uring->features & FEATURES) == FEATURES)
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
	request_list_init(&backend->late);
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

/* What the kernel can't take at the moment stays in the queue for the next time. */
static bool try_later(int err)
{
	return err == -EAGAIN || err == -EBUSY || err == -EINTR;
}

/* With @nr entries, or NULL: they belong together. */
static struct io_uring_sqe *get_sqe(struct backend *backend, unsigned nr)
{
	if (io_uring_sq_space_left(&backend->uring) < nr)
		io_uring_submit(&backend->uring);
	if (io_uring_sq_space_left(&backend->uring) < nr)
		return NULL;
	return io_uring_get_sqe(&backend->uring);
}

static bool queue_now(struct backend *backend, struct request *request)
{
	struct io_uring_sqe *sqe = get_sqe(backend, 1);

	if (!sqe)
		return false;
	if (request->cancelled)
		io_uring_prep_nop(sqe);
	else if (is_fixed(request))
		prepare_fixed(sqe, request);
	else
		prepare(sqe, request);
	io_uring_sqe_set_data(sqe, request);
	return true;
}

/* In their order: none overtakes those that are late. */
static void ring_queue(struct backend *backend, struct request *request)
{
	request->cancelled = false;
	if (backend->late.head || !queue_now(backend, request))
		request_list_push(&backend->late, request);
}

static void queue_late(struct backend *backend)
{
	struct request *request;

	while ((request = backend->late.head) && queue_now(backend, request))
		request_list_pop(&backend->late);
}

static int ring_flush(struct backend *backend)
{
	int err;

	queue_late(backend);
	err = io_uring_submit(&backend->uring);
	return err < 0 && !try_later(err) ? err : 0;
}

static int ring_wait(struct backend *backend, int64_t timeout)
{
	struct __kernel_timespec left = {timeout / 1000000000, timeout % 1000000000};
	struct io_uring_cqe *cqe;
	int err;

	queue_late(backend);
	err = io_uring_submit_and_wait_timeout(&backend->uring, &cqe, 1,
					       timeout < 0 ? NULL : &left, NULL);
	return err < 0 && err != -ETIME && !try_later(err) ? err : 0;
}

static void alarm_rang(struct backend *backend, int result)
{
	if (result != -ECANCELED)
		backend->alarm = 0;
}

static struct request *ring_reap(struct backend *backend)
{
	struct request *request = NULL;
	struct io_uring_cqe *cqe;

	while (!request && !io_uring_peek_cqe(&backend->uring, &cqe)) {
		request = io_uring_cqe_get_data(cqe);
		if ((void *)request == TAG_ALARM) {
			alarm_rang(backend, cqe->res);
			request = TAG_IGNORED;
		} else if (request) {
			request->result = request->cancelled ? -ECANCELED : cqe->res;
		}
		io_uring_cqe_seen(&backend->uring, cqe);
	}
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

static bool is_late(const struct backend *backend, const struct request *request)
{
	const struct request *late = backend->late.head;

	while (late && late != request)
		late = late->next;
	return late;
}

/* What is late the kernel never saw: it goes as one that does nothing. */
static bool ring_cancel(struct backend *backend, struct request *request)
{
	struct io_uring_sqe *sqe;

	request->cancelled = is_late(backend, request);
	if (request->cancelled)
		return true;
	sqe = get_sqe(backend, 1);
	if (!sqe)
		return false;
	io_uring_prep_cancel(sqe, request, 0);
	io_uring_sqe_set_data(sqe, TAG_IGNORED);
	return true;
}

static void ring_alarm(struct backend *backend, int64_t at)
{
	struct io_uring_sqe *sqe;

	if (backend->alarm && backend->alarm <= at)
		return;
	sqe = get_sqe(backend, 2);
	if (!sqe)
		return;
	if (backend->alarm) {
		io_uring_prep_timeout_remove(sqe, (uintptr_t)TAG_ALARM, 0);
		io_uring_sqe_set_data(sqe, TAG_IGNORED);
		sqe = io_uring_get_sqe(&backend->uring);
	}
	backend->alarm = at;
	backend->alarm_time =
		(struct __kernel_timespec){at / 1000000000, at % 1000000000};
	io_uring_prep_timeout(sqe, &backend->alarm_time, 0, IORING_TIMEOUT_ABS);
	io_uring_sqe_set_data(sqe, TAG_ALARM);
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
	.cancel = ring_cancel,
	.alarm = ring_alarm,
};
