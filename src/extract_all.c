/* SPDX-License-Identifier: MIT */
/* extract_all.c - everything or nothing: extract; put it all back if that fell short. */
#include <decant/extract.h>
#include <decant/stage.h>
#include "stop.h"
#include "util.h"

/* What extract_all puts back. */
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

	*it = s->iter;
	*sink = s->sink;
	sink->stop = stop;
	if (sink->last.len)
		sink->ops->grow(sink, sink->nr - 1, sink->last.len);
	if (sink->hold)
		decant_hold_truncate(sink->hold, s->held);
	if (sink->stage)
		*sink->stage = s->stage;
	if (s->stage.nr)
		s->stage.records[s->stage.nr - 1].len = s->record_len;
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
	return got < 0 ? got : stop_error(into->stop);
}
