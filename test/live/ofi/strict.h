/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OFI_STRICT_H
#define DECANT_TEST_OFI_STRICT_H
/*
 * strict.h - a layer between the adapter and libfabric that holds each call against the
 * rules of fi_endpoint(3), fi_mr(3) and fi_rma(3), which providers don't: nothing that
 * breaks one gets through. It also makes any provider ask for less at a time and for
 * other memory modes than it does, and does for it what these take. The adapter is
 * compiled with this file included first. One provider and one thread at a time, but for
 * connecting.
 */
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>
#include <stdbool.h>

/* Limits: the provider's own, or less. 0: the provider's own. */
struct strict_limits {
	size_t iov; /* local elements, of what is sent and of what is received */
	size_t rma; /* remote elements */
	size_t message;
	size_t inject;
	size_t key; /* bytes of a key */
	size_t queue;
};

struct strict {
	/* To be set before an end point is made. */
	struct strict_limits most;
	int mr_mode;	/* of these bits... */
	int mr_known;	/* ...these are as in mr_mode, the others as the provider says */
	unsigned again; /* one post of so many finds no room; 0: none, 1: each */
	/* To be looked at. */
	const char *broken; /* the first rule that was */
	size_t posts;
	size_t full;	 /* posts of as many elements as there may be */
	size_t injected; /* posts that the provider copies at once */
	size_t memory;	 /* regions that are registered at the moment */
	size_t most_elements;
	size_t most_bytes;
};

extern struct strict strict;

/* Forget everything. No end point is left. */
void strict_reset(uint64_t seed);

struct fi_info *strict_dupinfo(const struct fi_info *info);
int strict_domain(struct fid_fabric *fabric, struct fi_info *info,
		  struct fid_domain **domain, void *context);
int strict_passive_ep(struct fid_fabric *fabric, struct fi_info *info,
		      struct fid_pep **pep, void *context);
int strict_endpoint(struct fid_domain *domain, struct fi_info *info, struct fid_ep **ep,
		    void *context);
int strict_ep_bind(struct fid_ep *ep, struct fid *fid, uint64_t flags);
uint64_t strict_cntr_read(struct fid_cntr *cntr);
int strict_cq_open(struct fid_domain *domain, struct fi_cq_attr *attr, struct fid_cq **cq,
		   void *context);
ssize_t strict_cq_read(struct fid_cq *cq, void *entries, size_t nr);
ssize_t strict_cq_readerr(struct fid_cq *cq, struct fi_cq_err_entry *entry,
			  uint64_t flags);
int strict_mr_reg(struct fid_domain *domain, const void *addr, size_t len,
		  uint64_t access, uint64_t offset, uint64_t key, uint64_t flags,
		  struct fid_mr **mr, void *context);
int strict_mr_bind(struct fid_mr *mr, struct fid *fid, uint64_t flags);
int strict_mr_enable(struct fid_mr *mr);
uint64_t strict_mr_key(struct fid_mr *mr);
void *strict_mr_desc(struct fid_mr *mr);
int strict_close(struct fid *fid);
ssize_t strict_sendmsg(struct fid_ep *ep, const struct fi_msg *message, uint64_t flags);
ssize_t strict_recvmsg(struct fid_ep *ep, const struct fi_msg *message, uint64_t flags);
ssize_t strict_tsendmsg(struct fid_ep *ep, const struct fi_msg_tagged *message,
			uint64_t flags);
ssize_t strict_trecvmsg(struct fid_ep *ep, const struct fi_msg_tagged *message,
			uint64_t flags);
ssize_t strict_writemsg(struct fid_ep *ep, const struct fi_msg_rma *message,
			uint64_t flags);
ssize_t strict_readmsg(struct fid_ep *ep, const struct fi_msg_rma *message,
		       uint64_t flags);

#ifndef STRICT_ITSELF
#define fi_dupinfo(i)			     strict_dupinfo(i)
#define fi_domain(f, i, d, c)		     strict_domain(f, i, d, c)
#define fi_passive_ep(f, i, p, c)	     strict_passive_ep(f, i, p, c)
#define fi_endpoint(d, i, e, c)		     strict_endpoint(d, i, e, c)
#define fi_ep_bind(e, f, n)		     strict_ep_bind(e, f, n)
#define fi_cntr_read(c)			     strict_cntr_read(c)
#define fi_cq_open(d, a, q, c)		     strict_cq_open(d, a, q, c)
#define fi_cq_read(q, e, n)		     strict_cq_read(q, e, n)
#define fi_cq_readerr(q, e, f)		     strict_cq_readerr(q, e, f)
#define fi_mr_reg(d, b, l, a, o, k, f, m, c) strict_mr_reg(d, b, l, a, o, k, f, m, c)
#define fi_mr_bind(m, f, n)		     strict_mr_bind(m, f, n)
#define fi_mr_enable(m)			     strict_mr_enable(m)
#define fi_mr_key(m)			     strict_mr_key(m)
#define fi_mr_desc(m)			     strict_mr_desc(m)
#define fi_close(f)			     strict_close(f)
#define fi_sendmsg(e, m, f)		     strict_sendmsg(e, m, f)
#define fi_recvmsg(e, m, f)		     strict_recvmsg(e, m, f)
#define fi_tsendmsg(e, m, f)		     strict_tsendmsg(e, m, f)
#define fi_trecvmsg(e, m, f)		     strict_trecvmsg(e, m, f)
#define fi_writemsg(e, m, f)		     strict_writemsg(e, m, f)
#define fi_readmsg(e, m, f)		     strict_readmsg(e, m, f)
#endif
#endif
