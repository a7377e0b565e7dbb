/* SPDX-License-Identifier: MIT */
/* limits_fabric.c - what libfabric's providers demand. */
#include <limits.h>
#include <string.h>
#include <decant/ofi.h>
#include "real.h"
#include "text.h"

static struct decant_limits limits_of_info_message(const struct decant_ofi_info *i)
{
	return (struct decant_limits){.max_elements = i->iov_limit,
				      .max_bytes = i->max_msg_bytes};
}

static void show_json(struct limits_request *r, const struct decant_ofi_info *i)
{
	struct decant_limits limits = limits_of_info_message(i);

	fprintf(r->out, "%s{\"provider\":", r->found ? "," : "");
	text_json(r->out, i->provider);
	fprintf(r->out, ",\"endpoint\":");
	text_json(r->out, i->endpoint);
	fprintf(r->out,
		",\"max_elements\":%zu,\"rma_max_elements\":%zu,\"max_bytes\":%zu,"
		"\"inject_bytes\":%zu,\"mr_local\":%s,\"mr_virt_addr\":%s,"
		"\"manual_progress\":%s,",
		i->iov_limit, i->rma_iov_limit, i->max_msg_bytes, i->inject_bytes,
		i->mr_local ? "true" : "false", i->mr_virt_addr ? "true" : "false",
		i->manual_progress ? "true" : "false");
	limits_print_json(r->out, "limits", &limits);
	fprintf(r->out, "}");
}

static void show_text(struct limits_request *r, const struct decant_ofi_info *i)
{
	if (!r->found)
		fprintf(r->out, "%-16s %-4s %8s %8s %12s %8s  %s\n", "provider", "type",
			"elements", "remote", "bytes", "inject", "notes");
	fprintf(r->out, "%-16s %-4s %8zu %8zu %12s %8zu%s%s%s\n", i->provider,
		i->endpoint, i->iov_limit, i->rma_iov_limit,
		i->max_msg_bytes > SSIZE_MAX ? "any"
					     : text_of_size(i->max_msg_bytes).text,
		i->inject_bytes, i->mr_local ? "  local keys" : "",
		i->mr_virt_addr ? "  virtual addresses" : "",
		i->manual_progress ? "  both sides must poll" : "");
}

static int on_provider(void *user, const struct decant_ofi_info *info)
{
	struct limits_request *r = user;

	if (r->name && strcmp(r->name, info->provider))
		return 0;
	(r->json ? show_json : show_text)(r, info);
	r->found++;
	return 0;
}

static bool no_such(const char *name, struct report *report)
{
	return report_set(report, EXIT_PEER,
			  "fabric%s%s: no such provider here; see decant limits fabric",
			  name ? ":" : "", name ? name : "");
}

bool limits_fabric(struct limits_request *r)
{
	int err;

	if (r->json)
		fprintf(r->out, "\"providers\":[");
	err = decant_ofi_providers(on_provider, r);
	if (r->json)
		fprintf(r->out, "]");
	if (r->all) {
		if (!r->found && !r->json)
			fprintf(r->out, "no fabric providers\n");
		return true;
	}
	if (err < 0)
		return report_set(r->report, EXIT_PEER, "libfabric: %s", strerror(-err));
	return r->found || no_such(r->name, r->report);
}

struct wanted {
	const char *name;
	struct decant_limits *limits;
	bool found;
};

/* The first one: where both are offered, reliable datagrams come first. */
static int take_provider(void *user, const struct decant_ofi_info *info)
{
	struct wanted *wanted = user;

	if (wanted->name && strcmp(wanted->name, info->provider))
		return 0;
	*wanted->limits = limits_of_info_message(info);
	wanted->found = true;
	return 1;
}

bool limits_of_fabric(const char *name, struct decant_limits *limits,
		      struct report *report)
{
	struct wanted wanted = {name, limits, false};
	int err = decant_ofi_providers(take_provider, &wanted);

	if (err < 0)
		return report_set(report, EXIT_PEER, "libfabric: %s", strerror(-err));
	return wanted.found || no_such(name, report);
}
