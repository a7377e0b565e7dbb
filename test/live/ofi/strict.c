/* SPDX-License-Identifier: MIT */
/* strict.c - what may be posted, and which of it is under way: see strict.h. */
#define STRICT_ITSELF
#include "strict_memory.h"
#include <string.h>

#define MOST_POSTS    8192
#define MOST_COUNTERS 2

/* The attributes of an info that are not what they were. */
struct attributes {
	struct strict_limits limits;
	size_t rx_iov;
	int mr_mode;
};

/* A request that has not completed. */
struct post {
	void *context;
	struct fid_ep *ep;
	bool receive;
	bool counted; /* not reported */
};

/* What a counter is to count. */
struct counter {
	struct fid_cntr *cntr;
	const struct fid_ep *ep;
	uint64_t posted;
	uint64_t failed;
};

struct strict strict;
static struct attributes real, asked;
static struct post posts[MOST_POSTS];
static struct counter counters[MOST_COUNTERS];
static size_t nr_posts, nr_counters, entry_bytes;
static uint64_t random_state;

void strict_reset(uint64_t seed)
{
	memset(&strict, 0, sizeof(strict));
	memset(posts, 0, sizeof(posts));
	nr_posts = nr_counters = 0;
	random_state = seed | 1;
	strict_memory_reset();
}

bool strict_rule(bool kept, const char *rule)
{
	if (!kept && !strict.broken)
		strict.broken = rule;
	return kept;
}

/* One in @nr; never if that is 0. */
bool strict_one_in(unsigned nr)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return nr && (random_state >> 33) % nr == 0;
}

bool strict_asks(int bit)
{
	return asked.mr_mode & bit;
}

bool strict_real(int bit)
{
	return real.mr_mode & bit;
}

size_t strict_key_bytes(void)
{
	return asked.limits.key;
}

static size_t lower(size_t has, size_t most)
{
	return most && most < has ? most : has;
}

static struct attributes attributes_of(const struct fi_info *info)
{
	return (struct attributes){
		.limits = {info->tx_attr->iov_limit, info->tx_attr->rma_iov_limit,
			   info->ep_attr->max_msg_size, info->tx_attr->inject_size,
			   info->domain_attr->mr_key_size, info->tx_attr->size},
		.rx_iov = info->rx_attr->iov_limit,
		.mr_mode = info->domain_attr->mr_mode,
	};
}

static void set_attributes(struct fi_info *info, const struct attributes *to)
{
	info->tx_attr->iov_limit = to->limits.iov;
	info->tx_attr->rma_iov_limit = to->limits.rma;
	info->ep_attr->max_msg_size = to->limits.message;
	info->tx_attr->inject_size = to->limits.inject;
	info->domain_attr->mr_key_size = to->limits.key;
	info->tx_attr->size = to->limits.queue;
	info->rx_attr->iov_limit = to->rx_iov;
	info->domain_attr->mr_mode = to->mr_mode;
}

/* What the adapter sees of a provider. */
struct fi_info *strict_dupinfo(const struct fi_info *info)
{
	struct fi_info *copy = fi_dupinfo(info);

	if (!copy)
		return NULL;
	real = asked = attributes_of(copy);
	asked.limits.iov = lower(real.limits.iov, strict.most.iov);
	asked.rx_iov = lower(real.rx_iov, strict.most.iov);
	asked.limits.rma = lower(real.limits.rma, strict.most.rma);
	asked.limits.message = lower(real.limits.message, strict.most.message);
	asked.limits.inject = lower(real.limits.inject, strict.most.inject);
	asked.limits.key = lower(real.limits.key, strict.most.key);
	asked.limits.queue = lower(real.limits.queue, strict.most.queue);
	asked.mr_mode = (real.mr_mode & ~strict.mr_known) | strict.mr_mode;
	set_attributes(copy, &asked);
	return copy;
}

/* A provider sees its own. */
int strict_domain(struct fid_fabric *fabric, struct fi_info *info,
		  struct fid_domain **domain, void *context)
{
	int rc;

	set_attributes(info, &real);
	rc = fi_domain(fabric, info, domain, context);
	set_attributes(info, &asked);
	return rc;
}

int strict_passive_ep(struct fid_fabric *fabric, struct fi_info *info,
		      struct fid_pep **pep, void *context)
{
	int rc;

	set_attributes(info, &real);
	rc = fi_passive_ep(fabric, info, pep, context);
	set_attributes(info, &asked);
	return rc;
}

int strict_endpoint(struct fid_domain *domain, struct fi_info *info, struct fid_ep **ep,
		    void *context)
{
	int rc;

	set_attributes(info, &real);
	rc = fi_endpoint(domain, info, ep, context);
	set_attributes(info, &asked);
	return rc;
}

/*
 * With the end point go its requests and counters, and no memory may be bound to it any
 * more.
 */
