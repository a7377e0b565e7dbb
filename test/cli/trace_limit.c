/* SPDX-License-Identifier: MIT */
/* trace_limit.c - a trace that is longer than what is kept: the rest is counted. */
#include <stdlib.h>
#include <string.h>
#include "../../cli/trace.h"
#include "../check.h"

#define MORE 3000u

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

static void limit(void)
{
	const struct trace_about about = {"a \"source\"", "target", 1};
	struct trace *trace = trace_new(0);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	REQUIRE(trace && out);
	fill(trace, trace_track(trace, TRACE_STAGE, "read"), TRACE_EVENTS_MOST + MORE);
	CHECK_EQ(trace->nr_events, TRACE_EVENTS_MOST);
	CHECK_EQ(trace->dropped, MORE);
	CHECK_EQ(trace->tracks[0].nr_lanes, 2);
	CHECK(trace_write(trace, &about, out));
	fclose(out);
	CHECK(strstr(text, "\"source\":\"a \\\"source\\\"\""));
	CHECK(strstr(text, "\"events\":524288,\"dropped\":3000}}\n"));
	free(text);
	trace_free(trace);
}

static void write_error(void)
{
	const struct trace_about about = {"source", "target", 1};
	struct trace *trace = trace_new(0);
	FILE *full = fopen("/dev/full", "w");

	REQUIRE(trace && full);
	fill(trace, trace_track(trace, TRACE_STAGE, "read"), 1000);
	CHECK(!trace_write(trace, &about, full));
	fclose(full);
	trace_free(trace);
}

static void unknown(void)
{
	struct trace *trace = trace_new(0);

	REQUIRE(trace);
	trace_end(trace, trace_track(trace, TRACE_STAGE, "read"), 7, 1, 1);
	CHECK_EQ(trace->nr_events, 0);
	CHECK_EQ(trace->dropped, 1);
	trace_free(trace);
	trace_free(NULL);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"what is beyond the limit is counted", limit},
		{"an error of the stream shows", write_error},
		{"what ends and never began is no event", unknown},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
