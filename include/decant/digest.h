/* SPDX-License-Identifier: MIT */
#ifndef DECANT_DIGEST_H
#define DECANT_DIGEST_H
#include <decant/copy.h>

DECANT_BEGIN

struct decant_digest;

/**
 * struct decant_digest_ops - what an algorithm must know: one constant
 * @name: such as "sha-256"
 * @bytes: of the result
 * @direct: pieces from here on are worth a call of their own; smaller ones are gathered
 * @secret: what was gathered is wiped
 * @begin: NULL, or: before the first byte of a message
 * @update: take so many more bytes, at most 2^30; never 0
 * @final: write the result of the message
 * @clone: make @to, which has these ops already, go on from where @from is
 * @fini: NULL, or: give back what the digest has
 *
 * All but @fini return 0 or a negative errno.
 *
 * Since: 0.1
 */
struct decant_digest_ops {
	const char *name;
	size_t bytes;
	size_t direct;
	bool secret;
	int (*begin)(struct decant_digest *digest);
	int (*update)(struct decant_digest *digest, const void *addr, size_t len);
	int (*final)(struct decant_digest *digest, void *out);
	int (*clone)(struct decant_digest *to, const struct decant_digest *from);
	void (*fini)(struct decant_digest *digest);
};

/**
 * struct decant_digest - a checksum, hash or MAC under way
 * @ops: the algorithm
 * @state: the algorithm's own
 * @word: the algorithm's own
 * @begun: a message is under way
 *
 * The caller's memory. An adapter begins it (decant_digest_hash() in hash.h,
 * decant_digest_crc32c() in crc.h) for one message after the other, and
 * decant_digest_fini() ends it. A copy of the struct is the same digest, not another one:
 * see decant_digest_clone().
 *
 * Since: 0.1
 */
struct decant_digest {
	const struct decant_digest_ops *ops;
	void *state;
	uint64_t word[2];
	bool begun;
};

/**
 * decant_digest_update - more bytes of the message
 * @digest: the digest
 * @src: a source; advanced by exactly the bytes that went in
 * @len: most bytes
 *
 * The result does not depend on how the bytes are cut, nor on how many calls bring them.
 *
 * Return: bytes, the lesser of @len and what is left, or fewer if what follows can't be
 * had. -EINVAL, and nothing changed, for a destination; if not even the first byte could
 * be had, the error that decant_copy() returns then. -EIO or another errno if the
 * algorithm fails: the message is spoilt.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_digest_update(struct decant_digest *digest,
						    struct decant_iter *src, size_t len);

/**
 * decant_digest_copy - copy, and take the bytes into the digest on the way
 * @digest: the digest
 * @dst: destination; advanced by what was copied
 * @src: source; advanced by what was copied
 * @len: most bytes
 *
 * Each byte is read once: what the digest saw is what was written, also if somebody
 * changes the source meanwhile. It goes by way of 8 KiB on the stack, which stays in the
 * first cache, instead of through memory a second time.
 *
 * Return: as decant_copy(), or as decant_digest_update().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_digest_copy(struct decant_digest *digest,
						  struct decant_iter *dst,
						  struct decant_iter *src, size_t len);

/**
 * decant_digest_final - the result; the next byte begins a new message
 * @digest: the digest
 * @out: receives decant_digest_bytes() bytes
 *
 * Return: 0; -EIO or another errno if the algorithm fails.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_digest_final(struct decant_digest *digest, void *out);

/**
 * decant_digest_bytes - the size of the result
 * @digest: the digest
 *
 * Return: bytes.
 * Since: 0.1
 */
DECANT_API size_t decant_digest_bytes(const struct decant_digest *digest);

/**
 * decant_digest_clone - another digest that goes on from here
 * @to: filled; not begun before. Untouched on error.
 * @from: the digest; not changed
 *
 * For many messages that begin alike, or the digest of what came so far.
 *
 * Return: 0; -ENOMEM, -ENOTSUP if the algorithm can't.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_digest_clone(struct decant_digest *to,
					       const struct decant_digest *from);

/**
 * decant_digest_fini - end a digest; a key in it is wiped
 * @digest: the digest; zeroes afterwards. One of zeroes is none.
 *
 * Since: 0.1
 */
DECANT_API void decant_digest_fini(struct decant_digest *digest);

DECANT_END
#endif
