/* SPDX-License-Identifier: MIT */
#ifndef CONTENT_INTERNAL_H
#define CONTENT_INTERNAL_H
/* internal.h - what the files of the age format share. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <decant/age.h>

#define KEY_BYTES      32 /* of X25519, and of ChaCha20-Poly1305 */
#define FILE_KEY_BYTES 16
#define NONCE_BYTES    16
#define SALT_BYTES     16
#define TAG_BYTES      16
#define WRAPPED_BYTES  (FILE_KEY_BYTES + TAG_BYTES)
#define LINE_CHARS     64 /* of base64, in stanzas and in armor */
#define LINE_BYTES     48

struct text {
	const char *at;
	size_t len;
};

/* --- base64.c: RFC 4648, section 4, canonical --- */

#define BASE64_CHARS(len) (((len)*4 + 2) / 3)

/* Returns the characters, without padding. */
size_t base64_encode(char *out, const uint8_t *in, size_t len);
/* Returns the bytes; -1 if it is not canonical, or padded. */
ssize_t base64_decode(uint8_t *out, struct text text);

/* --- bech32.c: BIP 173, for 32 bytes; in a time that does not depend on them --- */

void bech32_encode(char *out, const char *prefix, bool upper,
		   const uint8_t key[KEY_BYTES]);
bool bech32_decode(uint8_t key[KEY_BYTES], const char *prefix, bool upper,
		   const char *text);

/* --- primitives.c: OpenSSL. 0 or a negative errno --- */

int random_bytes(void *out, size_t len);
/* point NULL: the base point. -EINVAL if the result is all zeroes. */
int x25519(uint8_t out[KEY_BYTES], const uint8_t secret[KEY_BYTES], const uint8_t *point);
int hkdf_sha256(uint8_t out[KEY_BYTES], const void *key, size_t key_len, const void *salt,
		size_t salt_len, const char *info);
int hmac_sha256(uint8_t out[KEY_BYTES], const uint8_t key[KEY_BYTES], struct text text);
int scrypt_key(uint8_t out[KEY_BYTES], const void *passphrase, size_t len,
	       const uint8_t salt[SALT_BYTES], unsigned work_factor);
/* The file's key under a key that is used once. -EBADMSG if it was another. */
int wrap_seal(uint8_t out[WRAPPED_BYTES], const uint8_t key[KEY_BYTES],
	      const uint8_t file_key[FILE_KEY_BYTES]);
int wrap_open(uint8_t file_key[FILE_KEY_BYTES], const uint8_t key[KEY_BYTES],
	      const uint8_t in[WRAPPED_BYTES]);

/* --- keys.c --- */

struct identity {
	uint8_t secret[KEY_BYTES];
	uint8_t point[KEY_BYTES];
};

struct phrase {
	uint8_t *bytes;
	size_t len;
};

struct decant_age_keys {
	uint8_t (*recipients)[KEY_BYTES];
	struct identity *identities;
	struct phrase *phrases;
	size_t nr_recipients, nr_identities, nr_phrases;
};

void wipe(void *secret, size_t len);

/* --- header.c: the text, and the code that vouches for it --- */

struct stanza {
	struct text args; /* separated by one blank each */
	unsigned nr_args;
	uint8_t body[LINE_BYTES]; /* its first line */
	size_t body_len;	  /* of all lines */
};

struct header {
	struct text stanzas; /* all of them */
	size_t nr_stanzas;
	size_t marked; /* bytes up to and with the mark "---" */
	size_t len;
	uint8_t mac[KEY_BYTES];
};

/* -ENODATA if it goes on behind the text, or as decant_age_open(). */
int header_parse(struct header *header, struct text text);
int stanza_parse(struct stanza *stanza, struct text *rest);
/* Argument number i; empty if there are not so many. */
struct text stanza_arg(const struct stanza *stanza, unsigned i);
bool text_is(struct text text, const char *word);
int header_mac(uint8_t mac[KEY_BYTES], const uint8_t file_key[FILE_KEY_BYTES],
	       struct text marked);

/* --- wrap.c: the file's key in and out of stanzas --- */

#define STANZA_MOST 128 /* characters of a stanza that is made here */

/* Returns characters, or a negative errno. */
ssize_t wrap_recipient(char *out, const uint8_t recipient[KEY_BYTES],
		       const uint8_t file_key[FILE_KEY_BYTES]);
ssize_t wrap_phrase(char *out, const struct phrase *phrase, unsigned work_factor,
		    const uint8_t file_key[FILE_KEY_BYTES]);
/* -ENOKEY if none of the keys fits, or as decant_age_open(). */
int unwrap(uint8_t file_key[FILE_KEY_BYTES], const struct header *header,
	   const struct decant_age_keys *keys);

/* --- armor.c, armored.c: lines of text around a file --- */

#define ARMOR_BEGIN	  "-----BEGIN AGE ENCRYPTED FILE-----"
#define ARMOR_END	  "-----END AGE ENCRYPTED FILE-----"
#define ARMOR_BLANKS_MOST 1024 /* bytes of white space before, and behind */

static inline bool armor_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A file under its armor. */
struct armored {
	struct decant_iter cursor; /* where the text was read last */
	size_t start;		   /* what the cursor had consumed at the first byte */
	const char *line_end;
	size_t body, stride; /* where the first line is, and how far the next one */
	size_t lines, last_chars, padding;
	size_t len; /* bytes under the armor */
};

/*
 * An iterator over these bytes, which borrows both. -EILSEQ or -ENODATA if the armor is
 * not strict; lines in the middle are looked at when they are read.
 */
int armored_view(struct armored *armored, struct decant_iter *out,
		 const struct decant_iter *src);

/* --- payload.c --- */

int payload_new(struct decant_age **out, const uint8_t file_key[FILE_KEY_BYTES],
		const uint8_t nonce[NONCE_BYTES], bool seals);
#endif
