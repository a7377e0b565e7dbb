/* SPDX-License-Identifier: MIT */
/* print_text.c - an explanation for people: a table, a picture, and what it comes to. */
#include <string.h>
#include "print.h"

static void nr_of(struct out *out, uint64_t nr, const char *what)
{
	out_number(out, nr);
	out_text(out, " ");
	out_text(out, what);
	out_text(out, nr == 1 ? "" : "s");
}

void text_begin(struct printer *p)
{
	struct decant_limits limits = p->job->limits;
	struct out *out = p->out;
	bool any = false;

	out_text(out, "source   ");
	nr_of(out, p->job->layout->nr, "piece");
	out_text(out, ", ");
	nr_of(out, p->job->layout->bytes, "byte");
	out_text(out, "\nsink     ");
	out_text(out, p->job->sink);
	out_text(out, "\nlimits   ");
	for (unsigned i = 0; explain_limits_name(i); i++) {
		size_t value = *explain_limits_field(&limits, i);

		if (!value)
			continue;
		out_text(out, any ? ", " : "");
		out_text(out, explain_limits_name(i));
		out_text(out, " ");
		out_number(out, value);
		any = true;
	}
	out_text(out, any ? "\n" : "none but the sink's\n");
	p->request = SIZE_MAX;
}

static void heading(struct printer *p, size_t request)
{
	p->request = request;
	out_text(p->out, "\nrequest ");
	out_number(p->out, request);
	out_text(p->out, "\n element  address                bytes  source               "
			 "why it begins here\n");
}

/* Which pieces: 3, 3-7, 3+100. */
static void from(struct out *out, const struct explain_element *el)
{
	char room[64];
	int len = snprintf(room, sizeof(room), "piece %zu", el->piece);

	if (el->piece_offset)
		len += snprintf(room + len, sizeof(room) - (size_t)len, "+%zu",
				el->piece_offset);
	if (el->last > el->piece)
		snprintf(room + len, sizeof(room) - (size_t)len, " to %zu", el->last);
	out_text_in(out, room, 21);
}

static void notes(struct printer *p, const struct explain_element *el)
{
	struct out *out = p->out;

	if (el->merged) {
		out_text(out, "; ");
		out_number(out, el->merged);
		out_text(out, " merged");
	}
	if (el->stages) {
		out_text(out, "; staged: ");
		out_whys(out, el->stages, "+", "");
	}
	if (el->front + el->back) {
		out_text(out, "; ");
		nr_of(out, el->front + el->back, "byte");
		out_text(out, " of padding");
	}
	if (el->region) {
		out_text(out, "; region ");
		out_text(out, el->region);
	}
	if (el->has_key) {
		out_text(out, ", key ");
		out_number(out, el->key);
	}
}

bool text_element(void *user, const struct explain_element *el)
{
	struct printer *p = user;
	struct out *out = p->out;

	picture_add(p->picture, el);
	if (p->shown >= p->els)
		return true;
	p->shown++;
	if (p->request != el->request)
		heading(p, el->request);
	p->whys |= el->begins | el->stages;
	out_number_in(out, el->index, 8);
	out_text(out, "  ");
	out_text_in(out, element_place(el).text, 18);
	out_number_in(out, el->len, 10);
	out_text(out, "  ");
	from(out, el);
	if (!el->request && !el->index)
		out_text(out, "the first");
	else if (el->split && !(el->begins & (WHY_STAGE | WHY_END)))
		out_text(out, "split: ");
	if (el->request || el->index)
		out_whys(out, el->begins, "+", "");
	notes(p, el);
	out_text(out, "\n");
	return !ferror(out->file);
}

bool text_request(void *user, const struct explain_request *request)
{
	struct printer *p = user;
	struct out *out = p->out;

	if (p->request != request->index || p->shown >= p->els)
		return true;
	p->whys |= request->ends;
	out_text(out, "         ");
	nr_of(out, request->elements, "element");
	out_text(out, ", ");
	nr_of(out, request->bytes, "byte");
	out_text(out, "; ends: ");
	out_whys(out, request->ends, "+", "");
	out_text(out, "\n");
	return !ferror(out->file);
}

