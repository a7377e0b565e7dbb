/* SPDX-License-Identifier: MIT */
#ifndef EXPLAIN_PRINT_H
#define EXPLAIN_PRINT_H
/* print.h - an explanation as text, as JSON, as a picture. */
#include <stdio.h>
#include "explain.h"

/* Nanoseconds: low quartile, median, high quartile. */
struct costs {
	double extract[3];
	double stage[3];  /* a copy of what is staged */
	double bounce[3]; /* a copy of everything, which nobody needs */
};

/* False if the sink was not measured. */
bool costs_reckon(const struct explain_job *job, const struct explain_totals *totals,
		  struct costs *costs);

const char *costs_measured_on(void);

/* What they are, and what measures them again. */
#define COSTS_OF    "processor time, with warm caches; what the device takes is not in it"
#define COSTS_AGAIN "./dev bench extract nvme copy"

/* Numbers and words by the million: into a buffer, and that into a file. */
struct out {
	FILE *file;
	size_t len;
	char room[1 << 16];
};

void out_begin(struct out *out, FILE *file);
void out_flush(struct out *out);
void out_text(struct out *out, const char *text);
void out_number(struct out *out, uint64_t value);
void out_hex(struct out *out, uint64_t value);

/* Filled up with blanks to so many columns: before a number, behind a text. */
void out_number_in(struct out *out, uint64_t value, unsigned columns);
void out_text_in(struct out *out, const char *text, unsigned columns);

/* Reasons as words, separated by this: boundary+gap. How many characters. */
unsigned out_whys(struct out *out, unsigned whys, const char *between, const char *quote);

/* A reason's word, without the sentence. */
struct why_word {
	char text[24];
};
struct why_word why_word(unsigned bit);

/* Where an element lies: 0x1000, stage+0x40. */
struct element_place {
	char text[32];
};
struct element_place element_place(const struct explain_element *el);

void limits_json(struct out *out, const struct decant_limits *limits);

/* The beginning of an explanation, kept to be drawn. */
struct picture {
	const struct explain_layout *layout;
	struct explain_element *els;
	size_t nr, max;
	bool failed;
};

void picture_add(struct picture *picture, const struct explain_element *el);
void picture_fini(struct picture *picture);

/* Bytes that belong to one piece and one element. */
struct segment {
	size_t bytes;
	size_t piece;
	size_t el; /* index into the picture's elements */
	bool piece_begins;
	bool el_begins;
	bool pad;	/* nobody's bytes */
	unsigned width; /* to be filled in by whoever draws */
};

/* Most segments that are drawn: one element may have a million pieces. */
#define PICTURE_SEGMENTS 10000

/* All segments of a picture; how many, or 0 and no memory. The caller frees them. */
size_t picture_segments(const struct picture *picture, struct segment **segments);

/* How wide a segment is drawn beside others: a logarithm of its bytes, from 0 to 63. */
unsigned segment_scale(const struct segment *segment);

void picture_text(const struct picture *picture, struct out *out, unsigned columns,
		  size_t els);

struct drawing {
	const struct explain_job *job;
	const struct explain_totals *totals;
	const struct picture *picture;
};

/* False if it could not be written. */
bool picture_svg(const struct drawing *drawing, FILE *file);

/* An explanation as it is printed: what comes before, element by element, and behind. */
struct printer {
	const struct explain_job *job;
	struct out *out;
	struct picture *picture;
	size_t els;	  /* most lines of elements */
	size_t shown;	  /* so far */
	size_t request;	  /* the newest that has a heading */
	unsigned whys;	  /* that were shown */
	unsigned columns; /* of the terminal */
};

/* The element and request functions are those of struct explain_out, user is the printer;
 * an element is also kept for the picture. */
void text_begin(struct printer *p);
bool text_element(void *user, const struct explain_element *el);
bool text_request(void *user, const struct explain_request *request);
void text_end(struct printer *p, const struct explain_totals *totals);

void json_begin(struct printer *p);
bool json_element(void *user, const struct explain_element *el);
bool json_request(void *user, const struct explain_request *request);
void json_end(struct printer *p, const struct explain_totals *totals);
#endif
