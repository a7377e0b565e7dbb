/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "sealer.h"
#include "wire.h"

struct binding {
	unsigned char aad[48];
	unsigned char nonce[DECANT_AEAD_NONCE_BYTES];
	struct decant_iter iter;
};

/* The key is fresh for each session, so that number and direction never meet it twice. */
static void bind(const struct sealer *sealer, const struct chunk_name *name,
		 struct binding *b)
{
	memcpy(b->aad, "decant/1", 8);
	wire_store_u64(b->aad + 8, sealer->push);
	wire_store_u64(b->aad + 16, name->number);
	wire_store_u64(b->aad + 24, name->len);
	wire_store_u64(b->aad + 32, sealer->size);
	wire_store_u64(b->aad + 40, name->last);
	wire_store_u64(b->nonce, name->number);
	memset(b->nonce + 8, sealer->push ? 0x01 : 0x02, 4);
	decant_iter_buf(&b->iter, DECANT_SOURCE, b->aad, sizeof(b->aad));
}

int sealer_seal(struct sealer *sealer, const struct chunk_name *name,
		struct decant_iter plain, unsigned char *sealed)
{
	struct decant_iter dst;
	struct binding b;
	ssize_t got;

	bind(sealer, name, &b);
	decant_iter_buf(&dst, DECANT_DEST, sealed, name->len);
	got = decant_aead_seal(sealer->aead, &dst, &plain, name->len, &b.iter, b.nonce,
			       sealed + name->len);
	return got < 0 ? (int)got : 0;
}

int sealer_open(struct sealer *sealer, const struct chunk_name *name,
		struct decant_iter plain, unsigned char *sealed)
{
	struct decant_iter src;
	struct binding b;
	ssize_t got;

	bind(sealer, name, &b);
	decant_iter_buf(&src, DECANT_SOURCE, sealed, name->len);
	got = decant_aead_open(sealer->aead, &plain, &src, name->len, &b.iter, b.nonce,
			       sealed + name->len);
	return got < 0 ? (int)got : 0;
}
