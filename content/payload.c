/* SPDX-License-Identifier: MIT */
/*
 * payload.c - the text in chunks, each under its number and whether it is the last
 * (STREAM, as c2sp.org/age describes it).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <decant/aead.h>
#include "internal.h"

#define PLAIN  ((size_t)DECANT_AGE_CHUNK_BYTES)
#define SEALED ((size_t)DECANT_AGE_SEALED_BYTES)

struct decant_age {
	struct decant_aead *aead;
	uint8_t key[KEY_BYTES];
	uint64_t next, end; /* the numbers that may still be sealed: end is beyond them */
	bool whole;	    /* the file is sealed here, and so its last chunk */
};

static int age_new(struct decant_age **out, const uint8_t key[KEY_BYTES])
{
	struct decant_age *age = calloc(1, sizeof(*age));
	int err = -ENOMEM;

	if (age) {
		memcpy(age->key, key, KEY_BYTES);
		err = decant_aead_new(&age->aead, DECANT_AEAD_CHACHA20_POLY1305, key,
				      KEY_BYTES);
	}
	if (err)
		decant_age_free(age);
	else
		*out = age;
	return err == -ENOTSUP ? -EIO : err;
}

int payload_new(struct decant_age **out, const uint8_t file_key[FILE_KEY_BYTES],
		const uint8_t nonce[NONCE_BYTES], bool seals)
{
	uint8_t key[KEY_BYTES];
	int err =
		hkdf_sha256(key, file_key, FILE_KEY_BYTES, nonce, NONCE_BYTES, "payload");

	if (!err)
		err = age_new(out, key);
	if (!err && seals) {
		(*out)->end = UINT64_MAX;
		(*out)->whole = true;
	}
	wipe(key, sizeof(key));
	return err;
}

void decant_age_free(struct decant_age *age)
{
	if (!age)
		return;
	decant_aead_free(age->aead);
	wipe(age, sizeof(*age));
	free(age);
}

int decant_age_part(struct decant_age **out, const struct decant_age *age)
{
	return age_new(out, age->key);
}

int decant_age_assign(struct decant_age *part, struct decant_age *age, uint64_t chunks)
{
	if (part == age || part->whole || part->next != part->end || !age->whole ||
	    age->next == age->end || memcmp(part->key, age->key, KEY_BYTES))
		return -EINVAL;
	if (chunks >= age->end - age->next)
		return -EOVERFLOW;
	part->next = age->next;
	age->next += chunks;
	part->end = age->next;
	return 0;
}

/* --- sizes --- */

uint64_t decant_age_sealed_size(uint64_t plain)
{
	uint64_t chunks = plain / PLAIN + (plain % PLAIN || !plain);

	return plain > UINT64_MAX - chunks * TAG_BYTES ? UINT64_MAX
						       : plain + chunks * TAG_BYTES;
}

uint64_t decant_age_plain_size(uint64_t sealed)
{
	uint64_t whole = sealed / SEALED * PLAIN, rest = sealed % SEALED;

	if (!rest)
		return whole ? whole : UINT64_MAX;
	if (rest < TAG_BYTES || (rest == TAG_BYTES && whole))
		return UINT64_MAX;
	return whole + rest - TAG_BYTES;
}

/* --- chunks --- */

/* Eleven bytes of the number, big endian, and one that marks the last. */
static void set_nonce(uint8_t nonce[DECANT_AEAD_NONCE_BYTES], uint64_t chunk, bool last)
{
	memset(nonce, 0, DECANT_AEAD_NONCE_BYTES);
	for (int i = 0; i < 8; i++)
		nonce[10 - i] = (uint8_t)(chunk >> 8 * i);
	nonce[11] = last;
}

static int seal_chunk(struct decant_age *age, struct decant_iter *dst,
		      struct decant_iter *src, size_t len, bool last)
{
	uint8_t nonce[DECANT_AEAD_NONCE_BYTES], tag[TAG_BYTES];
	struct decant_iter to = *dst, from = *src;
	ssize_t got;

	set_nonce(nonce, age->next++, last);
	got = decant_aead_seal(age->aead, &to, &from, len, NULL, nonce, tag);
	if (got >= 0 && decant_copy_from(&to, tag, sizeof(tag)) != TAG_BYTES)
		got = -EFAULT;
	/* The number is spent, whatever became of it: nothing may follow. */
	if (got < 0) {
		age->next = age->end;
		return (int)got;
	}
	if (last)
		age->next = age->end;
	*dst = to;
	*src = from;
	return 0;
}

