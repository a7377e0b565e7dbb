/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_MOVES_H
#define DECANT_TEST_GUEST_VERBS_MOVES_H
/*
 * verbs_moves.h - random pieces of memory as iterators of any kind, moved by any
 * operation, and compared with a flat copy.
 */
#include <unistd.h>
#include "verbs_rig.h"

#define MOVES_PIECES 1024
#define MOVES_RANGES 6

static struct {
	struct iovec iov[MOVES_PIECES];
	struct decant_bvec bvec[MOVES_PIECES];
	size_t nr;
	size_t len;
	struct decant_iter parts[2];
	struct decant_queue queue;
	struct decant_segment segments[MOVES_PIECES];
} moves;

static void moves_swap(size_t a, size_t b)
{
	struct iovec iov = moves.iov[a];

	moves.iov[a] = moves.iov[b];
	moves.iov[b] = iov;
}

/* Disjoint pieces, in random order, some empty, some adjacent. */
static void moves_pieces(unsigned char *memory, size_t room, size_t nr)
{
	size_t slot = room / nr;

	moves.nr = nr;
	moves.len = 0;
	for (size_t i = 0; i < nr; i++) {
		size_t at = check_below(3) ? check_below(slot) : 0;
		size_t len = check_below(4) ? check_below(slot - at + 1) : slot - at;

		if (!check_below(8))
			len = 0;
		moves.iov[i] = (struct iovec){memory + i * slot + at, len};
		moves.len += len;
	}
	for (size_t i = nr; check_below(4) && i > 1; i--)
		moves_swap(i - 1, check_below(i));
}

static bool moves_equal(const unsigned char *flat, size_t len)
{
	for (size_t i = 0; i < moves.nr && len; i++) {
		size_t n = moves.iov[i].iov_len < len ? moves.iov[i].iov_len : len;

		if (memcmp(flat, moves.iov[i].iov_base, n) != 0)
			return false;
		flat += n;
		len -= n;
	}
	return true;
}

enum { MOVES_IOVEC, MOVES_BVEC, MOVES_CHAIN, MOVES_QUEUE, MOVES_PROCESS, MOVES_KINDS };

static void moves_chain(struct decant_iter *it, enum decant_direction direction)
{
	size_t half = check_below(moves.nr + 1);

	REQUIRE(!decant_iter_iovec(&moves.parts[0], direction, moves.iov, half));
	REQUIRE(!decant_iter_iovec(&moves.parts[1], direction, moves.iov + half,
				   moves.nr - half));
	REQUIRE(!decant_iter_chain(it, direction, moves.parts, 2));
}

static void moves_bvec(struct decant_iter *it, enum decant_direction direction)
{
	for (size_t i = 0; i < moves.nr; i++)
		moves.bvec[i] = (struct decant_bvec){moves.iov[i].iov_base,
						     moves.iov[i].iov_len, NULL};
	REQUIRE(!decant_iter_bvec(it, direction, moves.bvec, moves.nr));
}

static void moves_queue(struct decant_iter *it, enum decant_direction direction)
{
	decant_queue_fini(&moves.queue);
	decant_queue_init(&moves.queue, NULL, NULL);
	for (size_t i = 0; i < moves.nr; i++) {
		moves.segments[i] = (struct decant_segment){
			.span = {moves.iov[i].iov_base, moves.iov[i].iov_len, NULL}};
		REQUIRE(!decant_queue_append(&moves.queue, &moves.segments[i]));
	}
	REQUIRE(!decant_iter_queue(it, direction, &moves.queue));
}

/* The pieces as an iterator of a random kind; their list may go when it was used. */
static struct decant_iter moves_iter(enum decant_direction direction, int kind)
{
	struct decant_iter it;

	switch (kind) {
	case MOVES_BVEC:
		moves_bvec(&it, direction);
		break;
	case MOVES_CHAIN:
		moves_chain(&it, direction);
		break;
	case MOVES_QUEUE:
		moves_queue(&it, direction);
		break;
	case MOVES_PROCESS:
		REQUIRE(!decant_iter_process(&it, direction, getpid(), moves.iov,
					     moves.nr));
		break;
	default:
		REQUIRE(!decant_iter_iovec(&it, direction, moves.iov, moves.nr));
	}
	return it;
}

/* Disjoint ranges of the granted memory, len bytes in all at most; their sum. */
static size_t moves_ranges(struct decant_verbs_remote *ranges, size_t *nr, size_t len)
{
	size_t slot = RIG_THERE_LEN / MOVES_RANGES, sum = 0;

	*nr = 1 + check_below(MOVES_RANGES);
	for (size_t i = 0; i < *nr; i++) {
		size_t want = i + 1 == *nr ? len - sum : check_below(len - sum + 1);
		size_t n = want < slot ? want : slot;
		size_t at = check_below(slot - n + 1);

		ranges[i] = (struct decant_verbs_remote){rig.remote.addr + i * slot + at,
							 n, rig.remote.rkey};
		sum += n;
	}
	return sum;
}

