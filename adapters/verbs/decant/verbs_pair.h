/* SPDX-License-Identifier: MIT */
#ifndef DECANT_VERBS_PAIR_H
#define DECANT_VERBS_PAIR_H
#include <decant/verbs_device.h>

DECANT_BEGIN

/*
 * A completion queue and the queue pairs on it belong to one thread at a time. Operations
 * are begun and answered by an event each, whatever happens; decant_verbs_poll() makes
 * progress and hands the events out. Nothing waits but connecting.
 */

struct decant_verbs_queue;
struct decant_verbs_pair;

/**
 * decant_verbs_queue_new - make a completion queue
 * @out: receives the queue; untouched on error
 * @verbs: the device; it outlives the queue
 * @entries: room: the work requests and receives of all queue pairs on it; 0 for 4096, or
 *	what the device has if that is less
 *
 * Return: 0; -EINVAL if the device has no queues as large as that, -ENOMEM, or what
 * ibv_create_cq(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_queue_new(struct decant_verbs_queue **out,
						  struct decant_verbs *verbs,
						  size_t entries);

/**
 * decant_verbs_queue_free - end a completion queue
 * @queue: the queue, or NULL. Its queue pairs are gone already. Events that were not
 *	handed out are lost.
 *
 * Since: 0.1
 */
DECANT_API void decant_verbs_queue_free(struct decant_verbs_queue *queue);

/**
 * struct decant_verbs_pair_options - how a queue pair is made
 * @size: sizeof(struct decant_verbs_pair_options)
 * @depth: most sends, writes and reads under way at a time; 0 for 64. An operation is
 *	under way until its event has been handed out.
 * @receives: most receives under way; 0 for 64
 * @requests: work requests that fit into the send queue; 0 for 256
 * @elements: most elements in one request; 0 for as many as the device takes
 * @request_bytes: most bytes in one request that writes or reads; 0 for as many as the
 *	device takes
 * @inline_bytes: up to how many bytes are copied into the request instead of being
 *	pointed at; 0 for 256, SIZE_MAX for none. The device may give more or less.
 * @reads: most read requests under way; 0 for as many as the device allows
 * @retries: how often a request is sent again that nobody answers, 1 to 7; 0 for 7
 * @rnr_retries: how often one is sent again for which the peer had no receive, 1 to 6;
 *	0 for ever
 * @uses: of which decant_verbs_domain() the local keys are
 * @space: where owners of memory without a region are looked up, or NULL
 * @policy: what happens to memory in no region: DECANT_TRUST uses @lkey, and refuses if
 *	that is 0; DECANT_STAGE copies such bytes through registered memory, also those of
 *	regions that are not mapped in the domain; DECANT_REGISTER registers it until the
 *	operation is over
 * @lkey: the key for memory that is trusted
 * @stage_bytes: most bytes of one operation that may go through staging; 0 for 16 MiB
 * @pool: where receive buffers come from, or NULL: see decant_verbs_pair_new(). Borrowed
 *	for the life of the queue pair; its region is mapped in the domain.
 *
 * Since: 0.1
 */
struct decant_verbs_pair_options {
	size_t size;
	unsigned depth;
	unsigned receives;
	unsigned requests;
	size_t elements;
	size_t request_bytes;
	size_t inline_bytes;
	unsigned reads;
	unsigned retries;
	unsigned rnr_retries;
	unsigned uses;
	struct decant_space *space;
	enum decant_policy policy;
	uint32_t lkey;
	size_t stage_bytes;
	struct decant_pool *pool;
};

/**
 * decant_verbs_pair_new - make a reliable queue pair
 * @out: receives the queue pair, not connected; untouched on error
 * @queue: where its operations complete, sends and receives; it outlives the queue pair
 * @options: NULL for defaults; copied, but for what it borrows
 *
 * With a pool, @options->receives buffers of it are posted as soon as the queue pair is
 * being connected, and again whenever the pool has some: an arrived message is an event
 * of kind DECANT_VERBS_MESSAGE, whose buffer the caller gives back with
 * decant_pool_put().
 *
 * Return: 0; -EINVAL for an unknown size or a value out of range, -ENOSPC if the
 * completion queue has no room for its requests and receives, -ENOMEM, or what
 * ibv_create_qp(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_verbs_pair_new(struct decant_verbs_pair **out, struct decant_verbs_queue *queue,
		      const struct decant_verbs_pair_options *options);

/**
 * decant_verbs_pair_free - end a queue pair
 * @pair: the queue pair, or NULL
 *
 * Operations under way end without an event once the device has let go of their memory,
 * and what they held is let go. To have the events, call decant_verbs_disconnect() first
 * and decant_verbs_poll() until they have come.
 *
 * Since: 0.1
 */
