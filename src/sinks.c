/* SPDX-License-Identifier: MIT */
/* sinks.c - every sink's functions and constructors, from the registry. */
#include <decant/registry.h>
#include "stretch.h"
#include <decant/sinks.def>

#define DECANT_SINK(NAME, name) &sink_##name##_ops,
static const struct decant_sink_ops *const sinks[] = {
#include <decant/sinks.def>
};
#undef DECANT_SINK

const struct decant_sink_ops *decant_sink_get(unsigned index)
{
	return index < sizeof(sinks) / sizeof(*sinks) ? sinks[index] : NULL;
}

/* The loop's copies: for elements of struct iovec, and of struct decant_bvec. */
typedef void stretch_fn(struct loop *l, struct decant_iter *it, size_t len, size_t *done);

#define DECANT_SINK(NAME, name)                                                        \
	static stretch_fn plain_##name __attribute__((noinline));                      \
	static stretch_fn owned_##name __attribute__((noinline));                      \
	static void plain_##name(struct loop *l, struct decant_iter *it, size_t len,   \
				 size_t *done)                                         \
	{                                                                              \
		*done = stretch(l, &sink_##name##_ops, it, len, sizeof(struct iovec)); \
	}                                                                              \
	static void owned_##name(struct loop *l, struct decant_iter *it, size_t len,   \
				 size_t *done)                                         \
	{                                                                              \
		*done = stretch(l, &sink_##name##_ops, it, len,                        \
				sizeof(struct decant_bvec));                           \
	}
#include <decant/sinks.def>
#undef DECANT_SINK

#define DECANT_SINK(NAME, name) {plain_##name, owned_##name},
static stretch_fn *const stretches[][2] = {
#include <decant/sinks.def>
};
#undef DECANT_SINK

size_t loop_array(struct loop *l, struct decant_iter *it, size_t len, size_t element)
{
	bool owned = element == sizeof(struct decant_bvec);
	unsigned id = l->sink->id;
	size_t done;

	/* Somebody may have given one of our sinks other functions. */
	if (!id || sinks[id - 1] != l->sink->ops)
		return stretch(l, NULL, it, len, element);
	stretches[id - 1][owned](l, it, len, &done);
	return done;
}

static unsigned id_of(const struct decant_sink_ops *ops)
{
	unsigned i = 0;

	while (sinks[i] != ops)
		i++;
	return i + 1;
}

static void begin(struct decant_sink *sink, const struct decant_sink_ops *ops,
		  void *table, size_t max)
{
	*sink = (struct decant_sink){
		.id = id_of(ops), .ops = ops, .table = table, .max = max};
}

void decant_sink_iovec(struct decant_sink *sink, struct iovec *iov, size_t max)
{
	begin(sink, &sink_iovec_ops, iov, max);
}

void decant_sink_bvec(struct decant_sink *sink, struct decant_bvec *bvec, size_t max)
{
	begin(sink, &sink_bvec_ops, bvec, max);
}

void decant_sink_sge(struct decant_sink *sink, struct decant_sge *sge, size_t max)
{
	begin(sink, &sink_sge_ops, sge, max);
}

void decant_sink_count(struct decant_sink *sink)
{
	begin(sink, &sink_count_ops, NULL, SIZE_MAX);
}

void decant_sink_reset(struct decant_sink *sink)
{
	sink->nr = 0;
	sink->bytes = 0;
	sink->merged = 0;
	sink->stop = DECANT_STOP_END;
	sink->last = (struct decant_element){0};
}

struct decant_span decant_sink_span(const struct decant_sink *sink, size_t index)
{
	return index < sink->nr ? sink->ops->span(sink, index) : (struct decant_span){0};
}

const char *decant_stop_name(enum decant_stop stop)
{
	static const char *const names[] = {
		[DECANT_STOP_END] = "end",
		[DECANT_STOP_FULL] = "full",
		[DECANT_STOP_LIMIT] = "limit",
		[DECANT_STOP_HOLE] = "hole",
		[DECANT_STOP_FAULT] = "fault",
		[DECANT_STOP_UNREGISTERED] = "unregistered",
		[DECANT_STOP_ALIGNMENT] = "alignment",
		[DECANT_STOP_MEMORY] = "memory",
	};

	return (size_t)stop < sizeof(names) / sizeof(*names) ? names[stop] : "unknown";
}