static void moves_gather_ranges(unsigned char *to,
				const struct decant_verbs_remote *ranges, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		memcpy(to, rig.there + (ranges[i].addr - rig.remote.addr), ranges[i].len);
		to += ranges[i].len;
	}
}

/* Process memory takes the way through the stage; the rest where it must. */
static bool moves_write(int kind)
{
	struct decant_verbs_remote ranges[MOVES_RANGES];
	struct decant_iter it = moves_iter(DECANT_SOURCE, kind);
	struct decant_verbs_event event;
	size_t nr, len = moves_ranges(ranges, &nr, moves.len);
	static unsigned char got[RIG_THERE_LEN];
	int rc = decant_verbs_write(rig.pair, &it, SIZE_MAX, ranges, nr, NULL, &rig);

	if (!CHECK_EQ(rc, 0) || !rig_event(&event))
		return false;
	CHECK(event.user == &rig && event.kind == DECANT_VERBS_WRITE);
	CHECK_EQ(event.result, len);
	CHECK_EQ(decant_iter_count(&it), moves.len - len);
	rig_arrived();
	moves_gather_ranges(got, ranges, nr);
	return CHECK(moves_equal(got, len));
}

static bool moves_read(int kind)
{
	struct decant_verbs_remote ranges[MOVES_RANGES];
	struct decant_iter it = moves_iter(DECANT_DEST, kind);
	struct decant_verbs_event event;
	size_t nr, len = moves_ranges(ranges, &nr, moves.len);
	static unsigned char want[RIG_THERE_LEN];
	int rc = decant_verbs_read(rig.pair, &it, SIZE_MAX, ranges, nr, NULL, &rig);

	if (!CHECK_EQ(rc, 0) || !rig_event(&event))
		return false;
	CHECK_EQ(event.kind, DECANT_VERBS_READ);
	CHECK_EQ(event.result, len);
	moves_gather_ranges(want, ranges, nr);
	return CHECK(moves_equal(want, len));
}

/* Both events, in any order. */
static bool moves_both(size_t len, uint32_t imm)
{
	struct decant_verbs_event event;
	unsigned seen = 0;

	for (int i = 0; i < 2; i++) {
		if (!rig_event(&event))
			return false;
		seen |= 1u << event.kind;
		CHECK_EQ(event.result, len);
		if (event.kind == DECANT_VERBS_RECV && imm)
			CHECK(event.with_imm && event.imm == imm && !event.written);
	}
	return CHECK_EQ(seen, 1u << DECANT_VERBS_SEND | 1u << DECANT_VERBS_RECV);
}

/* Send the pieces into a flat receive. */
static bool moves_send(int kind)
{
	struct decant_verbs_how how = {.size = sizeof(how), .with_imm = rig_writes_imm()};
	struct decant_iter to = rig_buf(DECANT_DEST, rig.there, RIG_THERE_LEN);
	struct decant_iter it = moves_iter(DECANT_SOURCE, kind);
	struct decant_bvec whole = {rig.there, RIG_THERE_LEN, rig.region_there};

	how.imm = how.with_imm ? (uint32_t)check_random() | 1 : 0;
	REQUIRE(!decant_iter_bvec(&to, DECANT_DEST, &whole, 1));
	if (!CHECK_EQ(decant_verbs_recv(rig_receiver(), &to, SIZE_MAX, NULL, NULL), 0) ||
	    !CHECK_EQ(decant_verbs_send(rig.pair, &it, SIZE_MAX, &how, NULL), 0))
		return false;
	return moves_both(moves.len, how.imm) && CHECK(moves_equal(rig.there, moves.len));
}

/*
 * Receive into the pieces what is sent from flat memory, perhaps less than there is room.
 */
static bool moves_recv(int kind)
{
	struct decant_iter it = moves_iter(DECANT_DEST, kind), from;
	struct decant_bvec whole = {rig.there, moves.len, rig.region_there};

	if (check_below(2))
		whole.len = check_below(moves.len + 1);
	REQUIRE(!decant_iter_bvec(&from, DECANT_SOURCE, &whole, 1));
	if (!CHECK_EQ(decant_verbs_recv(rig_receiver(), &it, SIZE_MAX, NULL, NULL), 0) ||
	    !CHECK_EQ(decant_verbs_send(rig.pair, &from, SIZE_MAX, NULL, NULL), 0))
		return false;
	return moves_both(whole.len, 0) && CHECK(moves_equal(rig.there, whole.len));
}
#endif