int strict_close(struct fid *fid)
{
	if (fid->fclass == FI_CLASS_MR)
		strict_forget(fid);
	if (fid->fclass == FI_CLASS_EP &&
	    !strict_rule(!strict_bound(fid), "memory is closed before its end point"))
		return -FI_EBUSY;
	for (size_t i = 0; fid->fclass == FI_CLASS_EP && i < nr_posts; i++)
		if (posts[i].ep && &posts[i].ep->fid == fid)
			posts[i] = (struct post){0};
	for (size_t i = 0; fid->fclass == FI_CLASS_EP && i < nr_counters; i++)
		if (&counters[i].ep->fid == fid)
			counters[i--] = counters[--nr_counters];
	return fi_close(fid);
}

/* A slot of a request that is under way, or a free one if @context is NULL. */
static struct post *find_post(const void *context)
{
	for (size_t i = 0; i < nr_posts; i++)
		if (posts[i].context == context)
			return &posts[i];
	return context || nr_posts == MOST_POSTS ? NULL : &posts[nr_posts++];
}

static struct counter *counter_of(const struct fid_ep *ep)
{
	for (size_t i = 0; i < nr_counters; i++)
		if (counters[i].ep == ep)
			return &counters[i];
	return NULL;
}

int strict_ep_bind(struct fid_ep *ep, struct fid *fid, uint64_t flags)
{
	if (fid->fclass == FI_CLASS_CNTR) {
		if (!strict_rule(nr_counters < MOST_COUNTERS, "a counter for each end"))
			return -FI_EINVAL;
		counters[nr_counters++] = (struct counter){(struct fid_cntr *)fid, ep};
	}
	return fi_ep_bind(ep, fid, flags);
}

/* What is counted is known to be over when all of it is. */
uint64_t strict_cntr_read(struct fid_cntr *cntr)
{
	uint64_t n = fi_cntr_read(cntr);

	for (size_t i = 0; i < nr_counters; i++) {
		const struct counter *c = &counters[i];

		if (c->cntr != cntr || n + c->failed != c->posted)
			continue;
		for (size_t k = 0; k < nr_posts; k++)
			if (posts[k].counted && posts[k].ep == c->ep)
				posts[k] = (struct post){0};
	}
	return n;
}

/*
 * A request that is counted is under way until all of them are over, also if it failed.
 */
static void completed(const void *context, bool failed)
{
	struct post *post = context ? find_post(context) : NULL;

	if (!strict_rule(post, "a completion belongs to a request"))
		return;
	if (post->counted)
		counter_of(post->ep)->failed += failed;
	else
		*post = (struct post){0};
}

int strict_cq_open(struct fid_domain *domain, struct fi_cq_attr *attr, struct fid_cq **cq,
		   void *context)
{
	entry_bytes = attr->format == FI_CQ_FORMAT_TAGGED
			      ? sizeof(struct fi_cq_tagged_entry)
			      : sizeof(struct fi_cq_msg_entry);
	return fi_cq_open(domain, attr, cq, context);
}

ssize_t strict_cq_read(struct fid_cq *cq, void *entries, size_t nr)
{
	ssize_t n = fi_cq_read(cq, entries, nr);
	const unsigned char *at = entries;
	size_t i = 0;

	for (; n > 0 && i < (size_t)n; i++, at += entry_bytes) {
		struct fi_cq_entry entry;

		memcpy(&entry, at, sizeof(entry));
		completed(entry.op_context, false);
	}
	return n;
}

ssize_t strict_cq_readerr(struct fid_cq *cq, struct fi_cq_err_entry *entry,
			  uint64_t flags)
{
	ssize_t n = fi_cq_readerr(cq, entry, flags);

	if (n > 0)
		completed(entry->op_context, true);
	return n;
}

/* What the six ways to post have in common. */
struct request {
	struct fid_ep *ep;
	const struct iovec *iov;
	void **desc;
	size_t nr;
	void *context;
	uint64_t flags;
	uint64_t access;
	void *real_desc[64]; /* the provider's own, once the request is allowed */
};

static size_t under_way(const struct fid_ep *ep, bool receive)
{
	size_t n = 0;

	for (size_t i = 0; i < nr_posts; i++)
		n += posts[i].ep == ep && posts[i].receive == receive;
	return n;
}

static bool sizes_allowed(const struct request *r)
{
	size_t most = r->access & FI_RECV ? asked.rx_iov : asked.limits.iov, len = 0;

	for (size_t i = 0; i < r->nr; i++) {
		len += r->iov[i].iov_len;
		if (!strict_rule(r->iov[i].iov_len, "no element is empty"))
			return false;
	}
	strict.posts++;
	strict.full += r->nr == most;
	if (r->nr > strict.most_elements)
		strict.most_elements = r->nr;
	if (len > strict.most_bytes)
		strict.most_bytes = len;
	strict.injected += (r->flags & FI_INJECT) != 0;
	return strict_rule(r->nr <= most, "as many elements as the limit") &&
	       strict_rule(len <= asked.limits.message, "no longer than max_msg_size") &&
	       strict_rule(!(r->flags & FI_INJECT) || len <= asked.limits.inject,
			   "no more injected than inject_size");
}

