/* SPDX-License-Identifier: MIT */
#ifndef DECANT_URING_H
#define DECANT_URING_H
#include <decant/decant.h>

DECANT_BEGIN

/*
 * uring.h - asynchronous file I/O from and into iterators: io_uring, or a pool of
 * threads where io_uring is not allowed. One ring belongs to one thread at a time.
 *
 * An operation decants the caller's iterator when it begins: the iterator, its lists and
 * the stack they are on may go at once. The memory itself stays until the event: regions
 * of the ring's space are held, anything else is the caller's to keep. Memory that has no
 * address here (decant_iter_process()) is copied: a source's when the operation begins, a
 * destination's when it is done, so that there the iterator's list must stay until the
 * event; what can't be reached then gives fewer bytes, or its error.
 *
 * Direct I/O takes any position, length and cut. Misaligned pieces and edges go through
 * scratch memory, all else directly. A write that changes only a part of a block reads
 * that block, changes it and writes it whole. Where it can't - the file ends in the block
 * or before it, or was not opened for reading - the edge goes through the page cache once
 * the rest is done. Writes through one struct decant_uring_file wait for one another, in
 * the order in which they began, where one has an edge in a block (or page, if that is
 * more) that the other touches; so no byte is lost, whichever rings and threads they are
 * of. Writes that overlap otherwise have no order, and nobody waits for a write through
 * another file, descriptor or process: those that share a block with an edge are the
 * caller's to put in order. decant_uring_fsync() covers both ways.
 *
 * A file may be used by several rings of several threads at a time. A write that waits
 * for one of another ring goes on when that ring's events have been gathered. A thread
 * with two rings must therefore gather the events of both: if it waits for ever on the
 * one whose write needs a block that a write of the other still has, that is for ever.
 *
 * After fork(2) a ring and all that is under way in it are the parent's. In the child
 * every call that would use it gives -ECHILD, and decant_uring_free() frees what is the
 * child's own: its copy of the ring and its references to regions.
 *
 * A write to a pipe nobody reads raises SIGPIPE, one beyond RLIMIT_FSIZE raises SIGXFSZ,
 * as with write(2), if io_uring does the work.
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
 * enum decant_uring_buffers - whether regions become registered buffers
 * @DECANT_URING_BUFFERS_AUTO: when an operation first uses one, if the kernel and the
 *	limit on locked memory allow it
 * @DECANT_URING_BUFFERS_ALWAYS: or the operation does not begin
 * @DECANT_URING_BUFFERS_NEVER: none
 *
 * Since: 0.1
 */
enum decant_uring_buffers {
	DECANT_URING_BUFFERS_AUTO,
	DECANT_URING_BUFFERS_ALWAYS,
	DECANT_URING_BUFFERS_NEVER
};

/**
 * struct decant_uring_options - how a ring is made
 * @size: sizeof(struct decant_uring_options)
 * @depth: most operations under way at a time, 1 to 4096; 0 for 64
 * @backend: who does the work
 * @space: where owners of memory are looked up, or NULL: the caller keeps the memory
 *	until completion
 * @stage_bytes: scratch memory an operation may use at a time; 0 for 256 KiB, at least
 *	128 KiB (less is raised to that), at most 64 MiB. Memory is taken when an
 *	operation first needs some; all of a ring share about 64 MiB and take turns if
 *	that is short.
 * @small_piece: a transfer in pieces that are shorter than this on average goes through
 *	memory of the ring even if each could go directly, because a device (or a kernel)
 *	works longer on each than copying it takes; bytes, 0 for what was measured to pay:
 *	4096 for a direct read; 2048 for a direct write, but none from a registered buffer
 *	where several elements may lie in one; 512 through the page cache. 1: none are
 *	small.
 * @batch: after so many operations have begun, they are submitted without being asked, so
 *	that a device has work while the caller prepares more; 0 for 4, which costs little
 *	more processor time than submitting everything at once. 1: each at once.
 * @buffers: whether regions become registered buffers
 * @regions: most GiB, each region's rounded up, that are registered at a time, 1 to
 *	16384; 0 for 1024
 * @zero_copy_bytes: bytes from which on a transfer to a socket is sent without a copy,
 *	if its pieces have 4 KiB on average; 0 for 32 KiB, SIZE_MAX for never. See
 *	uring_socket.h.
 * @one_thread: a promise that no other thread than the one that makes the ring ever uses
 *	it or frees it; calls from others then give -EEXIST or do nothing. For it,
 *	io_uring works with less locking and does not interrupt the thread
 *	(IORING_SETUP_SINGLE_ISSUER and IORING_SETUP_DEFER_TASKRUN, Linux 6.1). Otherwise
 *	a ring may go from thread to thread.
 *
 * Since: 0.1
 */
