/* SPDX-License-Identifier: MIT */
/* print_json.c - an explanation for programs. Addresses are strings: 64 bits. */
#include "print.h"

static void field(struct out *out, const char *name, uint64_t value)
{
	out_text(out, ",\"");
	out_text(out, name);
	out_text(out, "\":");
	out_number(out, value);
}

static void address(struct out *out, const char *name, uint64_t value)
{
	out_text(out, ",\"");
	out_text(out, name);
	out_text(out, "\":\"");
	out_hex(out, value);
	out_text(out, "\"");
}

static void whys(struct out *out, const char *name, unsigned bits)
{
	out_text(out, ",\"");
	out_text(out, name);
	out_text(out, "\":[");
	out_whys(out, bits, ",", "\"");
	out_text(out, "]");
}

static void text(struct out *out, const char *name, const char *value)
{
	out_text(out, ",\"");
	out_text(out, name);
	out_text(out, "\":\"");
	out_text(out, value);
	out_text(out, "\"");
}

void json_begin(struct printer *p)
{
	out_text(p->out, "{\"sink\":\"");
	out_text(p->out, p->job->sink);
	out_text(p->out, "\",\"limits\":");
	limits_json(p->out, &p->job->limits);
	out_text(p->out, ",\"requests\":[");
}

bool json_element(void *user, const struct explain_element *el)
{
	struct printer *p = user;
	struct out *out = p->out;

	picture_add(p->picture, el);
	if (!el->index)
		out_text(out,
			 el->request ? ",\n{\"elements\":[\n" : "\n{\"elements\":[\n");
	out_text(out, el->index ? ",\n{\"at\":" : "{\"at\":");
	out_number(out, el->at);
	field(out, "bytes", el->len);
	address(out, el->staged ? "staged_at" : "address", el->addr);
	field(out, "piece", el->piece);
	field(out, "piece_offset", el->piece_offset);
	field(out, "merged", el->merged);
	if (el->split)
		out_text(out, ",\"split\":true");
	if (el->front)
		field(out, "front", el->front);
	if (el->back)
		field(out, "back", el->back);
	if (el->region)
		text(out, "region", el->region);
	if (el->has_key)
		field(out, "key", el->key);
	whys(out, "begins", el->begins);
	if (el->stages)
		whys(out, "stages", el->stages);
	out_text(out, "}");
	return !ferror(out->file);
}

bool json_request(void *user, const struct explain_request *request)
{
	struct printer *p = user;

	out_text(p->out, "]");
	field(p->out, "bytes", request->bytes);
	field(p->out, "staged_bytes", request->staged);
	whys(p->out, "ends", request->ends);
	out_text(p->out, "}");
	return !ferror(p->out->file);
}

static void cost(struct out *out, const char *name, const double ns[3], bool first)
{
	char room[128];

	snprintf(room, sizeof(room),
		 "%s\"%s\":{\"low\":%.1f,\"median\":%.1f,\"high\":%.1f}",
		 first ? "" : ",", name, ns[0], ns[1], ns[2]);
	out_text(out, room);
}

static void costs(struct printer *p, const struct explain_totals *totals)
{
	struct costs costs;

	if (!costs_reckon(p->job, totals, &costs))
		return;
	out_text(p->out, ",\"nanoseconds\":{");
	cost(p->out, "extract", costs.extract, true);
	cost(p->out, "stage", costs.stage, false);
	cost(p->out, "copy_everything", costs.bounce, false);
	text(p->out, "what", COSTS_OF);
	text(p->out, "measured_on", costs_measured_on());
	text(p->out, "again", COSTS_AGAIN);
	out_text(p->out, "}");
}

void json_end(struct printer *p, const struct explain_totals *totals)
{
	struct out *out = p->out;

	out_text(out, "\n],\"totals\":{\"pieces\":");
	out_number(out, totals->pieces);
	field(out, "bytes", totals->bytes);
	field(out, "elements", totals->elements);
	field(out, "requests", totals->requests);
	field(out, "merged", totals->merged);
	field(out, "splits", totals->splits);
	field(out, "staged_elements", totals->staged_elements);
	field(out, "staged_bytes", totals->staged_bytes);
	field(out, "padding", totals->padding);
	field(out, "done", totals->done);
	out_text(out, "}");
	if (totals->done < totals->bytes) {
		text(out, "stop", decant_stop_name(totals->stop));
		whys(out, "stops", totals->stops);
		field(out, "stop_piece", totals->piece);
		field(out, "stop_offset", totals->piece_offset);
	}
	costs(p, totals);
	out_text(out, "}\n");
}
