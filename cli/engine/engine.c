/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "engine.h"
#include "text.h"

#define EVENTS	    64
#define IDLE_TURNS  10	/* turns without progress before it sleeps */
#define YIELD_TURNS 200 /* or naps, where nothing would wake it */
#define SLEEP_MS    100 /* and how long at most */
#define BLOCKING_MS 500 /* when there is only the ring to wait for */
#define ENGINE_FDS  32	/* the ring's, one of each filter, a peer's with its rails */

#define REPEAT_SECONDS 1

static volatile sig_atomic_t caught;

/*
 * A signal ends the wait that it finds, and there may be none yet: so that it finds the
 * next one, it is repeated for as long as the process is there.
 */
static void on_signal(int signal)
{
	if (signal != SIGALRM)
		caught = signal;
	alarm(REPEAT_SECONDS);
}

void engine_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL);
}

bool engine_interrupted(struct report *report)
{
	if (caught)
		report_set(report, EXIT_INTERRUPTED, "interrupted by signal %d (%s)",
			   (int)caught, strsignal(caught));
	return caught != 0;
}

void engine_failed(struct engine *engine, enum exit_code code, const char *path)
{
	int err = errno;

	if (err != EINTR || !engine_interrupted(engine->report))
		report_set(engine->report, code, "%s: %s", path, strerror(err));
}

/* Buffers of one hop, where the ring finds them. */
static int hop_buffers(struct engine *engine, struct hop *hop)
{
	struct decant_pool_options options = {.size = sizeof(options),
					      .buffer_bytes = engine->chunk_bytes,
					      .buffers = engine->depth};
	int err = decant_pool_new(&hop->pool, &options);

	if (!err)
		err = decant_space_add(engine->space, decant_pool_region(hop->pool));
	hop->chunks = calloc(engine->depth, sizeof(*hop->chunks));
	if (err || !hop->chunks)
		return err ? err : -ENOMEM;
	for (unsigned i = 0; i < engine->depth; i++) {
		hop->chunks[i].hop = hop;
		hop->chunks[i].buffer = decant_pool_get(hop->pool);
	}
	return 0;
}

static bool engine_buffers(struct engine *engine)
{
	int err = decant_space_new(&engine->space);

	for (unsigned i = 0; i < engine->nr_hops && !err; i++)
		err = hop_buffers(engine, &engine->hops[i]);
	if (err)
		return report_set(engine->report, EXIT_RESOURCES,
				  "no memory for %u buffers of %s: %s",
				  engine->depth * engine->nr_hops,
				  text_of_size(engine->chunk_bytes).text, strerror(-err));
	return true;
}

bool engine_init(struct engine *engine, const struct copy_options *options,
		 struct report *report)
{
	struct decant_uring_options ring = {.size = sizeof(ring),
					    .depth = 2 * (unsigned)options->depth,
					    .backend = options->io,
					    .one_thread = true};
	int err;

	*engine = (struct engine){.report = report,
				  .nr_hops = 1 + crypt_filters(&options->crypt),
				  .depth = (unsigned)options->depth,
				  .chunk_bytes = options->chunk};
	if (!engine_buffers(engine))
		return false;
	ring.space = engine->space;
	err = decant_uring_new(&engine->ring, &ring);
	if (err)
		return report_set(report, EXIT_RESOURCES, "asynchronous I/O (--io): %s",
				  strerror(-err));
	return true;
}

void engine_stop(struct engine *engine)
{
	decant_uring_free(engine->ring);
	engine->ring = NULL;
}

void engine_fini(struct engine *engine)
{
	for (unsigned i = 0; i < engine->nr_hops; i++) {
		free(engine->hops[i].chunks);
		decant_pool_free(engine->hops[i].pool);
	}
	decant_space_free(engine->space);
}

struct stage_stats *engine_stage(struct engine *engine, bool source, const char *name)
{
	return stats_stage(&engine->stats, source ? 0 : engine->nr_hops - 1, name);
}

void engine_describe(struct engine *engine)
{
	const char *why = decant_uring_reason(engine->ring);
	bool ring = decant_uring_backend(engine->ring) == DECANT_URING_RING;

	snprintf(engine->stats.io, sizeof(engine->stats.io), "%s%s%s%s",
		 ring ? "io_uring" : "threads", why ? " (" : "", why ? why : "",
		 why ? ")" : "");
	decant_uring_stats(engine->ring, &engine->stats.ring);
}

struct decant_iter chunk_iter(const struct chunk *chunk, enum decant_direction direction)
{
	struct decant_iter it;

	decant_iter_buf(&it, direction, chunk->buffer.addr, chunk->len);
	return it;
}

static void give_to_target(struct hop *hop, struct chunk *chunk)
{
	chunk->filled = false;
	chunk->at = hop->target;
	hop->next_number++;
	hop->target->ops->write(hop->target, chunk);
}

static struct chunk *next_in_order(const struct engine *engine, const struct hop *hop)
{
	for (unsigned i = 0; i < engine->depth; i++)
		if (hop->chunks[i].filled && hop->chunks[i].number == hop->next_number)
			return &hop->chunks[i];
	return NULL;
}

void engine_filled(struct engine *engine, struct chunk *chunk)
{
	struct hop *hop = chunk->hop;

	chunk->filled = true;
	chunk->at = NULL;
	if (chunk->last)
		hop->ended = true;
	if (!hop->target->ops->in_order) {
		give_to_target(hop, chunk);
		return;
	}
	while ((chunk = next_in_order(engine, hop)) && !engine->report->code)
		give_to_target(hop, chunk);
}

