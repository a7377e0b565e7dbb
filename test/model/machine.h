/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_MACHINE_H
#define DECANT_TEST_MACHINE_H
/*
 * machine.h - a sequence of calls on one iterator, one sink and a few owned forms, each
 * held against a model that knows nothing but the address of every byte.
 */
#include <errno.h>
#include <decant/decant.h>
#include "feed.h"
#include "requests.h"
#include "../matrix/obeys.h"

#define M_ARENA (1u << 14)
#define M_SPANS 24
#define M_BYTES (M_SPANS * 1024)
#define M_TABLE 256
#define M_OWNED 4
#define M_OUT	(4 * M_BYTES)
#define M_CUTS	12

struct m_owned {
	struct decant_owned *owned;
	size_t at, len; /* which of the model's bytes it is */
};

struct machine {
	unsigned char *arena;
	struct decant_region *regions[4];
	struct decant_space *space;
	const struct decant_kind *kind;
	struct decant_span spans[M_SPANS];
	size_t nr_spans;
	uint64_t room[64 + M_SPANS * 16];
	struct decant_iter it;
	unsigned char *flat[M_BYTES];
	size_t pos, end; /* the model's cursor, and where truncation left it */
	enum decant_direction direction;
	struct decant_sink sink;
	uint64_t table[M_TABLE * 8 + 64];
	struct decant_hold hold;
	unsigned char *out[M_OUT]; /* what the sink should list */
	size_t nr_out;
	struct m_owned owned[M_OWNED];
	unsigned char buffer[M_BYTES], expected[M_BYTES];
};

static struct machine *machine_new(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	REQUIRE(m && !decant_space_new(&m->space));
	m->arena = aligned_alloc(4096, M_ARENA);
	REQUIRE(m->arena);
	for (size_t i = 0; i < M_ARENA; i++)
		m->arena[i] = (unsigned char)(i * 13 + i / 256);
	for (size_t i = 0; i < 4; i++) {
		REQUIRE(!decant_region_new(&m->regions[i], m->arena + i * (M_ARENA / 4),
					   M_ARENA / 4, NULL));
		if (i != 2)
			REQUIRE(!decant_space_add(m->space, m->regions[i]));
	}
	return m;
}

static void machine_free(struct machine *m)
{
	decant_space_free(m->space);
	for (size_t i = 0; i < 4; i++) {
		CHECK_EQ(decant_region_refs(m->regions[i]), 1);
		decant_region_put(m->regions[i]);
	}
	free(m->arena);
	free(m);
}

static void m_make_spans(struct machine *m)
{
	unsigned char *next = m->arena;

	m->nr_spans = feed_below(M_SPANS + 1);
	m->end = 0;
	for (size_t i = 0; i < m->nr_spans; i++) {
		size_t len = feed_one_in(3) ? feed_below(1024) : feed_below(16), quarter;
		unsigned char *addr =
			feed_one_in(3) ? next : m->arena + feed_below(M_ARENA);
		bool owned = feed_one_in(3);

		quarter = (size_t)(addr - m->arena) / (M_ARENA / 4);
		if (addr + len > m->arena + M_ARENA ||
		    (owned && addr + len > m->arena + (quarter + 1) * (M_ARENA / 4)))
			len = 0;
		m->spans[i] = (struct decant_span){addr, len, NULL};
		if (owned && len)
			m->spans[i].region = m->regions[quarter];
		next = len ? addr + len : m->arena;
		for (size_t j = 0; j < len; j++)
			m->flat[m->end++] = addr + j;
	}
}

static void m_choose_limits(struct machine *m)
{
	m->sink.limits = (struct decant_limits){
		.max_elements = feed_below(20),
		.max_element_bytes = feed_below(2000),
		.max_bytes = feed_below(8000),
		.boundary = feed_pow2(12),
		.addr_align = feed_one_in(4) ? feed_pow2(6) : 0,
		.len_align = feed_one_in(4) ? feed_pow2(6) : 0,
		.gap = feed_one_in(4) ? feed_pow2(6) : 0,
		.block = feed_one_in(4) ? feed_below(600) : 0,
	};
}

static void m_new_sink(struct machine *m)
{
	const struct decant_sink_ops *ops;
	unsigned sinks = 0;
	size_t max = feed_one_in(4) ? feed_below(6) : M_TABLE;

	while (decant_sink_get(sinks))
		sinks++;
	decant_hold_release(&m->hold);
	ops = decant_sink_get((unsigned)feed_below(sinks));
	REQUIRE(ops->room + max * ops->element_size <= sizeof(m->table));
	ops->init(&m->sink, m->table, max);
	m->sink.hold = &m->hold;
	m->sink.space = feed_one_in(2) ? m->space : NULL;
	m->sink.policy = feed_one_in(3) ? DECANT_REFUSE : DECANT_TRUST;
	if (feed_one_in(2))
		m_choose_limits(m);
	m->nr_out = 0;
}

