/* SPDX-License-Identifier: MIT */
/* limits_verbs.c - what RDMA devices demand. */
#include <errno.h>
#include <string.h>
#include <decant/verbs.h>
#include "real.h"
#include "text.h"

static const char *transport(const struct decant_verbs_caps *caps)
{
	static const char *const names[] = {"infiniband", "roce", "iwarp"};

	return caps->transport <= DECANT_VERBS_IWARP ? names[caps->transport] : "?";
}

static void show_json(struct limits_request *r, const struct decant_verbs_caps *caps)
{
	fprintf(r->out, "%s{\"device\":", r->found ? "," : "");
	text_json(r->out, caps->device);
	fprintf(r->out,
		",\"port\":%u,\"transport\":\"%s\",\"active\":%s,\"requests\":%zu,"
		"\"completions\":%zu,\"reads\":%zu,\"served\":%zu,\"regions\":%zu,"
		"\"region_bytes\":%zu,\"write_imm\":%s,\"on_demand\":%s,",
		caps->port, transport(caps), caps->active ? "true" : "false",
		caps->requests, caps->completions, caps->reads, caps->served,
		caps->regions, caps->region_bytes, caps->write_imm ? "true" : "false",
		caps->on_demand ? "true" : "false");
	limits_print_json(r->out, "limits", &caps->send);
	fprintf(r->out, ",");
	limits_print_json(r->out, "read_limits", &caps->read);
	fprintf(r->out, "}");
}

static void show_text(struct limits_request *r, const struct decant_verbs_caps *caps)
{
	if (!r->found)
		fprintf(r->out, "%-16s %4s %-10s %8s %8s %10s %9s %6s  notes\n",
			"RDMA device", "port", "transport", "elements", "to read",
			"bytes", "requests", "reads");
	fprintf(r->out, "%-16s %4u %-10s %8zu %8zu %10s %9zu %6zu%s%s%s\n", caps->device,
		caps->port, transport(caps), caps->send.max_elements,
		caps->read.max_elements, text_of_size(caps->send.max_bytes).text,
		caps->requests, caps->reads, caps->active ? "" : "  down",
		caps->on_demand ? "  on demand" : "",
		caps->write_imm ? "" : "  no immediate data");
}

static int on_device(void *user, const struct decant_verbs_caps *caps)
{
	struct limits_request *r = user;

	if (r->name && strcmp(r->name, caps->device))
		return 0;
	(r->json ? show_json : show_text)(r, caps);
	r->found++;
	return 0;
}

/* libibverbs says ENOSYS where nothing of RDMA is in the kernel. */
static const char *why(int err)
{
	return err == -ENOSYS ? "this kernel has no RDMA" : strerror(-err);
}

static bool no_such(const char *name, int err, struct report *report)
{
	if (err < 0)
		return report_set(report, EXIT_PEER, "verbs: %s", why(err));
	return report_set(report, EXIT_PEER, "verbs%s%s: no such RDMA device here",
			  name ? ":" : "", name ? name : "");
}

bool limits_verbs(struct limits_request *r)
{
	int err;

	if (r->json)
		fprintf(r->out, "\"verbs\":[");
	err = decant_verbs_devices(on_device, r);
	if (r->json)
		fprintf(r->out, "]");
	if (r->found)
		return true;
	if (!r->all)
		return no_such(r->name, err, r->report);
	if (!r->json)
		fprintf(r->out, "no RDMA devices%s%s\n", err < 0 ? ": " : "",
			err < 0 ? why(err) : "");
	return true;
}

struct wanted {
	const char *name;
	struct decant_limits send, read;
	bool found;
};

static int take_device(void *user, const struct decant_verbs_caps *caps)
{
	struct wanted *wanted = user;

	if (wanted->name && strcmp(wanted->name, caps->device))
		return 0;
	wanted->send = caps->send;
	wanted->read = caps->read;
	wanted->found = true;
	return 1;
}

static bool find(struct wanted *wanted, struct report *report)
{
	int err = decant_verbs_devices(take_device, wanted);

	return wanted->found || no_such(wanted->name, err, report);
}

bool limits_of_verbs(const char *name, struct decant_limits *limits,
		     struct report *report)
{
	struct wanted wanted = {.name = name};

	if (!find(&wanted, report))
		return false;
	*limits = wanted.send;
	return true;
}

bool limits_of_verbs_read(const char *name, struct decant_limits *limits,
			  struct report *report)
{
	struct wanted wanted = {.name = name};

	if (!find(&wanted, report))
		return false;
	*limits = wanted.read;
	return true;
}
