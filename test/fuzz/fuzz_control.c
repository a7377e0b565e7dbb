/* SPDX-License-Identifier: MIT */
/*
 * fuzz_control.c - any bytes as what the other side says on the control channel: first as
 * a client's greeting and request, as a server hears them, then as messages of any kind
 * and the statistics in them, then as the trace of a server. What is accepted has to make
 * sense.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "replay.h"
#include "session.h"
#include "trace_wire.h"

static struct report report;
static int nowhere = -1;

/* A channel on which this was said, and then no more. */
static struct control channel(const uint8_t *data, size_t size)
{
	struct control control = {.in = memfd_create("said", MFD_CLOEXEC)};

	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	REQUIRE(control.in >= 0 && nowhere >= 0);
	REQUIRE(write(control.in, data, size) == (ssize_t)size);
	REQUIRE(!lseek(control.in, 0, SEEK_SET));
	control.out = nowhere;
	strcpy(control.host, "fuzzer");
	report = (struct report){0};
	return control;
}

static bool is_text(const char *text, size_t room)
{
	return memchr(text, '\0', room) != NULL;
}

static void as_request(const uint8_t *data, size_t size)
{
	static struct session session;
	struct control control = channel(data, size);
	const struct request *r = &session.request;

	if (session_listen(&session, &control, &report)) {
		CHECK(!report.code);
		CHECK(is_text(r->path, sizeof(r->path)));
		CHECK(is_text(r->name, sizeof(r->name)));
		CHECK(is_text(r->node, sizeof(r->node)));
		CHECK_EQ(r->key_len, SESSION_KEY_BYTES);
		CHECK(r->rails >= 1 && r->rails <= RAILS_MOST);
		CHECK(r->meta.size == SIZE_UNKNOWN || r->meta.size <= INT64_MAX);
		CHECK(r->meta.mtime.tv_nsec < 1000000000);
	} else {
		CHECK(report.code);
		CHECK(is_text(report.text, sizeof(report.text)));
	}
	close(control.in);
}

static void as_messages(const uint8_t *data, size_t size)
{
	static struct control control;
	static struct wire wire;
	struct side_stats stats;
	enum message type;
	int got;

	control = channel(data, size);
	while ((got = control_poll(&control, &type, &wire, 0)) > 0) {
		CHECK(wire.len <= WIRE_MOST && !wire.at);
		CHECK(type >= MESSAGE_HELLO && type <= MESSAGE_LAST);
		stats = (struct side_stats){0};
		if (session_get_stats(&wire, &stats))
			CHECK(stats.nr <= STAGES_MOST);
		wire.at = 0;
		wire.bad = false;
		report = (struct report){0};
		control_unexpected(&control, got, type, &wire, &report);
		CHECK(report.code >= EXIT_USAGE && report.code <= EXIT_INTERRUPTED);
		report_plain(report.text);
	}
	close(control.in);
}

/* What is in a trace can be written, with its arrows. */
static void check_trace(struct trace *trace)
{
	struct trace_about about = {.source = "", .target = "", .sides = 1};
	FILE *out = fopen("/dev/null", "w");

	REQUIRE(out);
	for (const struct trace_block *b = trace->first; b; b = b->next)
		for (uint32_t i = 0; i < b->nr; i++)
			CHECK(b->events[i].began <= b->events[i].ended);
	about.side[0].trace = trace;
	CHECK(trace_write(&about, out));
	fclose(out);
}

static void as_trace(const uint8_t *data, size_t size)
{
	static struct session session;
	struct trace *here = trace_new(0, 0), *there;
	uint64_t error;

	REQUIRE(here);
	session = (struct session){.control = channel(data, size)};
	there = session_hear_trace(&session, here, &error, &report);
	if (there)
		check_trace(there);
	else
		CHECK(report.code);
	trace_free(there);
	trace_free(here);
	close(session.control.in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 2 * WIRE_MOST)
		return 0;
	as_request(data, size);
	as_messages(data, size);
	as_trace(data, size);
	if (check_failed)
		abort();
	return 0;
}
