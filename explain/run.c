/* SPDX-License-Identifier: MIT */
/* run.c - one request after the other through the library's loop, and what came out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "run.h"

/* What a made-up device's scratch memory is aligned to, at least. */
#define STAGE_ALIGN 4096u

/* Most pieces of scratch memory in a request; only those in use take any memory. */
#define RECORDS ((size_t)1 << 24)

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint64_t period_of(const struct explain_job *job)
{
	uint64_t most = job->page_size > STAGE_ALIGN ? job->page_size : STAGE_ALIGN;
	struct decant_limits limits = job->limits;

	for (unsigned i = 0; explain_limits_name(i); i++) {
		size_t value = *explain_limits_field(&limits, i);

		if (1u << i & (WHY_BOUNDARY | WHY_ADDR_ALIGN | WHY_LEN_ALIGN | WHY_GAP) &&
		    value > most)
			most = value;
	}
	return most;
}

/* Where no piece and no region is: behind all of them, or before. */
static uint64_t free_place(const struct run *run, size_t bytes)
{
	const struct explain_layout *layout = run->job->layout;
	uint64_t lo = UINT64_MAX, hi = 0, place;

	for (size_t i = 0; i < layout->nr; i++) {
		uint64_t addr = (uintptr_t)layout->pieces[i].iov_base;
		uint64_t end = addr + layout->pieces[i].iov_len;

		if (!layout->pieces[i].iov_len)
			continue;
		lo = addr < lo ? addr : lo;
		hi = end > hi ? end : hi;
	}
	for (size_t i = 0; i < layout->nr_regions; i++) {
		const struct explain_region *r = &layout->regions[i];
		uint64_t ends[] = {r->addr + r->len, r->device + r->len};

		lo = r->addr < lo ? r->addr : lo;
		lo = r->device < lo ? r->device : lo;
		hi = ends[0] > hi ? ends[0] : hi;
		hi = ends[1] > hi ? ends[1] : hi;
	}
	place = (hi | (run->period - 1)) + 1 + run->period;
	if (place > hi && place + bytes + run->period > place)
		return place;
	return lo > bytes + 2 * run->period ? run->period : 0;
}

