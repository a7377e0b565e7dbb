/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_MODEL_REQUESTS_H
#define DECANT_TEST_MODEL_REQUESTS_H
/*
 * requests.h - many requests in one walk must be what an extraction for each of them
 * gives: the same elements, ends, owners and reason.
 */
#include <decant/decant.h>
#include "feed.h"

#define R_ELEMENTS 128
#define R_REQUESTS 40

struct r_result {
	uint64_t table[R_ELEMENTS * sizeof(struct decant_bvec) / sizeof(uint64_t)];
	size_t ends[R_REQUESTS];
	size_t nr;
	size_t bytes;
	enum decant_stop stop;
	int error;
	struct decant_hold hold;
};

/* What is asked for: a sink of arrays, its limits, how many requests, bytes. */
struct r_wish {
	struct decant_sink sink;
	size_t max_requests;
	size_t len;
};

static struct decant_sink r_begin(const struct r_wish *wish, struct r_result *r)
{
	struct decant_sink sink = wish->sink;

	memset(r, 0, sizeof(*r));
	sink.table = r->table;
	sink.hold = &r->hold;
	return sink;
}

static void r_one_by_one(const struct r_wish *wish, struct decant_iter it,
			 struct r_result *r)
{
	struct decant_sink sink = r_begin(wish, r);
	size_t left = wish->len, nr = 0, max = sink.max;

	if (left > decant_iter_count(&it))
		left = decant_iter_count(&it);
	while (left && r->nr < wish->max_requests) {
		ssize_t got;

		decant_sink_reset(&sink);
		sink.table = (char *)r->table + nr * sink.ops->element_size;
		sink.max = max - nr;
		got = decant_extract(&it, &sink, left);
		r->stop = sink.stop;
		r->error = got < 0 ? (int)got : 0;
		if (got <= 0)
			break;
		nr += sink.nr;
		r->ends[r->nr++] = nr;
		r->bytes += (size_t)got;
		left -= (size_t)got;
	}
	if (left && r->nr == wish->max_requests)
		r->stop = DECANT_STOP_LIMIT;
}

static void r_at_once(const struct r_wish *wish, struct decant_iter *it,
		      struct r_result *r)
{
	struct decant_sink sink = r_begin(wish, r);
	ssize_t got = decant_extract_requests(it, &sink, wish->len, r->ends,
					      wish->max_requests);

	r->nr = got < 0 ? 0 : (size_t)got;
	r->error = got < 0 ? (int)got : 0;
	r->bytes = sink.bytes;
	r->stop = sink.stop;
	CHECK_EQ(sink.nr, r->nr ? r->ends[r->nr - 1] : 0);
}

/* The iterator moves as the requests say; how far. */
static size_t r_compare(const struct r_wish *wish, struct decant_iter *it)
{
	struct r_result wanted, got;
	size_t before = decant_iter_consumed(it), used;

	r_one_by_one(wish, *it, &wanted);
	r_at_once(wish, it, &got);
	CHECK_EQ(got.nr, wanted.nr);
	CHECK_EQ(got.bytes, wanted.bytes);
	CHECK_EQ(got.stop, wanted.stop);
	CHECK_EQ(got.hold.nr, wanted.hold.nr);
	CHECK(got.nr || got.error == wanted.error);
	CHECK(!memcmp(got.ends, wanted.ends, wanted.nr * sizeof(*got.ends)));
	used = wanted.nr ? wanted.ends[wanted.nr - 1] * wish->sink.ops->element_size : 0;
	CHECK(!memcmp(got.table, wanted.table, used));
	CHECK_EQ(decant_iter_consumed(it), before + got.bytes);
	decant_hold_release(&got.hold);
	decant_hold_release(&wanted.hold);
	return got.bytes;
}
#endif
