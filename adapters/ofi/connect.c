/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Wait in slices: not every provider wakes up for everything. */
#define SLICE 100
/* So many names of shared memory are tried. */
#define NAMES 16

/* A peer's address, copied to where it may be looked at. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	char text[DECANT_OFI_ADDRESS_MAX + 1];
};

/* A connection event with room for the data a peer may send along. */
union cm_entry {
	struct fi_eq_cm_entry cm;
	unsigned char room[sizeof(struct fi_eq_cm_entry) + 512];
};

static int make_endpoint(struct decant_ofi *ofi, struct fi_info *info)
{
	uint64_t events =
		FI_TRANSMIT | FI_RECV | (ofi->counter ? FI_SELECTIVE_COMPLETION : 0);
	int rc = fi_endpoint(ofi->access, info, &ofi->ep, NULL);

	if (!rc)
		rc = fi_ep_bind(ofi->ep, ofi->msg ? &ofi->eq->fid : &ofi->av->fid, 0);
	if (!rc)
		rc = fi_ep_bind(ofi->ep, &ofi->cq->fid, events);
	if (!rc && ofi->counter)
		rc = fi_ep_bind(ofi->ep, &ofi->counter->fid,
				FI_SEND | FI_WRITE | FI_READ);
	if (!rc)
		rc = fi_enable(ofi->ep);
	return rc;
}

/* Whether there is none any more. */
bool fabric_endpoint_close(struct decant_ofi *ofi)
{
	if (ofi->ep && !fi_close(&ofi->ep->fid))
		ofi->ep = NULL;
	return !ofi->ep;
}

/*
 * Make an end point of @info, which is ours or the one that came with a connection. The
 * first name in shared memory may be what a process that was killed left behind, if it
 * had the number that this one has now; there are more. A message end point takes the
 * connection out of @info, which makes no second one.
 */
int fabric_endpoint(struct decant_ofi *ofi, struct fi_info *info)
{
	int rc = make_endpoint(ofi, info);

	for (unsigned i = 1; i < NAMES && rc == -FI_EBUSY && ofi->ep && !ofi->msg; i++) {
		if (!fabric_endpoint_close(ofi))
			break;
		rc = make_endpoint(ofi, info);
	}
	return rc ? fabric_fail(ofi, rc, "end point") : 0;
}

int decant_ofi_address(const struct decant_ofi *ofi, void *addr, size_t *len)
{
	unsigned char name[DECANT_OFI_ADDRESS_MAX];
	size_t size = sizeof(name);
	struct fid *fid = NULL;
	int rc;

	if (ofi->msg && ofi->pep)
		fid = &ofi->pep->fid;
	else if (!ofi->msg && ofi->ep)
		fid = &ofi->ep->fid;
	if (!fid) {
		*len = 0;
		return 0;
	}
	rc = fi_getname(fid, name, &size);
	if (rc)
		return fabric_errno(rc);
	if (size > *len)
		return -ENOSPC;
	memcpy(addr, name, size);
	*len = size;
	return 0;
}

static bool inet_valid(const union address *at, size_t len)
{
	if (len < sizeof(at->any))
		return false;
	if (at->any.sa_family == AF_INET)
		return len == sizeof(at->in);
	return at->any.sa_family == AF_INET6 && len == sizeof(at->in6);
}

/*
 * A name of shared memory: printable text that ends with its length, of the same scheme
 * as ours, and no path.
 */
static bool text_valid(const struct decant_ofi *ofi, const union address *at, size_t len)
{
	union address own = {0};
	size_t room = sizeof(own.text) - 1, scheme;
	const char *end;

	if (decant_ofi_address(ofi, own.text, &room))
		return false;
	end = strstr(own.text, "://");
	scheme = end ? (size_t)(end + 3 - own.text) : 0;
	if (at->text[len - 1] || len <= scheme + 1 || memcmp(at->text, own.text, scheme))
		return false;
	for (const char *c = at->text + scheme; c < at->text + len - 1; c++)
		if (*c <= ' ' || *c > '~' || *c == '/')
			return false;
	return true;
}

/* The address came over some channel: providers trust it, so it is looked at here. */
static int take_address(struct decant_ofi *ofi, union address *at, const void *addr,
			size_t len)
{
	bool valid = addr && len && len <= DECANT_OFI_ADDRESS_MAX;

	memset(at, 0, sizeof(*at));
	if (valid) {
		memcpy(at, addr, len);
		switch (ofi->info->addr_format) {
		case FI_SOCKADDR:
		case FI_SOCKADDR_IN:
		case FI_SOCKADDR_IN6:
			valid = inet_valid(at, len);
			break;
		case FI_ADDR_STR:
			valid = text_valid(ofi, at, len);
			break;
		default:
			valid = !ofi->info->src_addrlen || len == ofi->info->src_addrlen;
			break;
		}
	}
	return valid ? 0
		     : fabric_fail(ofi, -EINVAL, "the peer's address (%zu bytes)", len);
}

