/* SPDX-License-Identifier: MIT */
#ifndef DECANT_URING_SOCKET_H
#define DECANT_URING_SOCKET_H
#include <sys/socket.h>
#include <decant/uring.h>

DECANT_BEGIN

/*
 * uring_socket.h - sockets: connected ones, or such as need an address with each
 * message. Making, binding, connecting and accepting them is the caller's;
 * decant_uring_file_open() takes them as any other descriptor, blocking or not.
 *
 * A stream (SOCK_STREAM) has bytes: short transfers are continued, an error that comes
 * after bytes is the result of the next operation in that direction, and the order of
 * bytes of operations under way in one direction at the same time is anyone's guess. All
 * other sockets have messages: one operation is one message, also an empty one, however
 * the iterator is cut. SIGPIPE is never raised.
 *
 * Zero-copy. Where the kernel can (Linux 6.3, TCP and UDP), what is sent in large enough
 * pieces is not copied; the event then comes when the kernel needs the memory no more,
 * that is, for TCP when the peer has acknowledged it. So it can be late for as long as
 * the peer is silent, also when the operation was cancelled: see TCP_USER_TIMEOUT in
 * tcp(7).
 * Operations with a deadline are copied unless told not to. On an interface that has to
 * copy anyway, such as the loopback, the kernel says so after the fact; a socket of which
 * it said so several times is no longer tried.
 */

/**
 * struct decant_uring_message - what belongs to a message besides its bytes
 * @size: sizeof(struct decant_uring_message)
 * @flags: as in sendmsg(2): MSG_MORE, MSG_OOB, MSG_EOR, MSG_CONFIRM, MSG_DONTROUTE; as in
 *	recvmsg(2): MSG_PEEK, MSG_OOB, MSG_CMSG_CLOEXEC
 * @received: out: what recvmsg(2) said in msg_flags: MSG_TRUNC (the message was longer),
 *	MSG_CTRUNC, MSG_EOR, MSG_OOB
 * @name: an address, or NULL: where to, or room for where from
 * @name_len: bytes of it, at most sizeof(struct sockaddr_storage); out: as recvmsg(2)
 * @control: control data (cmsg(3)), or NULL: to be sent, or room for what comes
 * @control_len: bytes of it; out: how many came
 *
 * Sent, all of it is copied when the operation begins. Received, the struct and what it
 * points to must stay until the event, and are as they were if nothing came. Control data
 * goes and comes with the first bytes of a stream; what follows is another operation's.
 *
 * Since: 0.1
 */
struct decant_uring_message {
	size_t size;
	unsigned flags;
	unsigned received;
	void *name;
	socklen_t name_len;
	void *control;
	size_t control_len;
};

/**
 * decant_uring_send - begin to send from an iterator through a socket
 * @ring: the ring
 * @file: the socket; must stay until the event
 * @it: a source; advanced by the lesser of @len and what is left, unchanged on error
 * @len: bytes, or all that is left in @it if that is less; 0 sends an empty message
 *	through a socket that has messages, and nothing through a stream
 * @message: address, control data and flags, or NULL
 * @user: comes back in the event
 *
 * As DECANT_URING_WRITE, which sends through sockets as well. The memory must not change
 * until the event. A message in more pieces than sendmsg(2) takes is gathered in scratch
 * memory; one that is too long for that gives -EMSGSIZE.
 *
 * Return: 0, and there will be one event; -ENOTSOCK, -EAGAIN if as many operations as
 * the ring is deep are under way, -EINVAL if @it is a destination or @message is not
 * valid, or why @it could not be decanted (decant_iter_own()).
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_send(struct decant_uring *ring,
					     struct decant_uring_file *file,
					     struct decant_iter *it, size_t len,
					     struct decant_uring_message *message,
					     void *user);

/**
 * decant_uring_recv - begin to receive from a socket into an iterator
 * @ring: the ring
 * @file: the socket; must stay until the event
 * @it: a destination; advanced by the lesser of @len and what is left, unchanged on error
 * @len: bytes, or all that is left in @it if that is less
 * @message: what comes with the bytes, and flags, or NULL
 * @user: comes back in the event
 *
 * As DECANT_URING_READ, which receives from sockets as well. From a stream it waits until
 * there is enough, or the end; with DECANT_URING_SHORT (decant_uring_begin()) for the
 * first bytes. Else for one message; what does not fit of it is lost, and MSG_TRUNC in
 * @message says so.
 *
 * Return: 0, and there will be one event; -ENOTSOCK, -EAGAIN if as many operations as the
 * ring is deep are under way, -EINVAL if @it is a source or @message is not valid, or why
 * @it could not be decanted (decant_iter_own()).
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_recv(struct decant_uring *ring,
					     struct decant_uring_file *file,
					     struct decant_iter *it, size_t len,
					     struct decant_uring_message *message,
					     void *user);

DECANT_END
#endif
