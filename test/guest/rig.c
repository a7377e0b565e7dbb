/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "rig.h"

#define FLAT_LEN (2 * (size_t)NVME_PAGE)

static unsigned char *allocate(size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	return addr == MAP_FAILED ? NULL : addr;
}

static void release(void *user, void *addr, size_t len)
{
	(void)user;
	munmap(addr, len);
}

struct decant_region *rig_adopt(struct rig *rig, void *addr, size_t len,
				const struct decant_region_options *options)
{
	struct decant_region *region;

	if (decant_region_new(&region, addr, len, options))
		return NULL;
	if (decant_domain_map(&rig->vfio.domain, region)) {
		decant_region_put(region);
		return NULL;
	}
	return region;
}

struct decant_region *rig_region(struct rig *rig, size_t len)
{
	const struct decant_region_options options = {.size = sizeof(options),
						      .release = release};
	unsigned char *addr = allocate(len);

	return addr ? rig_adopt(rig, addr, len, &options) : NULL;
}

unsigned char *rig_addr(const struct decant_region *region)
{
	return decant_region_span(region).addr;
}

uint64_t rig_iova(const struct rig *rig, const struct decant_region *region)
{
	return decant_domain_mapping(&rig->vfio.domain, region)->iova;
}

/* The disk of the guest's own that tools/guest made, and no other. */
static const char *open_device(struct rig *rig, uint64_t seed)
{
	static char why[160];
	int err;

	err = vfio_open(&rig->vfio, NVME_CLASS, seed);
	if (!err) {
		err = nvme_open(&rig->nvme, &rig->vfio);
		if (err)
			vfio_close(&rig->vfio);
	}
	if (err) {
		snprintf(why, sizeof(why), "no NVMe controller through VFIO: %s",
			 strerror(-err));
		return why;
	}
	if (!strcmp(rig->nvme.serial, "decant") &&
	    rig->nvme.blocks * NVME_BLOCK >= RIG_DISK_LEN)
		return NULL;
	nvme_close(&rig->nvme);
	vfio_close(&rig->vfio);
	return "the NVMe controller is not that of tools/guest";
}

static bool add_regions(struct rig *rig)
{
	for (size_t i = 0; i < RIG_REGIONS; i++) {
		rig->regions[i] = rig_adopt(rig, rig->memory + i * RIG_REGION_LEN,
					    RIG_REGION_LEN, NULL);
		if (!rig->regions[i] || decant_space_add(rig->space, rig->regions[i]))
			return false;
	}
	return true;
}

static bool make_memory(struct rig *rig)
{
	rig->memory = allocate(RIG_MEMORY_LEN);
	rig->wanted = allocate(RIG_MEMORY_LEN);
	rig->disk = allocate(RIG_DISK_LEN);
	rig->flat = rig_region(rig, FLAT_LEN);
	rig->lists = rig_region(rig, RIG_LISTS_LEN);
	if (!rig->memory || !rig->wanted || !rig->disk || !rig->flat || !rig->lists)
		return false;
	return !decant_space_new(&rig->space) && add_regions(rig);
}

const char *rig_open(struct rig *rig, uint64_t seed)
{
	const char *missing;

	*rig = (struct rig){0};
	missing = open_device(rig, seed);
	if (missing)
		return missing;
	if (make_memory(rig))
		return NULL;
	rig_close(rig);
	return "memory could not be mapped for the device";
}

static void free_memory(unsigned char *addr, size_t len)
{
	if (addr)
		munmap(addr, len);
}

void rig_close(struct rig *rig)
{
	decant_space_free(rig->space);
	for (size_t i = 0; i < RIG_REGIONS; i++)
		decant_region_put(rig->regions[i]);
	decant_region_put(rig->flat);
	decant_region_put(rig->lists);
	nvme_close(&rig->nvme);
	vfio_close(&rig->vfio);
	free_memory(rig->memory, RIG_MEMORY_LEN);
	free_memory(rig->wanted, RIG_MEMORY_LEN);
	free_memory(rig->disk, RIG_DISK_LEN);
}

int rig_flat(struct rig *rig, enum nvme_opcode opcode, unsigned char *data)
{
	uint64_t iova = rig_iova(rig, rig->flat);
	const struct nvme_data pages = {.pointer = {iova, iova + NVME_PAGE}};
	unsigned char *flat = rig_addr(rig->flat);

	for (size_t at = 0; at < RIG_DISK_LEN; at += FLAT_LEN) {
		if (opcode == NVME_WRITE)
			memcpy(flat, data + at, FLAT_LEN);
		if (nvme_io(&rig->nvme, opcode, at / NVME_BLOCK, FLAT_LEN / NVME_BLOCK,
			    &pages))
			return -EIO;
		if (opcode == NVME_READ)
			memcpy(data + at, flat, FLAT_LEN);
	}
	return 0;
}
