/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include "controller.h"

#define SECONDS	   20
#define ENTRIES	   16
#define ROOM_PAGES 5 /* four queues and one for identify */

enum reg { CAP = 0x00, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30 };
enum admin { CREATE_SQ = 1, CREATE_CQ = 5, IDENTIFY = 6 };

/* --- registers --- */

static volatile uint32_t *reg(const struct nvme *nvme, size_t at)
{
	return (volatile uint32_t *)(void *)((char *)nvme->vfio->bar + at);
}

static uint64_t read64(const struct nvme *nvme, size_t at)
{
	uint64_t low = *reg(nvme, at);

	return low | (uint64_t)*reg(nvme, at + 4) << 32;
}

static void write64(const struct nvme *nvme, size_t at, uint64_t value)
{
	*reg(nvme, at) = (uint32_t)value;
	*reg(nvme, at + 4) = (uint32_t)(value >> 32);
}

/* Doorbell number @nr: that of a submission queue, then that of its completion queue. */
static void ring(const struct nvme *nvme, unsigned nr, uint32_t value)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*reg(nvme, 0x1000 + (size_t)nr * nvme->stride) = value;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec;
}

static int wait_ready(const struct nvme *nvme, uint32_t ready)
{
	int64_t end = now() + SECONDS;

	while ((*reg(nvme, CSTS) & 1) != ready)
		if (now() > end)
			return -ETIMEDOUT;
	return 0;
}

/* --- queues --- */

static unsigned char *room_page(const struct nvme *nvme, unsigned page)
{
	return (unsigned char *)decant_region_span(nvme->room).addr +
	       (size_t)page * NVME_PAGE;
}

static uint64_t room_iova(const struct nvme *nvme, unsigned page)
{
	const struct decant_mapping *mapping =
		decant_domain_mapping(&nvme->vfio->domain, nvme->room);

	return mapping->iova + (uint64_t)page * NVME_PAGE;
}

static int wait_completion(const struct nvme_queue *queue)
{
	const volatile uint32_t *entry = queue->completions[queue->head];
	int64_t end = now() + SECONDS;

	while ((entry[3] >> 16 & 1) != queue->phase)
		if (now() > end)
			return -ETIMEDOUT;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return 0;
}

static int submit(struct nvme *nvme, struct nvme_queue *queue, uint32_t command[16])
{
	int status;

	command[0] |= (uint32_t)nvme->command++ << 16;
	memcpy(queue->submissions[queue->tail], command, sizeof(*queue->submissions));
	queue->tail = (queue->tail + 1) % ENTRIES;
	ring(nvme, 2 * queue->id, queue->tail);
	if (wait_completion(queue))
		return -ETIMEDOUT;
	status = queue->completions[queue->head][3] >> 17 & 0x7ff;
	queue->head = (queue->head + 1) % ENTRIES;
	if (!queue->head)
		queue->phase ^= 1;
	ring(nvme, 2 * queue->id + 1, queue->head);
	return status;
}

static void begin_queue(struct nvme *nvme, struct nvme_queue *queue, unsigned id)
{
	queue->id = id;
	queue->phase = 1;
	queue->submissions = (void *)room_page(nvme, 2 * id);
	queue->completions = (void *)room_page(nvme, 2 * id + 1);
}

static void set_pointer(uint32_t command[16], const uint64_t pointer[2])
{
	memcpy(command + 6, pointer, 2 * sizeof(*pointer));
}

static int admin(struct nvme *nvme, uint32_t command[16], uint64_t iova)
{
	set_pointer(command, (uint64_t[2]){iova, 0});
	return submit(nvme, &nvme->admin, command) ? -EIO : 0;
}

/* --- making it ready --- */

static void free_room(void *user, void *addr, size_t len)
{
	(void)user;
	munmap(addr, len);
}

static int make_room(struct nvme *nvme)
{
	const struct decant_region_options options = {.size = sizeof(options),
						      .release = free_room};
	size_t len = ROOM_PAGES * (size_t)NVME_PAGE;
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	int err;

	if (addr == MAP_FAILED)
		return -ENOMEM;
	err = decant_region_new(&nvme->room, addr, len, &options);
	if (err) {
		munmap(addr, len);
		return err;
	}
	return decant_domain_map(&nvme->vfio->domain, nvme->room);
}

