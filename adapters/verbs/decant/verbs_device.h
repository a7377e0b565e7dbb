/* SPDX-License-Identifier: MIT */
#ifndef DECANT_VERBS_DEVICE_H
#define DECANT_VERBS_DEVICE_H
#include <decant/decant.h>

DECANT_BEGIN

/**
 * enum decant_verbs_transport - what carries a device's messages
 * @DECANT_VERBS_INFINIBAND: InfiniBand
 * @DECANT_VERBS_ROCE: the same over Ethernet
 * @DECANT_VERBS_IWARP: RDMA over TCP (RFC 5040): a write that is complete has left, it
 *	need not have arrived, but a message behind it arrives later; and what the peer
 *	refuses ends the connection, not the operation
 *
 * Since: 0.1
 */
enum decant_verbs_transport {
	DECANT_VERBS_INFINIBAND,
	DECANT_VERBS_ROCE,
	DECANT_VERBS_IWARP,
};

/**
 * struct decant_verbs_caps - what a device is and can do
 * @device: its name, as in rdma-link(8); valid as long as the device is open, or during
 *	the call of decant_verbs_devices()
 * @transport: what carries its messages
 * @port: the port that is meant, from 1
 * @active: whether the port is up
 * @send: the rules for one work request that sends, writes or receives: elements, and
 *	bytes in all
 * @read: the same for one that reads
 * @requests: most work requests in one queue
 * @completions: most entries of a completion queue
 * @reads: most reads that one queue pair may have under way
 * @served: most reads of a peer that one queue pair serves at a time
 * @regions: most registrations
 * @region_bytes: most bytes in one registration
 * @write_imm: a write may carry immediate data
 * @on_demand: memory can be registered without being pinned
 *
 * Since: 0.1
 */
struct decant_verbs_caps {
	const char *device;
	enum decant_verbs_transport transport;
	unsigned port;
	bool active;
	struct decant_limits send;
	struct decant_limits read;
	size_t requests;
	size_t completions;
	size_t reads;
	size_t served;
	size_t regions;
	size_t region_bytes;
	bool write_imm;
	bool on_demand;
};

/* What may be done with registered memory besides using it here; bits. */
#define DECANT_VERBS_PEER_READS	 1u /* a peer that has the key may read it */
#define DECANT_VERBS_PEER_WRITES 2u /* a peer that has the key may write to it */
#define DECANT_VERBS_ON_DEMAND	 4u /* not pinned: the device faults pages in */

struct decant_verbs;

/**
 * struct decant_verbs_options - which device
 * @size: sizeof(struct decant_verbs_options)
 * @device: its name ("rxe0", "mlx5_0"); NULL: the first whose port is up
 * @port: from 1; 0: the first that is up
 *
 * Since: 0.1
 */
struct decant_verbs_options {
	size_t size;
	const char *device;
	unsigned port;
};

/**
 * struct decant_verbs_remote - memory of the peer
 * @addr: where it begins, as the peer's device counts
 * @len: bytes
 * @rkey: the key for it
 *
 * decant_verbs_grant() makes it there; it travels in a message or as private data of a
 * connection. Numbers are in host byte order.
 *
 * Since: 0.1
 */
struct decant_verbs_remote {
	uint64_t addr;
	uint64_t len;
	uint32_t rkey;
};

/**
 * decant_verbs_devices - walk the ports of the RDMA devices of this machine
 * @fn: gets each port once; the description is valid during the call; a value other than
 *	0 ends the walk
 * @user: handed to @fn
 *
 * Return: 0, or the value that ended the walk; -ENOSYS if this kernel has no RDMA.
 * Since: 0.1
 */
DECANT_API int decant_verbs_devices(int (*fn)(void *user,
					      const struct decant_verbs_caps *caps),
				    void *user);

/**
 * decant_verbs_open - open a device and begin a protection domain
 * @out: receives the device; untouched on error
 * @options: NULL for defaults; copied
 *
 * Return: 0; -EINVAL for an unknown size or a port that there isn't, -ENODEV if there is
 * no such device or none that is up, -ENOMEM, or what ibv_open_device(3) or
 * ibv_alloc_pd(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_open(struct decant_verbs **out,
					     const struct decant_verbs_options *options);

/**
 * decant_verbs_close - end the protection domain and close the device
 * @verbs: the device, or NULL. Its queues, queue pairs and listeners are gone already,
 *	and
 *	no region that is mapped in it may lose its last reference at the same time.
 *
 * Regions stay valid, but are mapped here no more.
 *
 * Since: 0.1
 */
DECANT_API void decant_verbs_close(struct decant_verbs *verbs);

/**
 * decant_verbs_caps - what a device is and can do
 * @verbs: the device
 *
 * Return: the description of its port, valid as long as the device is open.
 * Since: 0.1
 */
DECANT_API const struct decant_verbs_caps *
decant_verbs_caps(const struct decant_verbs *verbs);

/**
 * decant_verbs_domain - the protection domain, for memory of one use
 * @verbs: the device
 * @uses: DECANT_VERBS_PEER_READS and its like; 0: use by this side alone
 *
 * A region mapped in the domain is registered once (ibv_reg_mr(3)) and has a local key
 * and, where a peer may use it, a remote one. Memory that can't be written to is
 * registered for reading, unless peers are to write to it. There is one domain for each
 * set of uses, all in the same protection domain of the device: a queue pair finds the
 * local keys of the regions in one of them.
 *
 * Return: the domain, which lives as long as the device is open; NULL for unknown uses,
 * and for DECANT_VERBS_ON_DEMAND where the device does not offer it for all that a
 * reliable connection does.
 * Since: 0.1
 */
DECANT_API struct decant_domain *decant_verbs_domain(struct decant_verbs *verbs,
						     unsigned uses);

/**
 * decant_verbs_map_dmabuf - map a region whose memory is a part of a dma-buf
 * @verbs: the device
 * @uses: as in decant_verbs_domain(), not on demand
 * @region: the region; its addresses stand for the buffer's memory, and the program's own
 *	view of it need not be mapped unless bytes are sent inline or staged
 * @fd: the dma-buf; borrowed, may be closed afterwards
 * @offset: where in the buffer the region begins, bytes
 *
 * The mapping is the region's in that domain, as decant_domain_map() makes one.
 *
 * Return: 0; -EOPNOTSUPP if the device can't, -EINVAL for unknown uses, -EEXIST if the
 * region is mapped there already, -ENOMEM, or what ibv_reg_dmabuf_mr(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_map_dmabuf(struct decant_verbs *verbs,
						   unsigned uses,
						   struct decant_region *region, int fd,
						   uint64_t offset);

/**
 * decant_verbs_grant - let peers use a region
 * @verbs: the device
 * @uses: what they may do; mapped in that domain first if it is not yet
 * @region: the region; the caller keeps a reference for as long as peers may use it
 * @remote: filled: what the peer needs
 *
 * The grant ends when the region is unmapped from decant_verbs_domain() of these uses.
 *
 * Return: 0; -EINVAL for uses that give a peer nothing or that the device does not offer,
 * -EFAULT for memory that can't be used so, -ENOMEM, or what ibv_reg_mr(3) said.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_verbs_grant(struct decant_verbs *verbs, unsigned uses,
					      struct decant_region *region,
					      struct decant_verbs_remote *remote);

DECANT_END
#endif
