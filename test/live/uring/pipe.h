/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_URING_PIPE_H
#define DECANT_TEST_URING_PIPE_H
/* pipe.h - a pipe and a ring that reads it: under way until someone writes to it. */
#include "rig.h"

struct stream {
	struct rig rig;
	int to;
};

RIG_UNUSED void stream_over(struct stream *s, struct decant_uring *ring, int flags)
{
	int fds[2];

	REQUIRE(pipe2(fds, O_CLOEXEC | flags) == 0);
	s->rig = (struct rig){.ring = ring, .fd = fds[0]};
	s->to = fds[1];
	REQUIRE(!decant_uring_file_open(&s->rig.file, fds[0], DECANT_URING_DIRECT_AUTO));
}

RIG_UNUSED void stream_init(struct stream *s, unsigned depth, int flags)
{
	stream_over(s, rig_ring(depth, NULL), flags);
}

RIG_UNUSED void stream_fini(struct stream *s)
{
	close(s->to);
	rig_fini(&s->rig);
}

#endif
