/* SPDX-License-Identifier: MIT */
#ifndef EXPLAIN_INPUT_H
#define EXPLAIN_INPUT_H
/* input.h - layouts and limits as people and programs write them: text, or JSON. */
#include <decant/decant.h>

/* Most pieces of a layout, and regions: what is more is a mistake or an attack. */
#define EXPLAIN_PIECES	(1u << 24)
#define EXPLAIN_REGIONS 4096u

/* What is wrong with an input, in a few words, and the byte where it begins. */
struct explain_error {
	bool set;
	size_t at;
	char text[200];
};

/* Record what is wrong unless something is already. Returns false. */
__attribute__((format(printf, 3, 4))) bool
explain_fail(struct explain_error *error, size_t at, const char *format, ...);

/* Memory with an owner, as the device knows it. */
struct explain_region {
	char name[32];
	uint64_t addr;
	uint64_t len;
	uint64_t device;
};

struct explain_layout {
	struct iovec *pieces;
	size_t nr;
	size_t room;
	size_t bytes;
	struct explain_region *regions;
	size_t nr_regions;
};

/* A piece or a region as it was written. */
struct explain_item {
	size_t at; /* where in the input it begins */
	bool region;
	char name[32];
	uint64_t count;
	uint64_t length;
	uint64_t address;
	uint64_t offset;
	uint64_t stride; /* 0: the length */
	uint64_t device; /* of a region */
};

/* Add what an item stands for: every piece is checked. */
bool explain_layout_add(struct explain_layout *layout, const struct explain_item *item,
			struct explain_error *error);

void explain_layout_free(struct explain_layout *layout);

/* Text or JSON, whichever it is; a layout that is begun as zeroes. */
bool explain_layout_parse(struct explain_layout *layout, const char *text, size_t len,
			  struct explain_error *error);

/* JSON: json_layout.c. */
bool explain_layout_json(struct explain_layout *layout, const char *text, size_t len,
			 struct explain_error *error);

/*
 * Text or JSON. The fields that are named become as strict as both say. wanted: which of
 * several limits in JSON, by its name, or NULL, and then there may be one only.
 */
bool explain_limits_parse(struct decant_limits *limits, const char *wanted,
			  const char *text, size_t len, struct explain_error *error);

/* The names of the fields, in their order; NULL beyond the last. */
const char *explain_limits_name(unsigned index);
size_t *explain_limits_field(struct decant_limits *limits, unsigned index);

/* Check one field and set it. at is where its number begins. */
bool explain_limits_set(struct decant_limits *limits, unsigned index, uint64_t value,
			size_t at, struct explain_error *error);

/* JSON: json_limits.c. */
bool explain_limits_json(struct decant_limits *limits, const char *wanted,
			 const char *text, size_t len, struct explain_error *error);

/* A cursor over text, for what is written by hand. */
struct explain_text {
	const char *begin;
	const char *at;
	const char *end;
	struct explain_error *error;
};

static inline size_t explain_pos(const struct explain_text *t)
{
	return (size_t)(t->at - t->begin);
}

static inline int explain_next(const struct explain_text *t)
{
	return t->at < t->end ? (unsigned char)*t->at : -1;
}

/* 4096, 0x1000, 4K; the cursor moves behind it. field is for the message. */
bool explain_number(struct explain_text *t, const char *field, uint64_t *value);

/* Letters, digits, _ and -; the cursor moves behind it. */
bool explain_word(struct explain_text *t, const char *field, char *word, size_t room);

/* Over blanks, line ends and comments. */
void explain_blanks(struct explain_text *t);

/* Whether it is JSON: its first character says so. */
bool explain_is_json(const char *text, size_t len);
#endif
