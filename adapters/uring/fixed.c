/* SPDX-License-Identifier: MIT */
/*
 * fixed.c - regions as registered buffers: the ring as a domain.
 *
 * The kernel's table is sparse. A region gets as many slots in a row as it has GiB, which
 * is what a slot holds; its mapping's lkey is the first. A request whose memory all lies
 * in one slot goes with that slot's number: the kernel looks up no pages.
 *
 * Regions come and go in any thread, but some rings take orders from one thread only. A
 * slot that can't be emptied at once is stale, and the ring's thread empties it later;
 * until then nobody can name it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "internal.h"
#include "opcodes.h"

#define PAGE ((size_t)4096)

enum { SLOT_FREE, SLOT_USED, SLOT_STALE };

static const char why_threads[] = "threads have no registered buffers";
static const char why_not_asked[] = "registered buffers were not asked for";
static const char why_table[] = "the kernel gives no table for registered buffers";

static struct fixed *fixed_of(struct decant_domain *domain)
{
	return (struct fixed *)domain; /* its first member */
}

static struct decant_uring *ring_of(struct fixed *fixed)
{
	return (struct decant_uring *)((char *)fixed -
				       offsetof(struct decant_uring, fixed));
}

static unsigned slots_for(size_t len)
{
	return (unsigned)((len + URING_BUFFER_BYTES_MAX - 1) / URING_BUFFER_BYTES_MAX);
}

/* Whole pages are locked. */
static uint64_t locked_bytes(const struct decant_span *span)
{
	uintptr_t start = (uintptr_t)span->addr & ~(PAGE - 1);
	uintptr_t end = ((uintptr_t)span->addr + span->len + PAGE - 1) & ~(PAGE - 1);

	return end - start;
}

/* The first of @nr free slots in a row, or @max. */
static unsigned find_slots(const struct fixed *fixed, unsigned nr)
{
	unsigned run = 0;

	for (unsigned i = 0; i < fixed->max; i++) {
		run = fixed->slots[i] == SLOT_FREE ? run + 1 : 0;
		if (run == nr)
			return i + 1 - nr;
	}
	return fixed->max;
}

static int set_slot(struct fixed *fixed, unsigned slot, void *addr, size_t len)
{
	struct decant_uring *ring = ring_of(fixed);

	if (uring_forked(ring))
		return 0; /* a child's region, but the parent's table */
	return ring->ops->set_buffer(ring->backend, slot, addr, len);
}

static void empty_slots(struct fixed *fixed, unsigned first, unsigned nr)
{
	for (unsigned i = first; i < first + nr; i++) {
		bool stale = set_slot(fixed, i, NULL, 0) < 0;

		fixed->slots[i] = stale ? SLOT_STALE : SLOT_FREE;
		if (stale)
			atomic_fetch_add_explicit(&fixed->nr_stale, 1,
						  memory_order_relaxed);
	}
}

static int fill_slots(struct fixed *fixed, unsigned first, const struct decant_span *span)
{
	unsigned char *addr = span->addr;
	size_t left = span->len, len;
	unsigned slot = first;
	int err = 0;

	for (; left && !err; slot++, addr += len, left -= len) {
		len = left < URING_BUFFER_BYTES_MAX ? left : URING_BUFFER_BYTES_MAX;
		err = set_slot(fixed, slot, addr, len);
		fixed->slots[slot] = err ? SLOT_FREE : SLOT_USED;
	}
	if (err)
		empty_slots(fixed, first, slot - 1 - first);
	return err;
}

/* The kernel makes the table when the first region comes. */
static int need_table(struct fixed *fixed)
{
	struct decant_uring *ring = ring_of(fixed);
	int err;

	if (fixed->table)
		return 0;
	err = ring->ops->buffers(ring->backend, fixed->max, &fixed->vectored);
	if (err == -EINVAL) {
		fixed->why = why_table;
		fixed->possible = false;
	}
	fixed->table = !err;
	return err;
}

/* What would have been enough, as far as can be seen from here. */
static void note_refusal(struct fixed *fixed, const struct decant_span *span, int err)
{
	if (err == -ENOMEM)
		fixed->needed = fixed->locked + locked_bytes(span);
	fixed->starved |= err == -ENOMEM || err == -ENOSPC;
}

