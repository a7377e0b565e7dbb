/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_URING_DEVICE_H
#define DECANT_TEST_URING_DEVICE_H
/* device.h - a block device over a file, gone when it is closed. */
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "rig.h"

static int device_configure(int number, int backing, unsigned block)
{
	struct loop_config config = {.fd = (unsigned)backing, .block_size = block};
	char path[32];
	int fd;

	config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, LOOP_CONFIGURE, &config))
		return fd;
	close(fd);
	return -errno;
}

/* The descriptor of a device with sectors of @block bytes over @backing, or -errno. */
RIG_UNUSED int device_over(int backing, unsigned block)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd = -EBUSY;

	if (control < 0)
		return -errno;
	/* Others take what is free, too. */
	for (int i = 0; i < 100 && fd == -EBUSY; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		fd = number < 0 ? -errno : device_configure(number, backing, block);
	}
	close(control);
	return fd;
}

/* A device of its own of @size bytes of @content's; skips the test if there is none. */
RIG_UNUSED int device_new(const void *content, size_t size, unsigned block)
{
	int backing = rig_temporary(rig_dir()), fd;

	rig_put_content(backing, content, size);
	fd = device_over(backing, block);
	close(backing);
	if (fd < 0)
		check_skip("no loop device can be made");
	return fd;
}

#endif
