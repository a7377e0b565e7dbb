/* SPDX-License-Identifier: MIT */
#ifndef DECANT_OFI_H
#define DECANT_OFI_H
#include <decant/decant.h>

DECANT_BEGIN

/*
 * ofi.h - send, receive, remote write and read from and into iterators through
 * libfabric.
 *
 * One struct decant_ofi is one end point with one peer; it belongs to one thread at a
 * time. Operations are begun and answered by an event each; decant_ofi_poll() makes
 * progress and hands the events out. Nothing waits but decant_ofi_connect() and
 * decant_ofi_accept().
 */

struct decant_ofi;

/* The longest address of an end point, in bytes, as it travels over another channel. */
#define DECANT_OFI_ADDRESS_MAX 256

/**
 * struct decant_ofi_options - how an end point is made
 * @size: sizeof(struct decant_ofi_options)
 * @provider: libfabric's name, exactly ("tcp", "tcp;ofi_rxm", "net", "shm", "verbs");
 *	NULL: the best for reliable transfer between hosts, hardware before sockets,
 *	never shm
 * @node: local address or host name to bind to; NULL: the provider's choice. Of no
 *	meaning to shm.
 * @depth: most operations under way at a time, up to 4096; 0 for 64. An operation is
 *	under way until its event has been handed out, or it is counted.
 * @passive: will call decant_ofi_accept(), not decant_ofi_connect(). Message end points
 *	listen from the beginning if it is set; others don't mind.
 * @timeout: milliseconds, at least 0; 0 for 30,000: how long connecting may take, and
 *	how long sends and writes may be under way without any progress before the end
 *	point is given up. Receives may wait for ever.
 * @accept_timeout: milliseconds, at least 0; 0 for @timeout: how long one call of
 *	decant_ofi_accept() waits for somebody to connect
 * @tagged: messages may have tags; then only a provider that has them (FI_TAGGED) is
 *	taken
 * @peer_reads: memory that is mapped may be read by a peer that was given its key, too,
 *	not only written
 * @counters: sends, writes and reads that succeed have no event, but are counted:
 *	decant_ofi_counted(); only a provider that has counters is taken
 * @space: where owners of memory without a region are looked up, or NULL: the caller
 *	keeps such memory until the event. Borrowed for the life of the end point.
 *
 * Where both are offered, reliable datagrams (FI_EP_RDM) are taken before message end
 * points (FI_EP_MSG). Both sides must use the same provider.
 *
 * Since: 0.1
 */
struct decant_ofi_options {
	size_t size;
	const char *provider;
	const char *node;
	unsigned depth;
	bool passive;
	int timeout;
	int accept_timeout;
	bool tagged;
	bool peer_reads;
	bool counters;
	struct decant_space *space;
};

/**
 * struct decant_ofi_info - what an end point is and can do
 * @provider: the provider that was taken, in full; valid as long as the end point, or
 *	during the call of decant_ofi_providers()
 * @endpoint: "rdm" or "msg", a static string
 * @iov_limit: elements of local memory in one request; a read over iWARP has one
 * @rma_iov_limit: elements of remote memory in one request
 * @max_msg_bytes: bytes in one request; a longer send is refused, a longer write is
 *	chopped
 * @inject_bytes: up to how many bytes the provider copies at once
 * @mr_local: local memory must lie in regions mapped in decant_ofi_domain()
 * @mr_virt_addr: remote addresses are the peer's virtual ones, else offsets in its
 *	region
 * @manual_progress: the target of writes must call decant_ofi_poll(), too, or they
 *	don't end
 * @address_bytes: length of the end point's address; 0 if it has none
 *
 * Since: 0.1
 */
struct decant_ofi_info {
	const char *provider;
	const char *endpoint;
	size_t iov_limit;
	size_t rma_iov_limit;
	size_t max_msg_bytes;
	size_t inject_bytes;
	bool mr_local;
	bool mr_virt_addr;
	bool manual_progress;
	size_t address_bytes;
};

/**
 * struct decant_ofi_remote - memory of the peer: what decant_ofi_grant() gave there
 * @addr: where the region begins, as the peer's provider counts
 * @key: the key for it
 *
 * It travels over another channel or in a message. Both are numbers in host byte order.
 *
 * Since: 0.1
 */
struct decant_ofi_remote {
	uint64_t addr;
	uint64_t key;
};

/**
 * enum decant_ofi_kind - what an operation was
 * @DECANT_OFI_SEND: decant_ofi_send()
 * @DECANT_OFI_RECV: decant_ofi_recv()
 * @DECANT_OFI_WRITE: decant_ofi_write()
 * @DECANT_OFI_READ: decant_ofi_read()
 *
 * Since: 0.1
 */
