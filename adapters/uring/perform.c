/* SPDX-License-Identifier: MIT */
/* perform.c - a request as a plain system call, for the back end of threads. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>
#include "internal.h"

static ssize_t perform_read(const struct request *request)
{
	int nr = (int)request->nr;

	if (request->offset < 0)
		return readv(request->fd, request->iov, nr);
	return preadv(request->fd, request->iov, nr, request->offset);
}

static ssize_t perform_write(const struct request *request)
{
	int nr = (int)request->nr;

	if (request->offset < 0)
		return writev(request->fd, request->iov, nr);
	return pwritev(request->fd, request->iov, nr, request->offset);
}

static ssize_t perform(const struct request *request)
{
	switch (request->code) {
	case REQUEST_READ:
		return perform_read(request);
	case REQUEST_WRITE:
		return perform_write(request);
	case REQUEST_FSYNC:
		return fsync(request->fd);
	case REQUEST_SEND:
	case REQUEST_RECV:
	case REQUEST_NOP:
	case REQUEST_POLL:
		break;
	}
	return 0;
}

static bool is_writable(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};

	return poll(&pfd, 1, 0) == 1 && pfd.revents == POLLOUT;
}

/*
 * A writer that must not wait and can't say so writes what a pipe that is writable has
 * room for in any case, as long as it is.
 */
static ssize_t write_little(const struct request *request)
{
	struct iovec left = request->iov[0], part;
	ssize_t n, done = 0;

	do {
		part = left;
		if (part.iov_len > PIPE_BUF)
			part.iov_len = PIPE_BUF;
		n = writev(request->fd, &part, 1);
		if (n <= 0)
			return done ? done : n;
		done += n;
		left.iov_base = (char *)left.iov_base + n;
		left.iov_len -= (size_t)n;
	} while (left.iov_len && is_writable(request->fd));
	return done;
}

/* As it is: nothing else is read from a file that has something to be read. */
static ssize_t attempt_anyway(const struct request *request)
{
	if (request->code == REQUEST_WRITE)
		return write_little(request);
	return perform_read(request);
}

static ssize_t attempt_message(const struct request *request)
{
	struct msghdr bytes = {.msg_iov = request->iov, .msg_iovlen = request->nr};
	struct msghdr *header = request->header ? request->header : &bytes;
	int flags = request->flags | MSG_DONTWAIT;

	if (request->code == REQUEST_SEND)
		return sendmsg(request->fd, header, flags);
	return recvmsg(request->fd, header, flags);
}

static ssize_t attempt(const struct request *request)
{
	int nr = (int)request->nr;
	ssize_t n;

	if (request->code == REQUEST_SEND || request->code == REQUEST_RECV)
		return attempt_message(request);
	if (request->code == REQUEST_READ)
		n = preadv2(request->fd, request->iov, nr, -1, RWF_NOWAIT);
	else if (request->code == REQUEST_WRITE)
		n = pwritev2(request->fd, request->iov, nr, -1, RWF_NOWAIT);
	else
		return perform(request);
	/* Linux before 6.4 knows no such pipes, many character devices not to this day */
	return n < 0 && errno == EOPNOTSUPP ? attempt_anyway(request) : n;
}

ssize_t uring_perform(const struct request *request)
{
	ssize_t n = perform(request);

	return n < 0 ? -errno : n;
}

ssize_t uring_attempt(const struct request *request)
{
	ssize_t n = attempt(request);

	return n < 0 ? -errno : n;
}

short uring_awaited(const struct request *request)
{
	switch (request->code) {
	case REQUEST_POLL:
		return request->poll;
	case REQUEST_READ:
	case REQUEST_RECV:
		return POLLIN;
	default:
		return POLLOUT;
	}
}
