/* SPDX-License-Identifier: MIT */
/* cipher.c - storage encryption over iterators, whoever does the arithmetic. */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include "internal.h"
#include "modes.h"

enum mode { XTS, CBC, CTS };

static const struct {
	enum mode mode;
	size_t key_bytes;
	const char *kernel;
} algorithms[] = {
	[DECANT_CIPHER_AES_256_XTS] = {XTS, 64, "xts(aes)"},
	[DECANT_CIPHER_AES_128_XTS] = {XTS, 32, "xts(aes)"},
	[DECANT_CIPHER_AES_256_CBC] = {CBC, 32, "cbc(aes)"},
	[DECANT_CIPHER_AES_128_CBC] = {CBC, 16, "cbc(aes)"},
	[DECANT_CIPHER_AES_256_CTS] = {CTS, 32, "cts(cbc(aes))"},
	[DECANT_CIPHER_AES_128_CTS] = {CTS, 16, "cts(cbc(aes))"},
};

struct decant_cipher {
	enum decant_cipher_algorithm id;
	size_t unit;
	bool distinct;
	struct engines engines;
	struct scratch scratch;
};

_Static_assert(!offsetof(struct cipher_ops, common), "an engine's are these");

static const struct cipher_ops *ops_of(const struct engine *engine)
{
	return (const struct cipher_ops *)(const void *)engine->ops;
}

static enum mode mode_of(enum decant_cipher_algorithm id)
{
	return algorithms[id].mode;
}

/* --- a context --- */

static bool is_unit(enum decant_cipher_algorithm id, size_t unit)
{
	if (mode_of(id) != XTS)
		return !unit;
	return unit >= DECANT_CIPHER_UNIT_LEAST && unit <= DECANT_CIPHER_UNIT_MOST &&
	       !(unit & (unit - 1));
}

static bool is_key(enum decant_cipher_algorithm id, const uint8_t *key, size_t len)
{
	if (!key || len != algorithms[id].key_bytes)
		return false;
	return mode_of(id) != XTS || CRYPTO_memcmp(key, key + len / 2, len / 2);
}

static const struct engine_ops *common(const struct cipher_ops *ops)
{
	return ops ? &ops->common : NULL;
}

static int make(struct decant_cipher *c, enum decant_crypto_backend backend,
		const uint8_t *key)
{
	bool xts = mode_of(c->id) == XTS;
	struct engine_offer offer = {common(xts ? &cipher_xts : &cipher_cbc),
				     common(xts ? cipher_xts_ipsec_mb : NULL),
				     common(cipher_af_alg)};
	struct engine_setup setup = {.algorithm = c->id,
				     .kernel = algorithms[c->id].kernel,
				     .key = key,
				     .key_bytes = algorithms[c->id].key_bytes,
				     .unit = c->unit};

	return engines_make(&c->engines, backend, &offer, &setup);
}

