/* SPDX-License-Identifier: MIT */
/* armor.c - armor put on between two hops, behind the filter that encrypts. */
#include <stdlib.h>
#include <string.h>
#include "filter.h"
#include "lane.h"

struct armorer {
	struct endpoint ep;
	struct decant_age_armor *state;
	struct lane in, out;
	struct iovec *in_iov, *out_iov;
	uint64_t next_number;
	bool ended; /* everything has come in */
	bool done;  /* and was written */
	bool over;  /* and given on */
};

static struct armorer *armorer_of(struct endpoint *ep)
{
	return (struct armorer *)ep;
}

/* All bytes of a lane that were not taken or written yet. */
static struct decant_iter rest_of(const struct lane *lane, struct iovec *iov,
				  enum decant_direction direction)
{
	size_t nr = lane_pieces(lane, lane->at, lane_left(lane), iov, lane->depth);
	struct decant_iter it;

	decant_iter_iovec(&it, direction, iov, nr);
	return it;
}

static bool encode(struct armorer *a)
{
	struct decant_iter src = rest_of(&a->in, a->in_iov, DECANT_SOURCE);
	struct decant_iter dst = rest_of(&a->out, a->out_iov, DECANT_DEST);
	ssize_t got;

	if (!decant_iter_count(&dst))
		return true;
	got = decant_age_armor_run(a->state, &dst, &src, a->ended);
	if (got < 0)
		return report_set(a->ep.engine->report, EXIT_RESOURCES, "armor: %s",
				  strerror((int)-got));
	a->in.at += decant_iter_consumed(&src);
	a->out.at += decant_iter_consumed(&dst);
	/* With room left there is nothing more to come. */
	a->done = a->ended && !decant_iter_count(&src) && decant_iter_count(&dst);
	return true;
}

static bool go_on(struct armorer *a)
{
	struct chunk *chunk;

	if (a->over || !encode(a))
		return !a->ep.engine->report->code;
	while ((chunk = lane_take(&a->in, a->in.at)))
		engine_emptied(chunk);
	lane_give(&a->out, a->ep.engine, a->out.at);
	if (a->done) {
		a->over = true;
		lane_finish(&a->out, a->ep.engine, a->out.at);
	}
	return !a->ep.engine->report->code;
}

static bool armor_write(struct endpoint *ep, struct chunk *chunk)
{
	struct armorer *a = armorer_of(ep);

	lane_put(&a->in, chunk);
	a->ended = chunk->last;
	return go_on(a);
}

static enum start armor_read(struct endpoint *ep, struct chunk *chunk)
{
	struct armorer *a = armorer_of(ep);

	if (a->over)
		return START_ENDED;
	chunk->number = a->next_number++;
	chunk->len = ep->engine->chunk_bytes;
	chunk->pos = chunk->number * chunk->len;
	lane_put(&a->out, chunk);
	return go_on(a) ? START_DONE : START_FAILED;
}

static void armor_close(struct endpoint *ep)
{
	struct armorer *a = armorer_of(ep);

	decant_age_armor_free(a->state);
	lane_fini(&a->in);
	lane_fini(&a->out);
	free(a->in_iov);
	free(a->out_iov);
	free(a);
}

static const struct endpoint_ops armor_ops = {
	.name = "armor",
	.in_order = true,
	.read = armor_read,
	.write = armor_write,
	.close = armor_close,
};

struct endpoint *armor_open(struct engine *engine, const struct file_meta *meta)
{
	struct armorer *a = calloc(1, sizeof(*a));
	unsigned depth = engine->depth;

	if (a) {
		a->ep = (struct endpoint){
			.ops = &armor_ops, .engine = engine, .meta = *meta};
		a->ep.meta.size = SIZE_UNKNOWN;
		a->in_iov = calloc(depth, sizeof(*a->in_iov));
		a->out_iov = calloc(depth, sizeof(*a->out_iov));
		if (lane_init(&a->in, depth) && lane_init(&a->out, depth) && a->in_iov &&
		    a->out_iov &&
		    !decant_age_armor_new(&a->state, DECANT_AGE_ARMOR_ENCODE))
			return &a->ep;
		armor_close(&a->ep);
	}
	report_set(engine->report, EXIT_RESOURCES, "no memory");
	return NULL;
}
