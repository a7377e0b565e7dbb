/* SPDX-License-Identifier: MIT */
/*
 * claim.c - who may write which blocks of a file now.
 *
 * A write that changes a part of a block reads the block and writes it whole, or leaves
 * it to the page cache, which does so later. Another write of that block in the meantime
 * would be lost. So every direct write claims what it writes, and a claim waits while
 * another that came earlier touches one of its edges, or it touches one of the other's.
 * Writes without edges never wait for one another, and look no further than a counter.
 *
 * Who waits polls its own eventfd, a request as any other; so rings of different threads
 * may share a file.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "internal.h"

/* What the page cache writes back at a time, at least. */
#define PAGE 4096u

void uring_claims_init(struct claims *claims)
{
	*claims = (struct claims){0};
	TAILQ_INIT(&claims->writing);
	TAILQ_INIT(&claims->waiting);
	pthread_mutex_init(&claims->lock, NULL);
}

void uring_claims_fini(struct claims *claims)
{
	pthread_mutex_destroy(&claims->lock);
}

static bool overlap(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

static bool edges_touch(const struct claim *a, const struct claim *b)
{
	return overlap(a->edge[EDGE_HEAD], b->all) || overlap(a->edge[EDGE_TAIL], b->all);
}

/* Whether a claim meets one that is on the list before @end. */
static bool meets(const struct claim *claim, const struct claim_list *list,
		  const struct claim *end)
{
	const struct claim *other = TAILQ_FIRST(list);

	while (other != end && !edges_touch(claim, other) && !edges_touch(other, claim))
		other = TAILQ_NEXT(other, link);
	return other != end;
}

static bool must_wait(const struct claims *claims, const struct claim *claim)
{
	const struct claim *end = claim->waiting ? claim : NULL;

	return claims->nr_edged && (meets(claim, &claims->writing, NULL) ||
				    meets(claim, &claims->waiting, end));
}

static struct range around(uint64_t pos, size_t granule)
{
	uint64_t start = pos & ~(uint64_t)(granule - 1);

	return (struct range){start, start + granule};
}

static void lay_claim(struct claim *claim, size_t block, uint64_t pos, size_t len)
{
	size_t granule = block > PAGE ? block : PAGE;
	uint64_t end = pos + len;

	claim->all = (struct range){pos, end};
	claim->edge[EDGE_HEAD] = claim->edge[EDGE_TAIL] = (struct range){0};
	claim->edged = (pos | end) & (block - 1);
	if (pos & (block - 1)) {
		claim->edge[EDGE_HEAD] = around(pos, granule);
		claim->all.start = claim->edge[EDGE_HEAD].start;
	}
	if (end & (block - 1)) {
		claim->edge[EDGE_TAIL] = around(end, granule);
		claim->all.end = claim->edge[EDGE_TAIL].end;
	}
}

static struct claim_list *list_of(struct claims *claims, const struct claim *claim)
{
	return claim->waiting ? &claims->waiting : &claims->writing;
}

static int need_wake_fd(struct claim *claim)
{
	int fd;

	if (claim->wake_fd)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	claim->wake_fd = fd;
	return 0;
}

int uring_claim(struct operation *op, uint64_t pos, size_t len)
{
	struct claims *claims = &op->file->claims;
	struct claim *claim = &op->claim;
	int err = 0;

	lay_claim(claim, op->file->info.offset_align, pos, len);
	claim->waiting = claim->polled = false;
	pthread_mutex_lock(&claims->lock);
	if (must_wait(claims, claim)) {
		err = need_wake_fd(claim);
		claim->waiting = claim->polled = !err;
	}
	if (!err) {
		claims->nr_edged += claim->edged;
		TAILQ_INSERT_TAIL(list_of(claims, claim), claim, link);
	}
	pthread_mutex_unlock(&claims->lock);
	claim->claimed = !err;
	return claim->polled ? -EBUSY : err;
}

/* An eventfd refuses a write only when its counter is full. */
static void let_in(struct claims *claims)
{
	struct claim *claim = TAILQ_FIRST(&claims->waiting), *next;

	for (; claim; claim = next) {
		next = TAILQ_NEXT(claim, link);
		if (must_wait(claims, claim))
			continue;
		TAILQ_REMOVE(&claims->waiting, claim, link);
		claim->waiting = false;
		TAILQ_INSERT_TAIL(&claims->writing, claim, link);
		eventfd_write(claim->wake_fd, 1);
	}
}

void uring_unclaim(struct operation *op)
{
	struct claims *claims = &op->file->claims;
	struct claim *claim = &op->claim;
	eventfd_t count;

	if (!claim->claimed)
		return;
	claim->claimed = false;
	pthread_mutex_lock(&claims->lock);
	TAILQ_REMOVE(list_of(claims, claim), claim, link);
	claims->nr_edged -= claim->edged;
	let_in(claims);
	pthread_mutex_unlock(&claims->lock);
	if (claim->wake_fd)
		eventfd_read(claim->wake_fd, &count);
}

void uring_claim_fini(struct operation *op)
{
	if (op->claim.wake_fd)
		close(op->claim.wake_fd);
}
