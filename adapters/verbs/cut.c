/* SPDX-License-Identifier: MIT */
/*
 * cut.c - an iterator becomes elements with keys and work requests, all of them before
 * the first is posted: what can be refused is refused here, and posting is a walk over a
 * table.
 */
#include "internal.h"

/* Ends of requests that are asked for at once. */
#define ENDS 64

static bool is_message(const struct verbs_op *op)
{
	return op->kind == DECANT_VERBS_SEND || op->kind == DECANT_VERBS_RECV;
}

static bool one_key(const struct verbs_want *want)
{
	return want->how && want->how->one_key;
}

static const struct decant_limits *limits_of(const struct verbs_op *op)
{
	if (op->kind == DECANT_VERBS_READ)
		return &op->pair->read_limits;
	return is_message(op) ? &op->pair->limits : &op->pair->write_limits;
}

static void begin_sink(struct verbs_op *op, struct decant_sink *sink,
		       const struct verbs_want *want)
{
	const struct decant_verbs_pair *pair = op->pair;

	decant_sink_sge(sink, op->sges, op->max_sges);
	sink->limits = *limits_of(op);
	if (op->inlined)
		return;
	sink->hold = &op->hold;
	sink->space = pair->options.space;
	sink->lkey = pair->options.lkey;
	if (op->scratch)
		sink->stage = &op->scratch->stage;
	if (one_key(want)) {
		sink->lkey = want->how->lkey;
		return;
	}
	sink->domain = pair->domain;
	sink->policy = pair->options.policy;
	/* Nobody vouches for memory without a key. */
	if (sink->policy == DECANT_TRUST && !sink->lkey)
		sink->policy = DECANT_REFUSE;
}

static size_t add_cut(struct verbs_op *op, size_t end, uint64_t addr, uint32_t rkey)
{
	size_t bytes = 0;

	op->cuts[op->nr_cuts++] = (struct verbs_cut){
		.addr = addr, .rkey = rkey, .elements = (uint32_t)(end - op->nr_sges)};
	for (; op->nr_sges < end; op->nr_sges++)
		bytes += op->sges[op->nr_sges].length;
	return bytes;
}

/* Room for at least one whole request, so that none is shorter than it could be. */
static int make_room(struct verbs_op *op, struct decant_sink *sink)
{
	int rc = 0;

	if (op->nr_cuts == op->max_cuts)
		rc = verbs_more_cuts(op);
	while (!rc && op->max_sges - sink->nr < sink->limits.max_elements)
		rc = verbs_more_sges(op);
	sink->table = op->sges;
	sink->max = op->max_sges;
	return rc;
}

/* The next len bytes, into or out of memory of the peer from addr on. */
static int cut_range(struct verbs_op *op, struct decant_sink *sink,
		     struct decant_iter *it, uint64_t addr, uint32_t rkey, size_t len)
{
	size_t ends[ENDS], most;
	ssize_t n;
	int rc;

	while (len) {
		rc = make_room(op, sink);
		if (rc)
			return rc;
		most = (sink->max - sink->nr) / sink->limits.max_elements;
		most = verbs_least(verbs_least(most, ENDS), op->max_cuts - op->nr_cuts);
		n = decant_extract_requests(it, sink, len, ends, most);
		if (n <= 0)
			return n ? (int)n : -EFAULT;
		for (ssize_t i = 0; i < n; i++) {
			size_t bytes = add_cut(op, ends[i], addr, rkey);

			addr += bytes;
			len -= bytes;
		}
	}
	return 0;
}

static int cut_ranges(struct verbs_op *op, struct decant_sink *sink,
		      struct decant_iter *it, const struct verbs_want *want)
{
	size_t left = op->len;
	int rc = 0;

	for (size_t i = 0; i < want->nr && left && !rc; i++) {
		size_t len = verbs_least(left, want->remote[i].len);

		rc = cut_range(op, sink, it, want->remote[i].addr, want->remote[i].rkey,
			       len);
		left -= len;
	}
	if (!rc && !op->nr_cuts && op->with_imm)
		add_cut(op, 0, want->nr ? want->remote[0].addr : 0,
			want->nr ? want->remote[0].rkey : 0);
	return rc;
}

/* What goes through the stage is subject to the same rule as what does not. */
static int check_rest(const struct decant_sink *sink, struct decant_iter rest, size_t len)
{
	struct decant_sink count;
	ssize_t n;

	if (sink->policy != DECANT_REFUSE)
		return 0;
	decant_sink_count(&count);
	count.space = sink->space;
	count.domain = sink->domain;
	count.policy = sink->policy;
	n = decant_extract_all(&rest, &count, len);
	return n == -EFAULT || n >= 0 ? 0 : (int)n;
}

