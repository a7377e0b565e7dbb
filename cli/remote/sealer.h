/* SPDX-License-Identifier: MIT */
#ifndef CLI_SEALER_H
#define CLI_SEALER_H
/*
 * sealer.h - a chunk between plain and sealed. What is sealed is the chunk's bytes, then
 * the tag. It opens only under the key, number, length, last mark, file size and
 * direction that it was sealed under.
 */
#include <decant/aead.h>

struct sealer {
	struct decant_aead *aead;
	bool push;     /* client to server; the other way is another nonce */
	uint64_t size; /* of the file; SIZE_UNKNOWN for a pipe */
};

struct chunk_name {
	uint64_t number;
	uint64_t len;
	bool last;
};

/* From plain into sealed, which has room for len + DECANT_AEAD_TAG_BYTES. A negative
 * errno. */
int sealer_seal(struct sealer *sealer, const struct chunk_name *name,
		struct decant_iter plain, unsigned char *sealed);

/* The other way. -EBADMSG, and plain is wiped, if it is not authentic. */
int sealer_open(struct sealer *sealer, const struct chunk_name *name,
		struct decant_iter plain, unsigned char *sealed);
#endif