static int check_seal(const struct decant_age *age, const struct decant_iter *dst,
		      const struct decant_iter *src, size_t len, bool last)
{
	uint64_t chunks = len / PLAIN + (len % PLAIN || !len);

	if (dst->direction != DECANT_DEST || src->direction != DECANT_SOURCE ||
	    (!last && len % PLAIN) || (last && !age->whole) ||
	    (age->whole && age->next == age->end) || (last && !len && age->next))
		return -EINVAL;
	if (len && chunks > age->end - age->next)
		return -EOVERFLOW;
	if (decant_iter_count(src) < len ||
	    decant_iter_count(dst) < (last || len ? decant_age_sealed_size(len) : 0))
		return -EMSGSIZE;
	return 0;
}

ssize_t decant_age_seal(struct decant_age *age, struct decant_iter *dst,
			struct decant_iter *src, size_t len, bool last)
{
	size_t done = 0;
	int err = check_seal(age, dst, src, len, last);

	if (!err && last && !len)
		err = seal_chunk(age, dst, src, 0, true);
	while (!err && done < len) {
		size_t n = len - done < PLAIN ? len - done : PLAIN;

		err = seal_chunk(age, dst, src, n, last && n == len - done);
		done += err ? 0 : n;
	}
	return done ? (ssize_t)done : err;
}

/*
 * Why a whole chunk does not open: would it under the other mark? The text goes nowhere.
 */
static int diagnose(struct decant_age *age, const struct decant_iter *src, size_t len,
		    uint8_t nonce[DECANT_AEAD_NONCE_BYTES], const uint8_t tag[TAG_BYTES])
{
	struct decant_iter nowhere, from = *src;
	bool last = nonce[11];

	nonce[11] = !last;
	if (len != PLAIN || decant_iter_discard(&nowhere, len) ||
	    decant_aead_open(age->aead, &nowhere, &from, len, NULL, nonce, tag) < 0)
		return -EBADMSG;
	return last ? -ENODATA : -EFBIG;
}

static int open_chunk(struct decant_age *age, struct decant_iter *dst,
		      struct decant_iter *src, size_t len, uint64_t chunk, bool last)
{
	uint8_t nonce[DECANT_AEAD_NONCE_BYTES], tag[TAG_BYTES];
	struct decant_iter from = *src, behind = *src;
	ssize_t got;

	/* Less than a tag, or an empty chunk behind others, is no end. */
	if (len < TAG_BYTES)
		return -ENODATA;
	len -= TAG_BYTES;
	if (!len && chunk)
		return -EBADMSG;
	set_nonce(nonce, chunk, last);
	if (decant_iter_advance(&behind, len) ||
	    decant_copy_to(tag, &behind, sizeof(tag)) != TAG_BYTES)
		return -EFAULT;
	got = decant_aead_open(age->aead, dst, &from, len, NULL, nonce, tag);
	if (got == -EBADMSG)
		return diagnose(age, src, len, nonce, tag);
	if (got < 0)
		return (int)got;
	*src = behind;
	return 0;
}

static int check_unseal(const struct decant_iter *dst, const struct decant_iter *src,
			size_t len, uint64_t chunk, bool last)
{
	size_t rest = len % SEALED;
	size_t text = len / SEALED * PLAIN + (rest > TAG_BYTES ? rest - TAG_BYTES : 0);

	if (dst->direction != DECANT_DEST || src->direction != DECANT_SOURCE ||
	    (!last && rest))
		return -EINVAL;
	if (chunk > UINT64_MAX - len / SEALED)
		return -EOVERFLOW;
	if (decant_iter_count(src) < len || decant_iter_count(dst) < text)
		return -EMSGSIZE;
	return 0;
}

ssize_t decant_age_unseal(struct decant_age *age, struct decant_iter *dst,
			  struct decant_iter *src, size_t len, uint64_t chunk, bool last)
{
	size_t text = 0;
	int err = check_unseal(dst, src, len, chunk, last);

	if (!err && last && !len)
		err = -ENODATA;
	while (!err && len) {
		size_t n = len < SEALED ? len : SEALED;

		err = open_chunk(age, dst, src, n, chunk++, last && n == len);
		if (!err)
			text += n - TAG_BYTES;
		len -= n;
	}
	return text ? (ssize_t)text : err;
}
