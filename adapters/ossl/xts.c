/* SPDX-License-Identifier: MIT */
/*
 * xts.c - AES-XTS (IEEE 1619) over a library's AES on many blocks at once.
 *
 * The tweaks of all units of a chunk are encrypted in one call, and so is the chunk. The
 * libraries' own XTS takes one unit a call, in one piece: a unit that is cut can't be
 * carried on with, and each of many short ones costs a call with a new IV.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include "internal.h"
#include "modes.h"

#define CHUNK	    4096
#define MOST_BLOCKS (CHUNK / BLOCK)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tweaks are kept as they lie");

/* A tweak, or a unit's number: 128 bits, the lower half first. */
typedef uint64_t wide __attribute__((vector_size(16)));
typedef int32_t quads __attribute__((vector_size(16)));

struct xts {
	const struct ecb_ops *ops;
	void *data, *tweak; /* states: the key's halves */
	void *units;	    /* NULL, or for units in one piece */
	size_t unit;
	size_t at;   /* bytes of the unit that are done */
	wide number; /* of the unit that comes next */
	wide next;   /* the tweak of the block that comes next */
	bool encrypt;
	size_t used, units_used; /* elements of the arrays, to be wiped */
	wide tweaks[MOST_BLOCKS], firsts[MOST_BLOCKS];
	wide chunk[MOST_BLOCKS];
};

void xts_free(void *state)
{
	struct xts *x = state;

	if (x->data)
		x->ops->free(x->data);
	if (x->tweak)
		x->ops->free(x->tweak);
	if (x->units)
		x->ops->free(x->units);
	state_free(x, sizeof(*x));
}

