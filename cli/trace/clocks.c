/* SPDX-License-Identifier: MIT */
#include "clocks.h"
#include "stats.h"

#define ROUNDS 8

static bool ask(struct control *control, struct clock_reading *r, struct report *report)
{
	struct wire wire = {.len = 0};
	uint64_t asked = stats_now(), trip;

	/* That the other side is gone is noticed by listening. */
	control_send(control, MESSAGE_CLOCK, NULL);
	if (!control_expect(control, MESSAGE_CLOCK, &wire, report))
		return false;
	trip = stats_now() - asked;
	r->there = wire_get_u64(&wire);
	r->here = asked + trip / 2;
	r->error = (trip + 1) / 2;
	return (!wire.bad && r->there <= TRACE_LATEST) ||
	       report_set(report, EXIT_PEER, "%s: its clock makes no sense",
			  control->host);
}

bool clock_read(struct control *control, struct clock_reading *best,
		struct report *report)
{
	struct clock_reading r;

	best->error = UINT64_MAX;
	for (int i = 0; i < ROUNDS; i++) {
		if (!ask(control, &r, report))
			return false;
		if (r.error < best->error)
			*best = r;
	}
	return true;
}

bool clock_show(struct control *control, struct report *report)
{
	struct wire wire = {.len = 0};

	for (int i = 0; i < ROUNDS; i++) {
		if (!control_expect(control, MESSAGE_CLOCK, &wire, report))
			return false;
		wire.len = 0;
		wire_put_u64(&wire, stats_now());
		control_send(control, MESSAGE_CLOCK, &wire);
	}
	return true;
}

/* How far of the way from the first reading to the last, 0 to 1. */
static double part_of(uint64_t first, uint64_t last, uint64_t at)
{
	if (at <= first)
		return 0;
	return at >= last ? 1 : (double)(at - first) / (double)(last - first);
}

uint64_t clock_here(const struct clock_reading *first, const struct clock_reading *last,
		    uint64_t there, uint64_t least)
{
	int64_t ahead = (int64_t)(first->here - first->there);
	int64_t drift = (int64_t)(last->here - last->there) - ahead;
	double part = part_of(first->there, last->there, there);
	int64_t here = (int64_t)there + ahead + (int64_t)((double)drift * part);

	return here > (int64_t)least ? (uint64_t)here : least;
}
