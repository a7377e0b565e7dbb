/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_IOVA_H
#define DECANT_TEST_GUEST_IOVA_H
/*
 * iova.h - which I/O addresses are taken. Addresses are drawn at random, so that none
 * equals a virtual address, none follows from another, and above 4 GiB is as likely as
 * below; between any two there is at least a page that faults.
 */
#include <stddef.h>
#include <stdint.h>

#define IOVA_PAGE   4096
#define IOVA_RANGES 8

struct iova_range {
	uint64_t first;
	uint64_t last; /* inclusive */
};

struct iova_taken {
	struct iova_taken *next;
	uint64_t addr;
	uint64_t len;
};

/**
 * struct iova - the addresses behind one IOMMU
 * @ranges: those that may be used
 * @nr: how many ranges
 * @seed: of the random numbers
 * @next: if not 0, the next address handed out, whatever lies beside it
 * @taken: what is in use
 */
struct iova {
	struct iova_range ranges[IOVA_RANGES];
	size_t nr;
	uint64_t seed;
	uint64_t next;
	struct iova_taken *taken;
};

/* @len bytes, whole pages; NULL if there are none, or no memory to remember them. */
struct iova_taken *iova_take(struct iova *iova, uint64_t len);
void iova_give(struct iova *iova, struct iova_taken *taken);
#endif