static void cost(struct out *out, const char *name, const double ns[3])
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double unit = 1;
	char room[128];
	int i = 0;

	for (; i < 3 && ns[1] >= 1e3 * unit; i++)
		unit *= 1e3;
	snprintf(room, sizeof(room), "  %-18s %8.3g %s (%.3g to %.3g)\n", name,
		 ns[1] / unit, units[i], ns[0] / unit, ns[2] / unit);
	out_text(out, room);
}

static void costs(struct printer *p, const struct explain_totals *totals)
{
	struct costs costs;

	if (!costs_reckon(p->job, totals, &costs))
		return;
	out_text(p->out, "\ncost: " COSTS_OF ",\nby what was measured on ");
	out_text(p->out, costs_measured_on());
	out_text(p->out, "\n(" COSTS_AGAIN ")\n");
	cost(p->out, "extraction", costs.extract);
	if (totals->staged_bytes)
		cost(p->out, "staging", costs.stage);
	cost(p->out, "copying it all", costs.bounce);
}

/* A rule's number, behind its sentence. */
static void rule(struct printer *p, unsigned i)
{
	struct decant_limits limits = p->job->limits;

	if (!explain_limits_name(i) || !*explain_limits_field(&limits, i))
		return;
	out_text(p->out, " (");
	out_number(p->out, *explain_limits_field(&limits, i));
	out_text(p->out, ")");
}

/* The reasons that were named, each with its sentence. */
static void legend(struct printer *p)
{
	p->whys &= ~(unsigned)WHY_END;
	if (p->whys)
		out_text(p->out, "\nwhy\n");
	for (unsigned i = 0; i < EXPLAIN_WHYS; i++) {
		struct why_word word = why_word(i);

		if (!(p->whys & 1u << i))
			continue;
		out_text(p->out, "  ");
		out_text_in(p->out, word.text, 18);
		out_text(p->out, explain_why_text(i) + strlen(word.text) + 1);
		rule(p, i);
		out_text(p->out, "\n");
	}
}

static void stopped(struct printer *p, const struct explain_totals *totals)
{
	struct out *out = p->out;

	if (totals->done == totals->bytes)
		return;
	p->whys |= totals->stops;
	out_text(out, "\nstopped before byte ");
	out_number(out, totals->done);
	out_text(out, ", piece ");
	out_number(out, totals->piece);
	out_text(out, "+");
	out_number(out, totals->piece_offset);
	out_text(out, " at ");
	out_hex(out, totals->addr);
	out_text(out, ": ");
	out_text(out, decant_stop_name(totals->stop));
	out_text(out, ", ");
	out_whys(out, totals->stops, "+", "");
	if (!p->job->stage_bytes && totals->stop == DECANT_STOP_ALIGNMENT)
		out_text(out, "; scratch memory (--stage) would help");
	out_text(out, "\n");
}

void text_end(struct printer *p, const struct explain_totals *totals)
{
	struct out *out = p->out;

	if (totals->elements > p->shown) {
		out_text(out, "         and ");
		nr_of(out, totals->elements - p->shown, "more element");
		out_text(out, " (--elements all)\n");
	}
	picture_text(p->picture, out, p->columns, p->els);
	stopped(p, totals);
	legend(p);
	out_text(out, "\nin all   ");
	nr_of(out, totals->pieces, "piece");
	out_text(out, " -> ");
	nr_of(out, totals->elements, "element");
	out_text(out, " in ");
	nr_of(out, totals->requests, "request");
	out_text(out, "; ");
	out_number(out, totals->merged);
	out_text(out, " merged, ");
	nr_of(out, totals->splits, "split");
	out_text(out, ", ");
	nr_of(out, totals->staged_bytes, "byte");
	out_text(out, " staged");
	if (totals->padding) {
		out_text(out, ", ");
		nr_of(out, totals->padding, "byte");
		out_text(out, " of padding");
	}
	out_text(out, "\n");
	costs(p, totals);
}
