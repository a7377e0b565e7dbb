/* SPDX-License-Identifier: MIT */
/*
 * tamper.c - preloaded into the sender: someone between the two sides. DECANT_TAMPER is
 * what he does to chunk 1, after it was sealed: "bit" and "tag" flip a bit, "replay" puts
 * chunk 0 in its place, "swap" one that was sealed as number 2; "len" and "last" change
 * the note that announces it, "past" points beyond the slot.
 */
#include <decant/aead.h>
#include <decant/ofi.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define TAG DECANT_AEAD_TAG_BYTES

static bool wanted(const char *what)
{
	const char *tamper = getenv("DECANT_TAMPER");

	return tamper && !strcmp(tamper, what);
}

/* A function's real address; object pointers and function pointers are alike here. */
static void find(const char *name, void *function)
{
	void *at = dlsym(RTLD_NEXT, name);

	if (!at)
		abort();
	memcpy(function, &at, sizeof(at));
}

static unsigned char *memory_of(const struct decant_iter *it)
{
	return decant_iter_peek(it).addr;
}

static void change(unsigned char *sealed, size_t len, unsigned number)
{
	static unsigned char first[1 << 16];

	if (len + TAG <= sizeof(first) && !number)
		memcpy(first, sealed, len + TAG);
	if (number != 1)
		return;
	if (wanted("bit"))
		sealed[len / 2] ^= 0x10;
	if (wanted("tag"))
		sealed[len + TAG - 1] ^= 1;
	if (wanted("replay"))
		memcpy(sealed, first, len + TAG);
}

ssize_t decant_aead_seal(struct decant_aead *aead, struct decant_iter *dst,
			 struct decant_iter *src, size_t len,
			 const struct decant_iter *aad, const uint8_t *nonce,
			 uint8_t *tag)
{
	ssize_t (*real)(struct decant_aead *, struct decant_iter *, struct decant_iter *,
			size_t, const struct decant_iter *, const uint8_t *, uint8_t *);
	static unsigned number;
	uint8_t other[DECANT_AEAD_NONCE_BYTES];
	unsigned char *sealed = memory_of(dst);
	ssize_t done;

	find("decant_aead_seal", &real);
	memcpy(other, nonce, sizeof(other));
	if (number == 1 && wanted("swap")) {
		other[0] = 2;
		memory_of(aad)[16] = 2;
	}
	done = real(aead, dst, src, len, aad, other, tag);
	change(sealed, len, number++);
	return done;
}

/* A note: type, number, length, last; eight bytes each. */
int decant_ofi_send(struct decant_ofi *ofi, struct decant_iter *it, size_t len,
		    void *user)
{
	int (*real)(struct decant_ofi *, struct decant_iter *, size_t, void *);
	unsigned char *note = memory_of(it);

	find("decant_ofi_send", &real);
	if (len == 32 && note[0] == 1 && note[8] == 1) {
		if (wanted("len"))
			note[17] ^= 0x18;
		if (wanted("last"))
			note[24] ^= 1;
		if (wanted("past"))
			note[22] ^= 1;
	}
	return real(ofi, it, len, user);
}
