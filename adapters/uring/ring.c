/* SPDX-License-Identifier: MIT */
/* ring.c - back end: io_uring. */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "internal.h"
#include "opcodes.h"

#define TAG_IGNORED NULL /* of a request that nobody waits for */
#define TAG_ALARM   ((void *)1)

struct backend {
	struct io_uring uring;
	bool one_thread;
	int event_fd;		  /* of a ring for one thread; -1 until it is asked for */
	struct request_list late; /* for which the submission queue had no room */
	int64_t alarm;		  /* nanoseconds, or 0 */
	struct __kernel_timespec alarm_time;
};

/* What must be there: waiting with a time, and an offset of -1 to read a pipe. */
#define FEATURES (IORING_FEAT_RW_CUR_POS | IORING_FEAT_EXT_ARG)

/*
 * Completions that need this thread are worked off when it comes by, not by interrupting
 * it; of a ring for one thread, when it asks for completions, in one go. Older kernels
 * know less.
 */
static int queue_init(struct io_uring *uring, unsigned depth, bool one_thread)
{
	static const unsigned some = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_TASKRUN_FLAG;
	const unsigned ways[] = {one_thread ? some | IORING_SETUP_SINGLE_ISSUER |
						      IORING_SETUP_DEFER_TASKRUN
					    : some | IORING_SETUP_COOP_TASKRUN,
				 some | IORING_SETUP_COOP_TASKRUN, 0};
	int err = -EINVAL;

	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways) && err == -EINVAL; i++)
		err = io_uring_queue_init(depth, uring, ways[i]);
	/* Its place in the thread's table saves a look-up in each call. */
	if (!err && one_thread)
		(void)io_uring_register_ring_fd(uring);
	return err;
}

static int ring_init(struct io_uring *uring, unsigned depth, bool one_thread)
{
	int err = queue_init(uring, depth, one_thread);

	if (err)
		return err;
	if ((uring->features & FEATURES) == FEATURES)
		return 0;
	io_uring_queue_exit(uring);
	return -ENOSYS;
}

static int ring_start(struct backend **out, unsigned depth, bool one_thread)
{
	struct backend *backend = calloc(1, sizeof(*backend));
	int err;

	if (!backend)
		return -ENOMEM;
	err = ring_init(&backend->uring, depth, one_thread);
	if (err) {
		free(backend);
		return err;
	}
	TAILQ_INIT(&backend->late);
	backend->one_thread = one_thread;
	backend->event_fd = -1;
	*out = backend;
	return 0;
}

static void ring_stop(struct backend *backend)
{
	io_uring_queue_exit(&backend->uring);
	if (backend->event_fd >= 0)
		close(backend->event_fd);
	free(backend);
}

/* Its mappings and descriptor are ours; what they lead to is the parent's. */
static void ring_abandon(struct backend *backend)
{
	ring_stop(backend);
}

/* What the kernel can't take at the moment stays in the queue for the next time. */
static bool try_later(int err)
{
	return err == -EAGAIN || err == -EBUSY || err == -EINTR;
}

/*
 * What an error says about the ring: 0, and it goes on. In a thread that it is not for,
 * its registered descriptor is not there.
 */
static int verdict(const struct backend *backend, int err)
{
	if (err >= 0 || try_later(err))
		return 0;
	return backend->one_thread && err == -EINVAL ? -EEXIST : err;
}

