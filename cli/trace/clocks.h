/* SPDX-License-Identifier: MIT */
#ifndef CLI_CLOCKS_H
#define CLI_CLOCKS_H
/*
 * clocks.h - what the other side's clock says when this side's says something.
 *
 * The client asks some times and keeps the answer that came back soonest: the server read
 * its clock between the question and the answer, so that their middle is wrong by at most
 * half of what lies between them, whatever the way there and back is like. A copy does it
 * before and after, and what the clocks have drifted apart in between is spread evenly.
 */
#include "control.h"

/* Both clocks at one moment, as stats_now(). */
struct clock_reading {
	uint64_t here, there;
	uint64_t error; /* of here, at most */
};

/* The client, and the server at the same time. False on error. */
bool clock_read(struct control *control, struct clock_reading *reading,
		struct report *report);
bool clock_show(struct control *control, struct report *report);

/* What this side's clock said at a time of the other's; not before the least. */
uint64_t clock_here(const struct clock_reading *first, const struct clock_reading *last,
		    uint64_t there, uint64_t least);
#endif
