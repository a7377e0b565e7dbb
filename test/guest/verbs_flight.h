/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_FLIGHT_H
#define DECANT_TEST_GUEST_VERBS_FLIGHT_H
/*
 * verbs_flight.h - many random operations under way at a time, over iterators of every
 * kind of the registry, cut at random, held against a copy of the peer's memory. Each of
 * the slots has memory of its own on both sides, so that the order does not matter.
 */
#include "verbs_rig.h"

#define FLIGHT_SLOTS  12
#define FLIGHT_SPANS  1024
#define FLIGHT_RANGES 5
#define FLIGHT_AREA   (RIG_MEMORY_LEN / FLIGHT_SLOTS / 2 / 64 * 64)
#define FLIGHT_UNUSED 0xa5

enum flight_sort { FLIGHT_WRITE, FLIGHT_READ, FLIGHT_MESSAGE, FLIGHT_NOTE, FLIGHT_SORTS };

/* Pieces of memory, and an iterator over them. */
struct flight_pieces {
	struct decant_span spans[FLIGHT_SPANS];
	size_t nr, len;
	const struct decant_kind *kind;
	void *room;
	size_t room_len;
};

struct flight_slot {
	enum flight_sort sort;
	unsigned due; /* events */
	size_t len;   /* bytes that move */
	uint32_t imm;
	struct flight_pieces from, to;
	struct decant_verbs_remote ranges[FLIGHT_RANGES];
	size_t nr_ranges;
	unsigned char flat[FLIGHT_AREA];
};

static struct {
	struct decant_verbs_pair *pair;
	struct decant_verbs_pair *receiver;
	struct decant_verbs_remote remote;
	size_t most_message;
	unsigned char *shadow; /* what the peer's memory should be */
	struct flight_slot slots[FLIGHT_SLOTS];
	size_t busy;
} flight;

static void flight_fill(unsigned char *addr, size_t len)
{
	for (; len >= 8; addr += 8, len -= 8) {
		uint64_t word = check_random();

		memcpy(addr, &word, 8);
	}
	rig_fill(addr, len);
}

static struct decant_region *flight_region(const unsigned char *addr, size_t len)
{
	size_t at = (size_t)(addr - rig.memory);

	if (at >= RIG_MEMORY_LEN || at % RIG_REGION_LEN + len > RIG_REGION_LEN)
		return NULL;
	return rig.regions[at / RIG_REGION_LEN];
}

/* Some name their region, of the others it is looked up. */
static void flight_add(struct flight_pieces *p, unsigned char *addr, size_t len)
{
	struct decant_region *region = check_below(2) ? flight_region(addr, len) : NULL;

	p->spans[p->nr++] = (struct decant_span){addr, len, region};
	p->len += len;
}

/* Equal pieces at equal distances, that a kind may want, or any, some of them empty. */
static void flight_cut(struct flight_pieces *p, unsigned char *area, size_t room)
{
	size_t nr = 1 + check_below(check_below(30) ? 40 : FLIGHT_SPANS - 1);
	size_t slot = room / nr, equal = check_below(8) ? 0 : 1 + check_below(slot);

	p->nr = p->len = 0;
	for (size_t i = 0; i < nr; i++) {
		size_t at = check_below(3) ? check_below(slot) : 0;
		size_t len = check_below(4) ? check_below(slot - at + 1) : slot - at;

		if (equal)
			flight_add(p, area + i * slot, equal);
		else
			flight_add(p, area + i * slot + at, check_below(8) ? len : 0);
	}
}

/* Any kind that can describe the pieces; there is one that always can. */
static void flight_build(struct flight_pieces *p, enum decant_direction direction,
			 struct decant_iter *it)
{
	do {
		size_t need;

		p->kind = decant_kind_get((unsigned)check_below(DECANT_KIND_COUNT));
		need = p->kind->room_base + p->nr * p->kind->room_each;
		if (need > p->room_len) {
			free(p->room);
			p->room = malloc(need);
			p->room_len = need;
		}
		REQUIRE(!need || p->room);
	} while (p->kind->build(it, direction, p->spans, p->nr, p->room));
	CHECK_EQ(decant_iter_count(it), p->len);
}