static int map_locked(struct fixed *fixed, const struct decant_span *span,
		      struct decant_mapping *mapping)
{
	unsigned first, nr = slots_for(span->len);
	int err = need_table(fixed);

	if (err)
		return err;
	first = find_slots(fixed, nr);
	err = first == fixed->max ? -ENOSPC : fill_slots(fixed, first, span);
	if (err) {
		note_refusal(fixed, span, err);
		return err;
	}
	fixed->regions++;
	fixed->locked += locked_bytes(span);
	mapping->lkey = first;
	mapping->iova = (uintptr_t)span->addr;
	mapping->desc = (void *)(uintptr_t)span->len;
	return 0;
}

static int fixed_map(struct decant_domain *domain, const struct decant_span *span,
		     struct decant_mapping *mapping)
{
	struct fixed *fixed = fixed_of(domain);
	int err;

	if (!fixed->possible)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&fixed->lock);
	err = map_locked(fixed, span, mapping);
	pthread_mutex_unlock(&fixed->lock);
	return err;
}

static struct decant_span span_of(const struct decant_mapping *mapping)
{
	return (struct decant_span){.addr = (void *)(uintptr_t)mapping->iova,
				    .len = (size_t)(uintptr_t)mapping->desc};
}

/* There is room now: what was refused for the lack of it may be tried again. */
static void forget_refusals(struct fixed *fixed)
{
	for (unsigned i = 0; fixed->starved && i < FIXED_REFUSED; i++)
		atomic_store_explicit(&fixed->refused[i], 0, memory_order_relaxed);
	fixed->starved = false;
}

static void fixed_unmap(struct decant_domain *domain, struct decant_mapping *mapping)
{
	struct decant_span span = span_of(mapping);
	struct fixed *fixed = fixed_of(domain);

	pthread_mutex_lock(&fixed->lock);
	empty_slots(fixed, mapping->lkey, slots_for(span.len));
	fixed->regions--;
	fixed->locked -= locked_bytes(&span);
	forget_refusals(fixed);
	pthread_mutex_unlock(&fixed->lock);
}

static const struct decant_domain_ops fixed_ops = {
	.name = "uring",
	.map = fixed_map,
	.unmap = fixed_unmap,
};

int uring_fixed_init(struct decant_uring *ring,
		     const struct decant_uring_options *options)
{
	struct fixed *fixed = &ring->fixed;

	fixed->always = options->buffers == DECANT_URING_BUFFERS_ALWAYS;
	fixed->max = options->regions ? options->regions : FIXED_DEFAULT;
	if (!ring->ops->buffers)
		fixed->why = why_threads;
	else if (options->buffers == DECANT_URING_BUFFERS_NEVER)
		fixed->why = why_not_asked;
	fixed->possible = !fixed->why;
	if (fixed->always && !fixed->possible)
		return -EOPNOTSUPP;
	fixed->slots = calloc(fixed->max, 1);
	if (!fixed->slots)
		return -ENOMEM;
	pthread_mutex_init(&fixed->lock, NULL);
	decant_domain_init(&fixed->domain, &fixed_ops);
	return 0;
}

void uring_fixed_fini(struct decant_uring *ring)
{
	struct fixed *fixed = &ring->fixed;

	if (!fixed->slots)
		return;
	decant_domain_fini(&fixed->domain);
	pthread_mutex_destroy(&fixed->lock);
	free(fixed->slots);
}

/* Slots that another thread gave up. */
void uring_fixed_tidy(struct decant_uring *ring)
{
	struct fixed *fixed = &ring->fixed;

	if (!atomic_load_explicit(&fixed->nr_stale, memory_order_relaxed))
		return;
	pthread_mutex_lock(&fixed->lock);
	for (unsigned i = 0; i < fixed->max; i++) {
		if (fixed->slots[i] != SLOT_STALE)
			continue;
		atomic_fetch_sub_explicit(&fixed->nr_stale, 1, memory_order_relaxed);
		empty_slots(fixed, i, 1);
	}
	pthread_mutex_unlock(&fixed->lock);
}

