/* SPDX-License-Identifier: MIT */
/* fscrypt.c - a file in data units, as Linux' fscrypt stores it. */
#include <decant/fscrypt.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <decant/cipher.h>
#include <decant/kdf.h>
#include <openssl/crypto.h>

#define KEY_BYTES    64
#define UNIT_LEAST   512
#define MASTER_LEAST 32 /* the kernel wants as much for AES-256 */

struct decant_fscrypt {
	struct decant_cipher *cipher;
	size_t unit;
	uint64_t size;
	uint8_t *buffer; /* of one unit: what is wanted in part */
};

static int make_cipher(struct decant_fscrypt *file, const void *master, size_t master_len,
		       const uint8_t *nonce)
{
	uint8_t key[KEY_BYTES];
	int err = decant_kdf_fscrypt(master, master_len, DECANT_FSCRYPT_PER_FILE_KEY,
				     nonce, DECANT_FSCRYPT_NONCE_BYTES, key, sizeof(key));

	if (!err)
		err = decant_cipher_new(&file->cipher, DECANT_CIPHER_AES_256_XTS, key,
					sizeof(key), file->unit, NULL);
	OPENSSL_cleanse(key, sizeof(key));
	return err == -ENOTSUP ? -EIO : err;
}

int decant_fscrypt_new(struct decant_fscrypt **out, const void *master, size_t master_len,
		       const uint8_t nonce[DECANT_FSCRYPT_NONCE_BYTES], size_t unit,
		       uint64_t size)
{
	struct decant_fscrypt *file;
	int err = -ENOMEM;

	unit = unit ? unit : DECANT_FSCRYPT_UNIT;
	if (!nonce || master_len < MASTER_LEAST || unit & (unit - 1) ||
	    unit < UNIT_LEAST || unit > DECANT_CIPHER_UNIT_MOST)
		return -EINVAL;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->unit = unit;
	file->size = size;
	file->buffer = calloc(1, unit);
	if (file->buffer)
		err = make_cipher(file, master, master_len, nonce);
	if (err)
		decant_fscrypt_free(file);
	else
		*out = file;
	return err;
}

void decant_fscrypt_free(struct decant_fscrypt *file)
{
	if (!file)
		return;
	decant_cipher_free(file->cipher);
	if (file->buffer)
		OPENSSL_cleanse(file->buffer, file->unit);
	free(file->buffer);
	free(file);
}

uint64_t decant_fscrypt_size(const struct decant_fscrypt *file)
{
	return file->size;
}

uint64_t decant_fscrypt_stored(const struct decant_fscrypt *file, uint64_t size)
{
	uint64_t mask = file->unit - 1;

	return size > UINT64_MAX - mask ? UINT64_MAX : (size + mask) & ~mask;
}

/* --- whole units --- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Stand at a unit; *len becomes what there is of it and those behind it. */
static int stand_at(const struct decant_fscrypt *file, struct decant_iter *it,
		    uint64_t pos, size_t *len, int error)
{
	size_t there = decant_iter_count(it);

	there = pos < there ? (there - (size_t)pos) & ~(file->unit - 1) : 0;
	if (!there)
		return error;
	*len = least(*len, there);
	return decant_iter_advance(it, (size_t)pos);
}

/* Whole units from pos on: out of the store into other, or the other way. */
static ssize_t crypt_units(struct decant_fscrypt *file,
			   const struct decant_fscrypt_store *store,
			   struct decant_iter *other, size_t len, uint64_t pos,
			   bool encrypt)
{
	struct decant_iter stored = encrypt ? store->write : store->read;
	uint8_t iv[DECANT_CIPHER_IV_BYTES];
	int err = stand_at(file, &stored, pos, &len, encrypt ? -ENOSPC : -ENODATA);

	if (err)
		return err;
	decant_cipher_number(iv, pos / file->unit);
	return encrypt ? decant_cipher_encrypt(file->cipher, &stored, other, len, iv)
		       : decant_cipher_decrypt(file->cipher, other, &stored, len, iv);
}

/* --- a unit in part --- */

/* One unit between the store and the buffer. */
static int move_unit(struct decant_fscrypt *file,
		     const struct decant_fscrypt_store *store, uint64_t pos, bool encrypt)
{
	struct decant_iter it;
	ssize_t got;

	decant_iter_buf(&it, encrypt ? DECANT_SOURCE : DECANT_DEST, file->buffer,
			file->unit);
	got = crypt_units(file, store, &it, file->unit, pos, encrypt);
	return got < 0 ? (int)got : 0;
}

static int load(struct decant_fscrypt *file, const struct decant_fscrypt_store *store,
		uint64_t pos)
{
	return move_unit(file, store, pos, false);
}

