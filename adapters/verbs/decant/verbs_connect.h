/* SPDX-License-Identifier: MIT */
#ifndef DECANT_VERBS_CONNECT_H
#define DECANT_VERBS_CONNECT_H
#include <decant/verbs_pair.h>

DECANT_BEGIN

/*
 * Connections by address, through rdma_cm(7). What is private data travels with the
 * request and with the answer. InfiniBand and RoCE fill it up with zeroes, so its length
 * is no message.
 *
 * A signal that is handled ends a wait with -EINTR, with SA_RESTART as well, as it does
 * poll(2); what had been begun is given up. One that comes just before the wait is not
 * noticed.
 */

struct decant_verbs_listener;
struct decant_verbs_call;

/* The most private data that goes with a request, an acceptance and a refusal, bytes. */
#define DECANT_VERBS_CONNECT_PRIVATE 56
#define DECANT_VERBS_ACCEPT_PRIVATE  196
#define DECANT_VERBS_REJECT_PRIVATE  148

/**
 * struct decant_verbs_connect_options - whom to connect to
 * @size: sizeof(struct decant_verbs_connect_options)
 * @node: the peer's address or host name
 * @service: its port, a number or a name
 * @source: the address here to connect from, NULL: the system's choice. The way must lead
 *	through the device of the queue pair.
 * @private_data: what the peer gets with the request; borrowed for the call
 * @private_len: its length, up to DECANT_VERBS_CONNECT_PRIVATE
 * @timeout: milliseconds for the whole, at least 0; 0 for 10,000
 *
 * Since: 0.1
 */
struct decant_verbs_connect_options {
	size_t size;
	const char *node;
	const char *service;
	const char *source;
	const void *private_data;
	size_t private_len;
	int timeout;
};

/**
 * decant_verbs_connect - connect, from the active side
 * @pair: the queue pair, not connected. Receives may be under way already.
 * @options: whom to
 *
 * Waits for the answer. Also when the peer refuses, decant_verbs_private() has what it
 * sent along. After an error it may be called again.
 *
 * Return: 0; -EINVAL for options that can't be, -EISCONN, -EADDRNOTAVAIL if a name or an
 * address means nothing here, -EXDEV if the way leads through another device,
 * -ECONNREFUSED if the peer refuses or nobody listens, -EHOSTUNREACH, -ETIMEDOUT, -EINTR
 * if a signal came meanwhile, or what rdma_cm(7) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_verbs_connect(struct decant_verbs_pair *pair,
		     const struct decant_verbs_connect_options *options);

/**
 * struct decant_verbs_listen_options - where to listen
 * @size: sizeof(struct decant_verbs_listen_options)
 * @node: an address or host name of this machine; NULL: all of them
 * @service: port, a number or a name; NULL: any free one
 * @backlog: how many may wait; 0 for 16
 *
 * Since: 0.1
 */
struct decant_verbs_listen_options {
	size_t size;
	const char *node;
	const char *service;
	int backlog;
};

/**
 * decant_verbs_listen - wait for peers that connect
 * @out: receives the listener; untouched on error
 * @verbs: the device that they come in through; who comes through another one is refused.
 *	It outlives the listener.
 * @options: NULL for defaults; copied
 *
 * Return: 0; -EINVAL for options that can't be, -EADDRNOTAVAIL (also for a port that is
 * taken, if rdma_bind_addr(3) says so), -EADDRINUSE, -ENOMEM, or what rdma_listen(3)
 * said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_verbs_listen(struct decant_verbs_listener **out, struct decant_verbs *verbs,
		    const struct decant_verbs_listen_options *options);

/**
 * decant_verbs_listener_free - listen no more
 * @listener: the listener, or NULL. Who called and was not answered yet is refused;
 *	connections stay. Calls that decant_verbs_call() gave are answered before.
 *
 * Since: 0.1
 */
DECANT_API void decant_verbs_listener_free(struct decant_verbs_listener *listener);

/**
 * decant_verbs_listener_port - where a listener listens
 * @listener: the listener
 *
 * Return: the port, in host byte order.
 * Since: 0.1
 */
DECANT_API unsigned
decant_verbs_listener_port(const struct decant_verbs_listener *listener);

/**
 * decant_verbs_listener_fd - a file descriptor to sleep on
 * @listener: the listener
 *
 * Return: the file descriptor, borrowed; readable when somebody calls.
 * Since: 0.1
 */
DECANT_API int decant_verbs_listener_fd(const struct decant_verbs_listener *listener);

/**
 * decant_verbs_call - wait until somebody calls
 * @listener: the listener
 * @out: receives the call, which decant_verbs_accept() or decant_verbs_reject() answers;
 *	untouched on error
 * @timeout: most milliseconds to wait; 0 doesn't
 *
 * Return: 0; -ETIMEDOUT if nobody did, -EINTR if a signal came first, -ENOMEM, or what
 * rdma_get_cm_event(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_call(struct decant_verbs_listener *listener,
					     struct decant_verbs_call **out, int timeout);

/**
 * decant_verbs_call_private - the private data of a call
 * @call: the call
 * @len: receives its length in bytes
 *
 * Return: the data, valid until the call is answered.
 * Since: 0.1
 */
DECANT_API const void *decant_verbs_call_private(const struct decant_verbs_call *call,
						 size_t *len);

/**
 * decant_verbs_accept - connect, from the passive side
 * @pair: the queue pair, not connected. Post receives before: the peer may send at once.
 * @call: who called; answered and gone, also on error
 * @private_data: what the peer gets with the answer; borrowed for the call
 * @private_len: its length, up to DECANT_VERBS_ACCEPT_PRIVATE
 * @timeout: milliseconds until the peer must have confirmed, at least 0; 0 for 10,000
 *
 * Over iWARP who called is to transfer first, where the devices don't see to that
 * themselves (RFC 6581, section 9); and a message that comes before there is a receive
 * for it ends the connection.
 *
 * Return: 0; -EISCONN, -EINVAL, -ECONNABORTED if the peer gave up, -ETIMEDOUT, -EINTR if
 * a signal came meanwhile, or what rdma_cm(7) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_accept(struct decant_verbs_pair *pair,
					       struct decant_verbs_call *call,
					       const void *private_data,
					       size_t private_len, int timeout);

/**
 * decant_verbs_reject - refuse a call
 * @call: who called; answered and gone, also on error
 * @private_data: what the peer gets with the answer; borrowed for the call
 * @private_len: its length, up to DECANT_VERBS_REJECT_PRIVATE
 *
 * Return: 0; -EINVAL, or what rdma_reject(3) said.
 * Since: 0.1
 */
DECANT_API int decant_verbs_reject(struct decant_verbs_call *call,
				   const void *private_data, size_t private_len);

/**
 * decant_verbs_private - what the peer sent along with its answer, or its request
 * @pair: the queue pair
 * @len: receives its length in bytes
 *
 * Return: the data, valid until the queue pair connects again or is freed.
 * Since: 0.1
 */
DECANT_API const void *decant_verbs_private(const struct decant_verbs_pair *pair,
					    size_t *len);

DECANT_END
#endif
