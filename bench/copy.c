/* SPDX-License-Identifier: MIT */
/* copy.c - from list to list, and between a list and flat memory. */
#include <string.h>
#include <decant/decant.h>
#include "bench.h"

#define PIECES 256
#define MOST   65536

struct rig {
	struct iovec from[PIECES];
	struct iovec to[PIECES];
	struct decant_iter src;
	struct decant_iter dst;
	unsigned char *flat;
	size_t len;
};

static unsigned char *arena;

static void cut(struct rig *rig, size_t len)
{
	size_t stride = len + 64;

	bench_need(2 * PIECES * stride <= (size_t)4 * PIECES * MOST, "arena");
	rig->len = len;
	for (size_t i = 0; i < PIECES; i++) {
		rig->from[i] = (struct iovec){arena + i * stride, len};
		rig->to[i] = (struct iovec){arena + (PIECES + i) * stride + 8, len};
	}
	rig->flat = arena + 2 * PIECES * stride;
	bench_need(!decant_iter_iovec(&rig->src, DECANT_SOURCE, rig->from, PIECES),
		   "src");
	bench_need(!decant_iter_iovec(&rig->dst, DECANT_DEST, rig->to, PIECES), "dst");
}

static void copy(void *arg)
{
	struct rig *rig = arg;
	struct decant_iter src = rig->src, dst = rig->dst;

	bench_need(decant_copy(&dst, &src, SIZE_MAX) > 0, "copy");
	bench_use(arena);
}

static void copy_to(void *arg)
{
	struct rig *rig = arg;
	struct decant_iter src = rig->src;

	bench_need(decant_copy_to(rig->flat, &src, SIZE_MAX) > 0, "copy_to");
	bench_use(arena);
}

/* The least that anybody can do. */
static void loop(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0; i < PIECES; i++)
		memcpy(rig->to[i].iov_base, rig->from[i].iov_base, rig->from[i].iov_len);
	bench_use(arena);
}

static void loop_to(void *arg)
{
	struct rig *rig = arg;

	for (size_t i = 0, at = 0; i < PIECES; at += rig->from[i++].iov_len)
		memcpy(rig->flat + at, rig->from[i].iov_base, rig->from[i].iov_len);
	bench_use(arena);
}

static void row(struct rig *rig, const char *what, void (*fn)(void *arg),
		void (*bound)(void *arg), double goal)
{
	char name[64];

	snprintf(name, sizeof(name), "%s, %zu-byte pieces", what, rig->len);
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns/piece",
				       .fn = fn,
				       .arg = rig,
				       .units = PIECES,
				       .bound_name = "memcpy loop",
				       .bound = bound,
				       .goal = goal});
}

int main(void)
{
	static const size_t lengths[] = {16, 48, 512, 4096};
	static struct rig rig;

	arena = aligned_alloc(4096, (size_t)4 * PIECES * MOST);
	bench_need(arena, "memory");
	memset(arena, 1, (size_t)4 * PIECES * MOST);
	bench_open("copy");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		cut(&rig, lengths[i]);
		row(&rig, "list to list", copy, loop, lengths[i] == 512 ? 20 : 0);
		row(&rig, "list to flat", copy_to, loop_to, 0);
	}
	bench_close();
	return 0;
}
