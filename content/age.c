/* SPDX-License-Identifier: MIT */
/* age.c - the beginning of a file, written and read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "internal.h"

#define FIRST_READ 1024 /* most headers are shorter */

/* --- writing --- */

static ssize_t put_stanzas(char *out, const struct decant_age_keys *keys,
			   unsigned work_factor, const uint8_t file_key[FILE_KEY_BYTES])
{
	ssize_t len = 0, n;

	if (keys->nr_phrases)
		return wrap_phrase(out, keys->phrases, work_factor, file_key);
	for (size_t i = 0; i < keys->nr_recipients; i++) {
		n = wrap_recipient(out + len, keys->recipients[i], file_key);
		if (n < 0)
			return n;
		len += n;
	}
	return len;
}

static ssize_t put_header(char *out, const struct decant_age_keys *keys,
			  unsigned work_factor, const uint8_t file_key[FILE_KEY_BYTES])
{
	ssize_t len = sprintf(out, "age-encryption.org/v1\n"), n;
	uint8_t mac[KEY_BYTES];
	int err;

	n = put_stanzas(out + len, keys, work_factor, file_key);
	if (n < 0)
		return n;
	len += n;
	len += sprintf(out + len, "---");
	err = header_mac(mac, file_key, (struct text){out, (size_t)len});
	if (err)
		return err;
	out[len++] = ' ';
	len += (ssize_t)base64_encode(out + len, mac, sizeof(mac));
	out[len++] = '\n';
	return len;
}

static int check_create(const struct decant_iter *dst, const struct decant_age_keys *keys,
			unsigned work_factor)
{
	if (dst->direction != DECANT_DEST || work_factor > DECANT_AGE_WORK_FACTOR_MOST ||
	    !(keys->nr_recipients || keys->nr_phrases) || keys->nr_phrases > 1 ||
	    (keys->nr_phrases && keys->nr_recipients))
		return -EINVAL;
	return keys->nr_recipients > (DECANT_AGE_HEADER_MOST - 256) / STANZA_MOST ? -E2BIG
										  : 0;
}

/* Header and nonce into room; their length. */
static ssize_t prepare(struct decant_age **out, char *room,
		       const struct decant_age_keys *keys, unsigned work_factor)
{
	struct {
		uint8_t file_key[FILE_KEY_BYTES];
	} s;
	uint8_t nonce[NONCE_BYTES];
	ssize_t len = random_bytes(s.file_key, sizeof(s.file_key));

	if (!len)
		len = random_bytes(nonce, sizeof(nonce));
	if (!len)
		len = put_header(room, keys, work_factor, s.file_key);
	if (len > 0) {
		int err = payload_new(out, s.file_key, nonce, true);

		memcpy(room + len, nonce, sizeof(nonce));
		len = err ? err : len + NONCE_BYTES;
	}
	wipe(&s, sizeof(s));
	return len;
}

static ssize_t put_all(struct decant_iter *dst, const char *text, ssize_t len)
{
	struct decant_iter to = *dst;

	if (len < 0)
		return len;
	if (decant_iter_count(dst) < (size_t)len)
		return -EMSGSIZE;
	if (decant_copy_from(&to, text, (size_t)len) != len)
		return -EFAULT;
	*dst = to;
	return len;
}

ssize_t decant_age_create(struct decant_age **out, struct decant_iter *dst,
			  const struct decant_age_keys *keys, unsigned work_factor)
{
	struct decant_age *age = NULL;
	ssize_t len = check_create(dst, keys, work_factor);
	char *room;

	if (len)
		return len;
	room = malloc((keys->nr_recipients + 2) * STANZA_MOST);
	if (!room)
		return -ENOMEM;
	len = prepare(&age, room, keys,
		      work_factor ? work_factor : DECANT_AGE_WORK_FACTOR);
	len = put_all(dst, room, len);
	free(room);
	if (len < 0)
		decant_age_free(age);
	else
		*out = age;
	return len;
}

/* --- reading --- */

/* What was read of a file: as much as the header takes. */
struct beginning {
	char *at;
	size_t len;
};

static int read_more(struct beginning *b, struct decant_iter *src)
{
	size_t most = b->len ? 2 * b->len : FIRST_READ;
	ssize_t got;
	char *grown;

	if (!decant_iter_count(src))
		return -ENODATA;
	if (most > DECANT_AGE_HEADER_MOST)
		return -E2BIG;
	grown = realloc(b->at, most);
	if (!grown)
		return -ENOMEM;
	b->at = grown;
	got = decant_copy_to(b->at + b->len, src, most - b->len);
	if (got <= 0)
		return got ? (int)got : -EFAULT;
	b->len += (size_t)got;
	return 0;
}

/* The header, and the nonce behind it. */
static int read_header(struct beginning *b, struct header *header,
		       struct decant_iter *src)
{
	int err;

	do {
		err = read_more(b, src);
		if (err)
			return err;
		err = header_parse(header, (struct text){b->at, b->len});
		if (!err && header->len + NONCE_BYTES > b->len)
			err = -ENODATA;
	} while (err == -ENODATA);
	return err;
}

static int check_mac(const struct beginning *b, const struct header *header,
		     const uint8_t file_key[FILE_KEY_BYTES])
{
	uint8_t mac[KEY_BYTES];
	int err = header_mac(mac, file_key, (struct text){b->at, header->marked});

	if (!err && CRYPTO_memcmp(mac, header->mac, sizeof(mac)))
		err = -EBADMSG;
	return err;
}

static int open_header(struct decant_age **out, const struct beginning *b,
		       const struct header *header, const struct decant_age_keys *keys)
{
	uint8_t file_key[FILE_KEY_BYTES];
	int err = unwrap(file_key, header, keys);

	if (!err)
		err = check_mac(b, header, file_key);
	if (!err)
		err = payload_new(out, file_key, (uint8_t *)b->at + header->len, false);
	wipe(file_key, sizeof(file_key));
	return err;
}

ssize_t decant_age_open(struct decant_age **out, struct decant_iter *src,
			const struct decant_age_keys *keys)
{
	struct decant_iter from = *src;
	struct beginning b = {NULL, 0};
	struct header header;
	ssize_t len = 0;
	int err = src->direction == DECANT_SOURCE ? 0 : -EINVAL;

	if (!err)
		err = read_header(&b, &header, &from);
	if (!err)
		err = open_header(out, &b, &header, keys);
	if (!err) {
		len = (ssize_t)header.len + NONCE_BYTES;
		err = decant_iter_advance(src, (size_t)len);
	}
	free(b.at);
	return err ? err : len;
}
