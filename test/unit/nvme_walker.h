/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_NVME_WALKER_H
#define DECANT_TEST_NVME_WALKER_H
/*
 * nvme_walker.h - reads PRPs and SGLs as a controller does, from memory that it knows by
 * the device's addresses. Written from the NVM Express Base Specification 2.0, 4.1.1 and
 * 4.1.2, without a look at the library.
 */
#include <endian.h>
#include <decant/nvme.h>
#include "check.h"

#define DEVICE_RANGES 128

struct device_range {
	uint64_t iova;
	uint64_t len;
	unsigned char *host;
};

struct device {
	struct device_range range[DEVICE_RANGES];
	size_t nr;
	size_t fetched; /* tables that were read */
};

static void device_add(struct device *dev, uint64_t iova, void *host, uint64_t len)
{
	REQUIRE(dev->nr < DEVICE_RANGES);
	dev->range[dev->nr++] = (struct device_range){iova, len, host};
}

/* NULL: a DMA fault. */
static unsigned char *device_memory(const struct device *dev, uint64_t iova, uint64_t len)
{
	for (size_t i = 0; i < dev->nr; i++) {
		const struct device_range *r = &dev->range[i];

		if (iova >= r->iova && iova - r->iova < r->len &&
		    len <= r->len - (iova - r->iova))
			return r->host + (iova - r->iova);
	}
	return NULL;
}

/* Where the data lies: runs of the device's addresses, as long as they go. */
#define WALK_RUNS 4096

struct walk {
	const char *error;
	struct decant_dma run[WALK_RUNS];
	size_t nr, bytes;
};

static void walk_add(struct walk *w, uint64_t addr, uint64_t len)
{
	struct decant_dma *last = w->nr ? &w->run[w->nr - 1] : NULL;

	w->bytes += len;
	if (!len)
		return;
	if (last && last->addr + last->length == addr) {
		last->length += len;
		return;
	}
	REQUIRE(w->nr < WALK_RUNS);
	w->run[w->nr++] = (struct decant_dma){addr, len};
}

static void walk_begin(struct walk *w)
{
	w->error = "nothing";
	w->nr = w->bytes = 0;
}

static bool walk_fail(struct walk *w, const char *why)
{
	w->error = why;
	return false;
}

static bool walk_data(const struct device *dev, struct walk *w, uint64_t iova,
		      uint64_t len)
{
	uint64_t at = iova, n;

	/* An IOMMU is asked page by page, so neighbours need not be one mapping. */
	for (; at < iova + len; at += n) {
		n = 4096 - (at & 4095);
		n = n < iova + len - at ? n : iova + len - at;
		if (!device_memory(dev, at, 1) || !device_memory(dev, at + n - 1, 1))
			return walk_fail(w, "DMA fault in the data");
	}
	walk_add(w, iova, len);
	return true;
}

/* One list after the other; left bytes remain. */
static bool walk_prp_list(struct device *dev, struct walk *w, uint64_t at, size_t left,
			  size_t page)
{
	if (at & 7)
		return walk_fail(w, "list pointer is not aligned to quad words");
	dev->fetched++;
	while (left) {
		const unsigned char *slot = device_memory(dev, at, 8);
		size_t n = left < page ? left : page;
		uint64_t entry;

		if (!slot)
			return walk_fail(w, "DMA fault in a PRP list");
		memcpy(&entry, slot, 8);
		entry = le64toh(entry);
		if (entry & (page - 1))
			return walk_fail(w, "PRP Offset Invalid in a list");
		if ((at & (page - 1)) == page - 8 && left > page) {
			at = entry;
			dev->fetched++;
			continue;
		}
		if (!walk_data(dev, w, entry, n))
			return false;
		left -= n;
		at += 8;
	}
	return true;
}

static bool walk_prp(struct device *dev, struct walk *w, const uint64_t prp[2],
		     size_t len, size_t page)
{
	size_t first = page - (prp[0] & (page - 1));

	dev->fetched = 0;
	walk_begin(w);
	if (prp[0] & 3)
		return walk_fail(
			w, "PRP Offset Invalid: PRP1 is not aligned to double words");
	first = len < first ? len : first;
	if (!walk_data(dev, w, prp[0], first))
		return false;
	if (len == first)
		return true;
	if (len - first > page)
		return walk_prp_list(dev, w, prp[1], len - first, page);
	if (prp[1] & (page - 1))
		return walk_fail(w, "PRP Offset Invalid: PRP2 is a page with an offset");
	return walk_data(dev, w, prp[1], len - first);
}

static bool walk_reserved(const struct decant_nvme_sgl_descriptor *d)
{
	return !d->reserved[0] && !d->reserved[1] && !d->reserved[2];
}

static bool is_segment(const struct decant_nvme_sgl_descriptor *d)
{
	return d->type == DECANT_NVME_SGL_SEGMENT ||
	       d->type == DECANT_NVME_SGL_LAST_SEGMENT;
}

/* All descriptors of a segment; *next is the last of them if that leads on. */
static bool walk_segment(struct device *dev, struct walk *w,
			 const struct decant_nvme_sgl_descriptor *by,
			 struct decant_nvme_sgl_descriptor *next)
{
	uint64_t iova = le64toh(by->address), len = le32toh(by->length);
	bool last = by->type == DECANT_NVME_SGL_LAST_SEGMENT;
	const unsigned char *memory = device_memory(dev, iova, len);

	if (!len || len % 16 || iova & 7)
		return walk_fail(w, "Invalid SGL Segment Descriptor");
	if (!memory)
		return walk_fail(w, "DMA fault in a segment");
	dev->fetched++;
	for (size_t i = 0; i < len / 16; i++) {
		bool at_end = i + 1 == len / 16;

		memcpy(next, memory + 16 * i, 16);
		if (!walk_reserved(next))
			return walk_fail(w, "reserved bytes are not 0");
		if (is_segment(next) != (at_end && !last))
			return walk_fail(w, "Invalid Number of SGL Descriptors");
		if (is_segment(next))
			return true;
		if (next->type != DECANT_NVME_SGL_DATA_BLOCK)
			return walk_fail(w, "SGL Descriptor Type Invalid");
		if (!walk_data(dev, w, le64toh(next->address), le32toh(next->length)))
			return false;
	}
	return true;
}

static bool walk_sgl(struct device *dev, struct walk *w, uint32_t dword0,
		     struct decant_nvme_sgl_descriptor d, size_t len)
{
	dev->fetched = 0;
	walk_begin(w);
	if (dword0 >> 14 != 1)
		return walk_fail(w, "PSDT does not say SGL");
	if (!walk_reserved(&d))
		return walk_fail(w, "reserved bytes are not 0");
	if (d.type == DECANT_NVME_SGL_DATA_BLOCK) {
		if (!walk_data(dev, w, le64toh(d.address), le32toh(d.length)))
			return false;
	} else {
		while (is_segment(&d))
			if (!walk_segment(dev, w,
					  &(struct decant_nvme_sgl_descriptor){
						  d.address, d.length, {0}, d.type},
					  &d))
				return false;
	}
	return w->bytes == len || walk_fail(w, "Data SGL Length Invalid");
}
#endif
