/* SPDX-License-Identifier: MIT */
/* kind_custom.c - callbacks: memory, bytes that can only be moved, holes, references. */
#include <errno.h>
#include <decant/decant.h>
#include "check.h"

static unsigned char bytes[8192], other[8192];

/* A store that can only be copied from and to, 100 bytes at a time, with a bad byte. */
struct store {
	size_t bad;
	size_t moves;
	enum decant_direction direction;
};

static struct decant_span store_peek(void *state, const struct decant_place *place)
{
	const struct store *store = state;

	if (place->pos == store->bad)
		return decant_span_stop(-EIO);
	return (struct decant_span){
		NULL, store->bad > place->pos ? store->bad - place->pos : place->left,
		NULL};
}

static ssize_t store_move(void *state, const struct decant_place *place,
			  const struct iovec *local, size_t nr)
{
	struct store *store = state;
	size_t pos = place->pos, end = pos + place->left;

	store->moves++;
	if (store->bad >= pos && store->bad < end)
		end = store->bad;
	if (end > place->pos + 100)
		end = place->pos + 100;
	for (size_t i = 0; i < nr && pos < end; i++) {
		size_t n = local[i].iov_len < end - pos ? local[i].iov_len : end - pos;

		if (store->direction == DECANT_SOURCE)
			memcpy(local[i].iov_base, bytes + pos, n);
		else
			memcpy(bytes + pos, local[i].iov_base, n);
		pos += n;
	}
	return (ssize_t)(pos - place->pos);
}

static const struct decant_iter_ops store_ops = {
	.size = sizeof(store_ops), .peek = store_peek, .move = store_move};

static void fill(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 11 + i / 256);
	memset(other, 0, sizeof(other));
}

static void only_moved(void)
{
	struct store store = {SIZE_MAX, 0, DECANT_SOURCE},
		     into = {SIZE_MAX, 0, DECANT_DEST};
	struct decant_iter src, dst, flat;
	struct iovec iov[700];

	fill();
	for (size_t i = 0; i < 700; i++)
		iov[i] = (struct iovec){other + i * 7, i % 3 ? 7 : 0};
	REQUIRE(!decant_iter_custom(&src, DECANT_SOURCE, &store_ops, &store, 4000));
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, iov, 700));
	CHECK_EQ(decant_copy(&dst, &src, 3000), 3000);
	CHECK_EQ(decant_iter_revert(&dst, 3000), 0);
	dst.direction = DECANT_SOURCE;
	REQUIRE(!decant_iter_buf(&flat, DECANT_SOURCE, bytes, 3000));
	CHECK_EQ(decant_equal(&dst, &flat, 3000), 1);
	CHECK_EQ(decant_iter_revert(&src, 3000), 0);
	CHECK_EQ(decant_equal(&src, &flat, 3000), 1);
	CHECK_EQ(decant_equal_ct(&flat, &src, 3000), 1);
	/* Into itself, further on. */
	REQUIRE(!decant_iter_custom(&dst, DECANT_DEST, &store_ops, &into, 8000));
	REQUIRE(!decant_iter_advance(&dst, 5000));
	CHECK_EQ(decant_copy(&dst, &src, 1000), 1000);
	CHECK(!memcmp(bytes + 5000, bytes, 1000));
	CHECK_EQ(decant_fill(&dst, 3, 2000), 2000);
	CHECK(bytes[6000] == 3 && bytes[7999] == 3 && bytes[8000] != 3);
	CHECK_EQ(decant_for_each(&src, 1, NULL, NULL), -EFAULT);
}

static void progress_then_the_error(void)
{
	struct store store = {1234, 0, DECANT_SOURCE};
	struct decant_iter src, dst;

	fill();
	REQUIRE(!decant_iter_custom(&src, DECANT_SOURCE, &store_ops, &store, 4000));
	REQUIRE(!decant_iter_buf(&dst, DECANT_DEST, other, 4000));
	CHECK_EQ(decant_copy(&dst, &src, 4000), 1234);
	CHECK(!memcmp(bytes, other, 1234) && !other[1234]);
	CHECK_EQ(decant_copy(&dst, &src, 4000), -EIO);
	CHECK_EQ(decant_iter_count(&src), 4000 - 1234);
	CHECK_EQ(decant_iter_count(&dst), 4000 - 1234);
	CHECK(!decant_iter_advance(&src, 1));
	CHECK_EQ(decant_copy(&dst, &src, 4000), 4000 - 1235);
	CHECK(!memcmp(bytes + 1235, other + 1234, 4000 - 1235));
}

