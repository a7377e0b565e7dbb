/* SPDX-License-Identifier: MIT */
#ifndef DECANT_OFI_H
#define DECANT_OFI_H
#include <decant/decant.h>

DECANT_BEGIN

/*
 * ofi.h - send, receive and remote write from and into iterators through libfabric.
 * One struct decant_ofi is one end point with one peer; it belongs to one thread at a time.
 */

struct decant_ofi;

/* addresses of end points as they travel over another channel */
#define DECANT_OFI_ADDRESS_MAX 256

struct decant_ofi_options {
	size_t size;
	const char *provider;	/* libfabric's name ("tcp", "tcp;ofi_rxm", "shm"); NULL: the best found */
	const char *node;	/* local address or host name to bind to; NULL: the provider's choice */
	unsigned depth;		/* most operations under way; 0 for 64 */
	bool passive;		/* will call decant_ofi_accept(), not _connect(); matters to message end points */
	int timeout;		/* milliseconds that connecting and a full queue may take; 0 for 30,000 */
	struct decant_space *space;	/* where owners of memory without a region are looked up, or NULL */
};

struct decant_ofi_info {
	const char *provider;	/* the provider that was taken, in full */
	const char *endpoint;	/* "rdm" or "msg" */
	size_t iov_limit;	/* elements in one send or write */
	size_t rma_iov_limit;
	size_t max_msg_bytes;
	size_t inject_bytes;
	bool mr_local;		/* local memory must be mapped in the domain */
	bool mr_virt_addr;
	bool manual_progress;	/* the target of one-sided operations must call decant_ofi_poll(), too */
	size_t address_bytes;	/* length of the end point's address */
};

/* memory of the peer: what decant_ofi_grant() gave there */
struct decant_ofi_remote {
	uint64_t addr;
	uint64_t key;
};

enum decant_ofi_kind { DECANT_OFI_SEND, DECANT_OFI_RECV, DECANT_OFI_WRITE };

struct decant_ofi_event {
	void *user;
	enum decant_ofi_kind kind;
	ssize_t result;		/* bytes, or a negative errno */
};

DECANT_API DECANT_MUST int decant_ofi_new(struct decant_ofi **out,
					  const struct decant_ofi_options *options);
DECANT_API void decant_ofi_free(struct decant_ofi *ofi);
/* a message for a human about the last error of this end point; "" if none */
DECANT_API const char *decant_ofi_error(const struct decant_ofi *ofi);
DECANT_API void decant_ofi_info(const struct decant_ofi *ofi, struct decant_ofi_info *info);
/* the domain in which regions get their keys */
DECANT_API struct decant_domain *decant_ofi_domain(struct decant_ofi *ofi);
/* the address the peer needs; *len: in: room, out: length (0: message end point that connects) */
DECANT_API DECANT_MUST int decant_ofi_address(const struct decant_ofi *ofi, void *addr, size_t *len);
/* peer's address as decant_ofi_address() gave it there */
DECANT_API DECANT_MUST int decant_ofi_connect(struct decant_ofi *ofi, const void *addr, size_t len);
DECANT_API DECANT_MUST int decant_ofi_accept(struct decant_ofi *ofi, const void *addr, size_t len);
/* what the peer needs to write to a region (mapped here first if it is not yet) */
DECANT_API DECANT_MUST int decant_ofi_grant(struct decant_ofi *ofi, struct decant_region *region,
					    struct decant_ofi_remote *remote);

/* 0 = begun and it advanced by min(len, count); one event for each operation, exactly once, although
 * it may be chopped into several requests. Memory in no mapped region where mr_local asks for one: -ENOKEY.
 * -EAGAIN: depth is reached. send is one message: -EMSGSIZE or -ENOSPC if it fits into none. */
DECANT_API DECANT_MUST int decant_ofi_send(struct decant_ofi *ofi, struct decant_iter *it,
					   size_t len, void *user);
DECANT_API DECANT_MUST int decant_ofi_recv(struct decant_ofi *ofi, struct decant_iter *it,
					   size_t len, void *user);
/* completes when the bytes are in the peer's memory (delivery complete), where the provider can say so */
DECANT_API DECANT_MUST int decant_ofi_write(struct decant_ofi *ofi, struct decant_iter *it,
					    size_t len, const struct decant_ofi_remote *remote,
					    uint64_t offset, void *user);
/* progress and gather up to max events without waiting; negative errno when the end point is dead */
DECANT_API DECANT_MUST int decant_ofi_poll(struct decant_ofi *ofi, struct decant_ofi_event *events,
					   unsigned max);
/* file descriptor to wait on with poll(2), or -1 if the provider has none; *may_sleep (fi_trywait)
 * says whether it is safe to sleep on it now */
DECANT_API int decant_ofi_fd(struct decant_ofi *ofi, bool *may_sleep);

/* walk the providers that this machine offers: fn gets each; a non-zero value ends the walk */
DECANT_API int decant_ofi_providers(int (*fn)(void *user, const struct decant_ofi_info *info),
				    void *user);

DECANT_END
#endif
