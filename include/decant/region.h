/* SPDX-License-Identifier: MIT */
#ifndef DECANT_REGION_H
#define DECANT_REGION_H
#include <decant/span.h>

DECANT_BEGIN

/**
 * struct decant_region_options - how a region is made
 * @size: sizeof(struct decant_region_options)
 * @release: called once, by whoever drops the last reference, after every domain has let
 *	go of the memory; NULL for none. It may free the memory.
 * @user: handed to @release
 *
 * Since: 0.1
 */
struct decant_region_options {
	size_t size;
	void (*release)(void *user, void *addr, size_t len);
	void *user;
};

/**
 * decant_region_new - promise that memory stays where it is until the last reference goes
 * @out: receives the region with one reference, the caller's; untouched on error
 * @addr: first byte; the library never reads or writes it by itself
 * @len: bytes, at least 1
 * @options: NULL for none
 *
 * The memory stays the owner's. The owner must keep it mapped until @options->release
 * runs.
 * Safe from any thread.
 *
 * Return: 0; -EFAULT for NULL or a range that wraps, -EINVAL for no length or an unknown
 * options size, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_region_new(struct decant_region **out, void *addr,
					     size_t len,
					     const struct decant_region_options *options);

/**
 * decant_region_file - a region over a part of a file, mapped shared
 * @out: receives the region with one reference, the caller's; untouched on error
 * @fd: the file; borrowed, may be closed afterwards
 * @offset: where the part begins, bytes, a multiple of the page size
 * @len: bytes, at least 1. What lies beyond the file's end must not be touched.
 * @direction: DECANT_SOURCE maps it for reading, DECANT_DEST for reading and writing
 *
 * The mapping ends when the last reference goes.
 *
 * Return: 0; -EINVAL, -EOVERFLOW, -ENOMEM, or what mmap(2) said, such as -EACCES.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_region_file(struct decant_region **out, int fd,
					      uint64_t offset, size_t len,
					      enum decant_direction direction);

/**
 * decant_region_memfd - a region of memory that other processes can be given
 * @out: receives the region with one reference, the caller's; untouched on error
 * @name: for /proc/self/maps, see memfd_create(2)
 * @len: bytes, at least 1; they are zero
 * @fd: receives the descriptor behind the memory, the caller's to close, or NULL for none
 *
 * The mapping ends when the last reference goes; the memory with it, unless a descriptor
 * or another mapping is left.
 *
 * Return: 0; -EINVAL, -EOVERFLOW, -ENOMEM, or what memfd_create(2) or mmap(2) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_region_memfd(struct decant_region **out,
					       const char *name, size_t len, int *fd);

/**
 * decant_region_get - take one more reference
 * @region: the region; the caller already has a reference, directly or through a hold
 *
 * Return: @region.
 * Since: 0.1
 */
DECANT_API struct decant_region *decant_region_get(struct decant_region *region);

/**
 * decant_region_put - drop a reference
 * @region: the region, or NULL, which does nothing
 *
 * The last one unmaps the region from every domain and then calls the release callback,
 * in the thread that dropped it.
 *
 * Since: 0.1
 */
DECANT_API void decant_region_put(struct decant_region *region);

/**
 * decant_region_span - where the region lies
 * @region: the region
 *
 * Return: a span over all of it.
 * Since: 0.1
 */
DECANT_API struct decant_span decant_region_span(const struct decant_region *region);

/**
 * decant_region_refs - how many references there are at the moment
 * @region: the region
 *
 * For tests and diagnosis: another thread may change the number at any time.
 *
 * Return: at least 1.
 * Since: 0.1
 */
DECANT_API size_t decant_region_refs(const struct decant_region *region);

/**
 * decant_region_holders - who holds a region
 * @region: the region
 * @fn: gets the name of each hold that keeps it, as in struct decant_hold; must not use
 *	the region
 * @user: handed to @fn
 *
 * Only a library built with -Ddebug_holds=true remembers; another calls nothing.
 *
 * Return: how many times @fn was called.
 * Since: 0.1
 */
DECANT_API size_t decant_region_holders(struct decant_region *region,
					void (*fn)(void *user, const char *name),
					void *user);

DECANT_END
#endif
