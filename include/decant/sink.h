/* SPDX-License-Identifier: MIT */
#ifndef DECANT_SINK_H
#define DECANT_SINK_H
#include <decant/iter.h>
#include <decant/limits.h>
#include <decant/space.h>
#include <decant/domain.h>
#include <decant/hold.h>

DECANT_BEGIN

/**
 * enum decant_stop - why an extraction went no further
 * @DECANT_STOP_END: everything that was asked for, or everything there was, is in
 * @DECANT_STOP_FULL: the table, or the stage, has no room left
 * @DECANT_STOP_LIMIT: one of the limits: elements, bytes in all, or the gap rule
 * @DECANT_STOP_HOLE: the source has no memory here (a hole in a page cache)
 * @DECANT_STOP_FAULT: the next address can't be used
 * @DECANT_STOP_UNREGISTERED: the next byte lies in no region, or in one the domain has no
 *	key for, and the policy is to refuse
 * @DECANT_STOP_ALIGNMENT: the next bytes break an alignment and there is no stage
 * @DECANT_STOP_MEMORY: a hold could not be recorded
 *
 * Since: 0.1
 */
enum decant_stop {
	DECANT_STOP_END,
	DECANT_STOP_FULL,
	DECANT_STOP_LIMIT,
	DECANT_STOP_HOLE,
	DECANT_STOP_FAULT,
	DECANT_STOP_UNREGISTERED,
	DECANT_STOP_ALIGNMENT,
	DECANT_STOP_MEMORY,
};

/**
 * enum decant_policy - what to do with memory that lies in no region of the sink's space
 * @DECANT_TRUST: take it as it is; the caller vouches for it. A sink with keys uses
 *	struct decant_sink's @lkey.
 * @DECANT_REFUSE: stop with DECANT_STOP_UNREGISTERED
 * @DECANT_STAGE: send it through the sink's stage
 * @DECANT_REGISTER: map it in the sink's domain for as long as the sink's hold keeps it:
 *	a whole run of adjacent bytes at a time. Without a domain or a hold, and where the
 *	domain can't, stop with DECANT_STOP_UNREGISTERED; what the domain said is then the
 *	error. The caller keeps the memory.
 *
 * Since: 0.1
 */
enum decant_policy { DECANT_TRUST, DECANT_REFUSE, DECANT_STAGE, DECANT_REGISTER };

/**
 * struct decant_element - one element on its way into a sink
 * @addr: first byte
 * @len: bytes, never 0
 * @region: the owner, or NULL; of its last byte where a sink joins owners
 * @mapping: what the sink's domain says about @region, or NULL
 * @device: the address by which the device knows the first byte, in a sink of device
 *	addresses with a domain; else the same as @addr
 *
 * Since: 0.1
 */
struct decant_element {
	unsigned char *addr;
	size_t len;
	struct decant_region *region;
	const struct decant_mapping *mapping;
	uint64_t device;
};

struct decant_sink;
struct decant_stage;

/**
 * struct decant_sink_ops - what a sink must know: one file, one constant
 * @name: as in the registry
 * @room: bytes that @init needs besides those for the elements
 * @element_size: bytes that @init needs for each element; 0 for a sink without a table
 * @max_element_bytes: what the length field holds
 * @device: elements are device addresses: with a domain, what is adjacent, aligned or too
 *	long is judged by them
 * @joins_owners: adjacent bytes of different regions may share an element
 * @put: write element number @index; it fits and it obeys the limits
 * @grow: the last element, number @index, is @len bytes long now
 * @span: read element @index back as a span, for tests and for showing. In a sink of
 *	device addresses the address is the device's.
 * @init: begin a sink of at most @max elements in memory that is aligned for any type.
 *	What a format leaves open is chosen small, so that a test meets all of its rules.
 * @rules: make the limits as strict as the format itself demands; NULL: no demands
 * @cut: elements were taken back, @sink->nr are left; NULL: nothing outside the sink
 *	counts them
 *
 * Since: 0.1
 */
struct decant_sink_ops {
	const char *name;
	size_t room;
	size_t element_size;
	size_t max_element_bytes;
	bool device;
	bool joins_owners;
	void (*put)(struct decant_sink *sink, size_t index,
		    const struct decant_element *el);
	void (*grow)(struct decant_sink *sink, size_t index, size_t len);
	struct decant_span (*span)(const struct decant_sink *sink, size_t index);
	void (*init)(struct decant_sink *sink, void *table, size_t max);
	void (*rules)(const struct decant_sink *sink, struct decant_limits *limits);
	void (*cut)(struct decant_sink *sink);
};