static unsigned char *flight_area(const struct flight_slot *slot, size_t half)
{
	size_t at = (2 * (size_t)(slot - flight.slots) + half) * FLIGHT_AREA;

	return (check_below(3) ? rig.memory : rig.plain) + at;
}

/* Pieces with random bytes, which @flat gets as well. */
static void flight_source(struct flight_slot *slot, size_t room, struct decant_iter *it)
{
	struct flight_pieces *p = &slot->from;
	size_t at = 0;

	flight_cut(p, flight_area(slot, 0), room);
	flight_build(p, DECANT_SOURCE, it);
	for (size_t i = 0; i < p->nr; at += p->spans[i++].len) {
		flight_fill(p->spans[i].addr, p->spans[i].len);
		memcpy(slot->flat + at, p->spans[i].addr, p->spans[i].len);
	}
	if (p->kind->bytes == DECANT_BYTES_ZERO)
		memset(slot->flat, 0, p->len);
}

/* Lists are used up when an operation begins. */
static void flight_forget(struct flight_pieces *p)
{
	if (p->kind->array)
		memset(p->room, 0xee, p->room_len);
}

static void flight_dest(struct flight_slot *slot, struct decant_iter *it)
{
	struct flight_pieces *p = &slot->to;

	flight_cut(p, flight_area(slot, 1), FLIGHT_AREA);
	for (size_t i = 0; i < p->nr; i++)
		memset(p->spans[i].addr, FLIGHT_UNUSED, p->spans[i].len);
	flight_build(p, DECANT_DEST, it);
}

/* The first bytes are those, and no others were touched. */
static bool flight_arrived(const struct flight_pieces *p, const unsigned char *flat,
			   size_t len)
{
	if (p->kind->bytes == DECANT_BYTES_NONE)
		return true;
	for (size_t i = 0, at = 0; i < p->nr; at += p->spans[i++].len) {
		const unsigned char *addr = p->spans[i].addr;

		for (size_t j = 0; j < p->spans[i].len; j++)
			if (addr[j] != (at + j < len ? flat[at + j] : FLIGHT_UNUSED))
				return false;
	}
	return true;
}

/* Disjoint ranges of the slot's part of the peer's memory, in any order, some empty. */
static size_t flight_ranges(struct flight_slot *slot)
{
	size_t share = flight.remote.len / FLIGHT_SLOTS, sum = 0;
	size_t first = (size_t)(slot - flight.slots) * share;
	size_t turn = check_below(FLIGHT_RANGES);

	slot->nr_ranges = 1 + check_below(FLIGHT_RANGES);
	share /= slot->nr_ranges;
	for (size_t i = 0; i < slot->nr_ranges; i++) {
		size_t at = check_below(share);
		size_t len = check_below(6) ? check_below(share - at) : 0;

		slot->ranges[(i + turn) % slot->nr_ranges] = (struct decant_verbs_remote){
			flight.remote.addr + first + i * share + at, len,
			flight.remote.rkey};
		sum += len;
	}
	return sum;
}

/* Between a flat copy and where the ranges lie in the peer's memory. */
static void flight_shadow(struct flight_slot *slot, bool write)
{
	size_t left = slot->len;
	unsigned char *flat = slot->flat;

	for (size_t i = 0; i < slot->nr_ranges && left; i++) {
		const struct decant_verbs_remote *range = &slot->ranges[i];
		size_t n = range->len < left ? range->len : left;
		unsigned char *there = flight.shadow + (range->addr - flight.remote.addr);

		memcpy(write ? there : flat, write ? flat : there, n);
		flat += n;
		left -= n;
	}
}

static size_t flight_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static struct decant_verbs_how flight_how(const struct flight_slot *slot)
{
	return (struct decant_verbs_how){.size = sizeof(struct decant_verbs_how),
					 .with_imm = slot->imm,
					 .imm = slot->imm,
					 .more = !check_below(6)};
}