enum decant_ofi_kind {
	DECANT_OFI_SEND,
	DECANT_OFI_RECV,
	DECANT_OFI_WRITE,
	DECANT_OFI_READ
};

/**
 * struct decant_ofi_event - an operation that is over
 * @user: what the caller gave when it began
 * @kind: what it was
 * @result: bytes, or a negative errno. Of a write that failed, any part may have
 *	arrived.
 * @tag: of a tagged message, the one it was sent with
 *
 * Since: 0.1
 */
struct decant_ofi_event {
	void *user;
	enum decant_ofi_kind kind;
	ssize_t result;
	uint64_t tag;
};

/**
 * decant_ofi_new - open an end point
 * @out: receives the end point. On errors of the provider, too, so that
 *	decant_ofi_error() can say what was wrong; it is then good for nothing else and
 *	must be freed like any other. NULL on -EINVAL and -ENOMEM of the call itself.
 * @options: NULL for defaults; copied, but for @options->space
 *
 * Return: 0; -EINVAL for an unknown size or a value out of range, -ENODATA if no
 * provider fits (the text says which there are), -EADDRNOTAVAIL if @node is no local
 * address, -EOPNOTSUPP if the provider has no counters (net, verbs), -ELIBACC if
 * libfabric, which is loaded with the first call, is not there, -ENOMEM, or what the
 * provider said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_new(struct decant_ofi **out,
					  const struct decant_ofi_options *options);

/**
 * decant_ofi_free - close an end point
 * @ofi: the end point, or NULL
 *
 * Operations under way end without an event, and their regions are let go. Regions stay
 * valid, but are mapped in its domain no more. The provider may not have sent yet what
 * was reported as sent: let the peer confirm before closing.
 *
 * Since: 0.1
 */
DECANT_API void decant_ofi_free(struct decant_ofi *ofi);

/**
 * decant_ofi_error - the last error of an end point, for a human
 * @ofi: the end point, or NULL
 *
 * Return: a text without a newline, valid until the next call; "" if there was no error.
 * Since: 0.1
 */
DECANT_API const char *decant_ofi_error(const struct decant_ofi *ofi);

/**
 * decant_ofi_info - what an end point is and can do
 * @ofi: the end point
 * @info: filled
 *
 * Since: 0.1
 */
DECANT_API void decant_ofi_info(const struct decant_ofi *ofi,
				struct decant_ofi_info *info);

/**
 * decant_ofi_domain - the domain in which regions get their keys
 * @ofi: the end point
 *
 * Mapping a region registers it once for everything that this header offers: local use,
 * and writes by a peer that was given its key. Peers can read it if the options say so.
 * With providers that bind memory to an end point (FI_MR_ENDPOINT), all mappings end when
 * the end point dies.
 *
 * Return: the domain, which lives as long as the end point.
 * Since: 0.1
 */
DECANT_API struct decant_domain *decant_ofi_domain(struct decant_ofi *ofi);