/**
 * struct decant_sink - where extracted elements go
 * @limits: the caller's: the device's rules
 * @space: the caller's: where the owner of memory without a region is looked up, or NULL
 * @domain: the caller's: whose keys the elements need, or NULL
 * @hold: the caller's: where references are recorded, or NULL: the caller keeps the
 *	memory
 * @stage: the caller's: scratch memory for pieces that can't go directly, or NULL
 * @policy: the caller's: what happens to memory in no region of @space
 * @stage_gaps: the caller's: what breaks @limits.gap in the middle of a request goes
 *	through @stage, in multiples of the gap, instead of ending the request. The last
 *	element is cut back to where the rule holds, unless an earlier extraction put it.
 * @lkey: the caller's: the key for memory that was trusted, one for the whole request
 * @nr: elements so far
 * @bytes: bytes so far
 * @merged: spans that needed no element of their own, so far
 * @stop: why the last extraction went no further
 * @error: with DECANT_STOP_UNREGISTERED: why memory could not be registered, a negative
 *	errno; 0 if that was not tried
 * @id: which one of the library's; the library's own
 * @ops: the sink's functions
 * @table: the caller's array
 * @max: elements that fit into it
 * @last: the last element, for merging; the library's own
 *
 * Set up with one of decant_sink_iovec() and its like, then set what is the caller's.
 * Several extractions may follow one another into one sink. To use it again from the
 * beginning, call decant_sink_reset().
 *
 * Since: 0.1
 */
struct decant_sink {
	struct decant_limits limits;
	struct decant_space *space;
	struct decant_domain *domain;
	struct decant_hold *hold;
	struct decant_stage *stage;
	enum decant_policy policy;
	bool stage_gaps;
	uint32_t lkey;
	size_t nr;
	size_t bytes;
	size_t merged;
	enum decant_stop stop;
	int error;
	unsigned id;
	const struct decant_sink_ops *ops;
	void *table;
	size_t max;
	struct decant_element last;
};

/**
 * struct decant_sge - scatter/gather element of an RDMA work request
 * @addr: the address the device knows
 * @length: bytes
 * @lkey: local key
 *
 * The layout is that of struct ibv_sge (ibv_post_send(3)).
 *
 * Since: 0.1
 */
struct decant_sge {
	uint64_t addr;
	uint32_t length;
	uint32_t lkey;
};

/**
 * struct decant_dma - memory as a device knows it
 * @addr: the device's address of the first byte (an IOVA, a bus address)
 * @length: bytes
 *
 * Since: 0.1
 */
struct decant_dma {
	uint64_t addr;
	uint64_t length;
};

/**
 * decant_sink_iovec - extract into an array of struct iovec
 * @sink: filled
 * @iov: the table; borrowed
 * @max: elements that fit
 *
 * Since: 0.1
 */
DECANT_API void decant_sink_iovec(struct decant_sink *sink, struct iovec *iov,
				  size_t max);

/**
 * decant_sink_bvec - extract into an array of spans with their owners
 * @sink: filled
 * @bvec: the table; borrowed. What keeps the regions in it alive is @sink->hold.
 * @max: elements that fit
 *
 * Since: 0.1
 */
DECANT_API void decant_sink_bvec(struct decant_sink *sink, struct decant_bvec *bvec,
				 size_t max);

/**
 * decant_sink_sge - extract into an array of RDMA SGEs
 * @sink: filled
 * @sge: the table; borrowed
 * @max: elements that fit
 *
 * With @sink->domain set, address and key come from the region's mapping there; a region
 * without one counts as unregistered. Without a domain every SGE gets @sink->lkey.
 *
 * Since: 0.1
 */
DECANT_API void decant_sink_sge(struct decant_sink *sink, struct decant_sge *sge,
				size_t max);

/**
 * decant_sink_dma - extract into tuples of device address and length
 * @sink: filled; set @sink->domain to what issues the addresses
 * @dma: the table; borrowed
 * @max: elements that fit
 *
 * Bytes that are adjacent for the device share an element, also when they are not for the
 * program and when their regions differ; all of these are held. Bytes that are adjacent
 * for the program only do not. Alignments, boundary and gap rule count in the device's
 * addresses, too. A region without a mapping counts as unregistered; memory that is
 * trusted, and all memory without a domain, is taken to be mapped one to one. Memory
 * that claims a region and lies outside of it is a fault.
 *
 * Since: 0.1
 */
DECANT_API void decant_sink_dma(struct decant_sink *sink, struct decant_dma *dma,
				size_t max);

/**
 * decant_sink_count - count the elements that an extraction would give
 * @sink: filled; set the limits as for the real one
 *
 * Since: 0.1
 */
DECANT_API void decant_sink_count(struct decant_sink *sink);

/**
 * decant_sink_reset - empty a sink; what the caller set stays
 * @sink: the sink. The hold is not touched.
 *
 * Since: 0.1
 */
DECANT_API void decant_sink_reset(struct decant_sink *sink);

/**
 * decant_sink_span - read an element back
 * @sink: the sink
 * @index: from 0 to @sink->nr - 1
 *
 * Return: the element as a span; empty if there is no such element or the sink keeps
 * none.
 * In sinks of device addresses (sge, dma, prp, nvme_sgl) the address is the device's: a
 * pointer only where the domain maps memory one to one.
 * Since: 0.1
 */
DECANT_API struct decant_span decant_sink_span(const struct decant_sink *sink,
					       size_t index);

/**
 * decant_stop_name - a stop reason in a word
 * @stop: the reason
 *
 * Return: a static string such as "alignment".
 * Since: 0.1
 */
DECANT_API const char *decant_stop_name(enum decant_stop stop);

DECANT_END
#endif
