/* SPDX-License-Identifier: MIT */
#ifndef DECANT_ITER_H
#define DECANT_ITER_H
#include <decant/span.h>

DECANT_BEGIN

/**
 * enum decant_kind_id - what an iterator walks; made from the registry kinds.def
 * @DECANT_KIND_COUNT: how many kinds there are
 *
 * Since: 0.1
 */
enum decant_kind_id {
#define DECANT_KIND(NAME, name) DECANT_KIND_##NAME,
#include <decant/kinds.def>
#undef DECANT_KIND
	DECANT_KIND_COUNT
};

/**
 * struct decant_iter - a cursor over bytes of one kind
 * @kind: enum decant_kind_id
 * @direction: enum decant_direction
 * @count: bytes left
 * @consumed: bytes behind the cursor, the most that revert gives back
 * @offset: position in the current element
 * @at: the current element; what it points to depends on the kind
 * @word: the kind's own
 * @extra: the kind's own
 *
 * A value: copy it freely, save and restore it by assignment. It owns nothing; lists and
 * memory must stay as long as a copy is in use. All zeroes is an empty iterator. Read it
 * through the functions, not through the fields.
 *
 * Since: 0.1
 */
struct decant_iter {
	uint8_t kind;
	uint8_t direction;
	uint8_t extra[6];
	size_t count;
	size_t consumed;
	size_t offset;
	union {
		void *addr;
		const struct iovec *iov;
		const struct decant_bvec *bvec;
		const void *any;
	} at;
	uintptr_t word[3];
};

/**
 * decant_iter_buf - iterate over one contiguous buffer
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @addr: first byte
 * @len: bytes, 0 allowed
 *
 * Return: 0; -EINVAL for an unknown direction, -EFAULT for NULL with a length or a range
 * that wraps.
 * Since: 0.1
 */
DECANT_API int decant_iter_buf(struct decant_iter *it, enum decant_direction direction,
			       void *addr, size_t len);

/**
 * decant_iter_iovec - iterate over an array of struct iovec
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @iov: the array; borrowed, and not changed while the iterator is in use
 * @nr: elements, any number; empty ones are skipped wherever they stand
 *
 * Return: 0; -EINVAL for an unknown direction, -EFAULT for NULL with a length or a range
 * that wraps, -EOVERFLOW if the lengths add up to more than SSIZE_MAX.
 * Since: 0.1
 */
DECANT_API int decant_iter_iovec(struct decant_iter *it, enum decant_direction direction,
				 const struct iovec *iov, size_t nr);

/**
 * decant_iter_bvec - iterate over an array of spans with their owners
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @bvec: the array; borrowed, and not changed while the iterator is in use
 * @nr: elements, any number; empty ones are skipped wherever they stand
 *
 * Return: 0; -EINVAL for an unknown direction, -EFAULT for NULL with a length, a range
 * that wraps or one that leaves the region it names, -EOVERFLOW if the lengths add up to
 * more than SSIZE_MAX.
 * Since: 0.1
 */
DECANT_API int decant_iter_bvec(struct decant_iter *it, enum decant_direction direction,
				const struct decant_bvec *bvec, size_t nr);

/**
 * decant_iter_zero - a source of zero bytes
 * @it: filled; untouched on error
 * @len: bytes, up to SSIZE_MAX
 *
 * The bytes lie in constant memory of the library, shared by all, in no region.
 *
 * Return: 0; -EOVERFLOW.
 * Since: 0.1
 */
DECANT_API int decant_iter_zero(struct decant_iter *it, size_t len);

/**
 * decant_iter_discard - a destination that forgets what is written to it
 * @it: filled; untouched on error
 * @len: bytes, up to SSIZE_MAX
 *
 * Where a device needs memory, the bytes lie in scratch memory of the library, shared by
 * all, in no region; never read it.
 *
 * Return: 0; -EOVERFLOW.
 * Since: 0.1
 */
DECANT_API int decant_iter_discard(struct decant_iter *it, size_t len);

/**
 * decant_iter_strided - iterate over blocks of one size at one distance
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @base: first byte of the first block
 * @block: bytes of a block
 * @stride: bytes from the beginning of one block to that of the next
 * @nr: blocks, any number: there is no list
 *
 * A column of a matrix, a plane of an image, the payloads of a ring of packets. Blocks
 * that touch (@stride is @block) are one span.
 *
 * Return: 0; -EINVAL for an unknown direction or blocks that overlap, -EFAULT for NULL
 * with a length or a range that wraps, -EOVERFLOW if the lengths add up to more than
 * SSIZE_MAX.
 * Since: 0.1
 */
DECANT_API int decant_iter_strided(struct decant_iter *it,
				   enum decant_direction direction, void *base,
				   size_t block, size_t stride, size_t nr);