/* Through the stage, in blocks; what is left of a block before the fault stays behind. */
static void staged(void)
{
	struct store store = {1234, 0, DECANT_SOURCE};
	static unsigned char scratch[4096] __attribute__((aligned(512)));
	struct decant_staged records[8];
	struct decant_stage stage;
	struct decant_sink sink;
	struct decant_iter it;
	struct iovec iov[8];

	fill();
	REQUIRE(!decant_iter_custom(&it, DECANT_SOURCE, &store_ops, &store, 4000));
	decant_sink_iovec(&sink, iov, 8);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EFAULT);
	CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
	decant_stage_init(&stage, (struct decant_span){scratch, 4096, NULL}, records, 8);
	sink.stage = &stage;
	sink.limits = (struct decant_limits){.addr_align = 512, .len_align = 512};
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 1024);
	CHECK_EQ(decant_iter_consumed(&it), 1024);
	CHECK_EQ(sink.nr, 1);
	CHECK(!memcmp(iov[0].iov_base, bytes, 1024));
	CHECK_EQ(stage.used, 1024);
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EFAULT);
	CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
	store.bad = SIZE_MAX;
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 2560);
	CHECK_EQ(sink.nr, 1);
	CHECK(!memcmp(scratch, bytes, 3584));
}

static void staged_destination(void)
{
	struct store store = {SIZE_MAX, 0, DECANT_DEST};
	static unsigned char scratch[4096];
	struct decant_staged records[8];
	struct decant_stage stage;
	struct decant_sink sink;
	struct decant_iter it;
	struct iovec iov[8];

	fill();
	REQUIRE(!decant_iter_custom(&it, DECANT_DEST, &store_ops, &store, 4000));
	decant_stage_init(&stage, (struct decant_span){scratch, 4096, NULL}, records, 8);
	decant_sink_iovec(&sink, iov, 8);
	sink.stage = &stage;
	CHECK_EQ(decant_extract(&it, &sink, 3000), 3000);
	memset(iov[0].iov_base, 0x55, 3000);
	store.bad = 2500;
	CHECK_EQ(decant_stage_scatter(&stage, 3000), 2500);
	CHECK(bytes[2499] == 0x55 && bytes[2500] != 0x55);
	store.bad = SIZE_MAX;
	CHECK_EQ(decant_stage_scatter(&stage, 3000), 3000);
	CHECK(bytes[2999] == 0x55 && bytes[3000] != 0x55);
}

/* Says more than there is, and gives a span without moving anything. */
static struct decant_span liar_peek(void *state, const struct decant_place *place)
{
	(void)place;
	return (struct decant_span){state, SIZE_MAX, NULL};
}

static ssize_t liar_move(void *state, const struct decant_place *place,
			 const struct iovec *local, size_t nr)
{
	(void)state;
	(void)local;
	(void)nr;
	return place->pos ? 0 : (ssize_t)place->left + 1;
}

static void what_callbacks_may_say(void)
{
	struct decant_iter_ops ops = {.size = sizeof(ops), .peek = liar_peek};
	struct decant_iter it, zero = {0};
	unsigned char to[16];

	it = zero;
	CHECK_EQ(decant_iter_custom(&it, DECANT_SOURCE, NULL, NULL, 1), -EINVAL);
	CHECK_EQ(decant_iter_custom(&it, (enum decant_direction)7, &ops, NULL, 1),
		 -EINVAL);
	CHECK_EQ(decant_iter_custom(&it, DECANT_SOURCE, &ops, NULL, SIZE_MAX),
		 -EOVERFLOW);
	ops.size--;
	CHECK_EQ(decant_iter_custom(&it, DECANT_SOURCE, &ops, NULL, 1), -EINVAL);
	CHECK(!memcmp(&it, &zero, sizeof(it)));
	ops.size++;
	REQUIRE(!decant_iter_custom(&it, DECANT_SOURCE, &ops, bytes, 10));
	CHECK_EQ(decant_iter_peek(&it).len, 10);
	CHECK_EQ(decant_copy_to(to, &it, 16), 10);
	REQUIRE(!decant_iter_custom(&it, DECANT_SOURCE, &ops, NULL, 10));
	CHECK_EQ(decant_copy_to(to, &it, 16), -EFAULT);
	ops.move = liar_move;
	CHECK_EQ(decant_copy_to(to, &it, 16), -EFAULT);
	CHECK(!decant_iter_advance(&it, 1));
	CHECK_EQ(decant_copy_to(to, &it, 16), -EFAULT);
	CHECK_EQ(decant_iter_count(&it), 9);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"bytes that can only be moved, both ways and among themselves",
		 only_moved},
		{"progress first, then the callback's error", progress_then_the_error},
		{"a stage carries what can't be pointed at", staged},
		{"a stage brings it back, as far as it can", staged_destination},
		{"what callbacks say is not believed", what_callbacks_may_say},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
