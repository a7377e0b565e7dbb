/* SPDX-License-Identifier: MIT */
/* begin.c - the public calls that begin operations. */
#include <errno.h>
#include <decant/uring_socket.h>
#include "internal.h"

#define FLAGS (DECANT_URING_SHORT | DECANT_URING_COPY | DECANT_URING_ZERO_COPY)

static const enum request_code codes[] = {
	[DECANT_URING_READ] = REQUEST_READ,
	[DECANT_URING_WRITE] = REQUEST_WRITE,
	[DECANT_URING_FSYNC] = REQUEST_FSYNC,
};

#define CODES (sizeof(codes) / sizeof(codes[0]))

/* How many bytes it is about. */
static int measure(const struct decant_uring_operation *what, size_t *len)
{
	enum decant_direction wanted =
		what->code == DECANT_URING_READ ? DECANT_DEST : DECANT_SOURCE;

	*len = 0;
	if (what->code == DECANT_URING_FSYNC)
		return 0;
	if (what->it->direction != wanted)
		return -EINVAL;
	*len = what->len;
	if (*len > decant_iter_count(what->it))
		*len = decant_iter_count(what->it);
	if (what->file->positions &&
	    (what->pos > INT64_MAX || *len > INT64_MAX - what->pos))
		return -EOVERFLOW;
	return 0;
}

static void fill(struct operation *op, const struct decant_uring_operation *what)
{
	op->file = what->file;
	op->user = what->user;
	op->code = codes[what->code];
	op->flags = what->flags;
	op->deadline = 0;
	op->stopped = 0;
	op->unasked = false;
}

static void limit(struct operation *op, int64_t deadline)
{
	if (!deadline)
		return;
	if (deadline <= uring_now()) {
		op->stopped = -ETIMEDOUT;
		return;
	}
	op->deadline = deadline;
	uring_deadline_add(op);
}

static int prepare(struct operation *op, const struct decant_uring_operation *what,
		   size_t len)
{
	int err = uring_plain_begin(op, what->it, len, what->pos);

	if (err <= 0)
		return err;
	err = uring_message_begin(op, what->message);
	if (!err)
		err = uring_prepare(op, what->it, len, what->pos);
	if (err)
		uring_message_end(op);
	return err;
}

static int begin(struct decant_uring *ring, const struct decant_uring_operation *what)
{
	struct request *request;
	struct operation *op;
	size_t len;
	int err = measure(what, &len);

	if (err)
		return err;
	if (uring_forked(ring))
		return -ECHILD;
	request = request_pop(&ring->idle);
	if (!request)
		return -EAGAIN;
	op = request_operation(request);
	fill(op, what);
	err = prepare(op, what, len);
	if (err) {
		uring_idle(op);
		return err;
	}
	limit(op, what->deadline);
	uring_start(op);
	ring->active++;
	/* What goes wrong with it, the next call to wait says as well. */
	if (++ring->begun >= ring->batch)
		(void)decant_uring_submit(ring);
	return 0;
}

int decant_uring_begin(struct decant_uring *ring,
		       const struct decant_uring_operation *operation)
{
	int err;

	if (operation->size != sizeof(*operation) || operation->code >= CODES ||
	    operation->flags & ~FLAGS || operation->deadline < 0)
		return -EINVAL;
	err = uring_message_check(operation);
	return err ? err : begin(ring, operation);
}

static struct decant_uring_operation transfer(enum decant_uring_code code,
					      struct decant_uring_file *file,
					      struct decant_iter *it, size_t len,
					      void *user)
{
	return (struct decant_uring_operation){
		.code = code, .file = file, .it = it, .len = len, .user = user};
}

int decant_uring_read(struct decant_uring *ring, struct decant_uring_file *file,
		      struct decant_iter *it, size_t len, uint64_t pos, void *user)
{
	struct decant_uring_operation what =
		transfer(DECANT_URING_READ, file, it, len, user);

	what.pos = pos;
	return begin(ring, &what);
}

int decant_uring_write(struct decant_uring *ring, struct decant_uring_file *file,
		       struct decant_iter *it, size_t len, uint64_t pos, void *user)
{
	struct decant_uring_operation what =
		transfer(DECANT_URING_WRITE, file, it, len, user);

	what.pos = pos;
	return begin(ring, &what);
}

int decant_uring_fsync(struct decant_uring *ring, struct decant_uring_file *file,
		       void *user)
{
	struct decant_uring_operation what =
		transfer(DECANT_URING_FSYNC, file, NULL, 0, user);

	return begin(ring, &what);
}

static int begin_message(struct decant_uring *ring, struct decant_uring_operation what,
			 struct decant_uring_message *message)
{
	int err = -ENOTSOCK;

	what.message = message;
	if (what.file->socket)
		err = uring_message_check(&what);
	return err ? err : begin(ring, &what);
}

int decant_uring_send(struct decant_uring *ring, struct decant_uring_file *file,
		      struct decant_iter *it, size_t len,
		      struct decant_uring_message *message, void *user)
{
	return begin_message(ring, transfer(DECANT_URING_WRITE, file, it, len, user),
			     message);
}

int decant_uring_recv(struct decant_uring *ring, struct decant_uring_file *file,
		      struct decant_iter *it, size_t len,
		      struct decant_uring_message *message, void *user)
{
	return begin_message(ring, transfer(DECANT_URING_READ, file, it, len, user),
			     message);
}