static uint32_t flight_imm(void)
{
	return rig_writes_imm() ? (uint32_t)check_random() | 1 : 0;
}

static int flight_write(struct flight_slot *slot)
{
	struct decant_verbs_how how = flight_how(slot);
	struct decant_iter it;
	size_t there = flight_ranges(slot);
	int rc;

	flight_source(slot, FLIGHT_AREA, &it);
	slot->len = flight_least(slot->from.len, there);
	flight_shadow(slot, true);
	rc = decant_verbs_write(flight.pair, &it, SIZE_MAX, slot->ranges, slot->nr_ranges,
				&how, slot);
	CHECK_EQ(decant_iter_count(&it), slot->from.len - slot->len);
	flight_forget(&slot->from);
	slot->due = 1;
	return rc;
}

static int flight_read(struct flight_slot *slot)
{
	struct decant_verbs_how how = flight_how(slot);
	struct decant_iter it;
	size_t there = flight_ranges(slot);
	int rc;

	flight_dest(slot, &it);
	slot->len = flight_least(slot->to.len, there);
	flight_shadow(slot, false);
	rc = decant_verbs_read(flight.pair, &it, SIZE_MAX, slot->ranges, slot->nr_ranges,
			       &how, slot);
	CHECK_EQ(decant_iter_count(&it), slot->to.len - slot->len);
	slot->due = 1;
	return rc;
}

/* A message is never longer than its receive, which may have more room. */
static int flight_message(struct flight_slot *slot)
{
	struct decant_verbs_how how;
	struct decant_iter from, to;
	int rc;

	flight_dest(slot, &to);
	slot->imm = flight.receiver && check_below(2) ? flight_imm() : 0;
	flight_source(slot, FLIGHT_AREA, &from);
	slot->len = flight_least(slot->from.len, slot->to.len);
	slot->len = flight_least(slot->len, flight.most_message);
	how = flight_how(slot);
	rc = decant_verbs_recv(flight.receiver ? flight.receiver : flight.pair, &to,
			       SIZE_MAX, NULL, slot);
	if (!rc)
		rc = decant_verbs_send(flight.pair, &from, slot->len, &how, slot);
	CHECK_EQ(decant_iter_count(&from), slot->from.len - slot->len);
	flight_forget(&slot->from);
	slot->due = 2;
	return rc;
}

/* A write that uses up a receive, of any length. */
static int flight_note(struct flight_slot *slot)
{
	struct decant_iter to;
	int rc;

	slot->imm = flight_imm();
	flight_dest(slot, &to);
	rc = decant_verbs_recv(flight.receiver, &to, check_below(slot->to.len + 1), NULL,
			       slot);
	if (!rc)
		rc = flight_write(slot);
	slot->due = 2;
	return rc;
}

static int flight_start(struct flight_slot *slot)
{
	static int (*const starts[])(struct flight_slot *) = {
		[FLIGHT_WRITE] = flight_write,
		[FLIGHT_READ] = flight_read,
		[FLIGHT_MESSAGE] = flight_message,
		[FLIGHT_NOTE] = flight_note};
	bool notes = flight.receiver && rig_writes_imm();

	slot->sort = (enum flight_sort)check_below(FLIGHT_SORTS - !notes);
	slot->imm = 0;
	flight.busy++;
	return starts[slot->sort](slot);
}

static bool flight_check_receive(const struct flight_slot *slot,
				 const struct decant_verbs_event *event)
{
	bool note = slot->sort == FLIGHT_NOTE;

	CHECK_EQ(event->written, note);
	CHECK(event->with_imm == !!slot->imm && event->imm == slot->imm);
	return flight_arrived(&slot->to, slot->flat, note ? 0 : slot->len);
}

