/* SPDX-License-Identifier: MIT */
#ifndef DECANT_FSCRYPT_H
#define DECANT_FSCRYPT_H
/*
 * fscrypt.h - the contents of a file as Linux' fscrypt stores them: data units of the
 * file system's block size, each encrypted with AES-256-XTS under its number, with a key
 * of the file's own (Documentation/filesystems/fscrypt.rst of the kernel, policies of
 * version 2). Any part can be read and written. Nothing is authenticated.
 */
#include <decant/decant.h>

DECANT_BEGIN

#define DECANT_FSCRYPT_NONCE_BYTES 16
#define DECANT_FSCRYPT_UNIT	   4096 /* the usual data unit */

struct decant_fscrypt;

/**
 * struct decant_fscrypt_store - where the encrypted bytes of a file are
 * @read: a source over them, from the first on: whole data units
 * @write: a destination over the same bytes; not used for reading
 *
 * Of any kind. The iterators are not changed; they are borrowed during each call.
 *
 * Since: 0.1
 */
struct decant_fscrypt_store {
	struct decant_iter read;
	struct decant_iter write;
};

/**
 * decant_fscrypt_new - the contents of one file
 * @out: receives it; untouched on error
 * @master: the master key, as it is added to the file system; not kept
 * @master_len: its bytes, 32 to 64
 * @nonce: the file's nonce, as FS_IOC_GET_ENCRYPTION_NONCE gives it
 * @unit: bytes of a data unit, a power of two from 512 to 65,536; 0 for 4,096
 * @size: bytes of the file
 *
 * Everything is allocated here. It is used by one thread at a time.
 *
 * Return: 0; -EINVAL for a master key of another size or an unknown unit, -ENOMEM, -EIO.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_fscrypt_new(struct decant_fscrypt **out, const void *master, size_t master_len,
		   const uint8_t nonce[DECANT_FSCRYPT_NONCE_BYTES], size_t unit,
		   uint64_t size);

/**
 * decant_fscrypt_free - wipe the key and free
 * @file: the file, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_fscrypt_free(struct decant_fscrypt *file);

/**
 * decant_fscrypt_size - bytes of a file
 * @file: the file
 *
 * Return: what decant_fscrypt_new() was told, or more after writing behind that.
 * Since: 0.1
 */
DECANT_API uint64_t decant_fscrypt_size(const struct decant_fscrypt *file);

/**
 * decant_fscrypt_stored - bytes that a file of some size takes
 * @file: the file
 * @size: bytes of text
 *
 * Return: whole data units; UINT64_MAX if that is beyond numbers.
 * Since: 0.1
 */
DECANT_API uint64_t decant_fscrypt_stored(const struct decant_fscrypt *file,
					  uint64_t size);

/**
 * decant_fscrypt_read - decrypt any part
 * @file: the file
 * @store: its encrypted bytes
 * @dst: where the text goes; advanced by what was read
 * @len: most bytes
 * @pos: of the first
 *
 * Whole units go from the store straight to where they belong, whatever the cuts.
 *
 * Return: bytes, the least of @len, what @dst has and what follows @pos in the file; 0 at
 * its end; fewer if a later unit can't be had. If the first can't: -ENODATA if the store
 * ends before it, -EINVAL for a wrong direction, -EOVERFLOW beyond what positions can
 * be, -EFAULT, -EIO, or what the memory of @dst gave.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t
decant_fscrypt_read(struct decant_fscrypt *file, const struct decant_fscrypt_store *store,
		    struct decant_iter *dst, size_t len, uint64_t pos);

/**
 * decant_fscrypt_write - encrypt any part
 * @file: the file; it grows if this goes behind its end
 * @store: its encrypted bytes, with room for decant_fscrypt_stored() of the new size
 * @src: the text; advanced by what was written
 * @len: most bytes
 * @pos: of the first
 *
 * Of a unit that is written in part the rest is read, and written again; what is behind
 * the end is zeroes, as the kernel has it, and so is a gap between the end and @pos. A
 * unit is encrypted as a whole: two writers must not be in one at the same time.
 *
 * Return: bytes, the least of @len and what @src has; fewer if a later unit can't be
 * written. If the first can't: -ENOSPC if the store ends before it, else as
 * decant_fscrypt_read().
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_fscrypt_write(
	struct decant_fscrypt *file, const struct decant_fscrypt_store *store,
	struct decant_iter *src, size_t len, uint64_t pos);

DECANT_END
#endif