static int start(struct nvme *nvme)
{
	uint64_t cap = read64(nvme, CAP);
	int err;

	if (cap >> 48 & 15)
		return -ENOTSUP; /* no pages of 4 KiB */
	nvme->stride = 4u << (cap >> 32 & 15);
	*reg(nvme, CC) = 0;
	err = wait_ready(nvme, 0);
	if (err)
		return err;
	*reg(nvme, AQA) = (ENTRIES - 1) << 16 | (ENTRIES - 1);
	write64(nvme, ASQ, room_iova(nvme, 0));
	write64(nvme, ACQ, room_iova(nvme, 1));
	*reg(nvme, CC) = 4 << 20 | 6 << 16 | 1; /* entries of 16 and 64 bytes */
	return wait_ready(nvme, 1);
}

static int identify(struct nvme *nvme, uint32_t namespace, uint32_t what)
{
	uint32_t command[16] = {[0] = IDENTIFY, [1] = namespace, [10] = what};

	memset(room_page(nvme, ROOM_PAGES - 1), 0, NVME_PAGE);
	return admin(nvme, command, room_iova(nvme, ROOM_PAGES - 1));
}

static int learn_controller(struct nvme *nvme)
{
	const unsigned char *data = room_page(nvme, ROOM_PAGES - 1);
	int err = identify(nvme, 0, 1);

	if (err)
		return err;
	memcpy(nvme->serial, data + 4, 20);
	for (size_t i = 20; i-- && nvme->serial[i] == ' ';)
		nvme->serial[i] = 0;
	nvme->max_bytes =
		data[77] && data[77] < 16 ? (size_t)NVME_PAGE << data[77] : 1 << 20;
	memcpy(&nvme->sgls, data + 536, sizeof(nvme->sgls));
	return 0;
}

static int learn_namespace(struct nvme *nvme)
{
	const unsigned char *data = room_page(nvme, ROOM_PAGES - 1);
	int err = identify(nvme, 1, 0);
	uint32_t format;

	if (err)
		return err;
	memcpy(&nvme->blocks, data, sizeof(nvme->blocks));
	memcpy(&format, data + 128 + 4 * (size_t)(data[26] & 15), sizeof(format));
	return (format >> 16 & 255) == 9 && !(format & 0xffff) ? 0 : -ENOTSUP;
}

static int create_queues(struct nvme *nvme)
{
	const uint32_t size = (ENTRIES - 1) << 16 | 1;
	uint32_t completion[16] = {[0] = CREATE_CQ, [10] = size, [11] = 1};
	uint32_t submission[16] = {[0] = CREATE_SQ, [10] = size, [11] = 1 << 16 | 1};
	int err = admin(nvme, completion, room_iova(nvme, 3));

	return err ? err : admin(nvme, submission, room_iova(nvme, 2));
}

int nvme_open(struct nvme *nvme, struct vfio *vfio)
{
	int (*const steps[])(struct nvme *) = {start, learn_controller, learn_namespace,
					       create_queues};
	int err;

	*nvme = (struct nvme){.vfio = vfio};
	err = make_room(nvme);
	if (!err) {
		begin_queue(nvme, &nvme->admin, 0);
		begin_queue(nvme, &nvme->io, 1);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !err; i++)
		err = steps[i](nvme);
	if (err)
		nvme_close(nvme);
	return err;
}

/* The controller must be still before its queues' memory goes. */
void nvme_close(struct nvme *nvme)
{
	*reg(nvme, CC) = 0;
	wait_ready(nvme, 0);
	decant_region_put(nvme->room);
	nvme->room = NULL;
}

int nvme_io(struct nvme *nvme, enum nvme_opcode opcode, uint64_t block, size_t blocks,
	    const struct nvme_data *data)
{
	uint32_t command[16] = {
		[0] = opcode | (data->sgl ? 1u << 14 : 0),
		[1] = 1,
		[10] = (uint32_t)block,
		[11] = (uint32_t)(block >> 32),
		[12] = (uint32_t)(blocks - 1),
	};

	set_pointer(command, data->pointer);
	return submit(nvme, &nvme->io, command);
}
