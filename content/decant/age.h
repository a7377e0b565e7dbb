/* SPDX-License-Identifier: MIT */
#ifndef DECANT_AGE_H
#define DECANT_AGE_H
/*
 * age.h - files in the age format, version 1 (c2sp.org/age): written in sequence, read
 * at any position, from and into iterators of any kind.
 *
 * A file is a header, which wraps the file's key for each recipient, 16 bytes of nonce,
 * and the text in chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under its number
 * and whether it is the last. Nothing of a chunk is handed out before its tag is checked.
 */
#include <decant/decant.h>

DECANT_BEGIN

#define DECANT_AGE_CHUNK_BYTES	    65536
#define DECANT_AGE_SEALED_BYTES	    (DECANT_AGE_CHUNK_BYTES + 16) /* a whole chunk */
#define DECANT_AGE_HEADER_MOST	    (1u << 20) /* bytes of a header, with the nonce */
#define DECANT_AGE_WORK_FACTOR	    18	       /* of scrypt: 256 MiB, about a second */
#define DECANT_AGE_WORK_FACTOR_MOST 22	       /* 4 GiB; what asks for more is refused */
#define DECANT_AGE_RECIPIENT_CHARS  63	       /* "age1...", with the NUL */
#define DECANT_AGE_IDENTITY_CHARS   75	       /* "AGE-SECRET-KEY-1...", with the NUL */

struct decant_age_keys;
struct decant_age;
struct decant_age_file;
struct decant_age_armor;

/* --- keys --- */

/**
 * decant_age_identity_new - make an identity, as age-keygen does
 * @identity: receives "AGE-SECRET-KEY-1..." and a NUL. Whoever has it can read what is
 *	encrypted to @recipient; wipe it when it is stored.
 * @recipient: receives "age1..." and a NUL
 *
 * Return: 0; -EIO if OpenSSL has no random bytes.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_age_identity_new(char identity[DECANT_AGE_IDENTITY_CHARS],
			char recipient[DECANT_AGE_RECIPIENT_CHARS]);

/**
 * decant_age_identity_recipient - the recipient that belongs to an identity
 * @identity: "AGE-SECRET-KEY-1..."
 * @recipient: receives "age1..." and a NUL; untouched on error
 *
 * Return: 0; -EINVAL if that is no identity; -EIO.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int
decant_age_identity_recipient(const char *identity,
			      char recipient[DECANT_AGE_RECIPIENT_CHARS]);

/**
 * decant_age_keys_new - a set of keys, empty
 * @out: receives it; untouched on error
 *
 * For encryption it holds recipients or a passphrase, for decryption identities and
 * passphrases. It is not changed by its use, so that threads can share it.
 *
 * Return: 0; -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_keys_new(struct decant_age_keys **out);

/**
 * decant_age_keys_free - wipe and free a set of keys
 * @keys: the set, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_age_keys_free(struct decant_age_keys *keys);

/**
 * decant_age_keys_recipient - add whom to encrypt to
 * @keys: the set
 * @recipient: "age1...", the Bech32 form (BIP 173) of an X25519 public key
 *
 * Return: 0; -EINVAL if that is none, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_keys_recipient(struct decant_age_keys *keys,
						     const char *recipient);

/**
 * decant_age_keys_identity - add who decrypts
 * @keys: the set
 * @identity: "AGE-SECRET-KEY-1..."; copied, the caller may wipe it at once
 *
 * Return: 0; -EINVAL if that is none, -EIO, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_keys_identity(struct decant_age_keys *keys,
						    const char *identity);

/**
 * decant_age_keys_passphrase - add a passphrase, to encrypt or to decrypt with
 * @keys: the set
 * @passphrase: bytes, UTF-8 for the command age; copied, the caller may wipe them
 * @len: how many, at least 1
 *
 * What is encrypted with a passphrase has no other recipient: whoever knows it can be
 * sure that only those who know it made the file.
 *
 * Return: 0; -EINVAL for an empty one, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_keys_passphrase(struct decant_age_keys *keys,
						      const void *passphrase, size_t len);

/* --- a file's key --- */

