// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * decant_oracle.c - a kernel module that says what the kernel's own iterators name: one
 * line for each step of each case. Powers the machine off when it is done.
 */
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/reboot.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "case.h"

static unsigned long seed = 1;
static unsigned int cases = 1000;

module_param(seed, ulong, 0444);
module_param(cases, uint, 0444);

static struct page *arena;
static struct kvec kvecs[OC_SEGMENTS];
static struct bio_vec bvecs[OC_SEGMENTS];
static struct scatterlist entries[OC_LISTED];
static char text[32 * OC_LISTED + 128];

static void begin(const struct oc_case *c, struct iov_iter *it)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		unsigned int offset = c->segment[i].offset, len = c->segment[i].len;

		kvecs[i].iov_base = (char *)page_address(arena) + offset;
		kvecs[i].iov_len = len;
		bvec_set_page(&bvecs[i], arena + offset / PAGE_SIZE, len,
			      offset % PAGE_SIZE);
	}
	if (c->bvec)
		iov_iter_bvec(it, ITER_SOURCE, bvecs, c->nr, c->total);
	else
		iov_iter_kvec(it, ITER_SOURCE, kvecs, c->nr, c->total);
}

static int list(int at, struct page *page, unsigned int offset, unsigned int len)
{
	unsigned long from =
		(page_to_pfn(page) - page_to_pfn(arena)) * PAGE_SIZE + offset;

	return at + scnprintf(text + at, sizeof(text) - at, " %lu:%u", from, len);
}

static long to_sglist(struct iov_iter *it, const struct oc_step *step, int at)
{
	struct sg_table table = {.sgl = entries};
	unsigned int i;
	long got;

	/* It looks at the lists alone: of a truncated iterator it would give more. */
	sg_init_table(entries, OC_LISTED);
	got = extract_iter_to_sg(it, min_t(size_t, step->n, iov_iter_count(it)), &table,
				 step->max, 0);
	at += scnprintf(text + at, sizeof(text) - at, " %ld %u", got, table.nents);
	for (i = 0; i < table.nents; i++)
		at = list(at, sg_page(&entries[i]), entries[i].offset, entries[i].length);
	return got;
}

static long to_pages(struct iov_iter *it, const struct oc_step *step, int at)
{
	struct page *room[OC_LISTED], **pages = room;
	size_t offset = 0, left;
	unsigned int i = 0;
	long got;

	got = iov_iter_extract_pages(it, &pages, step->n, step->max, 0, &offset);
	at += scnprintf(text + at, sizeof(text) - at, " %ld 0", got);
	for (left = got > 0 ? got : 0; left; i++, offset = 0) {
		size_t n = min_t(size_t, left, PAGE_SIZE - offset);

		at = list(at, pages[i], offset, n);
		left -= n;
	}
	return got;
}

static void look(struct iov_iter *it, int at)
{
	scnprintf(text + at, sizeof(text) - at, " %d %lu", iov_iter_npages(it, 10000),
		  iov_iter_alignment(it));
}

static void run_step(struct iov_iter *it, const struct oc_step *step, size_t *consumed,
		     int at)
{
	size_t before = iov_iter_count(it);

	switch (step->op) {
	case OC_SGLIST:
		to_sglist(it, step, at);
		break;
	case OC_PAGES:
		to_pages(it, step, at);
		break;
	case OC_ADVANCE:
		iov_iter_advance(it, oc_part(before, step->n));
		break;
	case OC_REVERT:
		iov_iter_revert(it, oc_part(*consumed, step->n));
		break;
	case OC_TRUNCATE:
		iov_iter_truncate(it, oc_part(before, step->n));
		before = iov_iter_count(it);
		break;
	case OC_LOOK:
		look(it, at);
		break;
	}
	*consumed += before - iov_iter_count(it);
}

static int __init oracle_init(void)
{
	unsigned int number, i;

	arena = alloc_pages(GFP_KERNEL, get_order(OC_ARENA));
	if (!arena)
		return -ENOMEM;
	for (number = 0; number < cases; number++) {
		struct iov_iter it;
		struct oc_case c;
		size_t consumed = 0;

		oc_make(&c, seed, number);
		begin(&c, &it);
		for (i = 0; i < OC_STEPS; i++) {
			text[0] = 0;
			run_step(&it, &c.step[i], &consumed, 0);
			pr_info("DO %u %u %zu%s\n", number, i, iov_iter_count(&it), text);
		}
	}
	pr_info("DONE %u\n", number);
	kernel_power_off();
	return -EAGAIN;
}
module_init(oracle_init);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("what the kernel's iterators name");
