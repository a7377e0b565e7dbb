/* SPDX-License-Identifier: MIT */
/*
 * crc.c - CRC-32C of scattered pieces through decant_crc32c(), against a call of ISA-L
 * for each piece and against the same bytes in one piece. One JSON object, nanoseconds
 * per piece, the best of many runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <isa-l/crc.h>
#include <decant/crc.h>

#define BYTES (1u << 20)
#define RUNS  60

static unsigned char *memory;
static struct iovec *iov;
static struct decant_iter all;
static volatile uint32_t result;

static double now(void)
{
	struct timespec t;

	/* Processor time of this thread: others may want the machine as well. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void by_decant(size_t nr, size_t len)
{
	struct decant_iter it = all;
	uint32_t crc = 0;

	if (decant_crc32c(&it, SIZE_MAX, &crc) != (ssize_t)(nr * len))
		abort();
	result = crc;
}

static void by_piece(size_t nr, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < nr; i++)
		crc = crc32_iscsi(iov[i].iov_base, (int)len, crc);
	result = ~crc;
}

static void contiguous(size_t nr, size_t len)
{
	result = ~crc32_iscsi(memory, (int)(nr * len), ~0u);
}

static double best(void (*run)(size_t, size_t), size_t nr, size_t len)
{
	double least = 1e18;

	for (int i = 0; i < RUNS; i++) {
		double start = now(), took;

		run(nr, len);
		took = (now() - start) / (double)nr;
		least = took < least ? took : least;
	}
	return least;
}

/* Every second place, so that no piece touches another. */
static void lay_out(size_t nr, size_t len)
{
	for (size_t i = 0; i < nr; i++)
		iov[i] = (struct iovec){memory + 2 * len * (i * 7919 % nr), len};
	if (decant_iter_iovec(&all, DECANT_SOURCE, iov, nr))
		abort();
}

int main(void)
{
	static const size_t lens[] = {16, 64, 256, 500, 512, 1024, 4096};
	const char *comma = "";

	memory = calloc(2, BYTES);
	iov = calloc(BYTES / 16, sizeof(*iov));
	if (!memory || !iov)
		return 1;
	printf("{\"crc32c\":[");
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		size_t len = lens[i], nr = 65536 / len;

		lay_out(nr, len);
		printf("%s{\"bytes\":%zu,\"decant_ns\":%.2f,\"piece_by_piece_ns\":%.2f,"
		       "\"contiguous_ns\":%.2f}",
		       comma, len, best(by_decant, nr, len), best(by_piece, nr, len),
		       best(contiguous, nr, len));
		comma = ",";
	}
	printf("]}\n");
	free(memory);
	free(iov);
	return 0;
}