/* Kinds without memory have bytes in the model, but their addresses mean nothing. */
static bool m_has_memory(const struct machine *m)
{
	return m->kind->bytes == DECANT_BYTES_MEMORY;
}

/* Kinds that only copy have the model's bytes, but nothing to point at. */
static bool m_has_bytes(const struct machine *m)
{
	return m_has_memory(m) || m->kind->bytes == DECANT_BYTES_COPIED;
}

/* Blocks of one size at one distance, which a kind may want; they may touch. */
static void m_make_blocks(struct machine *m)
{
	size_t block = 1 + feed_below(200);
	size_t stride = block + feed_below(3) * feed_below(200);
	unsigned char *addr = m->arena + feed_below(100);

	m->nr_spans = 1 + feed_below(M_SPANS);
	m->end = 0;
	for (size_t i = 0; i < m->nr_spans; i++, addr += stride) {
		m->spans[i] = (struct decant_span){addr, block, NULL};
		for (size_t j = 0; j < block; j++)
			m->flat[m->end++] = addr + j;
	}
}

static bool m_begin(struct machine *m)
{
	m->kind = decant_kind_get((unsigned)feed_below(DECANT_KIND_COUNT));
	m->direction = feed_one_in(2) ? DECANT_DEST : DECANT_SOURCE;
	if (feed_one_in(6))
		m_make_blocks(m);
	else
		m_make_spans(m);
	REQUIRE(m->kind->room_base + m->nr_spans * m->kind->room_each <= sizeof(m->room));
	m->pos = 0;
	if (m->kind->build(&m->it, m->direction, m->spans, m->nr_spans, m->room)) {
		m->nr_spans = m->nr_spans ? 1 : 0;
		m->end = m->nr_spans ? m->spans[0].len : 0;
		if (m->kind->build(&m->it, m->direction, m->spans, m->nr_spans, m->room))
			return false;
	}
	m_new_sink(m);
	return true;
}

/* How much: mostly what makes sense, sometimes beyond. */
static size_t m_amount(size_t sensible)
{
	switch (feed_below(4)) {
	case 0:
		return feed_below(20);
	case 1:
		return sensible;
	case 2:
		return feed_below(sensible + 2);
	}
	return feed_one_in(4) ? SIZE_MAX - feed_below(3) : feed_below(3000);
}

static void m_check_cursor(const struct machine *m)
{
	struct decant_iter copy = m->it;
	struct decant_span span = decant_iter_peek(&m->it);

	CHECK(!memcmp(&copy, &m->it, sizeof(copy)));
	CHECK_EQ(decant_iter_count(&m->it), m->end - m->pos);
	CHECK_EQ(decant_iter_consumed(&m->it), m->pos);
	CHECK(span.len <= m->end - m->pos);
	CHECK((span.len != 0) == (m->pos < m->end));
	for (size_t i = 0; m_has_memory(m) && i < span.len; i++)
		if (!CHECK(m->flat[m->pos + i] == (unsigned char *)span.addr + i))
			return;
}

static void m_move(struct machine *m)
{
	size_t left = m->end - m->pos, n;

	switch (feed_below(4)) {
	case 0:
		n = m_amount(left);
		CHECK_EQ(decant_iter_advance(&m->it, n), n > left ? -EINVAL : 0);
		m->pos += n > left ? 0 : n;
		break;
	case 1:
		n = m_amount(m->pos);
		CHECK_EQ(decant_iter_revert(&m->it, n), n > m->pos ? -EINVAL : 0);
		m->pos -= n > m->pos ? 0 : n;
		break;
	case 2:
		n = m_amount(m->end);
		CHECK_EQ(decant_iter_seek(&m->it, n), n > m->end ? -EINVAL : 0);
		m->pos = n > m->end ? m->pos : n;
		break;
	case 3:
		n = m_amount(left);
		if (feed_one_in(3)) {
			decant_iter_truncate(&m->it, n);
			m->end = n < left ? m->pos + n : m->end;
		}
	}
}

static int m_error_of(enum decant_stop stop)
{
	switch (stop) {
	case DECANT_STOP_UNREGISTERED:
		return -ENOKEY;
	case DECANT_STOP_ALIGNMENT:
		return -EINVAL;
	case DECANT_STOP_FAULT:
		return -EFAULT;
	default:
		return -ENOSPC;
	}
}

