/* SPDX-License-Identifier: MIT */
/* stage.c - scratch memory in order of use, and where its bytes belong. */
#include <errno.h>
#include <string.h>
#include <decant/copy.h>
#include "stage.h"
#include "probes.h"
#include "util.h"

void decant_stage_init(struct decant_stage *stage, struct decant_span memory,
		       struct decant_staged *records, size_t max)
{
	*stage = (struct decant_stage){.memory = memory, .records = records, .max = max};
}

void decant_stage_reset(struct decant_stage *stage)
{
	stage->used = 0;
	stage->nr = 0;
	stage->bytes = 0;
}

/* Where the next piece starts; past the end if there is no room. */
static size_t next_offset(const struct decant_stage *stage, size_t align)
{
	uintptr_t base = (uintptr_t)stage->memory.addr;
	size_t mask = low_mask(align);

	return ((base + stage->used + mask) & ~(uintptr_t)mask) - base;
}

size_t stage_room(const struct decant_stage *stage, size_t align)
{
	size_t offset = next_offset(stage, align);

	return offset < stage->memory.len ? stage->memory.len - offset : 0;
}

/* The newest record, if a piece at this place, from this iterator, would continue it. */
static struct decant_staged *continued(const struct decant_stage *stage,
				       const struct decant_iter *it, size_t offset,
				       size_t at)
{
	struct decant_staged *last = stage->nr ? &stage->records[stage->nr - 1] : NULL;

	if (!last || last->offset + last->len != offset || last->at + last->len != at ||
	    memcmp(&stage->next, it, sizeof(*it)) != 0)
		return NULL;
	return last;
}

/* A destination's piece must be remembered until its bytes arrive. */
static int record(struct decant_stage *stage, const struct decant_iter *it, size_t offset,
		  size_t at, size_t len)
{
	struct decant_staged *last = continued(stage, it, offset, at);

	if (last) {
		last->len += len;
		return 0;
	}
	if (stage->nr == stage->max)
		return -ENOSPC;
	stage->records[stage->nr++] = (struct decant_staged){*it, offset, at, len};
	return 0;
}

int decant_stage_pad(struct decant_stage *stage, size_t len, size_t align,
		     struct decant_span *out)
{
	size_t offset = next_offset(stage, align);

	if (len > stage_room(stage, align))
		return -ENOSPC;
	stage->used = offset + len;
	*out = (struct decant_span){(unsigned char *)stage->memory.addr + offset, len,
				    stage->memory.region};
	return 0;
}

/* Move the cursor over what was padded; source bytes come along. Bytes moved. */
static ssize_t fetch(struct decant_iter *it, void *to, size_t len)
{
	if (it->direction == DECANT_SOURCE)
		return decant_copy_to(to, it, len);
	return decant_iter_advance(it, len) ? -EINVAL : (ssize_t)len;
}

ssize_t stage_take(struct decant_stage *stage, struct decant_iter *it, size_t len,
		   size_t align, size_t at, struct decant_span *out)
{
	size_t offset = next_offset(stage, align), used = stage->used;
	ssize_t got;

	if (len > decant_iter_count(it))
		return -EINVAL;
	got = decant_stage_pad(stage, len, align, out);
	if (got)
		return got;
	if (it->direction == DECANT_DEST)
		got = record(stage, it, offset, at, len);
	if (!got && len)
		got = fetch(it, out->addr, len);
	if (got < 0) {
		stage->used = used;
		return got;
	}
	stage->used = offset + (size_t)got;
	stage->next = *it;
	stage->bytes += (size_t)got;
	return got;
}

int decant_stage_take(struct decant_stage *stage, struct decant_iter *it, size_t len,
		      size_t align, size_t at, struct decant_span *out)
{
	struct decant_iter before = *it, next = stage->next;
	size_t used = stage->used, bytes = stage->bytes;
	ssize_t got = stage_take(stage, it, len, align, at, out);

	if (got >= 0)
		probe_stage(stage, (size_t)got, at, stage->used);
	if (got < 0 || (size_t)got == len)
		return got < 0 ? (int)got : 0;
	/* A source only: what follows can't be read. */
	*it = before;
	stage->next = next;
	stage->used = used;
	stage->bytes = bytes;
	return -EFAULT;
}

void stage_give_back(struct decant_stage *stage, enum decant_direction direction,
		     size_t n)
{
	stage->used -= n;
	stage->bytes -= n;
	if (direction == DECANT_SOURCE)
		return;
	decant_iter_revert(&stage->next, n);
	while (n) {
		struct decant_staged *last = &stage->records[stage->nr - 1];
		size_t len = min_size(last->len, n);

		last->len -= len;
		n -= len;
		if (!last->len)
			stage->nr--;
	}
}

size_t decant_stage_scatter(struct decant_stage *stage, size_t done)
{
	const unsigned char *base = stage->memory.addr;
	size_t copied = 0;

	for (size_t i = 0; i < stage->nr && stage->records[i].at < done; i++) {
		struct decant_staged *piece = &stage->records[i];
		struct decant_iter it = piece->iter;
		size_t len = min_size(piece->len, done - piece->at);
		ssize_t n = decant_copy_from(&it, base + piece->offset, len);

		copied += n > 0 ? (size_t)n : 0;
		if (n < 0 || (size_t)n < len)
			break;
	}
	return copied;
}
