/* SPDX-License-Identifier: MIT */
/* sqe.c - a request in the words of io_uring. */
#include <liburing.h>
#include "internal.h"
#include "opcodes.h"

static void fill_fixed(struct io_uring_sqe *sqe, const struct request *request)
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

/* One element needs no vector: the kernel saves a copy of the list. */
static void fill_transfer(struct io_uring_sqe *sqe, const struct request *request)
{
	const struct iovec *iov = request->iov;
	bool reads = request->code == REQUEST_READ;
	uint64_t offset = (uint64_t)request->offset;
	unsigned len = (unsigned)iov->iov_len;

	if (request->buffer >= 0)
		fill_fixed(sqe, request);
	else if (request->nr == 1)
		io_uring_prep_rw(reads ? IORING_OP_READ : IORING_OP_WRITE, sqe,
				 request->fd, iov->iov_base, len, offset);
	else
		io_uring_prep_rw(reads ? IORING_OP_READV : IORING_OP_WRITEV, sqe,
				 request->fd, iov, request->nr, offset);
	if (request->place < 0)
		return;
	sqe->fd = request->place;
	sqe->flags |= IOSQE_FIXED_FILE;
}

static void fill_zero_copy(struct io_uring_sqe *sqe, const struct request *request)
{
	const struct iovec *iov = request->iov;

	if (request->header)
		io_uring_prep_sendmsg_zc(sqe, request->fd, request->header,
					 (unsigned)request->flags);
	else
		io_uring_prep_send_zc(sqe, request->fd, iov->iov_base, iov->iov_len,
				      request->flags, 0);
	sqe->ioprio = URING_SEND_ZC_REPORT_USAGE;
	if (request->header || request->buffer < 0)
		return;
	sqe->ioprio |= IORING_RECVSEND_FIXED_BUF;
	sqe->buf_index = (uint16_t)request->buffer;
}

static void fill_message(struct io_uring_sqe *sqe, const struct request *request)
{
	bool sends = request->code == REQUEST_SEND;
	const struct iovec *iov = request->iov;

	if (request->zero_copy)
		fill_zero_copy(sqe, request);
	else if (request->header)
		io_uring_prep_rw(sends ? IORING_OP_SENDMSG : IORING_OP_RECVMSG, sqe,
				 request->fd, request->header, 1, 0);
	else
		io_uring_prep_rw(sends ? IORING_OP_SEND : IORING_OP_RECV, sqe,
				 request->fd, iov->iov_base, (unsigned)iov->iov_len, 0);
	sqe->msg_flags = (uint32_t)request->flags;
}

void uring_sqe_fill(struct io_uring_sqe *sqe, const struct request *request)
{
	switch (request->code) {
	case REQUEST_READ:
	case REQUEST_WRITE:
		fill_transfer(sqe, request);
		break;
	case REQUEST_SEND:
	case REQUEST_RECV:
		fill_message(sqe, request);
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
