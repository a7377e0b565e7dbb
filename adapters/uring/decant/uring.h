/* SPDX-License-Identifier: MIT */
#ifndef DECANT_URING_H
#define DECANT_URING_H
#include <decant/decant.h>

DECANT_BEGIN

/*
 * uring.h - asynchronous file I/O from and into iterators: io_uring, or a pool of threads
 * where io_uring is not allowed. One ring belongs to one thread at a time.
 */

struct decant_uring;
struct decant_uring_file;

/**
 * enum decant_uring_backend - who does the work
 * @DECANT_URING_AUTO: io_uring, or threads where it can't be had
 * @DECANT_URING_RING: io_uring or an error
 * @DECANT_URING_THREADS: a pool of threads
 *
 * Since: 0.1
 */
enum decant_uring_backend { DECANT_URING_AUTO, DECANT_URING_RING, DECANT_URING_THREADS };

/**
 * enum decant_uring_direct - whether to go past the page cache
 * @DECANT_URING_DIRECT_AUTO: where the file system can
 * @DECANT_URING_DIRECT_ALWAYS: or an error
 * @DECANT_URING_DIRECT_NEVER: through the page cache
 *
 * Since: 0.1
 */
enum decant_uring_direct {
	DECANT_URING_DIRECT_AUTO,
	DECANT_URING_DIRECT_ALWAYS,
	DECANT_URING_DIRECT_NEVER
};

/**
 * struct decant_uring_options - how a ring is made
 * @size: sizeof(struct decant_uring_options)
 * @depth: most operations under way at a time, 1 to 4096; 0 for 64
 * @backend: who does the work
 * @space: where owners of memory are looked up, or NULL: the caller keeps the memory until
 *	completion
 * @stage_bytes: scratch memory an operation may use at a time; 0 for 256 KiB
 *
 * Since: 0.1
 */
struct decant_uring_options {
	size_t size;
	unsigned depth;
	enum decant_uring_backend backend;
	struct decant_space *space;
	size_t stage_bytes;
};

/**
 * struct decant_uring_event - an operation that is complete
 * @user: what the caller gave when it began
 * @result: bytes, or a negative errno when there was no progress
 *
 * Since: 0.1
 */
struct decant_uring_event {
	void *user;
	ssize_t result;
};

/**
 * struct decant_uring_stats - what a ring has done so far
 * @operations: operations completed
 * @submissions: requests given to the kernel or to a thread
 * @elements: elements extracted
 * @merged: spans that needed no element of their own
 * @direct_bytes: bytes that went past the page cache, directly from or into the caller's memory
 * @staged_bytes: bytes that went past the page cache through scratch memory
 * @buffered_bytes: bytes that went through the page cache
 * @resumed: requests that had to be continued after a short transfer
 *
 * Since: 0.1
 */
struct decant_uring_stats {
	uint64_t operations;
	uint64_t submissions;
	uint64_t elements;
	uint64_t merged;
	uint64_t direct_bytes;
	uint64_t staged_bytes;
	uint64_t buffered_bytes;
	uint64_t resumed;
};

/**
 * struct decant_uring_file_info - what a file demands
 * @direct: whether it is read and written past the page cache
 * @mem_align: alignment of memory, bytes; 1 if not @direct
 * @offset_align: alignment of position and length, bytes; 1 if not @direct
 * @known: whether the alignments come from statx(2) (STATX_DIOALIGN) or are a safe guess
 * @why: when not @direct, or guessed: why, in words; else NULL
 *
 * Since: 0.1
 */
struct decant_uring_file_info {
	bool direct;
	uint32_t mem_align;
	uint32_t offset_align;
	bool known;
	const char *why;
};

DECANT_API DECANT_MUST int decant_uring_new(struct decant_uring **out,
					    const struct decant_uring_options *options);
DECANT_API void decant_uring_free(struct decant_uring *ring);
DECANT_API enum decant_uring_backend decant_uring_backend(const struct decant_uring *ring);
/* why it is threads and not io_uring, in words; NULL if it is io_uring or threads were asked for */
DECANT_API const char *decant_uring_reason(const struct decant_uring *ring);
/* becomes readable (poll(2)) when an operation has completed */
DECANT_API int decant_uring_fd(const struct decant_uring *ring);
DECANT_API void decant_uring_stats(const struct decant_uring *ring,
				   struct decant_uring_stats *stats);

/* fd is borrowed and must stay open; position-independent files (pipes) are buffered, pos ignored */
DECANT_API DECANT_MUST int decant_uring_file_open(struct decant_uring_file **out, int fd,
						  enum decant_uring_direct direct);
DECANT_API void decant_uring_file_close(struct decant_uring_file *file);
DECANT_API void decant_uring_file_info(const struct decant_uring_file *file,
				       struct decant_uring_file_info *info);

/* 0 = begun, and it is advanced by min(len, count); -EAGAIN: depth is reached; completion by an event */
DECANT_API DECANT_MUST int decant_uring_read(struct decant_uring *ring,
					     struct decant_uring_file *file,
					     struct decant_iter *it, size_t len, uint64_t pos,
					     void *user);
DECANT_API DECANT_MUST int decant_uring_write(struct decant_uring *ring,
					      struct decant_uring_file *file,
					      struct decant_iter *it, size_t len, uint64_t pos,
					      void *user);
DECANT_API DECANT_MUST int decant_uring_fsync(struct decant_uring *ring,
					      struct decant_uring_file *file, void *user);
/* hand what was begun to the kernel without waiting */
DECANT_API int decant_uring_submit(struct decant_uring *ring);
/* submit, then gather up to max events; timeout in milliseconds, 0: don't wait, -1: for ever;
 * returns the number of events, 0 on timeout or when nothing is under way */
DECANT_API DECANT_MUST int decant_uring_wait(struct decant_uring *ring,
					     struct decant_uring_event *events, unsigned max,
					     int timeout);

DECANT_END
#endif