/**
 * decant_age_create - begin a file: make its key, and the header that wraps it
 * @out: receives what seals the chunks; untouched on error
 * @dst: where the file goes; advanced by the header and the nonce on success
 * @keys: one or more recipients, or one passphrase
 * @work_factor: for a passphrase, the logarithm of what scrypt (RFC 7914) has to do and
 *	of the memory it takes, 2^(@work_factor + 10) bytes; 0 for DECANT_AGE_WORK_FACTOR
 *
 * Return: the bytes written. With nothing written: -EINVAL for a wrong direction, no
 * recipient at all or one of low order, a passphrase together with anything else or a
 * work factor beyond DECANT_AGE_WORK_FACTOR_MOST; -EMSGSIZE if @dst has too little room,
 * -E2BIG for a header of more than DECANT_AGE_HEADER_MOST, -ENOMEM, -EIO; -EFAULT.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_age_create(struct decant_age **out,
						 struct decant_iter *dst,
						 const struct decant_age_keys *keys,
						 unsigned work_factor);

/**
 * decant_age_open - read a file's header, and unwrap its key
 * @out: receives what opens the chunks; untouched on error
 * @src: the file from its first byte on, at least as far as the header and the nonce go;
 *	advanced to the first chunk on success, else unchanged
 * @keys: identities and passphrases; each is tried with each stanza it is made for
 *
 * The header's authentication code is checked; stanzas of types that are not known here
 * are passed over. Trying a passphrase takes the time and the memory that the file asks
 * for, within DECANT_AGE_WORK_FACTOR_MOST.
 *
 * Return: the bytes of header and nonce. -ENOMSG if it is no age file, -EPROTONOSUPPORT
 * for another version of the format, -EILSEQ for a malformed header, -ENODATA if @src
 * ends within it, -E2BIG if it is longer than DECANT_AGE_HEADER_MOST, -ERANGE for a work
 * factor that is refused, -ENOKEY if none of @keys fits, -EBADMSG if the header was
 * tampered with; -EINVAL for a wrong direction; -ENOMEM, -EIO, -EFAULT.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_age_open(struct decant_age **out,
					       struct decant_iter *src,
					       const struct decant_age_keys *keys);

/**
 * decant_age_part - another context for chunks of the same file
 * @out: receives it; untouched on error
 * @age: whose file
 *
 * A context is used by one thread at a time; this makes one for each further thread. It
 * can open any chunk; it can seal those that decant_age_assign() gives it.
 *
 * Return: 0; -ENOMEM, -EIO.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_part(struct decant_age **out,
					   const struct decant_age *age);

/**
 * decant_age_assign - let a part seal the chunks that come next
 * @part: from decant_age_part(); it has no chunks left that it was given before
 * @age: what decant_age_create() made; it goes on behind them
 * @chunks: how many, none of them the file's last
 *
 * Each number of a chunk is given out once: a number that was used twice would give away
 * both texts.
 *
 * Return: 0; -EINVAL if @part is of another file or still has chunks, or if @age does
 * not seal or has sealed its last chunk; -EOVERFLOW.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_assign(struct decant_age *part,
					     struct decant_age *age, uint64_t chunks);

/**
 * decant_age_free - wipe the key and free a context
 * @age: the context, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_age_free(struct decant_age *age);

/* --- chunks --- */

/**
 * decant_age_seal - encrypt what comes next
 * @age: from decant_age_create(), or a part with chunks that were assigned
 * @dst: where the chunks go; advanced by decant_age_sealed_size(@len), or by 16 for a
 *	last chunk without text
 * @src: the text; advanced by @len
 * @len: bytes; a multiple of DECANT_AGE_CHUNK_BYTES unless @last
 * @last: the text ends here. What follows whole chunks is the last one, so if @len is a
 *	multiple and not 0, the last of these. 0 is allowed only for an empty file.
 *
 * Source and destination are cut as they please, and may not overlap.
 *
 * Return: bytes of text that were sealed, which is @len unless memory can't be used. With
 * nothing done: -EINVAL for a wrong direction, a length that is no multiple, an empty
 * last chunk or anything behind the last; -EMSGSIZE if a side has too little,
 * -EOVERFLOW beyond what was assigned; -EFAULT, -EIO.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_age_seal(struct decant_age *age,
					       struct decant_iter *dst,
					       struct decant_iter *src, size_t len,
					       bool last);

/**
 * decant_age_unseal - decrypt chunks, wherever in the file
 * @age: the context
 * @dst: where the text goes; advanced by what was opened
 * @src: sealed chunks; advanced by these
 * @len: sealed bytes; a multiple of DECANT_AGE_SEALED_BYTES unless @last
 * @chunk: the number of the first, counted from 0
 * @last: the file ends here. What follows whole chunks is the last one.
 *
 * Nobody may look at @dst's memory before the call returns. A chunk that is not authentic
 * is wiped there; the chunks before it are not.
 *
 * Return: bytes of text; 0 for the chunk of an empty file. If the first chunk can't be
 * had: -EBADMSG if it is not authentic, -ENODATA if it is not the last one of what was
 * encrypted (the file was cut short, and @last was wrong), -EFBIG if it is (something was
 * added); -EINVAL for a wrong direction or a @len that can't be, -EMSGSIZE, -EOVERFLOW,
 * -EFAULT, -EIO.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_age_unseal(struct decant_age *age,
						 struct decant_iter *dst,
						 struct decant_iter *src, size_t len,
						 uint64_t chunk, bool last);

/**
 * decant_age_sealed_size - how much text becomes, without header and nonce
 * @plain: bytes of text
 *
 * Return: bytes; UINT64_MAX if that is beyond numbers.
 * Since: 0.1
 */
