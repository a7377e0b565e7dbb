/* SPDX-License-Identifier: MIT */
/* svg.c - the picture as a drawing: rows of a source band above a result band. */
#include <stdlib.h>
#include <string.h>
#include "print.h"

#define PAGE		1200.0
#define MARGIN		24.0
#define BAND		34.0
#define ROW		134.0
#define HEAD		108.0
#define CHARACTER	6.7
#define SMALL_CHARACTER 6.1
#define LINES		3
#define LABEL_INSET	4.0
#define ROWS_MOST	240	       /* renderers take 32767 pixels, if as many */
#define GOES_ON		"\342\200\246" /* from the row above: an ellipsis */

struct svg {
	FILE *file;
	const struct drawing *d;
	double y;	     /* of the row */
	double scale;	     /* of the row's widths */
	double taken[LINES]; /* how far each line below is in use */
};

static double width_of(const struct segment *s)
{
	return 38.0 + 6.5 * segment_scale(s);
}

static void text_at(struct svg *svg, double x, double y, const char *class,
		    const char *text)
{
	fprintf(svg->file, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n", x, y,
		class, text);
}

static void rect_at(struct svg *svg, double x, double y, double width, const char *class)
{
	fprintf(svg->file,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\" "
		"class=\"%s\"/>\n",
		x, y, width, BAND, class);
}

static void line_at(struct svg *svg, double x, double top, double bottom,
		    const char *class)
{
	fprintf(svg->file,
		"<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
		x, x, top, bottom, class);
}

static bool begins_request(const struct svg *svg, const struct segment *s)
{
	return s->el_begins && !svg->d->picture->els[s->el].index;
}

/* The longer of two labels that fits, or none. */
static void fit(struct svg *svg, double x, double y, double width, const char *text,
		const char *shorter)
{
	double room = (width - 2 * LABEL_INSET) / CHARACTER;

	if ((double)strlen(text) > room)
		text = shorter;
	if ((double)strlen(text) <= room)
		text_at(svg, x + LABEL_INSET, y, "label", text);
}

/* How wide the piece, or the element, is that has a part here, in this row. */
static double run_width(const struct svg *svg, const struct segment *s,
			const struct segment *end, bool piece)
{
	const struct segment *at = s;
	double width = 0;

	do {
		width += width_of(at) * svg->scale;
		at++;
	} while (at < end &&
		 (piece ? at->piece == s->piece && at->pad == s->pad : at->el == s->el));
	return width;
}

/* Whether a piece, or the padding of one block, is drawn from here on. */
static bool piece_here(const struct segment *s, bool first)
{
	return first || s->pad != s[-1].pad || s->piece != s[-1].piece;
}

static void piece_label(struct svg *svg, double x, const struct segment *s,
			const struct segment *end)
{
	const struct iovec *piece = &svg->d->picture->layout->pieces[s->piece];
	double width = run_width(svg, s, end, true);
	const char *on = s->piece_begins ? "" : GOES_ON;
	char text[64], shorter[32];

	if (s->pad) {
		fit(svg, x, svg->y + 14, width, "padding", "");
		return;
	}
	snprintf(shorter, sizeof(shorter), "%sp%zu", on, s->piece);
	snprintf(text, sizeof(text), "%sp%zu: %zu", on, s->piece, piece->iov_len);
	fit(svg, x, svg->y + 14, width, text, shorter);
	snprintf(text, sizeof(text), "%p", piece->iov_base);
	fit(svg, x, svg->y + 28, width, text, "");
}

static void element_label(struct svg *svg, double x, const struct segment *s,
			  const struct segment *end)
{
	const struct explain_element *el = &svg->d->picture->els[s->el];
	double width = run_width(svg, s, end, false), y = svg->y + BAND + 4;
	const char *on = s->el_begins ? "" : GOES_ON;
	char text[64], shorter[32];

	snprintf(shorter, sizeof(shorter), "%s#%zu", on, el->index);
	snprintf(text, sizeof(text), "%s#%zu: %zu", on, el->index, el->len);
	fit(svg, x, y + 14, width, text, shorter);
	fit(svg, x, y + 28, width, element_place(el).text, "");
	if (!begins_request(svg, s))
		return;
	snprintf(text, sizeof(text), "request %zu", el->request);
	text_at(svg, x + 4, svg->y - 5, "head", text);
}

