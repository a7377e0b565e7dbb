/* SPDX-License-Identifier: MIT */
/*
 * scratch.c - registered memory that bytes go through which the device must not or can't
 * be pointed at. Small amounts come from a pool that the queue pair makes when it is
 * first asked; larger ones are registered for the one operation.
 */
#include "internal.h"
#include <stdlib.h>
#include <sys/mman.h>

/* Records for destinations whose pieces can't be counted: they can't be pointed at. */
#define RECORDS 256

static void unmap(void *user, void *addr, size_t len)
{
	(void)user;
	munmap(addr, len);
}

static int own_region(struct decant_verbs_pair *pair, struct verbs_scratch *scratch,
		      size_t len)
{
	const struct decant_region_options options = {.size = sizeof(options),
						      .release = unmap};
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	int rc;

	if (addr == MAP_FAILED)
		return -ENOMEM;
	rc = decant_region_new(&scratch->region, addr, len, &options);
	if (rc) {
		munmap(addr, len);
		return rc;
	}
	return decant_domain_map(pair->domain, scratch->region);
}

static struct decant_span from_pool(struct decant_verbs_pair *pair, size_t len)
{
	const struct decant_pool_options options = {
		.size = sizeof(options),
		.buffer_bytes = VERBS_SCRATCH_BYTES,
		.buffers = VERBS_SCRATCH_BUFFERS,
		.small_pages = true,
	};

	if (len > VERBS_SCRATCH_BYTES)
		return (struct decant_span){0};
	if (!pair->scratch && decant_pool_new(&pair->scratch, &options))
		return (struct decant_span){0};
	if (decant_domain_map(pair->domain, decant_pool_region(pair->scratch)))
		return (struct decant_span){0};
	return decant_pool_get(pair->scratch);
}

static int memory(struct decant_verbs_pair *pair, struct verbs_scratch *scratch,
		  size_t len, struct decant_span *out)
{
	int rc;

	*out = from_pool(pair, len);
	if (out->addr) {
		scratch->pooled = out->addr;
		return 0;
	}
	rc = own_region(pair, scratch, len);
	if (!rc)
		*out = decant_region_span(scratch->region);
	return rc;
}

/*
 * What arrives is copied to where it belongs when all is there, so the description of
 * that must outlive the call. Where it can't be owned, it is the caller's to keep.
 */
static int keep_place(struct verbs_op *op, const struct decant_iter *it)
{
	struct verbs_scratch *scratch = op->scratch;
	struct decant_own_options own = {.size = sizeof(own),
					 .space = op->pair->options.space};
	size_t records = RECORDS;

	scratch->rest = *it;
	decant_iter_truncate(&scratch->rest, op->len);
	scratch->owned = decant_iter_own(&scratch->rest, op->len, &own);
	if (!scratch->owned && own.error != -EFAULT)
		return own.error;
	if (scratch->owned) {
		scratch->rest = decant_owned_iter(scratch->owned);
		records = decant_owned_elements(scratch->owned) + 1;
	}
	scratch->records = calloc(records, sizeof(*scratch->records));
	scratch->max_records = records;
	return scratch->records ? 0 : -ENOMEM;
}

/* Begin an empty stage for the operation; on errors verbs_scratch_free() cleans up. */
int verbs_scratch_new(struct verbs_op *op, const struct decant_iter *it)
{
	size_t most = op->pair->options.stage_bytes;
	struct verbs_scratch *scratch = calloc(1, sizeof(*scratch));
	struct decant_span span = {0};
	int rc = 0;

	if (!scratch)
		return -ENOMEM;
	op->scratch = scratch;
	scratch->rest = *it;
	if (it->direction == DECANT_DEST)
		rc = keep_place(op, it);
	if (!rc)
		rc = memory(op->pair, scratch, op->len < most ? op->len : most, &span);
	if (!rc)
		decant_stage_init(&scratch->stage, span, scratch->records,
				  scratch->max_records);
	return rc;
}

/*
 * One byte for a receive that has none: not every device takes one without elements.
 * What fills it is a message that was too long.
 */
int verbs_scratch_byte(struct verbs_op *op, struct decant_sge *sge)
{
	struct decant_span span = {0};
	int rc;

	op->scratch = calloc(1, sizeof(*op->scratch));
	if (!op->scratch)
		return -ENOMEM;
	rc = memory(op->pair, op->scratch, 1, &span);
	if (!rc)
		*sge = (struct decant_sge){
			(uintptr_t)span.addr, 1,
			decant_domain_mapping(op->pair->domain, span.region)->lkey};
	return rc;
}

void verbs_scratch_free(struct verbs_op *op)
{
	struct verbs_scratch *scratch = op->scratch;

	if (!scratch)
		return;
	if (scratch->pooled)
		decant_pool_put(op->pair->scratch, scratch->pooled);
	decant_region_put(scratch->region);
	decant_owned_put(scratch->owned);
	free(scratch->records);
	free(scratch);
	op->scratch = NULL;
}
