/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_RIG_H
#define DECANT_TEST_GUEST_RIG_H
/*
 * rig.h - a controller, memory in regions that it knows, and a model of both: what the
 * disk holds, and what every byte of the memory must be after a transfer.
 */
#include <decant/decant.h>
#include "controller.h"

#define RIG_REGIONS    8
#define RIG_REGION_LEN (160 * (size_t)NVME_PAGE)
#define RIG_MEMORY_LEN (RIG_REGIONS * RIG_REGION_LEN)
#define RIG_LISTS_LEN  (64 * (size_t)NVME_PAGE)
#define RIG_DISK_LEN   ((size_t)4 << 20)

/*
 * QEMU moves the data of a command with one system call, in at most 1,024 parts, none of
 * which crosses a page.
 */
#define RIG_MOST_LEN ((size_t)1024 * NVME_PAGE)

/**
 * struct rig - the whole arrangement
 * @memory: adjacent regions, each at an I/O address of its own
 * @wanted: what @memory should be
 * @disk: what the disk should be
 * @flat: memory for transfers without the library, in a region of its own
 * @lists: memory for PRP lists and SGL segments, in a region of its own
 * @space: @regions, so that plain memory finds its owner
 */
struct rig {
	struct vfio vfio;
	struct nvme nvme;
	unsigned char *memory;
	unsigned char *wanted;
	unsigned char *disk;
	struct decant_region *regions[RIG_REGIONS];
	struct decant_region *flat;
	struct decant_region *lists;
	struct decant_space *space;
};

/* NULL, or what is missing; the rig is not to be used then. */
const char *rig_open(struct rig *rig, uint64_t seed);
void rig_close(struct rig *rig);

/* A mapped region over memory that is there, made with @options; NULL if that fails. */
struct decant_region *rig_adopt(struct rig *rig, void *addr, size_t len,
				const struct decant_region_options *options);

/* Mapped memory in a region whose release unmaps it; NULL if that fails. */
struct decant_region *rig_region(struct rig *rig, size_t len);
unsigned char *rig_addr(const struct decant_region *region);
uint64_t rig_iova(const struct rig *rig, const struct decant_region *region);

/* Whole disk to or from memory, two pages at a time, by PRP entries made by hand. */
int rig_flat(struct rig *rig, enum nvme_opcode opcode, unsigned char *data);
#endif
