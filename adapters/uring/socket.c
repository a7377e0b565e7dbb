/* SPDX-License-Identifier: MIT */
/*
 * socket.c - what a socket transfers at once: bytes, or a message with its address and
 * control data; and whether the kernel shall copy it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <decant/uring_socket.h>
#include "internal.h"

#define SEND_FLAGS (MSG_MORE | MSG_OOB | MSG_EOR | MSG_CONFIRM | MSG_DONTROUTE)
#define RECV_FLAGS (MSG_PEEK | MSG_OOB | MSG_CMSG_CLOEXEC)

/* Smaller pieces cost more to pin than to copy, whatever they come to together. */
#define PIECE_BYTES 4096u

/* So many requests in a row that the kernel copied after all are taken as its answer. */
#define COPIED_MAX 8u

int uring_socket_open(struct decant_uring_file *file)
{
	int type;
	socklen_t len = sizeof(type);

	if (getsockopt(file->fd, SOL_SOCKET, SO_TYPE, &type, &len))
		return -errno;
	file->socket = true;
	file->messages = type != SOCK_STREAM;
	return 0;
}

int uring_message_check(const struct decant_uring_operation *what)
{
	const struct decant_uring_message *message = what->message;
	unsigned flags = what->code == DECANT_URING_READ ? RECV_FLAGS : SEND_FLAGS;

	if (!message)
		return 0;
	if (what->code == DECANT_URING_FSYNC || message->size != sizeof(*message) ||
	    message->flags & ~flags ||
	    message->name_len > sizeof(struct sockaddr_storage))
		return -EINVAL;
	return what->file->socket ? 0 : -ENOTSOCK;
}

static void set_receiver(struct operation *op, struct decant_uring_message *message)
{
	op->message = message;
	op->header.msg_name = message->name;
	op->header.msg_namelen = message->name_len;
	op->header.msg_control = message->control;
	op->header.msg_controllen = op->control_room = message->control_len;
	message->received = 0;
}

/* Address and control data as they are now: the caller's may go. */
static int set_sender(struct operation *op, const struct decant_uring_message *message)
{
	size_t control = (message->name_len + 15u) & ~(size_t)15;
	struct msghdr *header = &op->header;

	if (!message->name_len && !message->control_len)
		return 0;
	op->copied = malloc(control + message->control_len);
	if (!op->copied)
		return -ENOMEM;
	if (message->name_len) {
		header->msg_name = op->copied;
		header->msg_namelen = message->name_len;
		memcpy(op->copied, message->name, message->name_len);
	}
	if (message->control_len) {
		header->msg_control = op->copied + control;
		header->msg_controllen = message->control_len;
		memcpy(header->msg_control, message->control, message->control_len);
	}
	return 0;
}

int uring_message_begin(struct operation *op, struct decant_uring_message *message)
{
	op->header = (struct msghdr){0};
	op->message = NULL;
	op->message_flags = message ? (int)message->flags : 0;
	op->single = op->file->messages && op->code != REQUEST_FSYNC;
	op->delivered = false;
	op->request.zero_copy = false;
	op->request.copied = op->request.spared = 0;
	if (!message)
		return 0;
	if (op->code != REQUEST_READ)
		return set_sender(op, message);
	set_receiver(op, message);
	return 0;
}

void uring_message_end(struct operation *op)
{
	if (op->copied)
		free(op->copied);
	op->copied = NULL;
}

/* A deadline could not be kept: the memory is the kernel's until the peer has it. */
static bool wants_zero_copy(const struct operation *op)
{
	const struct decant_uring *ring = op->ring;
	unsigned nr = op->request.nr;

	if (op->request.code != REQUEST_SEND || !ring->zero_copy || !nr ||
	    op->stage.bytes || op->flags & DECANT_URING_COPY)
		return false;
	if (op->flags & DECANT_URING_ZERO_COPY)
		return true;
	return !op->deadline && op->asked >= ring->zero_copy_bytes &&
	       op->asked / nr >= PIECE_BYTES &&
	       __atomic_load_n(&op->file->copied, __ATOMIC_RELAXED) < COPIED_MAX;
}

void uring_socket_plan(struct operation *op)
{
	struct request *request = &op->request;
	struct msghdr *header = &op->header;
	bool sends = op->code == REQUEST_WRITE;

	request->code = sends ? REQUEST_SEND : REQUEST_RECV;
	request->flags = op->message_flags | (sends ? MSG_NOSIGNAL : 0);
	if (sends && !op->single && decant_iter_count(&op->after))
		request->flags |= MSG_MORE;
	header->msg_iov = request->iov;
	header->msg_iovlen = request->nr;
	header->msg_flags = 0;
	if (op->message)
		header->msg_controllen = op->control_room;
	request->header = NULL;
	if (request->nr != 1 || op->message || header->msg_name || header->msg_control)
		request->header = header;
	request->zero_copy = wants_zero_copy(op);
	op->ring->stats.zero_copy += request->zero_copy;
}

/* What ends a receive before there is enough: what comes behind is another thing. */
static bool received(struct operation *op)
{
	struct decant_uring_message *message = op->message;

	if (!message)
		return false;
	message->received = (unsigned)op->header.msg_flags;
	message->name_len = op->header.msg_namelen;
	message->control_len = op->header.msg_controllen;
	return message->control_len || op->message_flags & (MSG_PEEK | MSG_OOB);
}

bool uring_socket_arrived(struct operation *op)
{
	op->delivered = true;
	if (op->code == REQUEST_READ)
		return received(op) || op->single;
	op->header.msg_control = NULL;
	op->header.msg_controllen = 0;
	return op->single;
}

/*
 * What a socket can't, what is too much for a limit on pinned memory, and a datagram in
 * more fragments than a packet has room for: all go as a copy.
 */
bool uring_zero_copy_refused(struct operation *op, ssize_t result)
{
	struct request *request = &op->request;

	if (!request->zero_copy || result >= 0)
		return false;
	if (result == -EOPNOTSUPP || result == -EINVAL)
		__atomic_store_n(&op->file->copied, COPIED_MAX, __ATOMIC_RELAXED);
	else if (result != -ENOBUFS && result != -ENOMEM && result != -EMSGSIZE)
		return false;
	request->zero_copy = false;
	op->ring->stats.zero_copy--;
	return true;
}

void uring_zero_copy_account(struct operation *op)
{
	struct request *request = &op->request;
	unsigned *copied = &op->file->copied;

	if (request->spared) {
		__atomic_store_n(copied, 0, __ATOMIC_RELAXED);
	} else if (request->copied > 0) {
		op->ring->stats.zero_copied += (unsigned)request->copied;
		__atomic_fetch_add(copied, (unsigned)request->copied, __ATOMIC_RELAXED);
	}
	request->copied = request->spared = 0;
}