DECANT_API void decant_verbs_pair_free(struct decant_verbs_pair *pair);

/**
 * struct decant_verbs_pair_info - what a queue pair came to
 * @limits: for one work request that sends or receives
 * @write: for one that writes
 * @read: for one that reads
 * @inline_bytes: up to how many bytes are copied into the request
 * @reads: most read requests under way; known exactly when it is connected
 * @error: 0, or the negative errno of which it died
 * @connected: whether operations go through
 * @under_way: operations whose events have not been handed out
 * @requests: work requests posted so far
 * @posts: calls in which they were
 * @signalled: how many of them asked for a completion
 * @elements: elements of them
 * @staged: bytes that went through staging so far
 *
 * Since: 0.1
 */
struct decant_verbs_pair_info {
	struct decant_limits limits;
	struct decant_limits write;
	struct decant_limits read;
	size_t inline_bytes;
	size_t reads;
	int error;
	bool connected;
	size_t under_way;
	uint64_t requests;
	uint64_t posts;
	uint64_t signalled;
	uint64_t elements;
	uint64_t staged;
};

/**
 * decant_verbs_pair_info - what a queue pair came to
 * @pair: the queue pair
 * @info: filled
 *
 * Since: 0.1
 */
DECANT_API void decant_verbs_pair_info(const struct decant_verbs_pair *pair,
				       struct decant_verbs_pair_info *info);

/**
 * decant_verbs_error - the last error of a queue pair, for a human
 * @pair: the queue pair, or NULL
 *
 * It names the operation, which of its requests it was, and the device's status.
 *
 * Return: a text without a newline, valid until the next call; "" if there was no error.
 * Since: 0.1
 */
DECANT_API const char *decant_verbs_error(const struct decant_verbs_pair *pair);

/**
 * struct decant_verbs_address - where a queue pair is, for decant_verbs_join()
 * @number: the queue pair's
 * @psn: with which packet it begins
 * @lid: its port's, on InfiniBand
 * @mtu: the largest packet, as in enum ibv_mtu
 * @reads: how many reads it serves at a time
 * @gid: its port's
 *
 * It travels over another channel. Numbers are in host byte order.
 *
 * Since: 0.1
 */
struct decant_verbs_address {
	uint32_t number;
	uint32_t psn;
	uint16_t lid;
	uint8_t mtu;
	uint8_t reads;
	uint8_t gid[16];
};

/**
 * decant_verbs_address - where a queue pair is
 * @pair: the queue pair
 * @address: filled
 *
 * Return: 0; -EOPNOTSUPP on iWARP, where only decant_verbs_connect() connects; or what
 * ibv_query_gid(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_address(const struct decant_verbs_pair *pair,
						struct decant_verbs_address *address);

/**
 * decant_verbs_join - connect to a queue pair whose address is known
 * @pair: the queue pair, not connected
 * @peer: what decant_verbs_address() gave there; it may be this queue pair's own, which
 *	then talks to itself
 *
 * Both sides do so, in any order, and then may transfer: nothing is exchanged here.
 *
 * Return: 0; -EISCONN, -EOPNOTSUPP as above, -EINVAL for an address that can't be one, or
 * what ibv_modify_qp(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_join(struct decant_verbs_pair *pair,
					     const struct decant_verbs_address *peer);

/**
 * decant_verbs_disconnect - end a connection
 * @pair: the queue pair
 *
 * What is under way ends with -ECANCELED if it had not ended yet; the events come from
 * decant_verbs_poll(). The peer learns of it if it was decant_verbs_connect() that
 * connected.
 *
 * Return: 0; -ENOTCONN if there is no connection.
 * Since: 0.1
 */
DECANT_API int decant_verbs_disconnect(struct decant_verbs_pair *pair);