DECANT_API uint64_t decant_age_sealed_size(uint64_t plain);

/**
 * decant_age_plain_size - how much text there is in sealed chunks
 * @sealed: bytes behind header and nonce
 *
 * It says what the length should be; that nothing was cut off or added is known when the
 * last chunk was opened.
 *
 * Return: bytes; UINT64_MAX if no file has that size.
 * Since: 0.1
 */
DECANT_API uint64_t decant_age_plain_size(uint64_t sealed);

/* --- random access --- */

/**
 * decant_age_file_open - read an encrypted file at any position
 * @out: receives it; untouched on error
 * @src: the whole file, of any kind; its lists and memory are borrowed until
 *	decant_age_file_close(). A custom iterator can read them from wherever they are.
 * @keys: see decant_age_open(); not needed any more afterwards
 *
 * The last chunk is opened, so that the size is what was encrypted.
 *
 * A file in armor is read as well, if all of its lines end alike; a line is decoded when
 * something in it is wanted, and -EILSEQ if it is not strict then.
 *
 * Return: 0; -EILSEQ or -ENODATA for an armor that is not strict or has no end; or else
 * as decant_age_open() and decant_age_unseal().
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_file_open(struct decant_age_file **out,
						const struct decant_iter *src,
						const struct decant_age_keys *keys);

/**
 * decant_age_file_size - bytes of text in a file
 * @file: the file
 *
 * Return: bytes.
 * Since: 0.1
 */
DECANT_API uint64_t decant_age_file_size(const struct decant_age_file *file);

/**
 * decant_age_read - decrypt any part of a file
 * @file: the file; used by one thread at a time
 * @dst: where the text goes; advanced by what was read
 * @len: most bytes
 * @pos: of the first, in the text
 *
 * Whole chunks go from the file's memory straight to where they belong. Of others the
 * wanted bytes are copied from a chunk that the file keeps, so that small reads in a row
 * decrypt it once. Nothing is handed out of a chunk that is not authentic.
 *
 * Return: bytes, the least of @len, what @dst has and what follows @pos: 0 at the end;
 * fewer if a later chunk can't be had. If the first can't: -EBADMSG; -EILSEQ for a
 * line of armor that is none; -EINVAL for a wrong direction; -EFAULT, -EIO, or what the
 * memory of @dst or of the file gave.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_age_read(struct decant_age_file *file,
					       struct decant_iter *dst, size_t len,
					       uint64_t pos);

/**
 * decant_age_file_close - wipe and free
 * @file: the file, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_age_file_close(struct decant_age_file *file);

/* --- armor --- */

/**
 * enum decant_age_armor_way - text to bytes, or bytes to text
 * @DECANT_AGE_ARMOR_DECODE: from "-----BEGIN AGE ENCRYPTED FILE-----" to the bytes of
 *	the file
 * @DECANT_AGE_ARMOR_ENCODE: the other way
 *
 * Since: 0.1
 */
enum decant_age_armor_way { DECANT_AGE_ARMOR_DECODE, DECANT_AGE_ARMOR_ENCODE };

/**
 * decant_age_armor_new - begin to put armor on or to take it off
 * @out: receives the state; untouched on error
 * @way: which
 *
 * The armor is strict PEM (RFC 7468, figure 3), with lines of 64 characters that end with
 * LF; when decoding also with CRLF, and with up to 1,024 bytes of white space around.
 *
 * Return: 0; -EINVAL, -ENOMEM.
 * Since: 0.1
 */
DECANT_API DECANT_MUST int decant_age_armor_new(struct decant_age_armor **out,
						enum decant_age_armor_way way);

/**
 * decant_age_armor_run - take some of the source, and give what it becomes
 * @armor: the state
 * @dst: advanced by what was written
 * @src: advanced by what was taken
 * @last: nothing follows what is in @src
 *
 * It goes on until @src is used up or @dst is full. What was written with @last set and
 * @src used up may still not be all: call again, with room, until it returns 0.
 *
 * Return: bytes written or taken, whichever is more: 0 if there is nothing more to do.
 * -EILSEQ if the source is not strictly armored, -ENODATA if it ends early; -EINVAL for a
 * wrong direction, -EFAULT.
 * Since: 0.1
 */
DECANT_API DECANT_MUST ssize_t decant_age_armor_run(struct decant_age_armor *armor,
						    struct decant_iter *dst,
						    struct decant_iter *src, bool last);

/**
 * decant_age_armor_free - end it
 * @armor: the state, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_age_armor_free(struct decant_age_armor *armor);

/**
 * decant_age_is_armored - whether a file begins as armored ones do
 * @src: the file from its first byte on; not changed. 1,100 bytes are always enough.
 *
 * Return: whether the first thing that is no white space is armor's first line.
 * Since: 0.1
 */
DECANT_API bool decant_age_is_armored(const struct decant_iter *src);

DECANT_END
#endif