/* What a refusal is remembered by; wrong only by a speed. */
static uint64_t name_of(const struct decant_region *region)
{
	struct decant_span span = decant_region_span(region);

	return (uintptr_t)region ^ (uintptr_t)span.addr * 0x9e3779b97f4a7c15ull ^
	       span.len << 17;
}

/* A region that was refused is not tried again by itself before another has gone. */
static const struct decant_mapping *map_quietly(struct fixed *fixed,
						struct decant_region *region)
{
	uint64_t name = name_of(region);
	_Atomic(uint64_t) *refused = &fixed->refused[name % FIXED_REFUSED];

	if (atomic_load_explicit(refused, memory_order_relaxed) == name)
		return NULL;
	if (!decant_domain_map(&fixed->domain, region))
		return decant_domain_mapping(&fixed->domain, region);
	atomic_store_explicit(refused, name, memory_order_relaxed);
	return NULL;
}

int uring_fixed_need(struct decant_uring *ring, struct decant_region *region)
{
	struct fixed *fixed = &ring->fixed;

	if (!fixed->always || !region || decant_domain_mapping(&fixed->domain, region))
		return 0;
	return decant_domain_map(&fixed->domain, region);
}

int uring_fixed_map(struct operation *op)
{
	struct decant_iter it;
	struct decant_span span;
	int err = 0;

	if (!op->ring->fixed.always)
		return 0;
	it = uring_memory(op);
	while (!err && decant_iter_count(&it)) {
		span = decant_iter_peek(&it);
		err = uring_fixed_need(op->ring, span.region);
		decant_iter_advance(&it, span.len);
	}
	return err;
}

/* The slot that all of a request's memory lies in, or -1. */
static int common_slot(const struct request *request,
		       const struct decant_mapping *mapping)
{
	uintptr_t start = (uintptr_t)mapping->iova, len = (uintptr_t)mapping->desc;
	uintptr_t at = (uintptr_t)request->iov[0].iov_base - start;
	uintptr_t slot = at / URING_BUFFER_BYTES_MAX;
	uintptr_t from = slot * URING_BUFFER_BYTES_MAX;

	len = len - from < URING_BUFFER_BYTES_MAX ? len - from : URING_BUFFER_BYTES_MAX;
	for (unsigned i = 0; i < request->nr; i++) {
		at = (uintptr_t)request->iov[i].iov_base - start - from;
		if (at > len || request->iov[i].iov_len > len - at)
			return -1;
	}
	return (int)(mapping->lkey + slot);
}

static const struct decant_mapping *find_mapping(struct fixed *fixed,
						 struct decant_region *region)
{
	const struct decant_mapping *mapping =
		decant_domain_mapping(&fixed->domain, region);

	return mapping ? mapping : map_quietly(fixed, region);
}

bool uring_fixed_vectors(struct decant_uring *ring, struct decant_region *region)
{
	struct fixed *fixed = &ring->fixed;

	return region && fixed->possible && find_mapping(fixed, region) &&
	       fixed->vectored;
}

void uring_fixed_plan(struct operation *op, struct decant_region *region)
{
	struct fixed *fixed = &op->ring->fixed;
	struct request *request = &op->request;
	const struct decant_mapping *mapping;

	request->buffer = -1;
	if (!region || !fixed->possible || (!op->file->positions && !request->zero_copy))
		return;
	mapping = find_mapping(fixed, region);
	if (!mapping || (request->nr > 1 && (!fixed->vectored || request->zero_copy)))
		return;
	request->buffer = common_slot(request, mapping);
	op->ring->stats.fixed += request->buffer >= 0;
}

struct decant_domain *decant_uring_domain(struct decant_uring *ring)
{
	return &ring->fixed.domain;
}

void decant_uring_buffers_info(struct decant_uring *ring,
			       struct decant_uring_buffers_info *info)
{
	struct fixed *fixed = &ring->fixed;
	struct rlimit limit = {0};

	getrlimit(RLIMIT_MEMLOCK, &limit);
	pthread_mutex_lock(&fixed->lock);
	*info = (struct decant_uring_buffers_info){
		.possible = fixed->possible,
		.vectored = fixed->vectored,
		.regions = fixed->regions,
		.locked = fixed->locked,
		.needed = fixed->needed,
		.limit = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur,
		.why = fixed->why,
	};
	pthread_mutex_unlock(&fixed->lock);
}