static int save(struct decant_fscrypt *file, const struct decant_fscrypt_store *store,
		uint64_t pos)
{
	return move_unit(file, store, pos, true);
}

/* As it is in the file: behind its end there are zeroes. */
static int load_for_change(struct decant_fscrypt *file,
			   const struct decant_fscrypt_store *store, uint64_t pos)
{
	size_t have = pos >= file->size		      ? 0
		      : file->size - pos < file->unit ? (size_t)(file->size - pos)
						      : file->unit;
	int err = have ? load(file, store, pos) : 0;

	memset(file->buffer + have, 0, file->unit - have);
	return err;
}

/* --- any part --- */

static ssize_t read_some(struct decant_fscrypt *file,
			 const struct decant_fscrypt_store *store,
			 struct decant_iter *dst, size_t len, uint64_t pos)
{
	size_t at = pos & (file->unit - 1), whole = len & ~(file->unit - 1);
	int err;

	if (!at && whole)
		return crypt_units(file, store, dst, whole, pos, false);
	err = load(file, store, pos - at);
	if (err)
		return err;
	return decant_copy_from(dst, file->buffer + at, least(len, file->unit - at));
}

ssize_t decant_fscrypt_read(struct decant_fscrypt *file,
			    const struct decant_fscrypt_store *store,
			    struct decant_iter *dst, size_t len, uint64_t pos)
{
	size_t done = 0;
	ssize_t got = 0;

	if (dst->direction != DECANT_DEST || store->read.direction != DECANT_SOURCE)
		return -EINVAL;
	if (pos >= file->size)
		return 0;
	len = least(len, decant_iter_count(dst));
	len = len < file->size - pos ? len : (size_t)(file->size - pos);
	for (; done < len; done += (size_t)got) {
		got = read_some(file, store, dst, len - done, pos + done);
		if (got <= 0)
			break;
	}
	return done ? (ssize_t)done : got;
}

static ssize_t write_part(struct decant_fscrypt *file,
			  const struct decant_fscrypt_store *store,
			  struct decant_iter *src, size_t len, uint64_t pos)
{
	size_t at = pos & (file->unit - 1);
	struct decant_iter from = *src;
	ssize_t got;
	int err = load_for_change(file, store, pos - at);

	if (err)
		return err;
	got = decant_copy_to(file->buffer + at, &from, least(len, file->unit - at));
	if (got <= 0)
		return got ? got : -EFAULT;
	err = save(file, store, pos - at);
	if (err)
		return err;
	*src = from;
	return got;
}

static ssize_t write_some(struct decant_fscrypt *file,
			  const struct decant_fscrypt_store *store,
			  struct decant_iter *src, size_t len, uint64_t pos)
{
	size_t at = pos & (file->unit - 1), whole = len & ~(file->unit - 1);

	if (!at && whole)
		return crypt_units(file, store, src, whole, pos, true);
	return write_part(file, store, src, len, pos);
}

/* The file is as long as what was written, if that is more. */
static ssize_t write_all(struct decant_fscrypt *file,
			 const struct decant_fscrypt_store *store,
			 struct decant_iter *src, size_t len, uint64_t pos)
{
	size_t done = 0;
	ssize_t got = 0;

	for (; done < len; done += (size_t)got) {
		got = write_some(file, store, src, len - done, pos + done);
		if (got <= 0)
			break;
		if (pos + done + (size_t)got > file->size)
			file->size = pos + done + (size_t)got;
	}
	return done ? (ssize_t)done : got;
}

/* Zeroes from the end up to pos. */
static int fill_gap(struct decant_fscrypt *file, const struct decant_fscrypt_store *store,
		    uint64_t pos)
{
	struct decant_iter zeroes;
	ssize_t got = 0;

	while (file->size < pos && got >= 0) {
		size_t n = least((size_t)(pos - file->size), SSIZE_MAX);

		got = decant_iter_zero(&zeroes, n);
		if (!got)
			got = write_all(file, store, &zeroes, n, file->size);
	}
	return got < 0 ? (int)got : 0;
}

ssize_t decant_fscrypt_write(struct decant_fscrypt *file,
			     const struct decant_fscrypt_store *store,
			     struct decant_iter *src, size_t len, uint64_t pos)
{
	int err;

	if (src->direction != DECANT_SOURCE || store->read.direction != DECANT_SOURCE ||
	    store->write.direction != DECANT_DEST)
		return -EINVAL;
	len = least(len, decant_iter_count(src));
	if (pos > SSIZE_MAX || len > SSIZE_MAX - pos)
		return -EOVERFLOW;
	if (!len)
		return 0;
	/* Nothing is filled if what follows has no place. */
	if (pos >= decant_iter_count(&store->write))
		return -ENOSPC;
	err = fill_gap(file, store, pos);
	return err ? err : write_all(file, store, src, len, pos);
}
