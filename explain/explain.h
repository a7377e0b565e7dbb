/* SPDX-License-Identifier: MIT */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H
/*
 * explain.h - what becomes of a layout under a device's rules. The library's own loop
 * runs over it, into a sink of the registry whose put and grow record the elements; the
 * library is also asked which rule it was (why.c). No byte of a layout is touched: the
 * iterator is a destination, whose memory an extraction only names.
 */
#include "input.h"

/* Most elements that are looked at together: those of one request. */
#define EXPLAIN_ELEMENTS (1u << 24)

/* Why something is as it is: bits. The first ones are the fields of struct decant_limits,
 * in their order. */
enum explain_why {
	WHY_MAX_ELEMENTS = 1 << 0,
	WHY_MAX_ELEMENT_BYTES = 1 << 1,
	WHY_MAX_BYTES = 1 << 2,
	WHY_BOUNDARY = 1 << 3,
	WHY_ADDR_ALIGN = 1 << 4,
	WHY_LEN_ALIGN = 1 << 5,
	WHY_GAP = 1 << 6,
	WHY_BLOCK = 1 << 7,
	WHY_FORMAT = 1 << 8,  /* what the sink's format demands */
	WHY_APART = 1 << 9,   /* not adjacent to what is before it */
	WHY_DEVICE = 1 << 10, /* adjacent here, but not for the device */
	WHY_OWNER = 1 << 11,  /* adjacent, but another region's, or in none */
	WHY_STAGE = 1 << 12,  /* scratch memory begins or ends here */
	WHY_END = 1 << 13,    /* everything is in */
	WHY_FULL = 1 << 14,   /* the scratch memory is used up */
	WHY_EDGE = 1 << 15,   /* part of a block at the beginning or the end */
	WHY_RULES = 1 << 16,  /* several rules together */
};

#define EXPLAIN_WHYS 17

/* A reason in words. */
const char *explain_why_text(unsigned bit);

struct explain_job {
	const struct explain_layout *layout;
	struct decant_limits limits;
	const char *sink;   /* of the registry, or "direct" */
	uint64_t page_size; /* of the prp sink */
	uint64_t stage_bytes;
	bool stage_gaps;
	enum decant_policy policy;
	uint64_t position; /* in the file, of the direct sink */
};

struct explain_element {
	size_t request;
	size_t index;  /* in its request */
	uint64_t addr; /* as the sink has it; in scratch memory: the place there */
	size_t len;
	size_t front, back; /* of these, bytes that are nobody's: edges of a block */
	const char *region; /* whose it is, or NULL */
	bool has_key;
	uint32_t key;
	size_t at;	     /* the first byte, counted in the layout */
	size_t piece;	     /* and its piece */
	size_t piece_offset; /* and where in there */
	size_t last;	     /* the last byte's piece */
	size_t merged;	     /* pieces beyond the first that it covers */
	bool split;	     /* its first byte is not the first of a piece */
	bool staged;
	unsigned begins; /* why it is not one with what is before it: enum explain_why */
	unsigned stages; /* why its first byte was staged */
};

struct explain_request {
	size_t index;
	size_t elements;
	size_t bytes; /* edges included */
	size_t staged;
	unsigned ends; /* why: enum explain_why */
};

struct explain_totals {
	size_t pieces; /* that are not empty */
	size_t bytes;
	size_t elements;
	size_t requests;
	size_t merged; /* pieces that go on with the element before */
	size_t splits; /* places where an element begins inside a piece */
	size_t staged_elements;
	size_t staged_pieces; /* parts of pieces that are copied */
	size_t staged_bytes;
	size_t padding;
	size_t done; /* bytes that went in */
	enum decant_stop stop;
	unsigned stops; /* if not all went in: why */
	size_t piece;	/* and the piece where it stopped */
	size_t piece_offset;
	uint64_t addr;
};

/* Who gets the result, in its order. element and request may end the run with false. */
struct explain_out {
	void *user;
	bool (*element)(void *user, const struct explain_element *el);
	bool (*request)(void *user, const struct explain_request *request);
};

/* 0, or a negative errno; -EINVAL: no such sink; -E2BIG: too many elements in a request;
 * -ECANCELED: the output ended it. */
int explain_run(const struct explain_job *job, const struct explain_out *out,
		struct explain_totals *totals);
#endif
