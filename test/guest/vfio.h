/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VFIO_H
#define DECANT_TEST_GUEST_VFIO_H
/*
 * vfio.h - one PCI device in user space, and a domain that maps regions for it: the
 * device reaches exactly the regions that are mapped, at the addresses the mapping names.
 */
#include <decant/decant.h>
#include "iova.h"

/**
 * struct vfio - an open device behind an IOMMU
 * @domain: for regions; a region's first and last page are mapped whole
 * @iova: the addresses that mappings get
 * @mapped: mappings at the moment
 * @lost: unmappings that the kernel did not do as told
 */
struct vfio {
	struct decant_domain domain;
	struct iova iova;
	size_t mapped;
	size_t lost;
	int container;
	int group;
	int device;
	void *bar;
	size_t bar_len;
	char where[256];
};

/*
 * Take the first PCI device of this class (as sysfs writes it, "0x010802") that no driver
 * has. 0; -ENODEV if there is none, -ENOTSUP without VFIO, else what the kernel said.
 */
int vfio_open(struct vfio *vfio, const char *class, uint64_t seed);
void vfio_close(struct vfio *vfio);
#endif
