/* SPDX-License-Identifier: MIT */
/* limits_no_verbs.c - a command that was built without libibverbs. */
#include "real.h"

static bool left_out(struct report *report)
{
	return report_set(report, EXIT_PEER,
			  "verbs: this decant was built without libibverbs");
}

bool limits_verbs(struct limits_request *r)
{
	if (!r->all)
		return left_out(r->report);
	fprintf(r->out, r->json ? "\"verbs\":[]" : "no RDMA: built without libibverbs\n");
	return true;
}

bool limits_of_verbs(const char *name, struct decant_limits *limits,
		     struct report *report)
{
	(void)name;
	(void)limits;
	return left_out(report);
}

bool limits_of_verbs_read(const char *name, struct decant_limits *limits,
			  struct report *report)
{
	return limits_of_verbs(name, limits, report);
}