static bool flight_land(const struct decant_verbs_event *event)
{
	struct flight_slot *slot = event->user;
	bool note = slot->sort == FLIGHT_NOTE && event->kind == DECANT_VERBS_RECV;
	bool ok = CHECK(slot->due);

	/* of a write, the receive learns only how long its last request was */
	if (note)
		ok = ok &&
		     CHECK(event->result >= 0 && event->result <= (ssize_t)slot->len);
	else
		ok = ok && CHECK_EQ(event->result, slot->len);

	if (event->kind == DECANT_VERBS_READ)
		ok = ok && CHECK(flight_arrived(&slot->to, slot->flat, slot->len));
	if (event->kind == DECANT_VERBS_RECV)
		ok = ok && CHECK(flight_check_receive(slot, event));
	flight.busy -= !--slot->due;
	return ok;
}

static bool flight_step(bool more)
{
	struct flight_slot *slot = &flight.slots[check_below(FLIGHT_SLOTS)];
	struct decant_verbs_event event;

	if (more && !slot->due)
		return CHECK_EQ(flight_start(slot), 0);
	if (!check_below(4))
		return rig_poll(&event) <= 0 || flight_land(&event);
	return !flight.busy || more || (rig_event(&event) && flight_land(&event));
}

/* The peer's memory as a whole is what all the writes made of it. */
static void flight_compare(void)
{
	static struct decant_region *region;
	struct decant_verbs_event event;
	struct decant_bvec bvec;
	struct decant_iter it;

	REQUIRE(!decant_region_new(&region, rig.plain, RIG_MEMORY_LEN, NULL));
	REQUIRE(!decant_domain_map(decant_verbs_domain(rig.verbs, RIG_USES), region));
	for (size_t at = 0; at < flight.remote.len && !check_failed; at += bvec.len) {
		struct decant_verbs_remote part = flight.remote;

		bvec = (struct decant_bvec){
			rig.plain, flight_least(flight.remote.len - at, RIG_MEMORY_LEN),
			region};
		part.addr += at;
		part.len = bvec.len;
		REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, &bvec, 1));
		CHECK_EQ(decant_verbs_read(flight.pair, &it, SIZE_MAX, &part, 1, NULL,
					   NULL),
			 0);
		CHECK(rig_event(&event) && event.result == (ssize_t)part.len);
		CHECK(!memcmp(rig.plain, flight.shadow + at, part.len));
	}
	decant_region_put(region);
}

static void flight_show(void)
{
	for (size_t i = 0; i < FLIGHT_SLOTS; i++) {
		const struct flight_slot *slot = &flight.slots[i];

		if (slot->due)
			printf("# slot %zu: sort %d, %zu bytes, from %zu %s, to %zu %s\n",
			       i, slot->sort, slot->len, slot->from.nr,
			       slot->from.kind ? slot->from.kind->name : "-", slot->to.nr,
			       slot->to.kind ? slot->to.kind->name : "-");
	}
	printf("# %s\n", decant_verbs_error(flight.pair));
}

/*
 * So many operations between @pair and @remote, whose bytes are all zero yet. Messages
 * arrive at @receiver, or, if that is NULL, come back from an echo.
 */
static void flight_run(struct decant_verbs_pair *pair, struct decant_verbs_pair *receiver,
		       struct decant_verbs_remote remote, size_t most_message, size_t nr)
{
	flight.pair = pair;
	flight.receiver = receiver;
	flight.remote = remote;
	flight.most_message = most_message;
	flight.shadow = rig.wanted;
	memset(flight.shadow, 0, remote.len);
	for (size_t begun = 0; (begun < nr || flight.busy) && !check_failed;) {
		size_t before = flight.busy;

		if (!flight_step(begun < nr))
			break;
		begun += flight.busy > before;
	}
	if (check_failed)
		flight_show();
	else
		flight_compare();
	for (size_t i = 0; i < FLIGHT_SLOTS; i++) {
		free(flight.slots[i].from.room);
		free(flight.slots[i].to.room);
		flight.slots[i] = (struct flight_slot){0};
	}
	flight.busy = 0;
}
#endif
