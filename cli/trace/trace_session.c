/* SPDX-License-Identifier: MIT */
/* trace_session.c - what the server did when, for the client's trace. */
#include "session.h"
#include "trace_wire.h"

void session_tell_trace(struct session *s, const struct trace *trace)
{
	struct wire wire = {.len = 0};
	struct report nobody = {0};
	deadline_t end =
		deadline_in(s->control.patience_ms ? s->control.patience_ms : -1);
	bool heard;

	if (!trace || !clock_show(&s->control, &nobody))
		return;
	trace_put_head(&wire, trace);
	heard = control_send(&s->control, MESSAGE_TRACE, &wire);
	for (const struct trace_block *b = trace->first;
	     b && heard && deadline_left(end) && !engine_interrupted(&nobody);
	     b = b->next) {
		wire.len = 0;
		trace_put_block(&wire, b);
		heard = control_send(&s->control, MESSAGE_TRACE, &wire);
	}
}

static bool hear(struct session *s, struct trace *trace, struct report *report)
{
	struct wire wire = {.len = 0};
	uint32_t left = 0;
	bool good = control_expect(&s->control, MESSAGE_TRACE, &wire, report) &&
		    trace_get_head(&wire, trace, &left);

	while (good && left)
		good = control_expect(&s->control, MESSAGE_TRACE, &wire, report) &&
		       trace_get_block(&wire, trace, &left);
	return good || report_set(report, EXIT_PEER, "%s: its trace makes no sense",
				  s->control.host);
}

/*
 * The other side's times become ours. The copy began before it did anything, and nothing
 * ends before it began, whatever its clock says.
 */
static void align(struct trace *trace, const struct clock_reading *first,
		  const struct clock_reading *last)
{
	for (struct trace_block *b = trace->first; b; b = b->next)
		for (uint32_t i = 0; i < b->nr; i++) {
			struct trace_event *e = &b->events[i];

			e->began = clock_here(first, last, e->began, trace->began);
			e->ended = clock_here(first, last, e->ended, e->began);
		}
}

struct trace *session_hear_trace(struct session *s, const struct trace *here,
				 uint64_t *error, struct report *report)
{
	struct trace *trace = trace_new(here->began, TRACE_EVENTS_MOST);
	struct clock_reading last;

	if (!trace) {
		report_set(report, EXIT_RESOURCES, "no memory");
		return NULL;
	}
	/* The copy is over: nobody's disk is waited for any more. */
	if (s->request.timeout && !s->control.patience_ms)
		s->control.patience_ms = (int)s->request.timeout;
	if (!clock_read(&s->control, &last, report) || !hear(s, trace, report)) {
		trace_free(trace);
		return NULL;
	}
	align(trace, &s->clock, &last);
	*error = last.error > s->clock.error ? last.error : s->clock.error;
	return trace;
}