/* What has no element of its own left is copied together behind the others. */
static int take_rest(struct decant_sink *sink, struct decant_iter *it, size_t len)
{
	struct decant_span span;
	struct decant_iter piece;
	struct decant_bvec bvec;
	int rc = check_rest(sink, *it, len);
	ssize_t n;

	if (!rc)
		rc = decant_stage_take(sink->stage, it, len, 0, sink->bytes, &span);
	if (rc)
		return rc;
	bvec = (struct decant_bvec){span.addr, span.len, span.region};
	rc = decant_iter_bvec(&piece, it->direction, &bvec, 1);
	if (rc)
		return rc;
	sink->limits.max_elements++;
	n = decant_extract_all(&piece, sink, len);
	return n < 0 ? (int)n : 0;
}

/*
 * One request has to do: with a stage, all elements but one are direct and the last has
 * the rest. -ENOSPC: there are too many pieces, and a stage would help.
 */
static int cut_message(struct verbs_op *op, struct decant_sink *sink,
		       struct decant_iter *it)
{
	size_t left = op->len;
	ssize_t n = 0;

	if (op->scratch && op->gathered)
		sink->limits.max_elements--;
	while (left && (sink->limits.max_elements || !op->gathered)) {
		n = decant_extract(it, sink, left);
		if (n <= 0)
			break;
		left -= (size_t)n;
	}
	if (left && op->gathered && (n == -ENOSPC || !sink->limits.max_elements))
		n = take_rest(sink, it, left);
	if (n < 0)
		return (int)n;
	add_cut(op, sink->nr, 0, 0);
	return 0;
}

/* What went through the stage has the stage's key, whatever the caller's is. */
static void key_scratch(struct verbs_op *op)
{
	const struct decant_span *memory = &op->scratch->stage.memory;
	const struct decant_mapping *mapping =
		decant_domain_mapping(op->pair->domain, memory->region);

	for (size_t i = 0; i < op->nr_sges; i++)
		if (op->sges[i].addr - (uintptr_t)memory->addr < memory->len)
			op->sges[i].lkey = mapping->lkey;
}

static int cut(struct verbs_op *op, struct decant_iter *it, const struct verbs_want *want)
{
	struct decant_sink sink;
	int rc;

	op->nr_sges = op->nr_cuts = 0;
	begin_sink(op, &sink, want);
	rc = is_message(op) ? cut_message(op, &sink, it)
			    : cut_ranges(op, &sink, it, want);
	op->stop = sink.stop;
	if (!rc && op->scratch && one_key(want))
		key_scratch(op);
	return rc;
}

/*
 * So few bytes that they travel in the request, from a copy that is at hand until then.
 */
static int cut_inline(struct verbs_op *op, struct decant_iter *it,
		      const struct verbs_want *want)
{
	struct decant_iter copy;
	ssize_t n = decant_copy_to(op->bytes, it, op->len);

	if (n != (ssize_t)op->len)
		return n < 0 ? (int)n : -EFAULT;
	decant_iter_buf(&copy, DECANT_SOURCE, op->bytes, op->len);
	op->inlined = true;
	return cut(op, &copy, want);
}

static bool fits_inline(const struct verbs_op *op, const struct decant_iter *it)
{
	return it->direction == DECANT_SOURCE && op->len &&
	       op->len <= op->pair->inline_bytes;
}

static bool needs_a_byte(const struct verbs_op *op)
{
	return op->kind == DECANT_VERBS_RECV && !op->len &&
	       op->pair->verbs->caps.transport == DECANT_VERBS_IWARP;
}

/* Whether bytes may go another way than directly after this error. */
static bool stage_helps(const struct verbs_op *op, int rc)
{
	/* Memory that could not be registered may not be there at all. */
	if (op->stop == DECANT_STOP_UNREGISTERED)
		return op->pair->options.policy == DECANT_STAGE;
	return rc == -ENOSPC ? is_message(op) : rc == -EFAULT;
}

/* Once more with a stage; the iterator ends where it would have without. */
static int cut_staged(struct verbs_op *op, struct decant_iter *it,
		      const struct verbs_want *want)
{
	struct decant_iter from;
	int rc;

	decant_hold_release(&op->hold);
	verbs_scratch_free(op);
	rc = verbs_scratch_new(op, it);
	if (rc)
		return rc;
	from = op->scratch->rest;
	rc = cut(op, &from, want);
	if (rc == -ENOSPC && !(is_message(op) && !op->gathered))
		rc = -ENOBUFS;
	if (!rc)
		rc = decant_iter_advance(it, op->len);
	op->pair->counts.staged += rc ? 0 : op->scratch->stage.bytes;
	return rc;
}

/* Elements and requests for the op->len bytes that the iterator is moved past. */
int verbs_cut(struct verbs_op *op, struct decant_iter *it, const struct verbs_want *want)
{
	struct decant_iter before = *it;
	int rc;

	if (fits_inline(op, it)) {
		rc = cut_inline(op, it, want);
	} else if (needs_a_byte(op)) {
		rc = verbs_scratch_byte(op, op->sges);
		op->nr_sges = 0;
		add_cut(op, 1, 0, 0);
	} else {
		rc = cut(op, it, want);
		for (int i = 0; i < 2 && rc && stage_helps(op, rc); i++) {
			*it = before;
			op->gathered |= rc == -ENOSPC;
			rc = cut_staged(op, it, want);
		}
	}
	if (rc)
		*it = before;
	return rc;
}