struct decant_uring_options {
	size_t size;
	unsigned depth;
	enum decant_uring_backend backend;
	struct decant_space *space;
	size_t stage_bytes;
	size_t small_piece;
	unsigned batch;
	enum decant_uring_buffers buffers;
	unsigned regions;
	size_t zero_copy_bytes;
	bool one_thread;
};

/**
 * enum decant_uring_code - what an operation does
 * @DECANT_URING_READ: as decant_uring_read()
 * @DECANT_URING_WRITE: as decant_uring_write()
 * @DECANT_URING_FSYNC: as decant_uring_fsync()
 *
 * Since: 0.1
 */
enum decant_uring_code { DECANT_URING_READ, DECANT_URING_WRITE, DECANT_URING_FSYNC };

/**
 * enum decant_uring_flag - how an operation does it
 * @DECANT_URING_SHORT: don't continue a short transfer. What has no positions completes
 *	with the first bytes.
 * @DECANT_URING_COPY: through a socket, never send without a copy
 * @DECANT_URING_ZERO_COPY: send without a copy wherever the kernel can, however little it
 *	is; see uring_socket.h
 *
 * Since: 0.1
 */
enum decant_uring_flag {
	DECANT_URING_SHORT = 1,
	DECANT_URING_COPY = 2,
	DECANT_URING_ZERO_COPY = 4
};

struct decant_uring_message;

/**
 * struct decant_uring_operation - all there is to say about an operation
 * @size: sizeof(struct decant_uring_operation)
 * @code: what to do
 * @flags: enum decant_uring_flag, or 0
 * @file: with which file; must stay until the event
 * @it: the memory, see decant_uring_read() and decant_uring_write(); unused by fsync
 * @len: bytes, or all that is left in @it if that is less
 * @pos: position in the file, bytes
 * @deadline: nanoseconds of CLOCK_MONOTONIC (clock_gettime(2)); 0 for none. What is not
 *	done by then ends as if it had been cancelled, with -ETIMEDOUT instead of
 *	-ECANCELED.
 * @message: through a socket, what belongs to the message besides its bytes, or NULL;
 *	see uring_socket.h
 * @user: comes back in the event
 *
 * Since: 0.1
 */
struct decant_uring_operation {
	size_t size;
	enum decant_uring_code code;
	unsigned flags;
	struct decant_uring_file *file;
	struct decant_iter *it;
	size_t len;
	uint64_t pos;
	int64_t deadline;
	struct decant_uring_message *message;
	void *user;
};

/**
 * struct decant_uring_event - an operation that is complete
 * @user: what the caller gave when it began
 * @result: bytes that were transferred from the beginning without a gap, or a negative
 *	errno when there were none; 0 also for fsync
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
 * @elements: elements extracted for them
 * @merged: pieces that needed no element of their own; what merges as the iterator is
 *	decanted is not among them
 * @direct_bytes: bytes that went past the page cache, directly from or into the caller's
 *	memory
 * @staged_bytes: bytes that went past the page cache through scratch memory
 * @buffered_bytes: bytes that went through the page cache, or to a file without one
 * @edges: blocks of which a direct write changed only a part: read, changed and written
 * @fixed: requests from or into registered buffers
 * @resumed: requests that had to be continued after a short transfer
 * @zero_copy: requests that were sent without a copy
 * @zero_copied: of these, how many the kernel copied all the same
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
	uint64_t edges;
	uint64_t fixed;
	uint64_t resumed;
	uint64_t zero_copy;
	uint64_t zero_copied;
};

/**
 * struct decant_uring_buffers_info - registered buffers of a ring
 * @possible: whether regions are registered
 * @vectored: whether requests of several elements use them, too (Linux 6.15); known once
 *	a region has been registered
 * @regions: how many are registered
 * @locked: bytes of memory that this locks
 * @needed: bytes that RLIMIT_MEMLOCK must allow for what it refused last; more if other
 *	rings of the same user lock memory. 0 if it refused nothing.
 * @limit: RLIMIT_MEMLOCK, bytes; UINT64_MAX if there is none. CAP_IPC_LOCK is above it.
 * @why: when not @possible: why, in words; else NULL
 *
 * Since: 0.1
 */