/* The first line below the result that has room at x for a label so wide; or none. */
static double line_below(struct svg *svg, double x, double width)
{
	for (unsigned i = 0; i < LINES; i++)
		if (x >= svg->taken[i]) {
			svg->taken[i] = x + width + SMALL_CHARACTER;
			return svg->y + 2 * BAND + 17 + 11 * i;
		}
	return 0;
}

/*
 * Why it begins, or was staged, below its first border. That scratch memory ends is seen
 * by the colours.
 */
static void draw_why(struct svg *svg, double x, const struct explain_element *el)
{
	unsigned whys = el->stages ? el->stages : el->begins & ~(unsigned)WHY_STAGE;
	double width, y;
	char text[96];
	int len = 0;

	if (!el->stages && !el->request && !el->index)
		return;
	for (unsigned i = 0; i < EXPLAIN_WHYS; i++)
		if (whys & 1u << i && len < 60)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s",
					len ? "+" : "", why_word(i).text);
	width = len * SMALL_CHARACTER;
	if (x + width > PAGE - 4)
		x = PAGE - 4 - width;
	y = len ? line_below(svg, x, width) : 0;
	if (y > 0)
		text_at(svg, x, y, el->stages ? "staging" : "why", text);
}

static void draw_rects(struct svg *svg, double x, const struct segment *at,
		       const struct segment *end, bool first)
{
	const struct explain_element *el = &svg->d->picture->els[at->el];
	const char *class = at->pad ? "pad" : at->piece % 2 ? "p1" : "p0";

	if (piece_here(at, first))
		rect_at(svg, x, svg->y, run_width(svg, at, end, true), class);
	class = el->staged ? "staged" : el->index % 2 ? "e1" : "e0";
	if (first || at->el_begins)
		rect_at(svg, x, svg->y + BAND + 4, run_width(svg, at, end, false), class);
}

/* Where requests begin, and borders of one side that the other does not have. */
static void draw_border(struct svg *svg, double x, const struct segment *s, bool first)
{
	double y = svg->y;

	if (begins_request(svg, s))
		line_at(svg, x, y - 14, y + 2 * BAND + 8, "request");
	if (first)
		return;
	if (s->el_begins && !s->piece_begins && !s->pad)
		line_at(svg, x, y, y + BAND, "cut");
	if (!s->el_begins)
		line_at(svg, x, y + BAND + 4, y + 2 * BAND + 4, "cut");
}

static void draw_labels(struct svg *svg, double x, const struct segment *at,
			const struct segment *end, bool first)
{
	if (piece_here(at, first))
		piece_label(svg, x, at, end);
	if (first || at->el_begins)
		element_label(svg, x, at, end);
	if (at->el_begins)
		draw_why(svg, x + 2, &svg->d->picture->els[at->el]);
}

static void draw_row(struct svg *svg, const struct segment *s, const struct segment *end)
{
	memset(svg->taken, 0, sizeof(svg->taken));
	for (unsigned pass = 0; pass < 3; pass++) {
		double x = MARGIN;

		for (const struct segment *at = s; at < end; at++) {
			if (pass == 0)
				draw_rects(svg, x, at, end, at == s);
			else if (pass == 1)
				draw_border(svg, x, at, at == s);
			else
				draw_labels(svg, x, at, end, at == s);
			x += width_of(at) * svg->scale;
		}
	}
	svg->y += ROW;
}

/* As many segments as fit into a row, in front of end; how wide they are. */
static const struct segment *row_end(const struct segment *s, const struct segment *end,
				     double *width)
{
	*width = 0;
	do {
		*width += width_of(s++);
	} while (s < end && *width + width_of(s) <= PAGE - 2 * MARGIN);
	return s;
}

/* How many rows there are to be; what does not fit into the most is left out. */
static size_t rows_of(const struct segment *s, const struct segment **end)
{
	double width;
	size_t rows = 0;

	for (; s < *end && rows < ROWS_MOST; rows++)
		s = row_end(s, *end, &width);
	*end = s;
	return rows;
}

