/* SPDX-License-Identifier: MIT */
/*
 * instructions.c - every kind into every sink, for bench/callgrind to count instructions.
 *
 * Spans of one page each, and no element larger than a page, so that every kind gives as
 * many elements as it had spans; owners are looked up and keys filled in. Each extraction
 * is dumped under the name "kind sink elements"; what can't be done is printed.
 */
#include <errno.h>
#include <string.h>
#include <valgrind/callgrind.h>
#include "bench.h"
#include "memory.h"

#define PAGE BENCH_PAGE
#define MOST 512
#define ROOM (1u << 20)

static struct bench_memory memory;
static unsigned char *room, *table;

static void setup(void)
{
	room = aligned_alloc(PAGE, ROOM);
	table = aligned_alloc(PAGE, ROOM);
	bench_need(room && table, "memory");
	memset(room, 0, ROOM);
	memset(table, 0, ROOM);
	bench_memory_init(&memory, 1, (size_t)2 * MOST * PAGE, NULL, bench_map_same);
}

/* The least that a cache can do, so that it is not its own look-up that is counted. */
static int find_page(void *user, uint64_t index, struct decant_span *page)
{
	(void)user;
	*page = (struct decant_span){memory.at + 2 * index * PAGE, PAGE, NULL};
	return 0;
}

static const struct decant_pages cache = {PAGE, find_page, NULL};

/* Scattered where the kind can be, else in one piece; either direction. */
static int build(const struct decant_kind *kind, struct decant_iter *it, size_t nr)
{
	struct decant_span spans[MOST];
	int err = -ENOTSUP;

	if (!strcmp(kind->name, "pages"))
		return decant_iter_pages(it, DECANT_SOURCE, &cache, 0, nr * PAGE);
	for (size_t gap = 2; gap && err; gap--) {
		for (size_t i = 0; i < nr; i++)
			spans[i] = (struct decant_span){memory.at + i * gap * PAGE, PAGE,
							NULL};
		err = kind->build(it, DECANT_SOURCE, spans, nr, room);
		if (err)
			err = kind->build(it, DECANT_DEST, spans, nr, room);
	}
	return err;
}

static void count(const struct decant_kind *kind, const struct decant_sink_ops *ops,
		  size_t nr)
{
	struct decant_sink sink;
	struct decant_iter it, again;
	char name[96];
	ssize_t got;

	if (build(kind, &it, nr)) {
		printf("%s %s %zu can't be built\n", kind->name, ops->name, nr);
		return;
	}
	again = it;
	for (int warm = 0; warm < 2; warm++) {
		ops->init(&sink, table, MOST);
		sink.limits.max_element_bytes = PAGE;
		sink.space = memory.space;
		sink.domain = &memory.domain;
		it = again;
		snprintf(name, sizeof(name), "%s %s %zu", kind->name, ops->name, nr);
		CALLGRIND_ZERO_STATS;
		got = decant_extract(&it, &sink, SIZE_MAX);
		CALLGRIND_DUMP_STATS_AT(name);
	}
	if (got != (ssize_t)nr * PAGE || sink.nr != nr)
		printf("%s %s %zu gave %zd bytes in %zu elements: %s\n", kind->name,
		       ops->name, nr, got, sink.nr, decant_stop_name(sink.stop));
}

int main(void)
{
	const struct decant_sink_ops *ops;

	setup();
	for (unsigned k = 0; k < DECANT_KIND_COUNT; k++)
		for (unsigned s = 0; (ops = decant_sink_get(s)); s++) {
			count(decant_kind_get(k), ops, MOST / 2);
			count(decant_kind_get(k), ops, MOST);
		}
	return 0;
}
