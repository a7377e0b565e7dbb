/* SPDX-License-Identifier: MIT */
/*
 * crc.c - CRC-32C of scattered pieces, against a call of ISA-L for each piece and against
 * the same bytes in one piece.
 */
#include <decant/crc.h>
#include <isa-l/crc.h>
#include "crypto.h"

#define BYTES (64u << 10)

struct work {
	struct pieces src;
	uint8_t *flat;
};

static void by_decant(void *arg)
{
	struct work *w = arg;
	struct decant_iter it = bench_view(&w->src, DECANT_SOURCE);
	uint32_t crc = 0;

	bench_need(decant_crc32c(&it, SIZE_MAX, &crc) == (ssize_t)w->src.bytes, "crc");
	bench_use(&crc);
}

static void by_piece(void *arg)
{
	struct work *w = arg;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < w->src.nr; i++)
		crc = crc32_iscsi(w->src.iov[i].iov_base, (int)w->src.iov[i].iov_len,
				  crc);
	bench_use(&crc);
}

static void contiguous(void *arg)
{
	struct work *w = arg;
	uint32_t crc = crc32_iscsi(w->flat, (int)w->src.bytes, ~0u);

	bench_use(&crc);
}

static void beside(struct work *w, const char *other, void (*bound)(void *arg),
		   double goal)
{
	size_t nr = w->src.nr;
	char name[100];

	snprintf(name, sizeof(name), "CRC-32C, %zu-byte pieces; beside %s",
		 w->src.bytes / nr, other);
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns a piece",
				       .fn = by_decant,
				       .arg = w,
				       .units = (double)nr,
				       .bound_name = other,
				       .bound = bound,
				       .goal = goal});
}

int main(void)
{
	static const size_t lens[] = {16, 64, 256, 500, 512, 1024, 4096};

	bench_open("crc");
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		struct work w = {.src = bench_pieces(BYTES / lens[i], lens[i], 0),
				 .flat = bench_memory(BYTES)};

		beside(&w, "ISA-L, a call a piece", by_piece, lens[i] == 64 ? 5 : 0);
		beside(&w, "ISA-L, in one piece", contiguous, 0);
	}
	bench_close();
	return 0;
}