int decant_cipher_new(struct decant_cipher **out, enum decant_cipher_algorithm algorithm,
		      const void *key, size_t key_len, size_t unit,
		      const struct decant_crypto_options *options)
{
	struct decant_crypto_options o;
	struct decant_cipher *c;
	int err = options_read(&o, options);

	if (err || (size_t)algorithm >= sizeof(algorithms) / sizeof(*algorithms) ||
	    !is_key(algorithm, key, key_len) || !is_unit(algorithm, unit))
		return -EINVAL;
	c = state_new(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->id = algorithm;
	c->unit = unit;
	c->distinct = o.distinct;
	err = make(c, o.backend, key);
	if (err) {
		decant_cipher_free(c);
		return err;
	}
	*out = c;
	return 0;
}

int decant_cipher_clone(struct decant_cipher **out, const struct decant_cipher *cipher)
{
	struct decant_cipher *to = state_new(sizeof(*to));
	int err;

	if (!to)
		return -ENOMEM;
	to->id = cipher->id;
	to->unit = cipher->unit;
	to->distinct = cipher->distinct;
	err = engines_clone(&to->engines, &cipher->engines);
	if (err) {
		decant_cipher_free(to);
		return err;
	}
	*out = to;
	return 0;
}

void decant_cipher_free(struct decant_cipher *cipher)
{
	if (!cipher)
		return;
	engines_free(&cipher->engines);
	state_free(cipher, sizeof(*cipher));
}

static const struct engine *engine_for(const struct decant_cipher *c, size_t len)
{
	bool other =
		c->engines.nr > 1 && cipher_choice(c->id, len) != DECANT_CRYPTO_OPENSSL;

	return &c->engines.at[other];
}

enum decant_crypto_backend decant_cipher_backend(const struct decant_cipher *cipher,
						 size_t len)
{
	return engine_for(cipher, len)->ops->id;
}

void decant_cipher_number(uint8_t iv[DECANT_CIPHER_IV_BYTES], uint64_t number)
{
	for (size_t i = 0; i < DECANT_CIPHER_IV_BYTES; i++) {
		iv[i] = (uint8_t)number;
		number >>= 8;
	}
}

/* --- before anything is touched --- */

static bool is_length(const struct decant_cipher *c, size_t len)
{
	size_t rest;

	switch (mode_of(c->id)) {
	case XTS:
		rest = len & (c->unit - 1);
		return !rest || rest >= BLOCK;
	case CBC:
		return !(len % BLOCK);
	case CTS:
		return !len || len >= BLOCK;
	}
	return false;
}

/* Whether so many more after number are no longer 128 bits, the lowest byte first. */
static bool passes_end(const uint8_t iv[DECANT_CIPHER_IV_BYTES], uint64_t more)
{
	unsigned carry = 0;

	for (size_t i = 0; i < DECANT_CIPHER_IV_BYTES; i++) {
		carry = (carry + iv[i] + (unsigned)(more & 0xff)) >> 8;
		more >>= 8;
	}
	return carry != 0;
}

static int check(struct decant_cipher *c, const struct cipher_request *rq)
{
	if (rq->dst.direction != DECANT_DEST || rq->src.direction != DECANT_SOURCE ||
	    !is_length(c, rq->len))
		return -EINVAL;
	if (c->unit && rq->len && passes_end(rq->iv, (rq->len - 1) / c->unit))
		return -EOVERFLOW;
	if (rq->len > decant_iter_count(&rq->dst) ||
	    rq->len > decant_iter_count(&rq->src))
		return -EMSGSIZE;
	if (c->distinct || !overlaps(&rq->dst, rq->len, &rq->src, rq->len, &c->scratch))
		return 0;
	return -EINVAL;
}

/* --- the work --- */

static int stream(struct decant_cipher *c, const struct engine *engine,
		  struct cipher_request *rq)
{
	const struct cipher_ops *ops = ops_of(engine);
	struct pass pass = {.dst = rq->dst,
			    .src = rq->src,
			    .len = rq->len,
			    .grain = BLOCK,
			    .tail = ops->tail,
			    .direct = ops->direct,
			    .feed = ops->feed,
			    .state = engine->state,
			    .scratch = &c->scratch};
	int err = ops->begin(engine->state, rq->iv, rq->encrypt);

	if (!err)
		err = pass_run(&pass);
	if (ops->clean)
		ops->clean(engine->state);
	rq->dst = pass.dst;
	rq->src = pass.src;
	return err;
}

/* All or nothing: the iterators go on, or what was written is wiped. */
static ssize_t run(struct decant_cipher *c, struct decant_iter *dst,
		   struct decant_iter *src, struct cipher_request *rq)
{
	const struct engine *engine = engine_for(c, rq->len);
	struct decant_iter wiped = *dst;
	int err = check(c, rq);

	if (err)
		return err;
	ERR_set_mark();
	err = ops_of(engine)->whole
		      ? ops_of(engine)->whole(engine->state, rq, &c->scratch)
		      : stream(c, engine, rq);
	ERR_pop_to_mark();
	scratch_clean(&c->scratch);
	if (err) {
		decant_zero(&wiped, rq->len);
		return err;
	}
	*dst = rq->dst;
	*src = rq->src;
	return (ssize_t)rq->len;
}

ssize_t decant_cipher_encrypt(struct decant_cipher *cipher, struct decant_iter *dst,
			      struct decant_iter *src, size_t len,
			      const uint8_t iv[DECANT_CIPHER_IV_BYTES])
{
	struct cipher_request rq = {*dst, *src, len, iv, true};

	return run(cipher, dst, src, &rq);
}

ssize_t decant_cipher_decrypt(struct decant_cipher *cipher, struct decant_iter *dst,
			      struct decant_iter *src, size_t len,
			      const uint8_t iv[DECANT_CIPHER_IV_BYTES])
{
	struct cipher_request rq = {*dst, *src, len, iv, false};

	return run(cipher, dst, src, &rq);
}