/**
 * decant_iter_chain - iterators in a row as one: header, payload, trailer
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @parts: the iterators, each from where it stands; borrowed, and not changed while the
 *	chain or a copy of it is in use
 * @nr: parts, any number; empty ones are skipped wherever they stand
 *
 * Parts are of any kind but chains, all of the same direction. They are read, never
 * moved: what was consumed shows in the chain alone, and its copies are independent
 * values. A queue among them counts with what it has when the chain is made, which is
 * noted in it, and so is where a list ends that was truncated. Any step costs the same
 * however many parts there are and however long they are; but reverting into an earlier
 * part walks in it if it is a list of remote addresses that was truncated, or a queue's
 * truncated or grown part.
 *
 * Return: 0; -EINVAL for an unknown direction or a part of another one, -ELOOP for a
 * chain in a chain, -EFAULT for no list, -EOVERFLOW if the parts have more than SSIZE_MAX
 * bytes.
 * Since: 0.1
 */
DECANT_API int decant_iter_chain(struct decant_iter *it, enum decant_direction direction,
				 struct decant_iter *parts, size_t nr);

/**
 * decant_iter_process - iterate over memory of another process
 * @it: filled; untouched on error
 * @direction: what will be done to the memory
 * @pid: the process; it may be this one
 * @iov: addresses there, and lengths; borrowed, and not changed while the iterator is in
 *	use
 * @nr: elements, any number; empty ones are skipped wherever they stand
 *
 * The bytes are copied by process_vm_readv(2) and process_vm_writev(2), never pointed at:
 * a span has a length and no address. The verbs copy many pieces of both sides in one
 * call; an extraction needs a stage, and stops with DECANT_STOP_FAULT if it has none.
 * What can't be reached gives, after what can: -EFAULT, -ESRCH for a process that is
 * gone, -EPERM for one that must not be looked at.
 *
 * Return: 0; -EINVAL for an unknown direction or no process, -EFAULT for NULL with a
 * length or a range that wraps, -EOVERFLOW if the lengths add up to more than SSIZE_MAX.
 * Since: 0.1
 */
DECANT_API int decant_iter_process(struct decant_iter *it,
				   enum decant_direction direction, pid_t pid,
				   const struct iovec *iov, size_t nr);

/**
 * decant_iter_count - bytes left
 * @it: the iterator
 *
 * Return: how many bytes are ahead of the cursor.
 * Since: 0.1
 */
DECANT_API size_t decant_iter_count(const struct decant_iter *it);

/**
 * decant_iter_consumed - bytes behind the cursor
 * @it: the iterator
 *
 * Return: how many bytes decant_iter_revert() could give back.
 * Since: 0.1
 */
DECANT_API size_t decant_iter_consumed(const struct decant_iter *it);

/**
 * decant_iter_peek - the next contiguous bytes
 * @it: the iterator; not changed
 *
 * A page of a page cache or of a custom kind that may go away at any time is not kept:
 * see decant_iter_get().
 *
 * Return: the span. It is empty if nothing is left, or if the next byte can't be had:
 * decant_span_error() says why. Its address is NULL if the bytes can only be copied.
 * Since: 0.1
 */
DECANT_API struct decant_span decant_iter_peek(const struct decant_iter *it);

/**
 * decant_iter_get - the next contiguous bytes, with a reference
 * @it: the iterator; not changed
 *
 * Return: as decant_iter_peek(); if the span names a region, with a reference to that,
 * which the caller gives back with decant_region_put().
 * Since: 0.1
 */
DECANT_API DECANT_MUST struct decant_span decant_iter_get(const struct decant_iter *it);

/**
 * decant_iter_advance - move the cursor ahead
 * @it: the iterator
 * @n: bytes
 *
 * Return: 0; -EINVAL, and nothing changed, if fewer than @n bytes are left.
 * Since: 0.1
 */
DECANT_API int decant_iter_advance(struct decant_iter *it, size_t n);

/**
 * decant_iter_revert - move the cursor back
 * @it: the iterator
 * @n: bytes
 *
 * Return: 0; -EINVAL, and nothing changed, if fewer than @n bytes were consumed.
 * Since: 0.1
 */
DECANT_API int decant_iter_revert(struct decant_iter *it, size_t n);

/**
 * decant_iter_seek - put the cursor at a position counted from where the iterator began
 * @it: the iterator
 * @pos: bytes from the beginning
 *
 * Return: 0; -EINVAL, and nothing changed, if that is beyond the end.
 * Since: 0.1
 */
DECANT_API int decant_iter_seek(struct decant_iter *it, size_t pos);

/**
 * decant_iter_truncate - leave at most so many bytes ahead
 * @it: the iterator
 * @n: bytes; a number not below what is left changes nothing
 *
 * Since: 0.1
 */
DECANT_API void decant_iter_truncate(struct decant_iter *it, size_t n);

DECANT_END
#endif