static void m_check_sink(const struct machine *m)
{
	size_t at = 0;

	CHECK_EQ(m->sink.bytes, m->nr_out);
	if (!m->sink.ops->element_size)
		return;
	CHECK(obeys(&m->sink));
	for (size_t i = 0; i < m->sink.nr; i++) {
		struct decant_span el = decant_sink_span(&m->sink, i);

		for (size_t j = 0; j < el.len; j++, at++)
			if (m->out[at] &&
			    !CHECK(m->out[at] == (unsigned char *)el.addr + j))
				return;
	}
	CHECK_EQ(at, m->nr_out);
}

static void m_extract(struct machine *m, bool all)
{
	size_t left = m->end - m->pos, n = m_amount(left), want = n < left ? n : left;
	struct decant_limits limits = all_limits(&m->sink);
	struct decant_sink before = m->sink;
	struct decant_iter old = m->it;
	size_t held = m->hold.nr;
	ssize_t got;

	if (m->nr_out + want > M_OUT)
		return;
	got = all ? decant_extract_all(&m->it, &m->sink, n)
		  : decant_extract(&m->it, &m->sink, n);
	if (decant_limits_check(&limits)) {
		CHECK_EQ(got, -EINVAL);
		got = 0;
	}
	CHECK(got <= (ssize_t)want);
	if (got < 0) {
		CHECK_EQ(got, m_error_of(m->sink.stop));
		CHECK(!memcmp(&old, &m->it, sizeof(old)) || !all);
		CHECK_EQ(m->sink.bytes, before.bytes);
		CHECK_EQ(m->hold.nr, held);
		got = 0;
	} else if (!decant_limits_check(&limits)) {
		CHECK_EQ(m->sink.stop == DECANT_STOP_END, (size_t)got == want);
		CHECK(!all || (size_t)got == want);
		CHECK(got || !want);
	}
	for (size_t i = 0; i < (size_t)got; i++)
		m->out[m->nr_out++] = m_has_memory(m) ? m->flat[m->pos + i] : NULL;
	m->pos += (size_t)got;
	m_check_sink(m);
}

/* Many requests in a sink of their own, whose limits are the sink's. */
static void m_requests(struct machine *m)
{
	struct r_wish wish = {.sink = m->sink,
			      .max_requests = feed_below(R_REQUESTS + 1)};

	/* Zeroes have other addresses in another call. */
	if (!m_has_bytes(m) || !wish.max_requests || decant_limits_check(&m->sink.limits))
		return;
	if (m->sink.ops->room)
		decant_sink_iovec(&wish.sink, NULL, 0);
	wish.sink.limits = m->sink.limits;
	wish.sink.space = m->sink.space;
	wish.sink.policy = m->sink.policy;
	wish.sink.max = feed_one_in(3) ? feed_below(10) : R_ELEMENTS;
	decant_sink_reset(&wish.sink);
	wish.len = m_amount(m->end - m->pos);
	m->pos += r_compare(&wish, &m->it);
}

/* What a source should read as from a place on. */
static void m_expect(struct machine *m, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		m->expected[i] =
			m->kind->bytes == DECANT_BYTES_ZERO ? 0 : *m->flat[at + i];
}

/* The buffer's first bytes in pieces, the last of which is long. */
static void m_cut(struct machine *m, struct iovec *iov, size_t len)
{
	size_t at = 0, most = feed_one_in(2) ? 9 : len;

	for (size_t i = 0; i < M_CUTS; i++) {
		size_t n = most < len - at ? feed_below(most + 1) : len - at;

		if (i == M_CUTS - 1)
			n = len - at;
		iov[i] = (struct iovec){m->buffer + at, n};
		at += n;
	}
}

static void m_read(struct machine *m)
{
	size_t left = m->end - m->pos, n = m_amount(left), want = n < left ? n : left;
	struct decant_iter same = m->it, flat, cut;
	struct iovec iov[M_CUTS];

	m_expect(m, m->pos, want);
	REQUIRE(!decant_iter_buf(&flat, DECANT_SOURCE, m->expected, M_BYTES));
	CHECK_EQ(decant_equal(&same, &flat, n), n <= left && n <= M_BYTES);
	CHECK_EQ(decant_equal_ct(&same, &flat, n), n <= left && n <= M_BYTES);
	m_cut(m, iov, want);
	REQUIRE(!decant_iter_iovec(&cut, DECANT_DEST, iov, M_CUTS));
	CHECK_EQ(decant_copy(&cut, &m->it, n), want);
	CHECK(!memcmp(m->buffer, m->expected, want));
	m->pos += want;
}