/* 0, or what the adapter hears instead of the provider's answer. */
static ssize_t allow(struct request *r)
{
	bool receive = r->access & FI_RECV;

	if (strict_one_in(strict.again))
		return -FI_EAGAIN;
	if (!sizes_allowed(r) ||
	    !strict_rule(r->flags & FI_COMPLETION || counter_of(r->ep),
			 "what is not counted is reported") ||
	    !strict_rule(!find_post(r->context), "a context has one request") ||
	    !strict_rule(receive || under_way(r->ep, receive) < asked.limits.queue,
			 "no more under way than the queue has room for"))
		return -FI_EINVAL;
	for (size_t i = 0; i < r->nr; i++)
		if (!strict_local(&r->iov[i], r->desc ? r->desc[i] : NULL, r->access,
				  r->flags & FI_INJECT, r->ep, &r->real_desc[i]))
			return -FI_EINVAL;
	return 0;
}

static ssize_t posted(const struct request *r, ssize_t rc)
{
	struct post *post = rc ? NULL : find_post(NULL);

	if (!post)
		return rc;
	*post = (struct post){r->context, r->ep, r->access & FI_RECV,
			      !(r->flags & FI_COMPLETION)};
	if (post->counted)
		counter_of(r->ep)->posted++;
	return rc;
}

static ssize_t message(struct fid_ep *ep, const struct fi_msg *m, uint64_t flags,
		       uint64_t access,
		       ssize_t (*post)(struct fid_ep *, const struct fi_msg *, uint64_t))
{
	struct request r = {ep,		m->msg_iov, m->desc, m->iov_count,
			    m->context, flags,	    access};
	struct fi_msg allowed = *m;
	ssize_t rc = allow(&r);

	allowed.desc = m->desc ? r.real_desc : NULL;
	return rc ? rc : posted(&r, post(ep, &allowed, flags));
}

ssize_t strict_sendmsg(struct fid_ep *ep, const struct fi_msg *m, uint64_t flags)
{
	return message(ep, m, flags, FI_SEND, fi_sendmsg);
}

ssize_t strict_recvmsg(struct fid_ep *ep, const struct fi_msg *m, uint64_t flags)
{
	return message(ep, m, flags, FI_RECV, fi_recvmsg);
}

static ssize_t
tagged(struct fid_ep *ep, const struct fi_msg_tagged *m, uint64_t flags, uint64_t access,
       ssize_t (*post)(struct fid_ep *, const struct fi_msg_tagged *, uint64_t))
{
	struct request r = {ep,		m->msg_iov, m->desc, m->iov_count,
			    m->context, flags,	    access};
	struct fi_msg_tagged allowed = *m;
	ssize_t rc = allow(&r);

	allowed.desc = m->desc ? r.real_desc : NULL;
	return rc ? rc : posted(&r, post(ep, &allowed, flags));
}

ssize_t strict_tsendmsg(struct fid_ep *ep, const struct fi_msg_tagged *m, uint64_t flags)
{
	return tagged(ep, m, flags, FI_SEND, fi_tsendmsg);
}

ssize_t strict_trecvmsg(struct fid_ep *ep, const struct fi_msg_tagged *m, uint64_t flags)
{
	return tagged(ep, m, flags, FI_RECV, fi_trecvmsg);
}

static ssize_t rma(struct fid_ep *ep, const struct fi_msg_rma *m, uint64_t flags,
		   uint64_t access, uint64_t remote_access,
		   ssize_t (*post)(struct fid_ep *, const struct fi_msg_rma *, uint64_t))
{
	struct request r = {ep,		m->msg_iov, m->desc, m->iov_count,
			    m->context, flags,	    access};
	struct fi_rma_iov remote;
	struct fi_msg_rma allowed = *m;
	size_t len = 0;
	ssize_t rc = allow(&r);

	for (size_t i = 0; i < r.nr; i++)
		len += r.iov[i].iov_len;
	if (!rc && (!strict_rule(m->rma_iov_count == 1 && m->rma_iov->len == len,
				 "as many bytes on both sides, in one element there") ||
		    !strict_remote(m->rma_iov, remote_access, &remote)))
		rc = -FI_EINVAL;
	allowed.desc = m->desc ? r.real_desc : NULL;
	allowed.rma_iov = &remote;
	return rc ? rc : posted(&r, post(ep, &allowed, flags));
}

ssize_t strict_writemsg(struct fid_ep *ep, const struct fi_msg_rma *m, uint64_t flags)
{
	return rma(ep, m, flags, FI_WRITE, FI_REMOTE_WRITE, fi_writemsg);
}

ssize_t strict_readmsg(struct fid_ep *ep, const struct fi_msg_rma *m, uint64_t flags)
{
	return rma(ep, m, flags, FI_READ, FI_REMOTE_READ, fi_readmsg);
}
