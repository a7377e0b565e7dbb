/* SPDX-License-Identifier: MIT */
/* requests.c - one walk through an iterator, cut into requests. */
#include <errno.h>
#include "extract.h"
#include "loop.h"
#include "stop.h"

/* A sum that is a limit: there is none if either part is none, or it is too large. */
static size_t limit_behind(size_t before, size_t limit)
{
	size_t sum;

	return !limit || __builtin_add_overflow(before, limit, &sum) ? 0 : sum;
}

static size_t most(size_t limit)
{
	return limit ? limit : SIZE_MAX;
}

/*
 * Where an element may be cut back or staged, or a request must be whole blocks, one
 * request is extracted at a time.
 */
static bool one_at_a_time(const struct decant_sink *sink)
{
	const struct decant_limits *limits = &sink->limits;

	return limits->len_align > 1 || limits->block || sink->stage;
}

/* As many requests as one walk gives; the last one's end is not recorded. */
static ssize_t walk(struct decant_iter *from, struct decant_sink *into, size_t len,
		    struct requests *r)
{
	struct decant_limits limits = into->limits;

	into->last = (struct decant_element){0};
	r->bytes = r->elements = SIZE_MAX;
	if (one_at_a_time(into)) {
		limits.max_bytes = limit_behind(into->bytes, limits.max_bytes);
		limits.max_elements = limit_behind(into->nr, limits.max_elements);
	} else {
		r->bytes = most(limits.max_bytes);
		r->elements = most(limits.max_elements);
		limits.max_bytes = limits.max_elements = 0;
	}
	return extract_under(from, into, &limits, len, r);
}

ssize_t decant_extract_requests(struct decant_iter *from, struct decant_sink *into,
				size_t len, size_t *ends, size_t max_requests)
{
	struct requests r = {.ends = ends, .max = max_requests};
	size_t left = min_size(len, decant_iter_count(from));
	ssize_t got = 0;

	into->stop = DECANT_STOP_LIMIT;
	if (into->ops->room || decant_limits_check(&into->limits))
		return -EINVAL;
	into->stop = DECANT_STOP_END;
	while (left && r.nr < r.max) {
		got = walk(from, into, left, &r);
		if (got <= 0)
			break;
		left -= (size_t)got;
		/* The walk may have met the table's end where the next would begin. */
		if (!r.nr || ends[r.nr - 1] < into->nr)
			ends[r.nr++] = into->nr;
	}
	if (left && r.nr == r.max)
		into->stop = DECANT_STOP_LIMIT;
	if (r.nr)
		return (ssize_t)r.nr;
	return left && !max_requests ? -ENOSPC : got;
}
