/* SPDX-License-Identifier: MIT */
#ifndef DECANT_DOMAIN_H
#define DECANT_DOMAIN_H
#include <pthread.h>
#include <decant/region.h>

DECANT_BEGIN

/**
 * struct decant_mapping - what a domain said about a region
 * @iova: the address by which the device knows the region's first byte
 * @rkey: the key a peer needs for it (64 bits wide, as in libfabric)
 * @lkey: the key that goes into a local SGE
 * @handle: the adapter's own (an ibv_mr, a fid_mr, a fixed buffer's number)
 * @desc: the local descriptor libfabric wants beside each iovec
 *
 * Since: 0.1
 */
struct decant_mapping {
	uint64_t iova;
	uint64_t rkey;
	uint32_t lkey;
	void *handle;
	void *desc;
};

struct decant_domain;

/**
 * struct decant_domain_ops - what an adapter provides to be a domain
 * @name: for messages
 * @map: make the device know @span and fill @mapping; 0 or a negative errno
 * @unmap: undo @map; can't fail
 *
 * Since: 0.1
 */
struct decant_domain_ops {
	const char *name;
	int (*map)(struct decant_domain *domain, const struct decant_span *span,
		   struct decant_mapping *mapping);
	void (*unmap)(struct decant_domain *domain, struct decant_mapping *mapping);
};

/**
 * struct decant_domain - a device or library that issues keys for regions
 * @ops: the adapter's functions
 * @lock: over @regions; the library's own
 * @regions: the regions mapped here; the library's own
 *
 * Adapters embed it in a struct of their own. It must stay where it is until
 * decant_domain_fini().
 *
 * Since: 0.1
 */
struct decant_domain {
	const struct decant_domain_ops *ops;
	pthread_mutex_t lock;
	void *regions;
};

/**
 * decant_domain_init - begin a domain without regions
 * @domain: the caller's memory
 * @ops: must outlive @domain
 *
 * Since: 0.1
 */
DECANT_API void decant_domain_init(struct decant_domain *domain,
				   const struct decant_domain_ops *ops);

/**
 * decant_domain_clear - unmap every region
 * @domain: no extraction or transfer may be using a mapping. It can be used on, and
 *	regions may lose their last reference at the same time.
 *
 * For adapters whose device lets go of all memory at once, as when it resets.
 *
 * Since: 0.1
 */
DECANT_API void decant_domain_clear(struct decant_domain *domain);

/**
 * decant_domain_fini - unmap every region that is still mapped, and end the domain
 * @domain: no extraction may use it any more, and no region mapped here may lose its last
 *	reference at the same time
 *
 * Since: 0.1
 */
DECANT_API void decant_domain_fini(struct decant_domain *domain);

/**
 * decant_domain_map - make a region known to a domain, once
 * @domain: the domain
 * @region: the region; the caller has a reference. The domain takes none: the mapping
 *	ends with decant_domain_unmap(), decant_domain_clear(), decant_domain_fini() or
 *	the region's last reference.
 *
 * Mapping a region again changes nothing and is no error. Safe from any thread.
 *
 * Return: 0; -ENOMEM, or what the device said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_domain_map(struct decant_domain *domain,
					     struct decant_region *region);

/**
 * decant_domain_unmap - make a domain forget a region
 * @domain: the domain; no extraction or transfer may be using this mapping
 * @region: the region
 *
 * Return: 0; -ENOENT if it was not mapped.
 * Since: 0.1
 */
DECANT_API int decant_domain_unmap(struct decant_domain *domain,
				   struct decant_region *region);

/**
 * decant_domain_mapping - the keys of a region
 * @domain: the domain
 * @region: the region
 *
 * Return: the mapping, valid until it is undone; NULL if there is none.
 * Since: 0.1
 */
DECANT_API const struct decant_mapping *
decant_domain_mapping(const struct decant_domain *domain,
		      const struct decant_region *region);

DECANT_END
#endif