int xts_make(void **state, const struct engine_setup *setup, const struct ecb_ops *ops)
{
	size_t half = setup->key_bytes / 2;
	struct xts *x = state_new(sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	x->ops = ops;
	x->unit = setup->unit;
	err = ops->make(&x->data, setup->key, half);
	if (!err)
		err = ops->make(&x->tweak, setup->key + half, half);
	if (!err && ops->unit_least && x->unit >= ops->unit_least)
		err = ops->unit_make(&x->units, setup->key, setup->key_bytes);
	return state_settle(state, x, err, xts_free);
}

int xts_clone(void **state, const void *from)
{
	const struct xts *model = from;
	struct xts *x = state_new(sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	x->ops = model->ops;
	x->unit = model->unit;
	err = x->ops->clone(&x->data, model->data);
	if (!err)
		err = x->ops->clone(&x->tweak, model->tweak);
	if (!err && model->units)
		err = x->ops->clone(&x->units, model->units);
	return state_settle(state, x, err, xts_free);
}

static inline wide load(const uint8_t *at)
{
	wide w;

	memcpy(&w, at, sizeof(w));
	return w;
}

int xts_begin(void *state, const uint8_t *iv, bool encrypt)
{
	struct xts *x = state;

	x->number = load(iv);
	x->at = 0;
	x->encrypt = encrypt;
	return 0;
}

/* The next power of the field's generator: whatever the bits are, at the same speed. */
static inline wide doubled(wide t)
{
	quads carry = (quads)t >> 31;

	carry = __builtin_shufflevector(carry, carry, 3, 0, 1, 0);
	return (t + t) ^ (wide)(carry & (quads){0x87, 0, 1, 0});
}

/* n of these steps at once, 1 to 56. What leaves at the top comes back in four places. */
static wide jump(wide t, unsigned n)
{
	uint64_t top = t[1] >> (64 - n);

	return (wide){t[0] << n ^ top ^ top << 1 ^ top << 2 ^ top << 7,
		      t[1] << n | t[0] >> (64 - n)};
}

/*
 * The tweaks of nr blocks of one unit from the first one, and the blocks with them mixed
 * in. Each tweak follows from the last: four rows side by side wait less for it.
 */
static wide mix_in(wide *tweaks, wide *to, wide first, const uint8_t *in, size_t nr)
{
	size_t row = nr / 4, i;
	wide t[4] = {first};

	for (i = 1; i < 4 && row; i++)
		t[i] = row > 32 ? jump(jump(t[i - 1], 32), (unsigned)row - 32)
				: jump(t[i - 1], (unsigned)row);
	for (i = 0; i < row; i++) {
		for (size_t j = 0; j < 4; j++) {
			size_t at = j * row + i;
			wide w = load(in + at * BLOCK);

			tweaks[at] = t[j];
			to[at] = w ^ t[j];
			t[j] = doubled(t[j]);
		}
	}
	first = row ? t[3] : first;
	for (i = 4 * row; i < nr; i++) {
		tweaks[i] = first;
		to[i] = load(in + i * BLOCK) ^ first;
		first = doubled(first);
	}
	return first;
}

static void mix_out(uint8_t *to, const wide *from, const wide *tweaks, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		wide w = from[i] ^ tweaks[i];

		memcpy(to + i * BLOCK, &w, BLOCK);
	}
}

static void next_number(struct xts *x)
{
	x->number[0]++;
	x->number[1] += !x->number[0];
}

/* The numbers of the units that begin within len bytes, encrypted: their first tweaks. */
static int begin_units(struct xts *x, size_t len)
{
	size_t rest = x->at ? x->unit - x->at : 0, nr;

	if (len <= rest)
		return 0;
	nr = (len - rest + x->unit - 1) / x->unit;
	x->units_used = most(x->units_used, nr);
	for (size_t i = 0; i < nr; i++) {
		x->firsts[i] = x->number;
		next_number(x);
	}
	return x->ops->run(x->tweak, (uint8_t *)x->firsts, (uint8_t *)x->firsts,
			   nr * BLOCK, true);
}

/* The next len bytes, whole blocks, with their tweaks mixed in, into the chunk. */
static int fill_chunk(struct xts *x, const uint8_t *in, size_t len)
{
	const wide *first = x->firsts;
	size_t at = 0;
	int err = begin_units(x, len);

	x->used = most(x->used, len / BLOCK);

	while (len && !err) {
		size_t n = least(len, x->unit - x->at);

		if (!x->at)
			x->next = *first++;
		x->next = mix_in(&x->tweaks[at], &x->chunk[at], x->next, in, n / BLOCK);
		at += n / BLOCK;
		in += n;
		x->at = (x->at + n) & (x->unit - 1);
		len -= n;
	}
	return err;
}

static int crypt_chunk(struct xts *x, size_t len)
{
	return x->ops->run(x->data, (uint8_t *)x->chunk, (uint8_t *)x->chunk, len,
			   x->encrypt);
}

static int whole_blocks(struct xts *x, uint8_t *out, const uint8_t *in, size_t len)
{
	int err = fill_chunk(x, in, len);

	if (!err)
		err = crypt_chunk(x, len);
	mix_out(out, x->chunk, x->tweaks, len / BLOCK);
	return err;
}

/* One block under a tweak that is there already. */
static int one_block(struct xts *x, uint8_t *out, const uint8_t *in, wide tweak)
{
	int err;

	x->chunk[0] = load(in) ^ tweak;
	err = crypt_chunk(x, BLOCK);
	mix_out(out, x->chunk, &tweak, 1);
	return err;
}

/*
 * The last whole block and the bytes behind it, of a short unit: the second block is what
 * there is of it and the end of the first one's result, and they are swapped. Decrypting
 * takes the two tweaks in the other order.
 */
static int steal(struct xts *x, uint8_t *out, const uint8_t *in, size_t rest)
{
	uint8_t block[2 * BLOCK] = {0}, end[BLOCK];
	bool swap = !x->encrypt;
	wide tweaks[2];
	int err = fill_chunk(x, block, 2 * BLOCK);

	memcpy(tweaks, x->tweaks, sizeof(tweaks));
	if (!err)
		err = one_block(x, block, in, tweaks[swap]);
	memcpy(end, in + BLOCK, rest);
	memcpy(end + rest, block + rest, BLOCK - rest);
	memcpy(out + BLOCK, block, rest);
	if (!err)
		err = one_block(x, out, end, tweaks[!swap]);
	OPENSSL_cleanse(tweaks, sizeof(tweaks));
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(end, sizeof(end));
	return err;
}

/* All of a unit is here, and the library does such faster than we would. */
static int one_unit(struct xts *x, uint8_t *out, const uint8_t *in)
{
	wide number = x->number;

	next_number(x);
	return x->ops->unit(x->units, out, in, x->unit, (const uint8_t *)&number,
			    x->encrypt);
}

void xts_clean(void *state)
{
	struct xts *x = state;

	OPENSSL_cleanse(x->chunk, x->used * BLOCK);
	OPENSSL_cleanse(x->tweaks, x->used * BLOCK);
	OPENSSL_cleanse(x->firsts, x->units_used * BLOCK);
	OPENSSL_cleanse(&x->next, sizeof(x->next));
	x->used = x->units_used = 0;
}

int xts_feed(void *state, uint8_t *out, const uint8_t *in, size_t len, bool last)
{
	struct xts *x = state;
	size_t rest = len % BLOCK, left = rest ? len - rest - BLOCK : len;
	int err = 0;

	(void)last;
	while (left && !err) {
		bool whole = x->units && !x->at && left >= x->unit;
		size_t n = whole ? x->unit : least(left, CHUNK);

		/* No further than where a whole unit may begin. */
		if (x->units && x->at)
			n = least(n, x->unit - x->at);
		err = whole ? one_unit(x, out, in) : whole_blocks(x, out, in, n);
		out += n;
		in += n;
		left -= n;
	}
	if (!err && rest)
		err = steal(x, out, in, rest);
	return err;
}

/* --- by OpenSSL --- */

static int evp_xts_make(void **state, const struct engine_setup *setup)
{
	return xts_make(state, setup, &ecb_evp);
}

const struct cipher_ops cipher_xts = {
	.common = {DECANT_CRYPTO_OPENSSL, evp_xts_make, xts_clone, xts_free},
	.tail = 2 * BLOCK,
	.direct = 384,
	.begin = xts_begin,
	.feed = xts_feed,
	.clean = xts_clean,
};
