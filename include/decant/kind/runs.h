/* SPDX-License-Identifier: MIT */
#ifndef DECANT_KIND_RUNS_H
#define DECANT_KIND_RUNS_H
/* runs.h - for kinds that are built from the runs that a list of spans makes. */
#include <decant/iter.h>

/*
 * The next run of spans that continue one another, from *at on; false if there is none.
 */
static inline bool decant_next_run(const struct decant_span *spans, size_t nr, size_t *at,
				   struct decant_span *run)
{
	*run = (struct decant_span){NULL, 0, NULL};
	for (; *at < nr; ++*at) {
		const struct decant_span *span = &spans[*at];

		if (!span->len)
			continue;
		if (run->len && (unsigned char *)run->addr + run->len != span->addr)
			break;
		if (!run->len)
			*run = *span;
		else
			run->len += span->len;
	}
	return run->len;
}
#endif
