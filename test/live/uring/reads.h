/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_URING_READS_H
#define DECANT_TEST_URING_READS_H
/* reads.h - many reads of one pipe, some of them cancelled. */
#include "pipe.h"

RIG_UNUSED void begin(struct stream *s, void *to, size_t len, void *user)
{
	struct decant_iter it = rig_buf(DECANT_DEST, to, len);

	REQUIRE(decant_uring_read(s->rig.ring, s->rig.file, &it, len, 0, user) == 0);
}

/*
 * Many reads of one pipe, some of them cancelled at some point while bytes come: each
 * gives one event, and no byte is lost or given twice.
 */
#define READS 32u

struct read {
	unsigned char to[64];
	size_t len;
	bool active;
};

static unsigned char next_byte;

RIG_UNUSED void gather(struct stream *s, int timeout, unsigned counts[256], size_t *bytes)
{
	struct decant_uring_event events[READS];
	int n = decant_uring_wait(s->rig.ring, events, READS, timeout);

	REQUIRE(n >= 0);
	for (int i = 0; i < n; i++) {
		struct read *read = events[i].user;

		CHECK(read->active);
		CHECK(events[i].result > 0 || events[i].result == -ECANCELED);
		read->active = false;
		for (ssize_t j = 0; j < events[i].result; j++)
			counts[read->to[j]]++;
		*bytes += events[i].result > 0 ? (size_t)events[i].result : 0;
	}
}

RIG_UNUSED void step(struct stream *s, struct read *reads, size_t *sent)
{
	struct read *read = &reads[check_below(READS)];

	if (read->active && check_below(2)) {
		decant_uring_cancel(s->rig.ring, read);
	} else if (!read->active) {
		read->len = 1 + check_below(sizeof(read->to));
		read->active = true;
		begin(s, read->to, read->len, read);
	} else {
		unsigned char bytes[100];
		size_t n = 1 + check_below(sizeof(bytes));

		for (size_t i = 0; i < n; i++)
			bytes[i] = next_byte++;
		REQUIRE(write(s->to, bytes, n) == (ssize_t)n);
		*sent += n;
	}
}

RIG_UNUSED bool any_active(const struct read *reads)
{
	for (unsigned i = 0; i < READS; i++)
		if (reads[i].active)
			return true;
	return false;
}

RIG_UNUSED void reads_conserve(unsigned depth, size_t steps)
{
	static struct read reads[READS];
	unsigned counts[256] = {0};
	size_t sent = 0, bytes = 0;
	unsigned char rest[65536];
	struct stream s;
	ssize_t n;

	stream_init(&s, depth, 0);
	REQUIRE(fcntl(s.to, F_SETPIPE_SZ, 1 << 20) > 0);
	next_byte = 0;
	for (size_t i = 0; i < steps; i++) {
		step(&s, reads, &sent);
		if (!check_below(3))
			gather(&s, 0, counts, &bytes);
	}
	decant_uring_cancel_all(s.rig.ring);
	while (any_active(reads))
		gather(&s, 10000, counts, &bytes);
	close(s.to);
	while ((n = read(s.rig.fd, rest, sizeof(rest))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			counts[rest[i]]++;
		bytes += (size_t)n;
	}
	CHECK_EQ(bytes, sent);
	for (unsigned i = 0; i < 256; i++)
		CHECK_EQ(counts[i], sent / 256 + (i < sent % 256));
	s.to = -1;
	stream_fini(&s);
}

#endif