/**
 * decant_ofi_address - the address that the peer needs
 * @ofi: the end point
 * @addr: where to
 * @len: in: room, DECANT_OFI_ADDRESS_MAX always suffices; out: bytes; 0 for a message
 *	end point that is not passive, which needs none
 *
 * Return: 0; -ENOSPC if there is too little room, or what the provider said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_address(const struct decant_ofi *ofi, void *addr,
					      size_t *len);

/**
 * decant_ofi_connect - meet the peer, from the active side
 * @ofi: the end point, without a peer
 * @addr: the peer's address, as decant_ofi_address() gave it there. It may come from
 *	anywhere: it is checked.
 * @len: its length in bytes
 *
 * Message end points connect, and wait for that until the timeout; others only remember.
 * A signal that is handled ends the wait, with SA_RESTART as well, as it does poll(2);
 * and so may one that stopped the process, once that goes on (signal(7)). One that comes
 * before the wait does not. After an error the connection that was begun is given up, and
 * it may be called again.
 *
 * Return: 0; -EINVAL for an address that can't be one or a passive message end point,
 * -EISCONN if there is a peer already, -ETIMEDOUT, -EINTR, -ECONNREFUSED, or what the
 * provider said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_connect(struct decant_ofi *ofi, const void *addr,
					      size_t len);

/**
 * decant_ofi_accept - meet the peer, from the passive side
 * @ofi: the end point, without a peer
 * @addr: the peer's address, as decant_ofi_address() gave it there; checked; message end
 *	points don't look at it
 * @len: its length in bytes
 *
 * Message end points wait until somebody connects, or until the timeout; others only
 * remember. Who connects is not checked. Signals and errors are as there: after
 * -ETIMEDOUT, with nobody there, or -EINTR it may be called again.
 *
 * Return: as decant_ofi_connect().
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_accept(struct decant_ofi *ofi, const void *addr,
					     size_t len);

/**
 * decant_ofi_grant - let the peer write to a region
 * @ofi: the end point
 * @region: the region; mapped in the domain first if it is not yet. The caller keeps a
 *	reference for as long as the peer may write.
 * @remote: filled: what the peer needs
 *
 * The grant ends when the region is unmapped from decant_ofi_domain(). Keys are random
 * where the provider lets us choose.
 *
 * Return: 0; -ENOMEM, or what the provider said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_grant(struct decant_ofi *ofi,
					    struct decant_region *region,
					    struct decant_ofi_remote *remote);

/**
 * decant_ofi_send - begin to send one message
 * @ofi: the end point
 * @it: a source; advanced by what was taken, unchanged on error. Its lists may vanish at
 *	once; memory in a region is held until the event, other memory is the caller's to
 *	keep.
 * @len: bytes, or all that is left if that is less; 0 sends an empty message
 * @user: for the event
 *
 * In more pieces than the provider takes, the message is copied together first. What the
 * provider copies at once (@inject_bytes) needs no key. Messages arrive in the order they
 * were sent. The event says that the provider is done with the memory, not that the peer
 * has the message. One that finds no receive waits for it; over iWARP, with message end
 * points, it ends the connection.
 *
 * Return: 0 if it has begun: there will be one event; -EAGAIN if @depth operations are
 * under way, -ENOTCONN without a peer, -EINVAL for a destination, -EMSGSIZE if the
 * provider sends no message of that length, -ENOKEY if memory lies in no mapped region
 * and the provider wants one (mr_local), -ENOMEM, or the error of which the end point
 * died.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_send(struct decant_ofi *ofi, struct decant_iter *it,
					   size_t len, void *user);

/**
 * decant_ofi_recv - begin to receive one message
 * @ofi: the end point
 * @it: a destination; otherwise as in decant_ofi_send()
 * @len: most bytes of the message, or all that is left if that is less
 * @user: for the event
 *
 * The event's result is the message's length; -EMSGSIZE if it was longer than @len, and
 * then what lies in the memory is undefined. Receives are matched in the order they
 * begun.
 *
 * Return: as decant_ofi_send(); -EINVAL for a source.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_recv(struct decant_ofi *ofi, struct decant_iter *it,
					   size_t len, void *user);

/**
 * decant_ofi_send_tagged - begin to send one message that has a tag
 * @ofi: the end point, made with @tagged
 * @it: as in decant_ofi_send()
 * @len: as in decant_ofi_send()
 * @tag: for a receive that asked for it: see decant_ofi_recv_tagged()
 * @user: for the event
 *
 * Return: as decant_ofi_send(); -EOPNOTSUPP if the end point was not made for tags.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_send_tagged(struct decant_ofi *ofi,
						  struct decant_iter *it, size_t len,
						  uint64_t tag, void *user);

/**
 * decant_ofi_recv_tagged - begin to receive one message of a tag
 * @ofi: the end point, made with @tagged
 * @it: as in decant_ofi_recv()
 * @len: as in decant_ofi_recv()
 * @tag: which messages: those whose tag is the same
 * @ignore: but for these bits; UINT64_MAX takes any
 * @user: for the event, which says the tag
 *
 * Messages with tags and such without never meet. A message goes to the first receive
 * that takes it; one that none takes waits for its receive.
 *
 * Return: as decant_ofi_recv(); -EOPNOTSUPP if the end point was not made for tags.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_recv_tagged(struct decant_ofi *ofi,
						  struct decant_iter *it, size_t len,
						  uint64_t tag, uint64_t ignore,
						  void *user);

/**
 * decant_ofi_write - begin to write to the peer's memory
 * @ofi: the end point
 * @it: a source; as in decant_ofi_send()
 * @len: bytes, or all that is left if that is less; any number
 * @remote: what the peer granted; copied
 * @offset: where in the peer's region, in bytes from its beginning
 * @user: for the event
 *
 * Chopped into as many requests as the provider's limits demand; tiny pieces are copied
 * together. The event comes when all bytes are in the peer's memory, where the provider
 * can say so (delivery complete: all that libfabric 1.17 has but verbs, where it comes
 * when the peer's device has them; over iWARP, with RxM above it as well, when they are
 * on their way, and only a message sent behind it says that they arrived: RFC 5040, 5.5).
 * Writes are not ordered among themselves.
 *
 * Writing past the grant or with a wrong key changes nothing there. It is an error here:
 * -EACCES (sockets), -ECANCELED (net; tcp and tcp;ofi_rxm, where the end point dies of
 * it), -EIO (verbs, where the connection ends), -ETIMEDOUT (shm, where it dies of it).
 * Over iWARP it is complete, and the connection ends afterwards.
 *
 * Return: as decant_ofi_send(), but never -EMSGSIZE; -EOVERFLOW if the remote address
 * wraps.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_write(struct decant_ofi *ofi,
					    struct decant_iter *it, size_t len,
					    const struct decant_ofi_remote *remote,
					    uint64_t offset, void *user);

/**
 * decant_ofi_read - begin to read from the peer's memory
 * @ofi: the end point
 * @it: a destination; as in decant_ofi_recv()
 * @len: bytes, or all that is left if that is less; any number
 * @remote: what the peer granted, with @peer_reads in its options; copied
 * @offset: where in the peer's region, in bytes from its beginning
 * @user: for the event
 *
 * Chopped as writes are; over iWARP into a request for each piece, since there a read
 * has one place to put what it reads (RFC 5040, 4.4). The event comes when all bytes are
 * here. Of a read that failed, what lies in the memory is undefined.
 *
 * Return: as decant_ofi_write().
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_read(struct decant_ofi *ofi, struct decant_iter *it,
					   size_t len,
					   const struct decant_ofi_remote *remote,
					   uint64_t offset, void *user);

/**
 * decant_ofi_poll - make progress and gather events, without waiting
 * @ofi: the end point
 * @events: room for @max events; NULL if @max is 0
 * @max: most events; 0 to make progress only
 *
 * When the end point dies - the peer hung up, or nothing moved for the timeout -
 * everything under way ends: receives with -ECANCELED, the rest with the error. Only
 * when these events have been handed out, the call fails.
 *
 * That a peer is gone is noticed when something is under way to it, or by message end
 * points. A receive alone waits for ever on end points without a connection.
 *
 * Return: how many events; the negative errno of which the end point died.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_ofi_poll(struct decant_ofi *ofi,
					   struct decant_ofi_event *events, unsigned max);

/**
 * decant_ofi_counted - how many operations were done without an event
 * @ofi: the end point, made with @counters; otherwise none are
 *
 * For who only needs to know how many are done: the provider counts (fi_cntr(3)) instead
 * of reporting each request. A counter doesn't say which, and requests needn't end in
 * the order they were posted, so operations are counted, and their memory is let go, when
 * nothing that was posted is under way any more; that is at the latest when @depth of
 * them have been begun. Who wants to begin others meanwhile uses two end points. An
 * operation that fails has its event as ever. Of an end point that dies, operations that
 * were not counted fail, though some of them may be done.
 *
 * Return: the number. It rises in decant_ofi_poll() and, for empty writes and reads, at
 * once.
 * Since: 0.1
 */
