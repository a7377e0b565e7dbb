/* SPDX-License-Identifier: MIT */
/*
 * trace_limit.c - the parts of a trace by themselves: one that is longer than what is
 * kept, on its way between two sides whose clocks differ, and what messages may say.
 */
#include <stdlib.h>
#include <string.h>
#include "../check.h"
#include "clocks.h"
#include "trace_wire.h"

#define MORE   3000u
#define SECOND 1000000000u

static void fill(struct trace *trace, uint32_t track, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		/* Two at a time, so that there are two lanes. */
		trace_begin(trace, track, i, 2 * i);
		if (i)
			trace_end(trace, track, i - 1, 1, 2 * i + 1);
	}
	trace_end(trace, track, nr - 1, 1, 2 * nr);
}

static struct trace *filled(uint32_t most, uint32_t nr)
{
	struct trace *trace = trace_new(0, most);

	REQUIRE(trace);
	fill(trace, trace_track(trace, TRACE_STAGE, 0, "read"), nr);
	return trace;
}

static struct trace_about about_one(struct trace *trace)
{
	return (struct trace_about){.source = "a \"source\"\xff\xc3\xa4",
				    .target = "target",
				    .bytes = 1,
				    .side = {{.trace = trace, .name = "one"}},
				    .sides = 1};
}

/* As JSON, which the caller frees. */
static char *written(const struct trace_about *about)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(out);
	CHECK(trace_write(about, out));
	fclose(out);
	return text;
}

static void limit(void)
{
	struct trace *trace = filled(TRACE_EVENTS_MOST, TRACE_EVENTS_MOST + MORE);
	struct trace_about about = about_one(trace);
	char *text;

	CHECK_EQ(trace->nr_events, TRACE_EVENTS_MOST);
	CHECK_EQ(trace->dropped, MORE);
	CHECK_EQ(trace->tracks[0].nr_lanes, 2);
	text = written(&about);
	CHECK(strstr(text, "\"source\":\"a \\\"source\\\"\\ufffd\xc3\xa4\""));
	CHECK(strstr(text, "\"events\":524288,\"dropped\":3000}"));
	CHECK(strstr(text, "\"the trace is full: 3000 events are left out\""));
	free(text);
	trace_free(trace);
}

static void small_limit(void)
{
	struct trace *trace = filled(TRACE_BLOCK + 1, 2 * TRACE_BLOCK);

	CHECK_EQ(trace->nr_events, TRACE_BLOCK + 1);
	CHECK_EQ(trace->dropped, TRACE_BLOCK - 1);
	trace_free(trace);
}

static void write_error(void)
{
	struct trace *trace = filled(TRACE_EVENTS_MOST, 1000);
	struct trace_about about = about_one(trace);
	FILE *full = fopen("/dev/full", "w");

	REQUIRE(full);
	CHECK(!trace_write(&about, full));
	fclose(full);
	trace_free(trace);
}

static void unknown(void)
{
	struct trace *trace = trace_new(0, TRACE_EVENTS_MOST);

	REQUIRE(trace);
	trace_end(trace, trace_track(trace, TRACE_STAGE, 0, "read"), 7, 1, 1);
	CHECK_EQ(trace->nr_events, 0);
	CHECK_EQ(trace->dropped, 1);
	trace_free(trace);
	trace_free(NULL);
}

/* What arrives of a trace; NULL if it was refused. */
static struct trace *sent(const struct trace *trace)
{
	struct trace *there = trace_new(trace->began, TRACE_EVENTS_MOST);
	struct wire wire = {.len = 0};
	uint32_t left;
	bool good;

	REQUIRE(there);
	trace_put_head(&wire, trace);
	good = trace_get_head(&wire, there, &left);
	for (const struct trace_block *b = trace->first; b && good; b = b->next) {
		wire = (struct wire){.len = 0};
		trace_put_block(&wire, b);
		good = trace_get_block(&wire, there, &left);
	}
	if (good && !left)
		return there;
	trace_free(there);
	return NULL;
}

static void on_its_way(void)
{
	struct trace *trace = filled(3 * TRACE_BLOCK, 3 * TRACE_BLOCK + 5), *there;
	struct trace_about about = about_one(trace);
	char *here, *text;

	there = sent(trace);
	REQUIRE(there);
	CHECK_EQ(there->dropped, 5);
	here = written(&about);
	about.side[0].trace = there;
	text = written(&about);
	CHECK(!strcmp(here, text));
	free(here);
	free(text);
	trace_free(trace);
	trace_free(there);
}

/* One event that can't be, and the same event as it may be. */
static void refused(struct trace_event event, bool good)
{
	struct trace *trace = filled(TRACE_EVENTS_MOST, 1), *there;

	trace->first->events[0] = event;
	there = sent(trace);
	CHECK(good ? there != NULL : there == NULL);
	trace_free(trace);
	trace_free(there);
}

static void hostile(void)
{
	const struct trace_event good = {.began = 5, .ended = TRACE_LATEST};
	struct trace_event bad;

	refused(good, true);
	bad = good;
	bad.track = 1;
	refused(bad, false);
	bad = good;
	bad.lane = 1;
	refused(bad, false);
	bad = good;
	bad.began = bad.ended + 1;
	refused(bad, false);
	bad = good;
	bad.ended++;
	refused(bad, false);
}

