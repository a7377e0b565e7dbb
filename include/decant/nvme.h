/* SPDX-License-Identifier: MIT */
#ifndef DECANT_NVME_H
#define DECANT_NVME_H
/*
 * nvme.h - the two ways to tell an NVMe controller where data lies, after the NVM Express
 * Base Specification 1.4 and 2.0: PRP entries and lists, and SGLs.
 *
 * Addresses are those of the sink's domain (an IOMMU's mapping of each region); without a
 * domain they are the program's. The lists themselves lie in tables that the caller
 * provides and that the controller can read. Extract, take the pointers, fill the
 * command; the tables must stay until the command has completed.
 */
#include <decant/sink.h>
#include <decant/tables.h>

DECANT_BEGIN

/**
 * struct decant_prp - physical region pages of one command
 * @page_size: the controller's memory page, 2^(12 + CC.MPS) bytes
 * @direct: the first two entries; the library's own
 * @list: entries from the second on; the library's own
 *
 * Since: 0.1
 */
struct decant_prp {
	size_t page_size;
	uint64_t direct[2];
	struct decant_tables list;
};

/**
 * decant_sink_prp - extract into PRP entries (base specification 2.0, 4.1.1)
 * @sink: filled; untouched on error
 * @prp: the caller's memory; must stay as long as @sink is in use
 * @page_size: the controller's memory page, 2^(12 + CC.MPS) bytes
 * @tables: memory for PRP lists: each fills a memory page. The first may begin inside a
 *	page, on a multiple of 8, and then ends with that page.
 * @nr: how many tables; 0 leaves room for two entries
 *
 * An element is an entry: the part of one memory page. The first may begin inside its
 * page, on a multiple of 4; all others begin with a page; all but the last end with one.
 * Where the memory does not allow it, extraction stops with DECANT_STOP_ALIGNMENT or
 * DECANT_STOP_LIMIT. A namespace's logical block belongs into @sink->limits.block and
 * MDTS into @sink->limits.max_bytes.
 *
 * Return: 0; -EINVAL for a page size that is no power of two or below 4,096, or for a
 * table without memory or not aligned as above.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_sink_prp(struct decant_sink *sink,
					   struct decant_prp *prp, size_t page_size,
					   const struct decant_table *tables, size_t nr);

/**
 * decant_prp_pointers - what goes into the command's data pointer
 * @sink: from decant_sink_prp()
 * @prp: receives PRP1 and PRP2, in the processor's byte order; 0 where there is none
 *
 * Finishes the lists: PRP2 is the second page, or a pointer to the list if there are more
 * than two; the last entry of a full list points to the next one if more than one entry
 * is left. Extraction may go on afterwards; call it again then.
 *
 * Since: 0.1
 */
DECANT_API void decant_prp_pointers(const struct decant_sink *sink, uint64_t prp[2]);

/**
 * enum decant_nvme_sgl_type - SGL descriptor type, with sub type 0h (address)
 * @DECANT_NVME_SGL_DATA_BLOCK: memory of the data
 * @DECANT_NVME_SGL_SEGMENT: the next segment, which is not the last
 * @DECANT_NVME_SGL_LAST_SEGMENT: the next segment, which is the last
 *
 * Since: 0.1
 */
enum decant_nvme_sgl_type {
	DECANT_NVME_SGL_DATA_BLOCK = 0x00,
	DECANT_NVME_SGL_SEGMENT = 0x20,
	DECANT_NVME_SGL_LAST_SEGMENT = 0x30,
};

/**
 * struct decant_nvme_sgl_descriptor - SGL descriptor as the controller reads it
 * @address: little endian
 * @length: bytes, little endian; of a segment: of its descriptors
 * @reserved: zeroes
 * @type: enum decant_nvme_sgl_type
 *
 * Since: 0.1
 */
struct decant_nvme_sgl_descriptor {
	uint64_t address;
	uint32_t length;
	uint8_t reserved[3];
	uint8_t type;
};

/**
 * struct decant_nvme_sgl - scatter gather list of one command
 * @one: the first element; the library's own
 * @segments: all elements; the library's own
 *
 * Since: 0.1
 */
struct decant_nvme_sgl {
	struct decant_nvme_sgl_descriptor one;
	struct decant_tables segments;
};

/**
 * decant_sink_nvme_sgl - extract into an NVMe SGL (base specification 2.0, 4.1.2)
 * @sink: filled; untouched on error
 * @sgl: the caller's memory; must stay as long as @sink is in use
 * @tables: memory for segments, @each descriptors of 16 bytes each, on a multiple of 8
 * @nr: how many tables; 0 leaves room for one element
 * @each: descriptors in a segment, at least 2; the last one of a segment that is not the
 *	last leads to the next segment
 *
 * Elements may have any address and length unless the controller wants double words; see
 * decant_nvme_sgl_limits(). A namespace's logical block belongs into @sink->limits.block.
 *
 * Return: 0; -EINVAL for a table without memory or on an odd place, or for @each.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_sink_nvme_sgl(struct decant_sink *sink,
						struct decant_nvme_sgl *sgl,
						const struct decant_table *tables,
						size_t nr, size_t each);

/**
 * decant_nvme_sgl_command - what goes into the command's data pointer and flags
 * @sink: from decant_sink_nvme_sgl()
 * @sgl1: receives the first descriptor: the data itself if it is one element (or none),
 *	else the first segment
 *
 * Finishes the segments. Extraction may go on afterwards; call it again then.
 *
 * Return: PSDT in its place in command double word 0 (bits 15:14 are 01b: SGL for the
 * data, one contiguous buffer for metadata).
 * Since: 0.1
 */
DECANT_API uint32_t decant_nvme_sgl_command(const struct decant_sink *sink,
					    struct decant_nvme_sgl_descriptor *sgl1);

/**
 * decant_nvme_sgl_limits - what a controller demands of data blocks
 * @sgls: Identify Controller's SGLS field
 * @limits: made as strict
 *
 * Return: 0; -ENOTSUP, and nothing changed, if the controller takes no SGLs.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_nvme_sgl_limits(uint32_t sgls,
						  struct decant_limits *limits);

DECANT_END
#endif
