/* SPDX-License-Identifier: MIT */
/*
 * fuzz_explain.c - any bytes as a layout and as limits: what is taken is sound, says the
 * same as JSON, and can be explained; what is refused has a place in the input. What
 * comes before the first line's end are the limits.
 */
#include <errno.h>
#include <print.h>
#include "replay.h"

/* What takes a moment at most to be explained. */
#define FEW_BYTES  (1u << 14)
#define FEW_PIECES 2000u

static struct out out;

/* All of this happens in memory. The caller frees the text. */
static FILE *open_text(char **text, size_t *len)
{
	FILE *file = open_memstream(text, len);

	REQUIRE(file);
	out_begin(&out, file);
	return file;
}

static void close_text(FILE *file)
{
	out_flush(&out);
	fclose(file);
}

static void check_error(const struct explain_error *error, size_t len)
{
	CHECK(error->set && error->at <= len && *error->text);
}

/* One of several, if there is one that is called so. */
static void as_named_limits(const char *text, size_t len)
{
	struct explain_error error = {0};
	struct decant_limits limits = {0};

	if (explain_limits_parse(&limits, "a", text, len, &error))
		CHECK(!decant_limits_check(&limits));
	else
		check_error(&error, len);
}

static bool as_limits(struct decant_limits *limits, const char *text, size_t len)
{
	struct explain_error error = {0};
	struct decant_limits again = {0};
	char *json = NULL;
	size_t json_len;
	FILE *file;

	as_named_limits(text, len);
	if (!explain_limits_parse(limits, NULL, text, len, &error)) {
		check_error(&error, len);
		return false;
	}
	CHECK(!decant_limits_check(limits));
	file = open_text(&json, &json_len);
	limits_json(&out, limits);
	close_text(file);
	CHECK(explain_limits_parse(&again, NULL, json, json_len, &error));
	CHECK(!memcmp(&again, limits, sizeof(again)));
	free(json);
	return true;
}

/* The pieces as JSON, which must come to the same. */
static void same_pieces(const struct explain_layout *layout)
{
	struct explain_error error = {0};
	struct explain_layout again = {0};
	char *json = NULL;
	size_t len;
	FILE *file = open_text(&json, &len);

	for (size_t i = 0; i < layout->nr; i++) {
		out_text(&out, i ? ",[" : "[[");
		out_number(&out, layout->pieces[i].iov_len);
		out_text(&out, ",\"");
		out_hex(&out, (uintptr_t)layout->pieces[i].iov_base);
		out_text(&out, "\"]");
	}
	out_text(&out, "]");
	close_text(file);
	CHECK(explain_layout_parse(&again, json, len, &error));
	CHECK(again.nr == layout->nr && again.bytes == layout->bytes);
	CHECK(again.nr != layout->nr ||
	      !memcmp(again.pieces, layout->pieces, again.nr * sizeof(*again.pieces)));
	explain_layout_free(&again);
	free(json);
}

static void explain_all(const struct explain_layout *layout,
			const struct decant_limits *limits, unsigned way)
{
	static const char *const sinks[] = {"sge", "iovec", "prp", "direct"};
	struct explain_job job = {.layout = layout,
				  .limits = *limits,
				  .sink = sinks[way % 4],
				  .page_size = 4096,
				  .stage_bytes = way & 4 ? 1 << 16 : 0,
				  .stage_gaps = way & 8,
				  .policy = (enum decant_policy)(way >> 4 & 3),
				  .position = way};
	struct picture picture = {.layout = layout, .max = 64};
	struct printer p = {.job = &job,
			    .out = &out,
			    .picture = &picture,
			    .els = 64,
			    .columns = 40 + way};
	const struct explain_out to = {&p, text_element, text_request};
	struct explain_totals totals;
	char *text = NULL;
	size_t len;
	FILE *file = open_text(&text, &len);
	int err;

	text_begin(&p);
	err = explain_run(&job, &to, &totals);
	CHECK(!err || err == -EADDRNOTAVAIL);
	if (!err) {
		text_end(&p, &totals);
		out_flush(&out);
		picture_svg(&(struct drawing){&job, &totals, &picture}, file);
		CHECK(totals.done <= totals.bytes);
	}
	close_text(file);
	picture_fini(&picture);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *line = memchr(text, '\n', size);
	size_t first = line ? (size_t)(line - text) : 0;
	struct explain_layout layout = {0};
	struct explain_error error = {0};
	struct decant_limits limits = {0};
	bool limited = as_limits(&limits, text, first);

	if (!explain_layout_parse(&layout, text + first, size - first, &error)) {
		check_error(&error, size - first);
	} else if (layout.nr <= FEW_PIECES) {
		same_pieces(&layout);
		if (limited && layout.bytes <= FEW_BYTES)
			explain_all(&layout, &limits, (unsigned)(size % 64));
	}
	explain_layout_free(&layout);
	if (check_failed)
		abort();
	return 0;
}