static void m_write(struct machine *m)
{
	size_t left = m->end - m->pos, n = m_amount(left), want = n < left ? n : left;
	bool zero = feed_one_in(3);

	for (size_t i = 0; i < want; i++)
		m->buffer[i] = zero ? 0 : (unsigned char)(i * 5 + m->pos);
	if (zero && feed_one_in(2)) {
		memset(m->buffer, 0x77, want);
		CHECK_EQ(decant_fill(&m->it, 0x77, n), want);
	} else if (zero)
		CHECK_EQ(decant_zero(&m->it, n), want);
	else
		CHECK_EQ(decant_copy_from(&m->it, m->buffer, want), want);
	/* From the end, as spans may overlap: the last write to a byte counts. */
	for (size_t i = want; m_has_bytes(m) && i-- > 0;) {
		bool again = false;

		for (size_t j = i + 1; want < 64 && j < want; j++)
			again |= m->flat[m->pos + j] == m->flat[m->pos + i];
		CHECK(want >= 64 || again || *m->flat[m->pos + i] == m->buffer[i]);
	}
	m->pos += want;
}

static void m_check_owned(struct machine *m, const struct m_owned *o)
{
	struct decant_iter it = decant_owned_iter(o->owned);
	size_t at = o->at;

	CHECK_EQ(decant_iter_count(&it), o->len);
	while (decant_iter_count(&it)) {
		struct decant_span span = decant_iter_peek(&it);

		for (size_t i = 0; m_has_memory(m) && i < span.len; i++)
			if (!CHECK(m->flat[at + i] == (unsigned char *)span.addr + i))
				return;
		at += span.len;
		CHECK(!decant_iter_advance(&it, span.len));
	}
	CHECK_EQ(at, o->at + o->len);
}

static void m_own(struct machine *m, struct m_owned *o)
{
	struct decant_own_options options = {.size = sizeof(options)};
	size_t left = m->end - m->pos, n = m_amount(left);

	options.space = feed_one_in(2) ? m->space : NULL;
	options.policy = feed_one_in(3) ? DECANT_REFUSE : DECANT_TRUST;
	o->at = m->pos;
	o->len = n < left ? n : left;
	o->owned = decant_iter_own(&m->it, n, &options);
	if (m->kind->bytes == DECANT_BYTES_COPIED && o->len) {
		CHECK_EQ(options.error, -EFAULT);
		return;
	}
	CHECK_EQ(options.error, o->owned ? 0 : -ENOKEY);
	CHECK(o->owned || options.policy == DECANT_REFUSE);
	if (o->owned)
		m->pos += o->len;
}

static void m_slice(struct machine *m, const struct m_owned *from, struct m_owned *to)
{
	struct decant_iter view = decant_owned_iter(from->owned);
	size_t skip = feed_below(from->len + 1), n = m_amount(from->len - skip);

	(void)m;
	CHECK(!decant_iter_advance(&view, skip));
	to->at = from->at + skip;
	to->len = from->len - skip < n ? from->len - skip : n;
	to->owned = decant_owned_slice(from->owned, &view, n);
	CHECK(to->owned);
}

static void m_owned_op(struct machine *m)
{
	struct m_owned *o = &m->owned[feed_below(M_OWNED)];
	struct m_owned *other = &m->owned[feed_below(M_OWNED)];

	if (!o->owned) {
		m_own(m, o);
	} else if (!other->owned && feed_one_in(2)) {
		m_slice(m, o, other);
	} else if (feed_one_in(3)) {
		decant_owned_put(o->owned);
		o->owned = NULL;
	}
	for (size_t i = 0; i < M_OWNED; i++)
		if (m->owned[i].owned)
			m_check_owned(m, &m->owned[i]);
}

static void m_step(struct machine *m)
{
	switch (feed_below(9)) {
	case 0:
	case 1:
		m_move(m);
		break;
	case 2:
	case 3:
		m_extract(m, false);
		break;
	case 4:
		m_extract(m, true);
		break;
	case 5:
		if (m->direction == DECANT_SOURCE)
			m_read(m);
		else
			m_write(m);
		break;
	case 6:
		m_owned_op(m);
		break;
	case 7:
		m_requests(m);
		break;
	case 8:
		if (feed_one_in(3))
			m_new_sink(m);
	}
	m_check_cursor(m);
}

/* One sequence; afterwards nothing is held any more. */
static void machine_run(struct machine *m, size_t steps)
{
	if (!m_begin(m))
		return;
	while (steps-- && feed_more() && !check_failed)
		m_step(m);
	decant_hold_release(&m->hold);
	for (size_t i = 0; i < M_OWNED; i++)
		decant_owned_put(m->owned[i].owned);
	memset(m->owned, 0, sizeof(m->owned));
	for (size_t i = 0; i < 4; i++)
		CHECK_EQ(decant_region_refs(m->regions[i]), 1 + (i != 2));
}
#endif
