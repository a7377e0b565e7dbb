/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vfio.h"

#define DEVICES "/sys/bus/pci/devices"

/* --- the domain --- */

static struct vfio *vfio_of(struct decant_domain *domain)
{
	return (struct vfio *)(void *)((char *)domain - offsetof(struct vfio, domain));
}

static int map(struct decant_domain *domain, const struct decant_span *span,
	       struct decant_mapping *mapping)
{
	struct vfio *vfio = vfio_of(domain);
	uintptr_t first = (uintptr_t)span->addr & ~(uintptr_t)(IOVA_PAGE - 1);
	uintptr_t end = ((uintptr_t)span->addr + span->len + IOVA_PAGE - 1) / IOVA_PAGE *
			IOVA_PAGE;
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = first,
		.size = end - first,
	};
	struct iova_taken *taken = iova_take(&vfio->iova, end - first);
	int err;

	if (!taken)
		return -ENOSPC;
	dma.iova = taken->addr;
	if (ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &dma)) {
		err = -errno;
		iova_give(&vfio->iova, taken);
		return err;
	}
	mapping->iova = taken->addr + ((uintptr_t)span->addr - first);
	mapping->handle = taken;
	vfio->mapped++;
	return 0;
}

static void unmap(struct decant_domain *domain, struct decant_mapping *mapping)
{
	struct vfio *vfio = vfio_of(domain);
	struct iova_taken *taken = mapping->handle;
	struct vfio_iommu_type1_dma_unmap dma = {
		.argsz = sizeof(dma),
		.iova = taken->addr,
		.size = taken->len,
	};

	if (ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &dma) || dma.size != taken->len)
		vfio->lost++;
	vfio->mapped--;
	iova_give(&vfio->iova, taken);
}

static const struct decant_domain_ops domain_ops = {"vfio", map, unmap};

/* --- finding the device --- */

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static bool is_class(const char *name, const char *class)
{
	char path[512], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), DEVICES "/%s/class", name);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return !strncmp(text, class, strlen(class));
}

static bool has_driver(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), DEVICES "/%s/driver", name);
	return access(path, F_OK) == 0;
}

static int find(char *where, size_t room, const char *class)
{
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;
	int err = -ENODEV;

	if (!dir)
		return -ENODEV;
	while (err && (entry = readdir(dir)))
		if (is_class(entry->d_name, class) && !has_driver(entry->d_name)) {
			snprintf(where, room, "%s", entry->d_name);
			err = 0;
		}
	closedir(dir);
	return err;
}

/* Give the device to vfio-pci. */
static int bind_driver(const char *where)
{
	char path[512];
	int err;

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", where);
	err = write_text(path, "vfio-pci");
	if (!err)
		err = write_text("/sys/bus/pci/drivers_probe", where);
	return err;
}

/* --- opening it --- */

static int open_group(struct vfio *vfio)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	char path[512], link[512];
	ssize_t len;

	snprintf(path, sizeof(path), DEVICES "/%s/iommu_group", vfio->where);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return -errno;
	link[len] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
	vfio->group = open(path, O_RDWR | O_CLOEXEC);
	if (vfio->group < 0 || ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status))
		return -errno;
	return status.flags & VFIO_GROUP_FLAGS_VIABLE ? 0 : -EBUSY;
}

static int open_container(struct vfio *vfio)
{
	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (vfio->container < 0)
		return -ENOTSUP;
	if (ioctl(vfio->container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		return -ENOTSUP;
	return 0;
}

static void take_ranges(struct iova *iova,
			const struct vfio_iommu_type1_info_cap_iova_range *cap)
{
	for (uint32_t i = 0; i < cap->nr_iovas && iova->nr < IOVA_RANGES; i++)
		iova->ranges[iova->nr++] = (struct iova_range){cap->iova_ranges[i].start,
							       cap->iova_ranges[i].end};
}

/* Which addresses may be used: not where interrupts go, not beyond the IOMMU's width. */
static int read_ranges(struct vfio *vfio)
{
	_Alignas(8) char room[4096] = {0};
	struct vfio_iommu_type1_info *info = (void *)room;
	uint32_t at;

	info->argsz = sizeof(room);
	if (ioctl(vfio->container, VFIO_IOMMU_GET_INFO, info))
		return -errno;
	at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;
	while (at && at <= sizeof(room) - sizeof(struct vfio_info_cap_header)) {
		const struct vfio_info_cap_header *cap = (void *)(room + at);

		if (cap->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			take_ranges(&vfio->iova, (const void *)cap);
		at = cap->next;
	}
	return vfio->iova.nr ? 0 : -ENOTSUP;
}

static int attach(struct vfio *vfio)
{
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container) ||
	    ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -errno;
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, vfio->where);
	return vfio->device < 0 ? -errno : 0;
}

/* Let the device answer to its registers and do DMA. */
static int enable(struct vfio *vfio)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	uint16_t command;
	off_t at;

	if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &config))
		return -errno;
	at = (off_t)config.offset + 4;
	if (pread(vfio->device, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	command |= 6;
	if (pwrite(vfio->device, &command, sizeof(command), at) != sizeof(command))
		return -EIO;
	return 0;
}

static int map_registers(struct vfio *vfio)
{
	struct vfio_region_info bar = {
		.argsz = sizeof(bar),
		.index = VFIO_PCI_BAR0_REGION_INDEX,
	};
	void *addr;

	if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &bar))
		return -errno;
	addr = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->device,
		    (off_t)bar.offset);
	if (addr == MAP_FAILED)
		return -errno;
	vfio->bar = addr;
	vfio->bar_len = bar.size;
	return 0;
}

int vfio_open(struct vfio *vfio, const char *class, uint64_t seed)
{
	int (*const steps[])(struct vfio *) = {open_container, open_group, attach,
					       read_ranges,    enable,	   map_registers};
	int err;

	*vfio = (struct vfio){.container = -1, .group = -1, .device = -1};
	decant_domain_init(&vfio->domain, &domain_ops);
	vfio->iova.seed = seed ? seed : 1;
	err = find(vfio->where, sizeof(vfio->where), class);
	if (!err)
		err = bind_driver(vfio->where);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !err; i++)
		err = steps[i](vfio);
	if (err)
		vfio_close(vfio);
	return err;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void vfio_close(struct vfio *vfio)
{
	decant_domain_fini(&vfio->domain);
	if (vfio->bar)
		munmap(vfio->bar, vfio->bar_len);
	close_fd(vfio->device);
	close_fd(vfio->group);
	close_fd(vfio->container);
}