/**
 * decant_verbs_pair_reset - make a queue pair that died or was disconnected fit for use
 * @pair: the queue pair; nothing is under way on it
 *
 * Afterwards it is as new and may be connected again, to the same peer or another one.
 *
 * Return: 0; -EBUSY if events of it have not been handed out yet, or what
 * ibv_modify_qp(3) or ibv_create_qp(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_pair_reset(struct decant_verbs_pair *pair);

/**
 * enum decant_verbs_kind - what an operation was
 * @DECANT_VERBS_SEND: decant_verbs_send()
 * @DECANT_VERBS_RECV: decant_verbs_recv()
 * @DECANT_VERBS_WRITE: decant_verbs_write()
 * @DECANT_VERBS_READ: decant_verbs_read()
 * @DECANT_VERBS_MESSAGE: a message arrived in a buffer of the pool
 *
 * Since: 0.1
 */
enum decant_verbs_kind {
	DECANT_VERBS_SEND,
	DECANT_VERBS_RECV,
	DECANT_VERBS_WRITE,
	DECANT_VERBS_READ,
	DECANT_VERBS_MESSAGE,
};

/**
 * struct decant_verbs_event - an operation that is over
 * @user: what the caller gave when it began; NULL for a message
 * @pair: the queue pair
 * @kind: what it was
 * @result: bytes, or a negative errno. Of a transfer that failed, any part may have
 *	arrived.
 * @status: the device's word on it, as in enum ibv_wc_status (ibv_poll_cq(3)); 0 also if
 *	the device was never asked
 * @request: of an operation that failed, which of its work requests did, from 0
 * @requests: how many it had
 * @with_imm: a receive that immediate data came with
 * @written: a receive that the peer's write used up: its memory is as it was, and @result
 *	is the number of bytes in the write's last request, for the device knows no more
 * @imm: the immediate data, in host byte order
 * @buffer: of a message that arrived: where it lies; the caller's to give back to the
 *	pool
 *
 * Since: 0.1
 */
struct decant_verbs_event {
	void *user;
	struct decant_verbs_pair *pair;
	enum decant_verbs_kind kind;
	ssize_t result;
	unsigned status;
	size_t request;
	size_t requests;
	bool with_imm;
	bool written;
	uint32_t imm;
	struct decant_span buffer;
};

/**
 * decant_verbs_event_text - an event in words
 * @event: the event
 * @text: where to
 * @len: room in bytes
 *
 * Such as "write: request 3 of 7: remote access error (status 10)".
 *
 * Return: how long the text is or would be, without the final zero, as snprintf(3).
 * Since: 0.1
 */
DECANT_API int decant_verbs_event_text(const struct decant_verbs_event *event, char *text,
				       size_t len);

/**
 * struct decant_verbs_how - what is special about an operation
 * @size: sizeof(struct decant_verbs_how)
 * @with_imm: a send or a write that carries immediate data: the peer's receive is
 *	answered with it
 * @imm: the immediate data, in host byte order
 * @one_key: all memory has @lkey, whatever region it lies in
 * @lkey: the local key for the whole operation
 * @more: more follows at once: only the next operation without this, or
 *	decant_verbs_poll(), tells the device
 *
 * Since: 0.1
 */
struct decant_verbs_how {
	size_t size;
	bool with_imm;
	uint32_t imm;
	bool one_key;
	uint32_t lkey;
	bool more;
};

