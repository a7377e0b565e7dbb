/* SPDX-License-Identifier: MIT */
/* file.c - an age file at any position. */
#include <errno.h>
#include <stdlib.h>
#include "internal.h"

#define PLAIN  ((size_t)DECANT_AGE_CHUNK_BYTES)
#define SEALED ((size_t)DECANT_AGE_SEALED_BYTES)

struct decant_age_file {
	struct decant_age *age;
	struct armored armored;	   /* what the cursor stands in, if there is one */
	struct decant_iter cursor; /* where the last read ended, in sealed bytes */
	size_t begin;		   /* what the cursor has consumed at the first chunk */
	uint64_t sealed, size;
	uint64_t kept; /* number of the chunk that is in buffer; UINT64_MAX for none */
	size_t kept_len;
	uint8_t buffer[DECANT_AGE_CHUNK_BYTES];
};

static uint64_t last_chunk(const struct decant_age_file *file)
{
	return (file->sealed - 1) / SEALED;
}

/* Sealed bytes of so many chunks from this one on; the file's last one may be short. */
static size_t sealed_bytes(const struct decant_age_file *file, uint64_t chunk,
			   uint64_t chunks)
{
	uint64_t left = file->sealed - chunk * SEALED;

	return (size_t)(left / SEALED < chunks ? left : chunks * SEALED);
}

static ssize_t open_chunks(struct decant_age_file *file, struct decant_iter *dst,
			   uint64_t chunk, uint64_t chunks)
{
	size_t len = sealed_bytes(file, chunk, chunks);
	struct decant_iter from = file->cursor;
	ssize_t got = decant_iter_seek(&from, file->begin + (size_t)chunk * SEALED);

	if (got)
		return got;
	got = decant_age_unseal(file->age, dst, &from, len, chunk,
				chunk * SEALED + len == file->sealed);
	if (got > 0)
		file->cursor = from;
	return got;
}

static int keep(struct decant_age_file *file, uint64_t chunk)
{
	struct decant_iter dst;
	ssize_t got;

	if (file->kept == chunk)
		return 0;
	file->kept = UINT64_MAX;
	decant_iter_buf(&dst, DECANT_DEST, file->buffer, sizeof(file->buffer));
	got = open_chunks(file, &dst, chunk, 1);
	if (got < 0)
		return (int)got;
	file->kept = chunk;
	file->kept_len = (size_t)got;
	return 0;
}

static int measure(struct decant_age_file *file)
{
	file->sealed = decant_iter_count(&file->cursor);
	file->begin = decant_iter_consumed(&file->cursor);
	file->size = decant_age_plain_size(file->sealed);
	if (file->size == UINT64_MAX)
		return -ENODATA;
	return keep(file, last_chunk(file));
}

static int view(struct decant_age_file *file, const struct decant_iter *src)
{
	if (src->direction == DECANT_SOURCE && decant_age_is_armored(src))
		return armored_view(&file->armored, &file->cursor, src);
	file->cursor = *src;
	return 0;
}

int decant_age_file_open(struct decant_age_file **out, const struct decant_iter *src,
			 const struct decant_age_keys *keys)
{
	struct decant_age_file *file = calloc(1, sizeof(*file));
	ssize_t got;
	int err;

	if (!file)
		return -ENOMEM;
	file->kept = UINT64_MAX;
	err = view(file, src);
	got = err ? err : decant_age_open(&file->age, &file->cursor, keys);
	err = got < 0 ? (int)got : measure(file);
	if (err)
		decant_age_file_close(file);
	else
		*out = file;
	return err;
}

uint64_t decant_age_file_size(const struct decant_age_file *file)
{
	return file->size;
}

void decant_age_file_close(struct decant_age_file *file)
{
	if (!file)
		return;
	decant_age_free(file->age);
	wipe(file->buffer, sizeof(file->buffer));
	free(file);
}

/* How many chunks from here on are wanted whole. */
static uint64_t whole_chunks(const struct decant_age_file *file, size_t len, uint64_t pos)
{
	if (pos % PLAIN)
		return 0;
	return len / PLAIN + (len % PLAIN && pos + len == file->size);
}

/* From one chunk, or from as many as are wanted whole. */
static ssize_t read_some(struct decant_age_file *file, struct decant_iter *dst,
			 size_t len, uint64_t pos)
{
	uint64_t chunk = pos / PLAIN, whole = whole_chunks(file, len, pos);
	size_t at = pos % PLAIN, n;
	int err;

	if (whole && !(whole == 1 && file->kept == chunk))
		return open_chunks(file, dst, chunk, whole);
	err = keep(file, chunk);
	if (err)
		return err;
	n = file->kept_len - at < len ? file->kept_len - at : len;
	return decant_copy_from(dst, file->buffer + at, n);
}

ssize_t decant_age_read(struct decant_age_file *file, struct decant_iter *dst, size_t len,
			uint64_t pos)
{
	size_t done = 0;
	ssize_t got = 0;

	if (dst->direction != DECANT_DEST)
		return -EINVAL;
	if (pos >= file->size)
		return 0;
	len = len < decant_iter_count(dst) ? len : decant_iter_count(dst);
	len = len < file->size - pos ? len : (size_t)(file->size - pos);
	for (; done < len; done += (size_t)got) {
		got = read_some(file, dst, len - done, pos + done);
		if (got <= 0)
			break;
	}
	return done ? (ssize_t)done : got;
}
