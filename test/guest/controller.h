/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_CONTROLLER_H
#define DECANT_TEST_GUEST_CONTROLLER_H
/*
 * controller.h - the least that drives an NVMe controller: an admin queue and one pair of
 * I/O queues, polled, in memory mapped through the domain. It believes nothing that the
 * controller says about data: that is the test's business.
 */
#include <decant/decant.h>
#include "vfio.h"

#define NVME_CLASS "0x010802"
#define NVME_PAGE  4096
#define NVME_BLOCK 512

enum nvme_opcode { NVME_WRITE = 1, NVME_READ = 2 };

/**
 * struct nvme_data - the data pointer of a command
 * @sgl: the pointer is an SGL descriptor instead of two PRP entries
 * @pointer: the 16 bytes
 */
struct nvme_data {
	bool sgl;
	uint64_t pointer[2];
};

struct nvme_queue {
	uint32_t (*submissions)[16];
	volatile uint32_t (*completions)[4];
	unsigned id;
	unsigned tail;
	unsigned head;
	unsigned phase;
};

/**
 * struct nvme - a controller that is ready
 * @vfio: the device; the caller's
 * @max_bytes: most bytes in one command
 * @sgls: what the controller says about SGLs; 0: it has none
 * @blocks: of namespace 1
 * @serial: serial number, without the blanks at its end
 * @room: the queues' memory
 */
struct nvme {
	struct vfio *vfio;
	size_t max_bytes;
	uint32_t sgls;
	uint64_t blocks;
	char serial[21];
	struct decant_region *room;
	struct nvme_queue admin;
	struct nvme_queue io;
	unsigned stride;
	uint16_t command;
};

/* 0; -ETIMEDOUT, -ENOTSUP, -EIO, or what mapping the queues said. */
int nvme_open(struct nvme *nvme, struct vfio *vfio);
void nvme_close(struct nvme *nvme);

/* The status of the completion, 0 for success; -ETIMEDOUT. */
int nvme_io(struct nvme *nvme, enum nvme_opcode opcode, uint64_t block, size_t blocks,
	    const struct nvme_data *data);
#endif