static const char style[] =
	"<style>\n"
	"rect{stroke:#445;stroke-width:1}\n"
	".page{fill:#fff;stroke:none}\n"
	".p0{fill:#dce8f6}.p1{fill:#c2d8f0}\n"
	".e0{fill:#d8eed2}.e1{fill:#bde0b4}\n"
	".staged{fill:#fbd5a0}.pad{fill:#e4e4e4}\n"
	"text{font-family:DejaVu Sans Mono,Menlo,Consolas,monospace;font-size:11px;"
	"fill:#112}\n"
	".label{paint-order:stroke;stroke:#fff;stroke-opacity:.65;stroke-width:3px;"
	"stroke-linejoin:round}\n"
	".title{font-size:16px;font-weight:bold}\n"
	".head{font-weight:bold}\n"
	".why{font-size:10px;fill:#335}.staging{font-size:10px;fill:#a04a00}\n"
	".request{stroke:#112;stroke-width:3}\n"
	".cut{stroke:#445;stroke-width:1;stroke-dasharray:3 3}\n"
	"</style>\n";

static void draw_key(struct svg *svg, double x, const char *class, const char *text)
{
	fprintf(svg->file,
		"<rect x=\"%.1f\" y=\"74\" width=\"14\" height=\"12\" class=\"%s\"/>\n",
		x, class);
	text_at(svg, x + 19, 84, "label", text);
}

static void draw_totals(struct svg *svg, bool all)
{
	const struct explain_totals *t = svg->d->totals;
	char text[256];

	snprintf(text, sizeof(text),
		 "%zu piece%s, %zu bytes \342\206\222 %zu %s element%s, %zu request%s",
		 t->pieces, t->pieces == 1 ? "" : "s", t->bytes, t->elements,
		 svg->d->job->sink, t->elements == 1 ? "" : "s", t->requests,
		 t->requests == 1 ? "" : "s");
	text_at(svg, MARGIN, 28, "title", text);
	snprintf(text, sizeof(text), "%zu merged, %zu split, %zu bytes staged%s",
		 t->merged, t->splits, t->staged_bytes, all ? "" : "; the first of them");
	text_at(svg, MARGIN, 48, "label", text);
}

static void draw_limits(struct svg *svg)
{
	struct decant_limits limits = svg->d->job->limits;
	char text[512] = "limits: none but the sink's";
	int len = 0;

	for (unsigned i = 0; explain_limits_name(i); i++)
		if (*explain_limits_field(&limits, i))
			len += snprintf(text + len, sizeof(text) - (size_t)len,
					"%s%s %zu",
					len ? ", " : "limits: ", explain_limits_name(i),
					*explain_limits_field(&limits, i));
	text_at(svg, MARGIN, 64, "label", text);
}

static void draw_keys(struct svg *svg)
{
	draw_key(svg, MARGIN, "p1", "piece of the source");
	draw_key(svg, MARGIN + 190, "e1", "element, direct");
	draw_key(svg, MARGIN + 350, "staged", "element, staged");
	draw_key(svg, MARGIN + 510, "pad", "padding of a block");
	text_at(svg, MARGIN + 690, 84, "label",
		"dashed: split above, merged below; beneath: why");
}

static void draw_rows(struct svg *svg, const struct segment *s, const struct segment *end)
{
	svg->scale = 1;
	while (s < end) {
		const struct segment *next;
		double width;

		next = row_end(s, end, &width);
		/* The last row keeps the scale of those before, if there are any. */
		if (next < end || svg->scale * width > PAGE - 2 * MARGIN)
			svg->scale = (PAGE - 2 * MARGIN) / width;
		draw_row(svg, s, next);
		s = next;
	}
}

bool picture_svg(const struct drawing *drawing, FILE *file)
{
	struct svg svg = {.file = file, .d = drawing, .y = HEAD + 12};
	struct segment *segments = NULL;
	size_t nr = picture_segments(drawing->picture, &segments);
	const struct segment *end = segments + nr;
	double height;
	bool all;

	if (!nr)
		return false;
	height = HEAD + ROW * (double)rows_of(segments, &end);
	all = end == segments + nr && end[-1].el + 1 == drawing->totals->elements &&
	      nr < PICTURE_SEGMENTS;
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
		"height=\"%.0f\" "
		"viewBox=\"0 0 %.0f %.0f\">\n<!-- SPDX-License-Identifier: MIT -->\n%s",
		PAGE, height, PAGE, height, style);
	fprintf(file, "<rect class=\"page\" width=\"%.0f\" height=\"%.0f\"/>\n", PAGE,
		height);
	draw_totals(&svg, all);
	draw_limits(&svg);
	draw_keys(&svg);
	draw_rows(&svg, segments, end);
	fprintf(file, "</svg>\n");
	free(segments);
	return !fflush(file) && !ferror(file);
}