static void hostile_head(void)
{
	/* Events, dropped, tracks; kind, hop, lanes. */
	static const uint64_t heads[][6] = {
		{TRACE_EVENTS_MOST + 1, 0, 1, 0, 0, 1},
		{1, 0, TRACE_TRACKS_MOST + 1, 0, 0, 1},
		{1, 0, 1, TRACE_THREADS + 1, 0, 1},
		{1, 0, 1, 0, (uint64_t)TRACE_NO_HOP + 1, 1},
		{1, 0, 1, 0, 0, TRACE_LANES_MOST + 1},
		{1, 0, 2, 0, 0, 1},
		{1, 0, 1, 0, 0, 1},
	};
	size_t nr = sizeof(heads) / sizeof(*heads);

	for (size_t i = 0; i < nr; i++) {
		struct trace *trace = trace_new(0, TRACE_EVENTS_MOST);
		struct wire wire = {.len = 0};
		uint32_t left;

		REQUIRE(trace);
		for (int j = 0; j < 6; j++)
			wire_put_u64(&wire, heads[i][j]);
		wire_put_text(&wire, "read");
		CHECK_EQ(trace_get_head(&wire, trace, &left), i + 1 == nr);
		trace_free(trace);
	}
}

/* The other clock began a day later and runs faster, by one in a thousand. */
static void clocks(void)
{
	const uint64_t day = (uint64_t)86400 * SECOND;
	const struct clock_reading first = {day + SECOND, SECOND, 0};
	const struct clock_reading last = {day + 1001 * (uint64_t)SECOND,
					   1002 * (uint64_t)SECOND, 0};

	CHECK_EQ(clock_here(&first, &last, SECOND, 0), first.here);
	CHECK_EQ(clock_here(&first, &last, last.there, 0), last.here);
	CHECK_EQ(clock_here(&first, &last, SECOND + 1001 * (uint64_t)SECOND / 2, 0),
		 day + 501 * (uint64_t)SECOND);
	/* Outside nothing is known of the drift. */
	CHECK_EQ(clock_here(&first, &last, 0, 0), day);
	CHECK_EQ(clock_here(&first, &last, last.there + 7, 0), last.here + 7);
	CHECK_EQ(clock_here(&first, &last, 0, day + 5), day + 5);
	CHECK_EQ(clock_here(&last, &last, last.there, 0), last.here);
}

/* Whatever the other side says, the time is one that can be written. */
static void wild_clocks(void)
{
	static const uint64_t times[] = {0, SECOND, TRACE_LATEST};

	for (int i = 0; i < 27; i++) {
		const struct clock_reading first = {SECOND, times[i % 3], 0};
		const struct clock_reading last = {2 * (uint64_t)SECOND, times[i / 3 % 3],
						   0};
		uint64_t here = clock_here(&first, &last, times[i / 9], SECOND);

		CHECK(here >= SECOND && here <= INT64_MAX);
	}
}

/* read, seal | open, write: one flow, in this order whatever the clocks say. */
static void flow(void)
{
	struct trace *sender = trace_new(0, 100), *receiver = trace_new(0, 100);
	struct trace_about about;
	uint32_t track;

	REQUIRE(sender && receiver);
	about = about_one(sender);
	about.sides = 2;
	about.side[0].wire = 1;
	about.side[1] = (struct trace_side){.trace = receiver, .name = "two"};
	for (uint32_t i = 0; i < 3; i++) {
		track = trace_track(sender, TRACE_STAGE, i, "of a hop");
		trace_add(sender,
			  (struct trace_event){.number = 9, .track = (uint16_t)i});
		track = trace_track(receiver, TRACE_STAGE, i / 2, "of a hop");
		trace_add(receiver, (struct trace_event){.number = 9,
							 .began = i,
							 .track = (uint16_t)i});
		CHECK_EQ(track, i);
	}
	CHECK(trace_flow(&about));
	/* Hops 0 and 2 of the sender are its own. */
	CHECK_EQ(sender->first->events[0].arrows, 0);
	CHECK_EQ(sender->first->events[1].arrows, TRACE_GOES);
	CHECK_EQ(sender->first->events[2].arrows, 0);
	CHECK_EQ(receiver->first->events[0].arrows, TRACE_CAME | TRACE_GOES);
	CHECK_EQ(receiver->first->events[1].arrows, TRACE_CAME);
	CHECK_EQ(receiver->first->events[2].arrows, 0);
	CHECK_EQ(trace_flow_id(&about, 0, &sender->first->events[1]),
		 trace_flow_id(&about, 1, &receiver->first->events[0]));
	trace_free(sender);
	trace_free(receiver);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"what is beyond the limit is counted", limit},
		{"a smaller limit, in the middle of a block", small_limit},
		{"an error of the stream shows", write_error},
		{"what ends and never began is no event", unknown},
		{"what arrives is what was sent", on_its_way},
		{"events that can't be are refused", hostile},
		{"heads that can't be are refused", hostile_head},
		{"times of a clock that is ahead and runs faster", clocks},
		{"times of a clock that says anything", wild_clocks},
		{"a chunk is one flow over both sides", flow},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