/* Scratch memory that is not there: what goes through it is only recorded. */
static int begin_stage(struct run *run)
{
	size_t bytes = run->job->stage_bytes, max = RECORDS;
	struct decant_span memory = {.len = bytes};
	struct decant_staged *records;
	int err = 0;

	if (!bytes)
		return 0;
	memory.addr = (void *)(uintptr_t)free_place(run, bytes);
	if (!memory.addr)
		return -EADDRNOTAVAIL;
	max = smaller(max, bytes + 1);
	records = mmap(NULL, max * sizeof(*records), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (records == MAP_FAILED)
		return -ENOMEM;
	if (run->job->layout->nr_regions)
		err = decant_region_new(&run->stage_region, memory.addr, bytes, NULL);
	if (run->stage_region)
		err = decant_domain_map(&run->device.domain, run->stage_region);
	memory.region = run->stage_region;
	decant_stage_init(&run->stage, memory, records, max);
	run->recorder.sink.stage = &run->stage;
	return err;
}

static void end_stage(struct run *run)
{
	if (run->stage.records)
		munmap(run->stage.records, run->stage.max * sizeof(*run->stage.records));
	decant_region_put(run->stage_region);
}

static int begin(struct run *run)
{
	const struct explain_job *job = run->job;
	struct decant_sink *sink = &run->recorder.sink;
	int err = device_init(&run->device, job->layout);

	run->direct = !strcmp(job->sink, "direct");
	run->period = period_of(job);
	if (!err)
		err = recorder_init(&run->recorder, run->direct ? "iovec" : job->sink,
				    job->page_size);
	if (!err)
		err = decant_iter_iovec(&run->it, DECANT_DEST, job->layout->pieces,
					job->layout->nr);
	if (err)
		return err;
	sink->limits = job->limits;
	sink->policy = job->policy;
	sink->stage_gaps = job->stage_gaps;
	if (job->layout->nr_regions || job->policy == DECANT_REGISTER) {
		sink->space = run->device.space;
		sink->domain = &run->device.domain;
		sink->hold = &run->hold;
	}
	run->seen = run->it;
	return begin_stage(run);
}

/* Move what was looked at over len bytes; how many pieces beyond the first they are. */
static size_t see(struct run *run, size_t len, struct explain_element *el)
{
	const struct iovec *pieces = run->job->layout->pieces;
	size_t merged = 0;

	decant_iter_advance(&run->seen, len);
	while (len) {
		size_t left = pieces[run->piece].iov_len - run->piece_offset;
		size_t n = smaller(left, len);

		if (n) {
			merged += el->last != run->piece;
			el->last = run->piece;
		}
		len -= n;
		run->piece_offset += n;
		if (n == left) {
			run->piece++;
			run->piece_offset = 0;
		}
	}
	return merged;
}

/* Over pieces that are empty, so that a place is in one with bytes. */
static void skip_empty(struct run *run)
{
	const struct explain_layout *layout = run->job->layout;

	while (run->piece < layout->nr && !layout->pieces[run->piece].iov_len)
		run->piece++;
}

static bool staged(const struct run *run, const struct decant_element *el)
{
	uintptr_t base = (uintptr_t)run->stage.memory.addr;

	return (uintptr_t)el->addr - base < run->stage.memory.len;
}

/* Why an element of this request begins, and does not go on with the one before. */
static unsigned why_begins(struct run *run, size_t i, unsigned before)
{
	const struct decant_element *el = &run->recorder.list[i], *prev = el - 1;

	if (!i)
		return before;
	if (staged(run, el) != staged(run, prev))
		return WHY_STAGE;
	if (prev->device + prev->len != el->device)
		return prev->addr + prev->len == el->addr ? WHY_DEVICE : WHY_APART;
	if (prev->region != el->region && !run->recorder.ops.joins_owners)
		return WHY_OWNER;
	return why_ends(run, prev->device, prev->len);
}

/* The bytes of an element that are nobody's: the edges of a transfer. */
struct edges {
	size_t front;
	size_t back;
};

static struct explain_element describe(struct run *run, size_t i, unsigned before,
				       const struct edges *edges)
{
	const struct decant_element *from = &run->recorder.list[i];
	const struct decant_sink *sink = &run->recorder.sink;
	struct explain_element el = {
		.request = run->totals->requests,
		.index = i,
		.len = from->len,
		.front = i ? 0 : edges->front,
		.back = i + 1 < sink->nr ? 0 : edges->back,
		.staged = staged(run, from),
		.region = device_region_name(&run->device, from->region),
		.addr = from->device,
	};

	skip_empty(run);
	el.at = decant_iter_consumed(&run->seen);
	el.piece = el.last = run->piece;
	el.piece_offset = run->piece_offset;
	el.split = i && run->piece_offset;
	el.begins = why_begins(run, i, before);
	if (el.staged) {
		el.addr = (uintptr_t)from->addr - (uintptr_t)run->stage.memory.addr;
		el.region = NULL;
		el.stages = el.front || (!i && el.back && sink->nr == 1 &&
					 from->len == run->job->limits.len_align)
				    ? WHY_EDGE
				    : why_staged(run, &run->seen);
	}
	if (from->mapping) {
		el.has_key = true;
		el.key = from->mapping->lkey;
	}
	el.merged = see(run, el.len - el.front - el.back, &el);
	return el;
}

static void count(struct explain_totals *totals, const struct explain_element *el)
{
	totals->elements++;
	totals->merged += el->merged;
	totals->splits += el->split;
	totals->padding += el->front + el->back;
	if (!el->staged)
		return;
	totals->staged_elements++;
	totals->staged_pieces += 1 + el->merged;
	totals->staged_bytes += el->len - el->front - el->back;
}

/* Hand a request's elements out. before: why the one before it ended. */
static int hand_out(struct run *run, const struct edges *edges, unsigned *before)
{
	const struct decant_sink *sink = &run->recorder.sink;
	struct explain_request request = {.index = run->totals->requests,
					  .elements = sink->nr,
					  .bytes = sink->bytes,
					  .ends = why_request(run)};

	for (size_t i = 0; i < sink->nr; i++) {
		struct explain_element el = describe(run, i, *before, edges);

		count(run->totals, &el);
		if (el.staged)
			request.staged += el.len - el.front - el.back;
		if (!run->out->element(run->out->user, &el))
			return -ECANCELED;
	}
	run->totals->requests++;
	*before = request.ends;
	return run->out->request(run->out->user, &request) ? 0 : -ECANCELED;
}

/*
 * A part of a block at the beginning or the end of a direct transfer: the whole block
 * goes through scratch memory, as in libdecant-uring. Bytes of the layout in it.
 */
static ssize_t take_edge(struct run *run, size_t before, size_t len, size_t behind)
{
	struct decant_sink *sink = &run->recorder.sink;
	size_t align = sink->limits.addr_align, block = before + len + behind;
	struct decant_span pad, part, whole;
	struct decant_iter from;
	ssize_t got;

	if (run->stage.memory.len - run->stage.used < 2 * block)
		return -ENOSPC;
	if (before && decant_stage_pad(&run->stage, before, align, &pad))
		return -ENOSPC;
	got = decant_stage_take(&run->stage, &run->it, len, before ? 1 : align,
				sink->bytes + before, &part);
	if (!got && behind)
		got = decant_stage_pad(&run->stage, behind, 1, &pad);
	if (got)
		return got;
	whole = (struct decant_span){(char *)part.addr - before, block, part.region};
	got = decant_iter_buf(&from, DECANT_DEST, whole.addr, whole.len);
	if (!got)
		got = decant_extract_all(&from, sink, block);
	return got < 0 ? got : (ssize_t)len;
}

/* The first block of a direct transfer, if the position is inside one. */
static ssize_t take_front(struct run *run, struct edges *edges)
{
	size_t block = run->recorder.sink.limits.len_align;
	size_t before = block ? run->job->position % block : 0, len;

	if (!run->direct || !before || decant_iter_consumed(&run->it))
		return 0;
	len = smaller(block - before, decant_iter_count(&run->it));
	edges->front = before;
	edges->back = block - before - len;
	return take_edge(run, before, len, edges->back);
}

/* The last block of a direct transfer, if what is left ends inside it. */
static ssize_t take_back(struct run *run, struct edges *edges)
{
	const struct decant_sink *sink = &run->recorder.sink;
	size_t block = sink->limits.len_align, left = decant_iter_count(&run->it), max;
	ssize_t got;

	max = sink->limits.max_bytes ? sink->limits.max_bytes - sink->bytes : SIZE_MAX;
	if (!run->direct || !left || left >= block || !run->stage.memory.len ||
	    max < block)
		return 0;
	got = take_edge(run, 0, left, block - left);
	if (got > 0)
		edges->back = block - left;
	return got;
}

/* One request; its bytes of the layout, or a negative errno if there are none. */
static ssize_t one_request(struct run *run, struct edges *edges)
{
	size_t block = run->recorder.sink.limits.len_align, len = SIZE_MAX;
	ssize_t front, got = 0, back;

	decant_sink_reset(&run->recorder.sink);
	decant_stage_reset(&run->stage);
	decant_hold_release(&run->hold);
	front = take_front(run, edges);
	if (front < 0)
		return front;
	/* What is less than a block is the edge's. */
	if (run->direct && block && run->stage.memory.len)
		len = decant_iter_count(&run->it) & ~(block - 1);
	if (len)
		got = decant_extract(&run->it, &run->recorder.sink, len);
	if (got < 0 && !front)
		return got;
	got = got < 0 ? 0 : got;
	back = take_back(run, edges);
	return front + got + back > 0 ? front + got + (back > 0 ? back : 0) : back;
}

/* Where it stopped, if something is left. */
static void conclude(struct run *run)
{
	struct explain_totals *totals = run->totals;
	const struct explain_layout *layout = run->job->layout;

	totals->done = decant_iter_consumed(&run->it);
	if (totals->done == totals->bytes)
		return;
	skip_empty(run);
	totals->stop = run->recorder.sink.stop;
	totals->stops = totals->stop == DECANT_STOP_UNREGISTERED
				? WHY_OWNER
				: why_staged(run, &run->seen);
	totals->piece = run->piece;
	totals->piece_offset = run->piece_offset;
	totals->addr = (uintptr_t)layout->pieces[run->piece].iov_base + run->piece_offset;
}

static int requests(struct run *run)
{
	unsigned before = WHY_END;
	int err = 0;

	while (!err && decant_iter_count(&run->it)) {
		struct edges edges = {0};

		if (one_request(run, &edges) <= 0)
			break;
		if (run->recorder.failed)
			return -ENOMEM;
		if (run->recorder.sink.nr >= EXPLAIN_ELEMENTS)
			return -E2BIG;
		err = hand_out(run, &edges, &before);
	}
	if (!err)
		conclude(run);
	return err;
}

int explain_run(const struct explain_job *job, const struct explain_out *out,
		struct explain_totals *totals)
{
	struct run *run = calloc(1, sizeof(*run));
	int err;

	if (!run)
		return -ENOMEM;
	run->job = job;
	run->out = out;
	run->totals = totals;
	*totals = (struct explain_totals){.bytes = job->layout->bytes};
	for (size_t i = 0; i < job->layout->nr; i++)
		totals->pieces += job->layout->pieces[i].iov_len > 0;
	err = begin(run);
	if (!err)
		err = requests(run);
	decant_hold_release(&run->hold);
	end_stage(run);
	recorder_fini(&run->recorder);
	device_fini(&run->device);
	free(run);
	return err;
}