void engine_emptied(struct chunk *chunk)
{
	chunk->hop->bytes += chunk->len;
	chunk->at = NULL;
}

static bool is_free(const struct chunk *chunk)
{
	return !chunk->at && !chunk->filled;
}

/* Nothing is under way in a hop, and nothing will come. */
static bool hop_over(const struct engine *engine, const struct hop *hop)
{
	for (unsigned i = 0; i < engine->depth; i++)
		if (!is_free(&hop->chunks[i]))
			return false;
	return hop->ended;
}

static bool all_over(const struct engine *engine)
{
	for (unsigned i = 0; i < engine->nr_hops; i++)
		if (!hop_over(engine, &engine->hops[i]))
			return false;
	return true;
}

/* Give free chunks to the source; whether any was taken. */
static bool start_reads(struct engine *engine, struct hop *hop)
{
	bool moved = false;

	for (unsigned i = 0; i < engine->depth && !hop->ended; i++) {
		struct chunk *chunk = &hop->chunks[i];
		enum start start;

		if (!is_free(chunk))
			continue;
		chunk->at = hop->source;
		chunk->last = false;
		start = hop->source->ops->read(hop->source, chunk);
		if (start == START_ENDED)
			hop->ended = true;
		if (start != START_DONE) {
			chunk->at = NULL;
			break;
		}
		moved = true;
	}
	return moved;
}

static void ring_failed(struct engine *engine, int err)
{
	report_set(engine->report, EXIT_RESOURCES, "asynchronous I/O: %s",
		   strerror(-err));
}

/* Hand out what the ring has finished; whether there was anything. */
static bool reap(struct engine *engine, int timeout)
{
	struct decant_uring_event events[EVENTS];
	int nr = decant_uring_wait(engine->ring, events, EVENTS, timeout);

	if (nr < 0)
		ring_failed(engine, nr);
	for (int i = 0; i < nr; i++) {
		struct chunk *chunk = events[i].user;

		chunk->at->ops->completed(chunk->at, chunk, events[i].result);
	}
	return nr > 0;
}

static bool poll_endpoint(struct endpoint *ep)
{
	return ep->ops->poll && ep->ops->poll(ep);
}

/* The end points from the first source to the last target; how many. */
static unsigned endpoints(const struct engine *engine, struct endpoint **eps)
{
	unsigned nr = 0;

	eps[nr++] = engine->hops[0].source;
	for (unsigned i = 0; i < engine->nr_hops; i++)
		eps[nr++] = engine->hops[i].target;
	return nr;
}

/*
 * Sleep until something may have happened. Turns first: a fabric is faster than a
 * wake-up, but each of them is processor time that the other side may want. A fabric
 * that wakes nobody is looked at for longer, whenever nobody else wants the processor.
 */
static void rest(struct engine *engine)
{
	struct pollfd fds[ENGINE_FDS] = {{.events = POLLIN}};
	struct endpoint *eps[HOPS_MOST + 1];
	unsigned nr_eps = endpoints(engine, eps), sleepers = 0, nr = 1;
	int timeout = SLEEP_MS;

	for (unsigned i = 0; i < nr_eps; i++)
		sleepers += eps[i]->ops->sleep != NULL;
	if (!sleepers) {
		reap(engine, BLOCKING_MS);
		return;
	}
	if (engine->idle_turns++ < IDLE_TURNS)
		return;
	fds[0].fd = decant_uring_fd(engine->ring);
	if (fds[0].fd < 0)
		ring_failed(engine, fds[0].fd);
	for (unsigned i = 0; i < nr_eps; i++)
		if (eps[i]->ops->sleep)
			nr += eps[i]->ops->sleep(eps[i], fds + nr, &timeout);
	if (timeout < SLEEP_MS && engine->idle_turns < YIELD_TURNS)
		sched_yield();
	else
		poll(fds, nr, timeout);
}

static void turn(struct engine *engine)
{
	struct endpoint *eps[HOPS_MOST + 1];
	unsigned nr = endpoints(engine, eps);
	bool moved = false;

	for (unsigned i = 0; i < engine->nr_hops; i++)
		moved |= start_reads(engine, &engine->hops[i]);
	moved |= reap(engine, 0);
	for (unsigned i = 0; i < nr; i++)
		moved |= poll_endpoint(eps[i]);
	progress_show(&engine->progress, engine->hops[0].bytes);
	if (moved)
		engine->idle_turns = 0;
	else if (!all_over(engine))
		rest(engine);
}

static bool finish(struct engine *engine)
{
	struct endpoint *source = engine->hops[0].source;
	struct endpoint *target = engine->hops[engine->nr_hops - 1].target;

	return source->ops->finish(source) && target->ops->finish(target) &&
	       (!source->ops->confirm || source->ops->confirm(source));
}

bool engine_run(struct engine *engine, struct endpoint *source,
		struct endpoint *const *filters, struct endpoint *target)
{
	uint64_t began = stats_now(), ended;
	bool good;

	engine->hops[0].source = source;
	engine->hops[engine->nr_hops - 1].target = target;
	for (unsigned i = 0; i + 1 < engine->nr_hops; i++) {
		engine->hops[i].target = filters[i];
		engine->hops[i + 1].source = filters[i];
	}
	while (!engine->report->code && !all_over(engine)) {
		turn(engine);
		engine_interrupted(engine->report);
	}
	progress_end(&engine->progress);
	ended = stats_phase(&engine->stats, "transfer", began);
	engine->transfer_ns = ended - began;
	good = !engine->report->code && finish(engine);
	stats_phase(&engine->stats, "finish", ended);
	return good;
}