/* Whether there are completions, or work for this thread that will become some. */
static bool is_due(const struct backend *backend)
{
	return io_uring_cq_ready(&backend->uring) ||
	       IO_URING_READ_ONCE(*backend->uring.sq.kflags) &
		       (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/* The kernel signals before anybody could look, or after. */
static void signal_if_due(struct backend *backend)
{
	if (is_due(backend))
		eventfd_write(backend->event_fd, 1);
}

/* With the last of them the descriptor is no longer readable. */
static void calm(struct backend *backend)
{
	eventfd_t count;

	if (backend->event_fd < 0 || is_due(backend))
		return;
	eventfd_read(backend->event_fd, &count);
	signal_if_due(backend);
}

static int make_event_fd(struct backend *backend)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	err = io_uring_register_eventfd(&backend->uring, fd);
	if (err) {
		close(fd);
		return verdict(backend, err);
	}
	backend->event_fd = fd;
	signal_if_due(backend);
	return fd;
}

/* Work that is deferred to its thread wakes nobody who sleeps on the ring itself. */
static int ring_fd(struct backend *backend)
{
	if (!backend->one_thread)
		return backend->uring.ring_fd;
	return backend->event_fd < 0 ? make_event_fd(backend) : backend->event_fd;
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
	else
		uring_sqe_fill(sqe, request);
	io_uring_sqe_set_data(sqe, request);
	return true;
}

/* In their order: none overtakes those that are late. */
static void ring_queue(struct backend *backend, struct request *request)
{
	request->cancelled = false;
	if (!TAILQ_EMPTY(&backend->late) || !queue_now(backend, request))
		request_push(&backend->late, request);
}

static void queue_late(struct backend *backend)
{
	struct request *request;

	while ((request = TAILQ_FIRST(&backend->late)) && queue_now(backend, request))
		request_take(request);
}

static int ring_flush(struct backend *backend)
{
	queue_late(backend);
	if (!io_uring_sq_ready(&backend->uring))
		return 0;
	return verdict(backend, io_uring_submit(&backend->uring));
}

/* Without a wait: the kernel would set up a timer even for no time at all. */
static int look(struct backend *backend)
{
	if (!io_uring_sq_ready(&backend->uring) && !is_due(backend))
		return 0;
	return verdict(backend, io_uring_submit_and_get_events(&backend->uring));
}

static int ring_wait(struct backend *backend, int64_t timeout)
{
	struct __kernel_timespec left = {timeout / 1000000000, timeout % 1000000000};
	struct io_uring_cqe *cqe;
	int err;

	queue_late(backend);
	if (!timeout)
		return look(backend);
	err = io_uring_submit_and_wait_timeout(&backend->uring, &cqe, 1,
					       timeout < 0 ? NULL : &left, NULL);
	return err == -ETIME ? 0 : verdict(backend, err);
}

static void alarm_rang(struct backend *backend, int result)
{
	if (result != -ECANCELED)
		backend->alarm = 0;
}

/* The kernel let go of memory; whether that is what the request waits for. */
static bool let_go(struct request *request, int result)
{
	if ((unsigned)result & URING_NOTIF_COPIED)
		request->copied++;
	else
		request->spared++;
	return !--request->pending && request->held;
}

static bool completes(struct request *request, const struct io_uring_cqe *cqe)
{
	if (cqe->flags & IORING_CQE_F_NOTIF)
		return let_go(request, cqe->res);
	if (cqe->flags & IORING_CQE_F_MORE)
		request->pending++;
	/* The notification of what was not sent at all will say that it was copied. */
	if (cqe->flags & IORING_CQE_F_MORE && cqe->res < 0)
		request->copied--;
	request->result = request->cancelled ? -ECANCELED : cqe->res;
	return true;
}

/* The request that this completes, or NULL. */
static struct request *completed(struct backend *backend, const struct io_uring_cqe *cqe)
{
	struct request *request = io_uring_cqe_get_data(cqe);

	if ((void *)request == TAG_ALARM)
		alarm_rang(backend, cqe->res);
	else if (request != TAG_IGNORED && completes(request, cqe))
		return request;
	return NULL;
}

/* What is in the queue; liburing would ask the kernel for more, which is for @wait. */
static struct request *ring_reap(struct backend *backend)
{
	const struct io_uring_cq *queue = &backend->uring.cq;
	struct request *request = NULL;

	while (!request && io_uring_cq_ready(&backend->uring)) {
		request = completed(backend,
				    &queue->cqes[*queue->khead & queue->ring_mask]);
		io_uring_cq_advance(&backend->uring, 1);
	}
	calm(backend);
	return request;
}

/* Whether the kernel has both opcodes. */
static bool has_both(struct io_uring *uring, int a, int b)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(uring);
	bool has = probe && io_uring_opcode_supported(probe, a) &&
		   io_uring_opcode_supported(probe, b);

	if (probe)
		io_uring_free_probe(probe);
	return has;
}

/* Only where it also says whether it was of use. */
static bool ring_zero_copy(struct backend *backend)
{
	return backend->uring.features & URING_FEAT_REG_REG_RING &&
	       has_both(&backend->uring, IORING_OP_SEND_ZC, IORING_OP_SENDMSG_ZC);
}

static int ring_buffers(struct backend *backend, unsigned nr, bool *vectored)
{
	*vectored =
		has_both(&backend->uring, URING_OP_READV_FIXED, URING_OP_WRITEV_FIXED);
	return io_uring_register_buffers_sparse(&backend->uring, nr);
}

static int ring_set_buffer(struct backend *backend, unsigned slot, void *addr, size_t len)
{
	struct iovec iov = {addr, len};
	int n = io_uring_register_buffers_update_tag(&backend->uring, slot, &iov, NULL,
						     1);

	return n < 0 ? n : 0;
}

static int ring_files(struct backend *backend, unsigned nr)
{
	return io_uring_register_files_sparse(&backend->uring, nr);
}

static int ring_set_file(struct backend *backend, unsigned slot, int fd)
{
	int n = io_uring_register_files_update(&backend->uring, slot, &fd, 1);

	return n < 0 ? n : 0;
}

/* What is late the kernel never saw: it goes as one that does nothing. */
static bool ring_cancel(struct backend *backend, struct request *request)
{
	struct io_uring_sqe *sqe;

	request->cancelled = request->list == &backend->late;
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
	.abandon = ring_abandon,
	.fd = ring_fd,
	.queue = ring_queue,
	.flush = ring_flush,
	.wait = ring_wait,
	.reap = ring_reap,
	.zero_copy = ring_zero_copy,
	.buffers = ring_buffers,
	.set_buffer = ring_set_buffer,
	.files = ring_files,
	.set_file = ring_set_file,
	.cancel = ring_cancel,
	.alarm = ring_alarm,
};
