/* SPDX-License-Identifier: MIT */
#ifndef DECANT_BASE_H
#define DECANT_BASE_H
/*
 * base.h - what every other header needs: fixed-width types, visibility, direction.
 *
 * Conventions that hold for the whole library:
 *  - a call returns bytes (or a count) when there was any progress, a negative errno when
 *    there was none; errno itself is neither read nor set;
 *  - init/fini work on the caller's memory, new/free on the heap, get/put count
 *    references, map/unmap tell a device about memory;
 *  - option structs begin with their size, so that they can grow.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
#define DECANT_BEGIN extern "C" {
#define DECANT_END   }
#else
#define DECANT_BEGIN
#define DECANT_END
#endif

#define DECANT_API  __attribute__((visibility("default")))
#define DECANT_MUST __attribute__((warn_unused_result))

#define DECANT_VERSION_MAJOR 0
#define DECANT_VERSION_MINOR 1
#define DECANT_VERSION_PATCH 0

DECANT_BEGIN

/**
 * enum decant_direction - what the operation will do to the memory
 * @DECANT_SOURCE: bytes will be read from the memory
 * @DECANT_DEST: bytes will be written to the memory
 *
 * Since: 0.1
 */
enum decant_direction { DECANT_SOURCE, DECANT_DEST };

/**
 * decant_version - the version of the library that is running
 *
 * Return: a static string such as "0.1.0".
 * Since: 0.1
 */
DECANT_API const char *decant_version(void);

DECANT_END
#endif
