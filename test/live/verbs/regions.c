/* SPDX-License-Identifier: MIT */
/* regions.c - registered memory and its keys. */
#include "model.h"
#include "device.h"
#include <assert.h>
#include <unistd.h>

static struct {
	struct ibv_mr mr;
	int access;
	bool used;
} regions[MODEL_REGIONS];

/* Whether the kernel can read, and if need be write, every page of it. */
bool model_reachable(void *addr, size_t len, bool write_too)
{
	unsigned char *at = addr, *end = at + len;
	int fds[2];
	bool ok = true;
	char byte;

	if (pipe(fds))
		return false;
	for (; ok && at < end; at = (unsigned char *)(((uintptr_t)at | 4095) + 1)) {
		ok = write(fds[1], at, 1) == 1;
		ok = ok && read(fds[0], write_too ? (char *)at : &byte, 1) == 1;
	}
	close(fds[0]);
	close(fds[1]);
	return ok;
}

struct ibv_mr *model_register(struct ibv_pd *pd, void *addr, size_t len, int access)
{
	static uint32_t generation;
	size_t i = 1;

	while (i < MODEL_REGIONS && regions[i].used)
		i++;
	assert(i < MODEL_REGIONS);
	generation++;
	regions[i].used = true;
	regions[i].access = access;
	regions[i].mr =
		(struct ibv_mr){.context = pd->context,
				.pd = pd,
				.addr = addr,
				.length = len,
				.lkey = (uint32_t)i | generation << 13,
				.rkey = ((uint32_t)i | generation << 13) ^ 1u << 12};
	device.regions++;
	return &regions[i].mr;
}

static bool covers(size_t i, uint64_t addr, size_t len, int access)
{
	uint64_t start = (uintptr_t)regions[i].mr.addr;

	return regions[i].used && (regions[i].access & access) == access &&
	       addr >= start && addr - start <= regions[i].mr.length &&
	       len <= regions[i].mr.length - (addr - start);
}

bool model_lkey_covers(const struct ibv_sge *sge, int access)
{
	size_t i = sge->lkey % MODEL_REGIONS;

	return regions[i].mr.lkey == sge->lkey &&
	       covers(i, sge->addr, sge->length, access);
}

bool model_rkey_covers(uint32_t rkey, uint64_t addr, size_t len, int access)
{
	size_t i = rkey % MODEL_REGIONS;

	return regions[i].mr.rkey == rkey && covers(i, addr, len, access);
}

void model_forget(struct ibv_mr *mr)
{
	size_t i = mr->lkey % MODEL_REGIONS;

	assert(regions[i].used && &regions[i].mr == mr);
	regions[i].used = false;
	device.regions--;
}
