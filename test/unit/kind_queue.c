/* SPDX-License-Identifier: MIT */
/* kind_queue.c - a queue that grows while it is read, from another thread, too. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <decant/decant.h>
#include "check.h"

static unsigned char byte_at(size_t pos)
{
	return (unsigned char)(pos * 13 + pos / 251);
}

/* A segment with its bytes. */
struct piece {
	struct decant_segment segment;
	unsigned char bytes[64];
};

struct sums {
	size_t released;
	size_t bytes;
};

static void release(void *user, struct decant_segment *segment)
{
	struct sums *sums = user;

	sums->released++;
	sums->bytes += segment->span.len;
	/* The segment comes first in its piece. */
	free(segment);
}

/* Append so many bytes, which continue the pattern from *pos on. */
static void append(struct decant_queue *queue, size_t *pos, size_t len)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	REQUIRE(piece && len <= sizeof(piece->bytes));
	for (size_t i = 0; i < len; i++)
		piece->bytes[i] = byte_at((*pos)++);
	piece->segment.span = (struct decant_span){piece->bytes, len, NULL};
	REQUIRE(!decant_queue_append(queue, &piece->segment));
}

static bool reads(struct decant_iter *it, size_t from, size_t len)
{
	unsigned char out[4096];

	if (decant_copy_to(out, it, len) != (ssize_t)len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (out[i] != byte_at(from + i))
			return false;
	return true;
}

/* At the end, and on; with everything given back in between, or not. */
static void stands_at_the_end(void)
{
	struct decant_queue queue;
	struct sums sums = {0, 0};
	struct decant_iter it;
	size_t pos = 0;

	for (int give = 0; give < 2; give++) {
		sums = (struct sums){0, 0};
		pos = 0;
		decant_queue_init(&queue, release, &sums);
		REQUIRE(!decant_iter_queue(&it, DECANT_SOURCE, &queue));
		for (size_t round = 0; round < 50; round++) {
			size_t before = pos;

			CHECK_EQ(decant_iter_count(&it), 0);
			CHECK_EQ(decant_iter_peek(&it).len, 0);
			CHECK_EQ(decant_iter_advance(&it, 1), -EINVAL);
			append(&queue, &pos, round % 7 * 9);
			append(&queue, &pos, 0);
			append(&queue, &pos, round % 5);
			CHECK_EQ(decant_iter_count(&it), pos - before);
			CHECK(reads(&it, before, pos - before));
			if (give)
				CHECK_EQ(decant_queue_give_back(&queue, &it), 3);
			CHECK_EQ(decant_iter_consumed(&it), give ? 0 : pos);
			CHECK_EQ(decant_iter_revert(&it, 1), give || !pos ? -EINVAL : 0);
			CHECK_EQ(decant_iter_advance(&it, !give && pos), 0);
		}
		CHECK_EQ(sums.released, give ? 150 : 0);
		if (!give) {
			CHECK(!decant_iter_seek(&it, 0));
			CHECK(reads(&it, 0, pos));
		}
		decant_queue_fini(&queue);
		CHECK_EQ(sums.released, 150);
		CHECK_EQ(sums.bytes, pos);
	}
}

static void revert_is_bounded(void)
{
	struct decant_queue queue;
	struct sums sums = {0, 0};
	struct decant_iter it, late, copy;
	size_t pos = 0;

	decant_queue_init(&queue, release, &sums);
	REQUIRE(!decant_iter_queue(&it, DECANT_SOURCE, &queue));
	for (size_t i = 0; i < 10; i++)
		append(&queue, &pos, 10);
	CHECK(!decant_iter_advance(&it, 35));
	copy = it;
	CHECK_EQ(decant_queue_give_back(&queue, &it), 3);
	CHECK_EQ(decant_iter_consumed(&it), 5);
	CHECK_EQ(decant_iter_revert(&it, 6), -EINVAL);
	CHECK(!decant_iter_revert(&it, 5));
	CHECK_EQ(decant_iter_seek(&it, 29), -EINVAL);
	CHECK(!decant_iter_seek(&it, 31));
	CHECK(reads(&it, 31, 69));
	/* The copy stands in a segment that is still there. */
	CHECK(reads(&copy, 35, 65));
	REQUIRE(!decant_iter_queue(&late, DECANT_SOURCE, &queue));
	CHECK_EQ(decant_iter_count(&late), 70);
	CHECK(reads(&late, 30, 20));
	CHECK_EQ(decant_queue_give_back(&queue, &late), 2);
	CHECK(!decant_iter_seek(&late, 20));
	CHECK_EQ(decant_iter_seek(&late, 19), -EINVAL);
	copy = (struct decant_iter){0};
	CHECK_EQ(decant_queue_give_back(&queue, &copy), -EINVAL);
	CHECK_EQ(decant_queue_give_back(&queue, &it), 5);
	CHECK_EQ(decant_queue_give_back(&queue, &late), -EINVAL);
	decant_queue_fini(&queue);
	CHECK_EQ(sums.released, 10);
}

static void truncation_is_for_good(void)
{
	struct decant_queue queue;
	struct sums sums = {0, 0};
	struct decant_iter it;
	size_t pos = 0;

	decant_queue_init(&queue, release, &sums);
	REQUIRE(!decant_iter_queue(&it, DECANT_SOURCE, &queue));
	append(&queue, &pos, 20);
	decant_iter_truncate(&it, SIZE_MAX);
	decant_iter_truncate(&it, 30);
	CHECK_EQ(decant_iter_count(&it), 20);
	append(&queue, &pos, 20);
	CHECK_EQ(decant_iter_count(&it), 30);
	CHECK(reads(&it, 0, 30));
	append(&queue, &pos, 20);
	CHECK_EQ(decant_iter_count(&it), 0);
	CHECK(!decant_iter_revert(&it, 12));
	decant_iter_truncate(&it, 13);
	CHECK_EQ(decant_iter_count(&it), 12);
	decant_iter_truncate(&it, 2);
	CHECK_EQ(decant_iter_count(&it), 2);
	CHECK(reads(&it, 18, 2));
	decant_queue_fini(&queue);
}

static void what_is_refused(void)
{
	struct decant_segment bad = {.span = {NULL, 1, NULL}};
	struct decant_segment huge = {.span = {&bad, SSIZE_MAX, NULL}}, more = huge;
	struct decant_queue queue;
	struct decant_iter it;

	decant_queue_init(&queue, NULL, NULL);
	CHECK_EQ(decant_queue_append(&queue, &bad), -EFAULT);
	bad.span = (struct decant_span){&bad, SIZE_MAX, NULL};
	CHECK_EQ(decant_queue_append(&queue, &bad), -EFAULT);
	CHECK_EQ(decant_queue_append(&queue, &huge), 0);
	CHECK_EQ(decant_queue_append(&queue, &more), -EOVERFLOW);
	CHECK_EQ(decant_iter_queue(&it, DECANT_SOURCE, NULL), -EINVAL);
	CHECK_EQ(decant_iter_queue(&it, (enum decant_direction)2, &queue), -EINVAL);
	CHECK_EQ(decant_iter_queue(&it, DECANT_DEST, &queue), 0);
	CHECK_EQ(decant_iter_count(&it), SSIZE_MAX);
	decant_queue_fini(&queue);
}

#define TOTAL ((size_t)2000000)

struct stream {
	struct decant_queue queue;
	struct sums sums;
	size_t under_way; /* segments that were not released */
};

static void stream_release(void *user, struct decant_segment *segment)
{
	struct stream *stream = user;

	stream->sums.released++;
	stream->sums.bytes += segment->span.len;
	__atomic_sub_fetch(&stream->under_way, 1, __ATOMIC_RELAXED);
}

static void piece_free(void *user, void *addr, size_t len)
{
	(void)addr;
	(void)len;
	free(user);
}

/* Each piece is a region of its own that lives as long as somebody has a reference. */
static void *produce(void *arg)
{
	struct stream *stream = arg;
	uint64_t x = 88172645463325252ull;
	size_t pos = 0;

	while (pos < TOTAL) {
		struct piece *piece = calloc(1, sizeof(*piece));
		struct decant_region_options options = {sizeof(options), piece_free,
							piece};
		struct decant_region *region;
		size_t len;

		REQUIRE(piece);
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		len = x % 65 < TOTAL - pos ? x % 65 : TOTAL - pos;
		for (size_t i = 0; i < len; i++)
			piece->bytes[i] = byte_at(pos + i);
		pos += len;
		REQUIRE(!decant_region_new(&region, piece->bytes, 64, &options));
		piece->segment.span = (struct decant_span){piece->bytes, len, region};
		while (__atomic_load_n(&stream->under_way, __ATOMIC_RELAXED) > 100)
			sched_yield();
		__atomic_add_fetch(&stream->under_way, 1, __ATOMIC_RELAXED);
		REQUIRE(!decant_queue_append(&stream->queue, &piece->segment));
		decant_region_put(region);
	}
	return NULL;
}

/* Extract with a hold, give the segments back at once, read the bytes after that. */
static void consume(struct stream *stream, struct decant_iter *it, size_t *pos)
{
	struct decant_bvec table[32];
	struct decant_hold hold = {0};
	struct decant_sink sink;
	ssize_t got;

	decant_sink_bvec(&sink, table, 1 + check_below(32));
	sink.hold = &hold;
	got = decant_extract(it, &sink, 1 + check_below(2000));
	if (got > 0 && !check_below(3)) {
		CHECK(!decant_iter_revert(it, check_below((size_t)got)));
		CHECK(!decant_iter_seek(it, *pos + (size_t)got));
	}
	CHECK(decant_queue_give_back(&stream->queue, it) >= 0);
	for (size_t i = 0; i < sink.nr; i++)
		for (size_t j = 0; j < table[i].len; j++, ++*pos)
			if (((unsigned char *)table[i].addr)[j] != byte_at(*pos))
				check_fail(__FILE__, __LINE__, "byte %zu", *pos);
	decant_hold_release(&hold);
	if (!got)
		sched_yield();
}

static void grows_from_another_thread(void)
{
	struct stream stream = {.under_way = 0};
	struct decant_iter it;
	pthread_t thread;
	size_t pos = 0;

	decant_queue_init(&stream.queue, stream_release, &stream);
	REQUIRE(!decant_iter_queue(&it, DECANT_SOURCE, &stream.queue));
	REQUIRE(!pthread_create(&thread, NULL, produce, &stream));
	while (pos < TOTAL && !check_failed)
		consume(&stream, &it, &pos);
	REQUIRE(pos == TOTAL);
	pthread_join(thread, NULL);
	CHECK(decant_queue_give_back(&stream.queue, &it) >= 0);
	CHECK_EQ(stream.under_way, 0);
	CHECK_EQ(stream.sums.bytes, TOTAL);
	printf("# %zu segments\n", stream.sums.released);
	decant_queue_fini(&stream.queue);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"an iterator at the end goes on", stands_at_the_end},
		{"revert ends where segments were given back", revert_is_bounded},
		{"truncation is for good, growth or not", truncation_is_for_good},
		{"bad segments and overflows are refused", what_is_refused},
		{"a producer in another thread", grows_from_another_thread},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
