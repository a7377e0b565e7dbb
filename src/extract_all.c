/* SPDX-License-Identifier: MIT */
/* extract_all.c - extraction that is taken back: all or nothing, whole blocks or none. */
#include <decant/stage.h>
#include "extract.h"
#include "stop.h"
#include "util.h"

/* What is put back. */
struct snapshot {
	struct decant_iter iter;
	struct decant_sink sink;
	struct decant_stage stage;
	size_t record_len;
	size_t held;
};

static void save(struct snapshot *s, const struct decant_iter *it,
		 const struct decant_sink *sink)
{
	*s = (struct snapshot){.iter = *it, .sink = *sink};
	if (sink->hold)
		s->held = sink->hold->nr;
	if (sink->stage)
		s->stage = *sink->stage;
	if (s->stage.nr)
		s->record_len = s->stage.records[s->stage.nr - 1].len;
}

static void restore(const struct snapshot *s, struct decant_iter *it,
		    struct decant_sink *sink)
{
	enum decant_stop stop = sink->stop;
	int error = sink->error;

	*it = s->iter;
	*sink = s->sink;
	sink->stop = stop;
	sink->error = error;
	if (sink->last.len)
		sink->ops->grow(sink, sink->nr - 1, sink->last.len);
	if (sink->ops->cut)
		sink->ops->cut(sink);
	if (sink->hold)
		decant_hold_truncate(sink->hold, s->held);
	if (sink->stage)
		*sink->stage = s->stage;
	if (s->stage.nr)
		s->stage.records[s->stage.nr - 1].len = s->record_len;
}

/*
 * An extraction that ends inside a block is taken back, and what is before it is done
 * again. All elements are multiples of the length alignment, so their sum is, too.
 */
static ssize_t extract_blocks(struct decant_iter *from, struct decant_sink *into,
			      const struct decant_limits *limits, size_t len,
			      struct requests *requests)
{
	size_t block = common_multiple(limits->block, limits->len_align), excess;
	enum decant_stop stop = DECANT_STOP_END;
	struct snapshot before;
	ssize_t got;

	save(&before, from, into);
	for (;;) {
		got = len || !stop ? extract(from, into, limits, len, requests)
				   : stop_error(into);
		if (stop == DECANT_STOP_END)
			stop = into->stop;
		else
			into->stop = stop;
		excess = got > 0 ? into->bytes % block : 0;
		if (!excess)
			return got;
		if (stop == DECANT_STOP_END)
			stop = DECANT_STOP_ALIGNMENT;
		restore(&before, from, into);
		into->stop = stop;
		len = (size_t)got - min_size((size_t)got, excess);
	}
}

ssize_t extract_under(struct decant_iter *from, struct decant_sink *into,
		      const struct decant_limits *limits, size_t len,
		      struct requests *requests)
{
	if (unlikely(limits->block))
		return extract_blocks(from, into, limits, len, requests);
	return extract(from, into, limits, len, requests);
}

ssize_t decant_extract(struct decant_iter *from, struct decant_sink *into, size_t len)
{
	struct decant_limits limits;

	if (likely(!into->ops->rules))
		return extract_under(from, into, &into->limits, len, NULL);
	limits = into->limits;
	into->ops->rules(into, &limits);
	return extract_under(from, into, &limits, len, NULL);
}

ssize_t decant_extract_all(struct decant_iter *from, struct decant_sink *into, size_t len)
{
	size_t want = min_size(len, decant_iter_count(from));
	struct snapshot before;
	ssize_t got;

	save(&before, from, into);
	got = decant_extract(from, into, want);
	if (got >= 0 && (size_t)got == want)
		return got;
	restore(&before, from, into);
	return got < 0 ? got : stop_error(into);
}