DECANT_API uint64_t decant_ofi_counted(const struct decant_ofi *ofi);

/**
 * decant_ofi_fd - a file descriptor to sleep on
 * @ofi: the end point
 * @may_sleep: receives whether it is safe to sleep now; if not, call decant_ofi_poll()
 *	first. Ask before every sleep.
 *
 * It becomes readable when decant_ofi_poll() has something to do. Sleep with a limit
 * while sends or writes are under way: it takes calls of decant_ofi_poll() to notice
 * that nothing has moved for the timeout, at least four of them. What is counted wakes
 * nobody: while any of it is under way, it is not safe to sleep.
 *
 * Return: the file descriptor for poll(2), borrowed; -1 if the provider has none (shm).
 * Since: 0.1
 */
DECANT_API int decant_ofi_fd(struct decant_ofi *ofi, bool *may_sleep);

/**
 * decant_ofi_providers - walk the providers that this machine offers
 * @fn: gets each provider once for each type of end point; the description is valid
 *	during the call; a value other than 0 ends the walk
 * @user: handed to @fn
 *
 * Return: 0, or the value that ended the walk.
 * Since: 0.1
 */
DECANT_API int decant_ofi_providers(int (*fn)(void *user,
					      const struct decant_ofi_info *info),
				    void *user);

DECANT_END
#endif
