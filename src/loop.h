/* SPDX-License-Identifier: MIT */
#ifndef SRC_LOOP_H
#define SRC_LOOP_H
/* loop.h - what the loop of extract.c knows between two spans. */
#include <decant/sink.h>

struct loop {
	struct decant_sink *sink;
	struct decant_element open; /* the last element; len 0: there is none */
	struct decant_element
		closed; /* the one before, for trim(): if put in this call */
	size_t cap;	/* most bytes the open element may have */
	size_t nr;	/* elements before the open one */
	size_t max;	/* elements that fit */
	size_t merged;
	bool stored; /* the open element is in the table already */
	bool plain;  /* no limits but the table and the element's size */
	bool joins;  /* an element may have several owners */
	bool locked; /* the space is locked for look-ups */
	enum decant_stop stop;

	/* The owner of memory in [lo, hi) that comes with the region given. */
	struct decant_region *given;
	uintptr_t lo, hi;
	struct decant_region *region;
	struct decant_region *held; /* the region that was held last */
	const struct decant_mapping *mapping;
	uint64_t shift; /* from an address to what the sink makes of it */

	/* The limits, ready for use. */
	size_t max_element;
	size_t boundary;
	size_t addr_mask;
	size_t len_mask;
	size_t gap_mask;
	uint64_t end; /* where the last closed element ended */
};

/* As the sink sees it. */
static inline uint64_t end_of(const struct decant_element *el)
{
	return el->device + el->len;
}
#endif