/**
 * decant_verbs_send - begin to send one message
 * @pair: the queue pair, connected
 * @it: a source; advanced by what was taken, unchanged on error. Its lists may vanish at
 *	once; memory in a region is held until the event, other memory is the caller's to
 *	keep. What fits inline is copied, needs no key, and may vanish at once.
 * @len: bytes, or all that is left if that is less; 0 sends an empty message
 * @how: NULL for nothing special
 * @user: for the event
 *
 * One work request. If it is in more pieces than one takes, the last ones are copied
 * together.
 *
 * Return: 0 if it has begun: there will be one event; -EAGAIN if @depth operations are
 * under way, -ENOTCONN, -EINVAL for a destination or an unknown size, -EMSGSIZE if the
 * device sends no message of that length, -ENOKEY if memory in no mapped region is to be
 * refused, what ibv_reg_mr(3) said if memory can't be registered (DECANT_REGISTER),
 * -EFAULT, -ENOBUFS if too much would have to be staged, -EOPNOTSUPP for immediate data
 * where there is none, -ENOMEM, or the error of which the queue pair died.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_send(struct decant_verbs_pair *pair,
					     struct decant_iter *it, size_t len,
					     const struct decant_verbs_how *how,
					     void *user);

/**
 * decant_verbs_recv - begin to receive one message
 * @pair: the queue pair, without a pool; it need not be connected yet
 * @it: a destination; otherwise as in decant_verbs_send(). Memory of another process must
 *	stay described where it is until the event.
 * @len: most bytes of the message, or all that is left if that is less
 * @how: as in decant_verbs_send(), without immediate data
 * @user: for the event
 *
 * The event's result is the message's length. One that is longer fails on both sides and
 * ends the connection. Receives are matched in the order they began. A peer's write with
 * immediate data uses one up, too.
 *
 * Return: as decant_verbs_send(), never -ENOTCONN; -EAGAIN if @receives are under way,
 * -EINVAL for a source or with a pool.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_recv(struct decant_verbs_pair *pair,
					     struct decant_iter *it, size_t len,
					     const struct decant_verbs_how *how,
					     void *user);

/**
 * decant_verbs_write - begin to write to the peer's memory
 * @pair: the queue pair, connected
 * @it: a source; as in decant_verbs_send()
 * @len: most bytes; any number: what is transferred is the least of this, what is left
 *	in @it, and what the ranges have
 * @remote: ranges there; copied. Empty ones are skipped.
 * @nr: ranges
 * @how: as in decant_verbs_send(); the last request carries the immediate data
 * @user: for the event
 *
 * It is cut into as many work requests as the device's rules and the ends of the ranges
 * demand, and goes on as the send queue has room; the last one of a batch is signalled.
 * The event comes when the peer's device has all of it; on iWARP when it has left.
 *
 * Return: as decant_verbs_send(), but never -EMSGSIZE; -EOVERFLOW if a range wraps.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_verbs_write(struct decant_verbs_pair *pair, struct decant_iter *it, size_t len,
		   const struct decant_verbs_remote *remote, size_t nr,
		   const struct decant_verbs_how *how, void *user);

/**
 * decant_verbs_read - begin to read from the peer's memory
 * @pair: the queue pair, connected
 * @it: a destination; as in decant_verbs_recv()
 * @len: as in decant_verbs_write()
 * @remote: ranges there; copied. Empty ones are skipped.
 * @nr: ranges
 * @how: as in decant_verbs_send(), without immediate data
 * @user: for the event
 *
 * As decant_verbs_write(); also, no more requests are under way than the peer serves. On
 * iWARP the key of memory that is read into goes to the peer, and that memory must allow
 * it: its domain is one with DECANT_VERBS_PEER_WRITES.
 *
 * Return: as decant_verbs_write().
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_verbs_read(struct decant_verbs_pair *pair, struct decant_iter *it, size_t len,
		  const struct decant_verbs_remote *remote, size_t nr,
		  const struct decant_verbs_how *how, void *user);

/**
 * decant_verbs_poll - make progress and gather events, without waiting
 * @queue: the completion queue
 * @events: room for @max events; NULL if @max is 0
 * @max: most events; 0 to make progress only
 *
 * When a request fails, its queue pair is dead: what else was under way on it ends with
 * -ECANCELED. Nothing else happens: see decant_verbs_pair_reset().
 *
 * Return: how many events; a negative errno if the completion queue is broken.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_poll(struct decant_verbs_queue *queue,
					     struct decant_verbs_event *events,
					     unsigned max);

/**
 * decant_verbs_fd - a file descriptor to sleep on
 * @queue: the completion queue
 * @may_sleep: receives whether it is safe to sleep now; if not, call decant_verbs_poll()
 *	first. Ask before every sleep.
 *
 * It becomes readable when decant_verbs_poll() has something to do, and when a peer hangs
 * up.
 *
 * Return: the file descriptor for poll(2), borrowed.
 * Since: 0.1
 */
DECANT_API int decant_verbs_fd(struct decant_verbs_queue *queue, bool *may_sleep);

DECANT_END
#endif