static int event_error(struct decant_ofi *ofi)
{
	struct fi_eq_err_entry entry = {0};

	if (fi_eq_readerr(ofi->eq, &entry, 0) < 0)
		return fabric_fail(ofi, -EIO, "connection");
	return fabric_fail(ofi, -entry.err, "connection");
}

/* Wait for @wanted for @ms at most; 0 or a negative errno with its text. */
static int await(struct decant_ofi *ofi, uint32_t wanted, int ms, union cm_entry *entry)
{
	int64_t deadline = fabric_now() + ms;

	while (fabric_now() < deadline) {
		uint32_t event = 0;
		ssize_t n = fi_eq_sread(ofi->eq, &event, entry, sizeof(*entry), SLICE, 0);

		if (n == -FI_EAGAIN || n == -FI_ETIMEDOUT)
			continue;
		if (n == -FI_EAVAIL)
			return event_error(ofi);
		if (n < 0)
			return fabric_fail(ofi, n, "connection");
		if (event == wanted)
			return 0;
		if (event == FI_CONNREQ)
			fi_freeinfo(entry->cm.info);
		if (event == FI_SHUTDOWN)
			return fabric_fail(ofi, -ECONNRESET, "connection");
	}
	return fabric_fail(ofi, -ETIMEDOUT, "no connection within %d ms", ms);
}

static int insert_peer(struct decant_ofi *ofi, const union address *at)
{
	int n = fi_av_insert(ofi->av, at, 1, &ofi->peer, 0, NULL);

	if (n != 1)
		return fabric_fail(ofi, n < 0 ? n : -EINVAL, "the peer's address");
	ofi->connected = true;
	return 0;
}

/* verbs looks for the way to the peer as soon as the end point is made. */
static int remember_peer(struct decant_ofi *ofi, const union address *at, size_t len)
{
	void *copy = malloc(len);

	if (!copy)
		return fabric_fail(ofi, -FI_ENOMEM, "the peer's address");
	memcpy(copy, at, len);
	free(ofi->info->dest_addr);
	ofi->info->dest_addr = copy;
	ofi->info->dest_addrlen = len;
	return 0;
}

static int connect_msg(struct decant_ofi *ofi, const union address *at, size_t len)
{
	union cm_entry entry;
	int rc = remember_peer(ofi, at, len);

	if (!rc)
		rc = fabric_endpoint(ofi, ofi->info);
	if (rc)
		return rc;
	rc = fi_connect(ofi->ep, at, NULL, 0);
	if (rc)
		return fabric_fail(ofi, rc, "can't connect");
	return await(ofi, FI_CONNECTED, ofi->timeout, &entry);
}

static int accept_msg(struct decant_ofi *ofi)
{
	union cm_entry entry;
	int rc = await(ofi, FI_CONNREQ, ofi->accept_timeout, &entry);

	if (rc)
		return rc;
	rc = fabric_endpoint(ofi, entry.cm.info);
	fi_freeinfo(entry.cm.info);
	if (rc)
		return rc;
	rc = fi_accept(ofi->ep, NULL, 0);
	if (rc)
		return fabric_fail(ofi, rc, "can't accept");
	return await(ofi, FI_CONNECTED, ofi->timeout, &entry);
}

/*
 * After a failure there is only what was there before, so that it can be tried again.
 * Providers take the events of an end point along when it is closed.
 */
static int outcome(struct decant_ofi *ofi, int rc)
{
	ofi->connected = !rc;
	if (rc)
		fabric_endpoint_close(ofi);
	return rc;
}

/* -EISCONN, or whatever else forbids to begin a connection. */
static int may_connect(struct decant_ofi *ofi, bool passive)
{
	if (!ofi->info || ofi->dead)
		return -ENOTCONN;
	if (ofi->connected || (ofi->msg && ofi->ep))
		return -EISCONN;
	return ofi->msg && ofi->passive != passive ? -EINVAL : 0;
}

int decant_ofi_connect(struct decant_ofi *ofi, const void *addr, size_t len)
{
	union address at;
	int rc = may_connect(ofi, false);

	if (!rc)
		rc = take_address(ofi, &at, addr, len);
	if (rc)
		return rc;
	if (ofi->msg)
		return outcome(ofi, connect_msg(ofi, &at, len));
	return insert_peer(ofi, &at);
}

int decant_ofi_accept(struct decant_ofi *ofi, const void *addr, size_t len)
{
	union address at;
	int rc = may_connect(ofi, true);

	if (rc)
		return rc;
	if (ofi->msg)
		return outcome(ofi, accept_msg(ofi));
	rc = take_address(ofi, &at, addr, len);
	return rc ? rc : insert_peer(ofi, &at);
}