struct decant_uring_buffers_info {
	bool possible;
	bool vectored;
	unsigned regions;
	uint64_t locked;
	uint64_t needed;
	uint64_t limit;
	const char *why;
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

/**
 * decant_uring_new - begin a ring
 * @out: receives the ring; untouched on error
 * @options: how; NULL for the defaults
 *
 * Return: 0; -EINVAL for an unknown size, back end or a number out of range, -ENOMEM,
 * -EMFILE or -ENFILE. With DECANT_URING_RING also -EPERM, -EACCES or -ENOSYS: io_uring
 * is forbidden, or not there, or older than Linux 5.6.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_new(struct decant_uring **out,
					    const struct decant_uring_options *options);

/**
 * decant_uring_free - end a ring
 * @ring: the ring, or NULL
 *
 * Cancels what is under way (decant_uring_cancel_all()), waits until the last of it has
 * ended, and drops the events. What a disk is busy with is waited for; a peer is not.
 * Everything that was held is given back; but what was sent without a copy and is not
 * acknowledged after a second stays held for good, so that nobody overwrites it before
 * it is sent.
 *
 * Since: 0.1
 */
DECANT_API void decant_uring_free(struct decant_uring *ring);

/**
 * decant_uring_backend - who does the work
 * @ring: the ring
 *
 * Return: DECANT_URING_RING or DECANT_URING_THREADS.
 * Since: 0.1
 */
DECANT_API enum decant_uring_backend
decant_uring_backend(const struct decant_uring *ring);

/**
 * decant_uring_reason - why it is threads and not io_uring
 * @ring: the ring
 *
 * Return: a static string; NULL if it is io_uring or threads were asked for.
 * Since: 0.1
 */
DECANT_API const char *decant_uring_reason(const struct decant_uring *ring);

/**
 * decant_uring_fd - a descriptor for poll(2)
 * @ring: the ring
 *
 * It is readable while decant_uring_wait() has something to do without waiting; that may
 * come to no event, when an operation goes on after a short transfer. Begun operations
 * must have been submitted. A ring for one thread makes it when it is asked for first, in
 * that thread: its completions are work that waits for the thread, which poll(2) on
 * io_uring's own descriptor sees but does not wake up for (io_uring_setup(2),
 * IORING_SETUP_DEFER_TASKRUN).
 *
 * Return: the descriptor; the ring's own: neither read nor close it. -EEXIST in a thread
 * that the ring is not for, -ECHILD in a child process, -EMFILE, -ENFILE or -ENOMEM if it
 * can't be made.
 * Since: 0.1
 */
DECANT_API int decant_uring_fd(struct decant_uring *ring);

/**
 * decant_uring_stats - what a ring has done so far
 * @ring: the ring
 * @stats: filled
 *
 * Since: 0.1
 */
DECANT_API void decant_uring_stats(const struct decant_uring *ring,
				   struct decant_uring_stats *stats);

/**
 * decant_uring_domain - the ring as a domain of regions
 * @ring: the ring
 *
 * A region that is mapped here is a registered buffer: the kernel has locked its memory
 * and need not look its pages up again. An operation whose memory lies in one of them
 * uses it. Regions are mapped by themselves (enum decant_uring_buffers), which costs the
 * first operation some time; decant_domain_map() by the thread that uses the ring does it
 * beforehand. A region stays mapped until decant_domain_unmap(), the end of the ring or
 * the region's last reference. If that goes in another thread, the memory may stay locked
 * until the ring is used next.
 *
 * decant_domain_map() gives -EOPNOTSUPP if nothing can be registered, -ENOMEM if
 * RLIMIT_MEMLOCK is too small (decant_uring_buffers_info() says what is needed), -ENOSPC
 * if there are too many regions, or what the kernel says of such memory.
 *
 * Return: the domain; the ring's.
 * Since: 0.1
 */
DECANT_API struct decant_domain *decant_uring_domain(struct decant_uring *ring);

/**
 * decant_uring_buffers_info - what is registered, and what it would have taken
 * @ring: the ring
 * @info: filled; @info->why is a static string
 *
 * Since: 0.1
 */
DECANT_API void decant_uring_buffers_info(struct decant_uring *ring,
					  struct decant_uring_buffers_info *info);

/**
 * decant_uring_file_open - make a file ready for operations
 * @out: receives the file; untouched on error
 * @fd: the descriptor, of any kind but directories and O_PATH; borrowed, and it must
 *	stay open
 * @direct: whether to go past the page cache
 *
 * Regular files and block devices have positions. All else (pipes, sockets, character
 * devices) does not: it is never direct, and positions are ignored. For direct I/O the
 * file is opened once more (/proc/self/fd) with the same access mode; an @fd that has
 * O_DIRECT is used as it is, and the file is opened once more without. With O_APPEND a
 * file is never direct, and writes go to its end.
 *
 * Return: 0; -EBADF, -EISDIR, -ENOMEM, -EINVAL for an unknown @direct. With
 * DECANT_URING_DIRECT_ALWAYS also -EINVAL if the file can't be direct, or what open(2)
 * says.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_file_open(struct decant_uring_file **out, int fd,
						  enum decant_uring_direct direct);

/**
 * decant_uring_file_close - the opposite of decant_uring_file_open()
 * @file: the file, or NULL; no operation may be using it. The caller's descriptor stays
 *	open.
 *
 * Since: 0.1
 */
DECANT_API void decant_uring_file_close(struct decant_uring_file *file);

/**
 * decant_uring_file_register - let a ring's kernel side keep a file at hand
 * @ring: the ring
 * @file: the file; one ring at a time
 *
 * Reads and writes of it through @ring need not look the descriptor up each time. The
 * kernel keeps the file open until it is unregistered or closed, or the ring ends; all of
 * these are for the thread that uses the ring. Registering again is no error; on threads
 * it changes nothing.
 *
 * Return: 0; -EBUSY if it is registered with another ring, -ENOSPC for more than 64
 * files, -EPERM in a child process, or what the kernel says.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_file_register(struct decant_uring *ring,
						      struct decant_uring_file *file);

/**
 * decant_uring_file_unregister - the opposite of decant_uring_file_register()
 * @ring: the ring
 * @file: the file; no operation of @ring may be using it
 *
 * Return: 0; -ENOENT if it was not registered with @ring.
 * Since: 0.1
 */
DECANT_API int decant_uring_file_unregister(struct decant_uring *ring,
					    struct decant_uring_file *file);

/**
 * decant_uring_file_info - what a file demands
 * @file: the file
 * @info: filled; @info->why is a static string
 *
 * Since: 0.1
 */
DECANT_API void decant_uring_file_info(const struct decant_uring_file *file,
				       struct decant_uring_file_info *info);

/**
 * decant_uring_read - begin to read from a file into an iterator
 * @ring: the ring
 * @file: the file; must stay until the event
 * @it: a destination; advanced by the lesser of @len and what is left, unchanged on
 *	error
 * @len: bytes, or all that is left in @it if that is less; 0 gives an event as well
 * @pos: position in the file, bytes; ignored if the file has none
 * @user: comes back in the event
 *
 * Short transfers are continued: the result is less than what was asked for only at the
 * end of the file, or behind an error. From a pipe it waits until there is enough, or no
 * writer any more. Memory behind the result is not touched, unless someone has made the
 * file shorter since it was opened or its end was last met: then a direct read may put
 * zeroes into the rest of the last block.
 *
 * Return: 0, and there will be one event; -EAGAIN if as many operations as the ring is
 * deep are under way, -EINVAL if @it is a source, -EOVERFLOW if @pos + @len is beyond
 * INT64_MAX, or why @it could not be decanted (decant_iter_own()).
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_read(struct decant_uring *ring,
					     struct decant_uring_file *file,
					     struct decant_iter *it, size_t len,
					     uint64_t pos, void *user);

/**
 * decant_uring_write - begin to write from an iterator to a file
 * @ring: the ring
 * @file: the file; must stay until the event
 * @it: a source; advanced by the lesser of @len and what is left, unchanged on error
 * @len: bytes, or all that is left in @it if that is less; 0 gives an event as well
 * @pos: position in the file, bytes; ignored if the file has none
 * @user: comes back in the event
 *
 * The memory must not change until the event. Short transfers are continued. The file
 * becomes exactly as long as what was written demands. Bytes behind the result may have
 * been written, too, when a direct write fails at its first, unaligned edge.
 *
 * Return: 0, and there will be one event; -EAGAIN if as many operations as the ring is
 * deep are under way, -EINVAL if @it is a destination, -EOVERFLOW if @pos + @len is
 * beyond INT64_MAX, or why @it could not be decanted (decant_iter_own()).
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_write(struct decant_uring *ring,
					      struct decant_uring_file *file,
					      struct decant_iter *it, size_t len,
					      uint64_t pos, void *user);

/**
 * decant_uring_fsync - begin to bring a file's data to stable storage
 * @ring: the ring
 * @file: the file; must stay until the event
 * @user: comes back in the event
 *
 * It covers operations whose events were gathered before, direct or not, and no others.
 *
 * Return: 0, and there will be one event; -EAGAIN if as many operations as the ring is
 * deep are under way.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_fsync(struct decant_uring *ring,
					      struct decant_uring_file *file, void *user);

/**
 * decant_uring_begin - begin an operation
 * @ring: the ring
 * @operation: what it is; not needed any more afterwards. Its iterator is advanced by the
 *	lesser of its length and what is left, and unchanged on error.
 *
 * Return: 0, and there will be one event; -EINVAL for an unknown size, code or flag or a
 * negative deadline, else as decant_uring_read(), decant_uring_write() or
 * decant_uring_fsync().
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_uring_begin(struct decant_uring *ring,
		   const struct decant_uring_operation *operation);

/**
 * decant_uring_cancel - have operations end before they are done
 * @ring: the ring
 * @user: those that began with it
 *
 * Each gives its one event all the same: bytes, if some were transferred (all of them if
 * it was too late), else -ECANCELED; an event that is ready already does not change.
 * What waits for a peer, for its turn or for scratch memory ends at once. What a disk is
 * busy with is completed first and not continued; a direct write may then have written
 * bytes behind the result. The memory stays in use until the event.
 *
 * Return: how many operations will end, those that were to end already not counted.
 * Since: 0.1
 */
DECANT_API int decant_uring_cancel(struct decant_uring *ring, void *user);

/**
 * decant_uring_cancel_all - have all operations end before they are done
 * @ring: the ring
 *
 * See decant_uring_cancel().
 *
 * Return: how many operations will end, those that were to end already not counted.
 * Since: 0.1
 */
DECANT_API int decant_uring_cancel_all(struct decant_uring *ring);

/**
 * decant_uring_submit - hand what was begun to the kernel without waiting
 * @ring: the ring
 *
 * What the kernel can't take at the moment goes with the next call.
 *
 * Return: 0, or a negative errno that means that the ring is broken.
 * Since: 0.1
 */
DECANT_API int decant_uring_submit(struct decant_uring *ring);

/**
 * decant_uring_wait - submit, then gather events
 * @ring: the ring
 * @events: filled, in the order of completion
 * @max: most events, 1 to INT_MAX
 * @timeout: milliseconds to wait for the first; 0: don't wait, negative: for ever.
 *	Signals don't end it.
 *
 * Return: the number of events, 0 when the time is over or nothing is under way; -EINVAL
 * for @max, or a negative errno that means that the ring is broken.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_uring_wait(struct decant_uring *ring,
					     struct decant_uring_event *events,
					     unsigned max, int timeout);

DECANT_END
#endif
