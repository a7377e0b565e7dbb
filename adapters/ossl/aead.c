/* SPDX-License-Identifier: MIT */
/* aead.c - authenticated encryption over iterators, whoever does the arithmetic. */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include "internal.h"

#define GCM(name, bytes)                                                                 \
	{                                                                                \
		name, "gcm(aes)", bytes, 12, 12, 12, 1, (1ull << 36) - 32,               \
			(1ull << 61) - 1, false                                          \
	}
#define CCM(name, bytes)                                                                 \
	{                                                                                \
		name, "ccm(aes)", bytes, 7, 13, 4, 2, UINT64_MAX, UINT64_MAX, true       \
	}
#define NUMBER_BYTES 8

/* NIST SP 800-38D, 5.2.1.1: the limits are given there in bits. RFC 8439, 2.8. */
static const struct aead_algorithm algorithms[] = {
	[DECANT_AEAD_AES_256_GCM] = GCM("AES-256-GCM", 32),
	[DECANT_AEAD_AES_128_GCM] = GCM("AES-128-GCM", 16),
	[DECANT_AEAD_CHACHA20_POLY1305] = {"ChaCha20-Poly1305",
					   "rfc7539(chacha20,poly1305)", 32, 12, 12, 16,
					   1, (1ull << 38) - 64, UINT64_MAX, false},
	[DECANT_AEAD_AES_256_CCM] = CCM("AES-256", 32),
	[DECANT_AEAD_AES_128_CCM] = CCM("AES-128", 16),
};

struct engine {
	const struct aead_ops *ops;
	void *state;
};

struct decant_aead {
	enum decant_aead_algorithm id;
	size_t nonce_bytes, tag_bytes;
	bool verify_first, distinct;
	uint64_t most_text;
	struct engine
		engines[2]; /* the second one is IPsec-MB, where the choice is ours */
	size_t engines_nr;
	uint8_t prefix[DECANT_AEAD_NONCE_MOST];
	uint64_t number, numbers_left; /* the next one, and how many follow it */
	bool numbered, used_up;
	struct scratch scratch;
};

/* --- a context --- */

/* What the length field of CCM's first block holds (RFC 3610, 2.1). */
static uint64_t most_text(const struct aead_algorithm *a, size_t nonce_bytes)
{
	size_t length_bytes = 15 - nonce_bytes;

	if (!a->ccm || length_bytes >= 8)
		return a->most_text;
	return (1ull << (8 * length_bytes)) - 1;
}

static int set_sizes(struct decant_aead *aead, const struct aead_algorithm *a,
		     const struct decant_crypto_options *o)
{
	aead->nonce_bytes = o->nonce_bytes ? o->nonce_bytes : DECANT_AEAD_NONCE_BYTES;
	aead->tag_bytes = o->tag_bytes ? o->tag_bytes : DECANT_AEAD_TAG_BYTES;
	if (aead->nonce_bytes < a->nonce_least || aead->nonce_bytes > a->nonce_most ||
	    aead->tag_bytes < a->tag_least || aead->tag_bytes > DECANT_AEAD_TAG_BYTES ||
	    (DECANT_AEAD_TAG_BYTES - aead->tag_bytes) % a->tag_step)
		return -EINVAL;
	aead->most_text = most_text(a, aead->nonce_bytes);
	aead->verify_first = o->verify_first;
	aead->distinct = o->distinct;
	return 0;
}

static int add_engine(struct decant_aead *aead, const struct aead_ops *ops,
		      const uint8_t *key)
{
	struct aead_setup setup = {aead->id, &algorithms[aead->id], key,
				   aead->nonce_bytes, aead->tag_bytes};
	struct engine *engine = &aead->engines[aead->engines_nr];
	int err = ops ? ops->make(&engine->state, &setup) : -ENOTSUP;

	if (err)
		return err;
	engine->ops = ops;
	aead->engines_nr++;
	return 0;
}

/* Beside OpenSSL, where it may be faster; doing without it is no error. */
static void add_alternative(struct decant_aead *aead, const uint8_t *key)
{
	if (aead_ipsec_mb && ipsec_mb_is_wide())
		(void)!add_engine(aead, aead_ipsec_mb, key);
}

static int add_engines(struct decant_aead *aead, enum decant_crypto_backend backend,
		       const uint8_t *key)
{
	bool ccm = algorithms[aead->id].ccm;
	int err;

	if (backend == DECANT_CRYPTO_IPSEC_MB)
		return add_engine(aead, aead_ipsec_mb, key);
	if (backend == DECANT_CRYPTO_AF_ALG)
		return add_engine(aead, aead_af_alg, key);
	err = add_engine(aead, ccm ? &aead_ccm : &aead_evp, key);
	if (!err && backend == DECANT_CRYPTO_AUTO)
		add_alternative(aead, key);
	return err;
}

static int make(struct decant_aead *aead, const struct decant_crypto_options *options,
		const uint8_t *key)
{
	int err = set_sizes(aead, &algorithms[aead->id], options);

	if (err)
		return err;
	ERR_set_mark();
	err = add_engines(aead, options->backend, key);
	ERR_pop_to_mark();
	return err;
}

int decant_aead_new_with(struct decant_aead **out, enum decant_aead_algorithm algorithm,
			 const void *key, size_t key_len,
			 const struct decant_crypto_options *options)
{
	struct decant_crypto_options o;
	struct decant_aead *aead;
	int err = options_read(&o, options);

	if (err || (size_t)algorithm >= sizeof(algorithms) / sizeof(*algorithms) ||
	    !key || key_len != algorithms[algorithm].key_bytes)
		return -EINVAL;
	aead = state_new(sizeof(*aead));
	if (!aead)
		return -ENOMEM;
	aead->id = algorithm;
	err = make(aead, &o, key);
	if (err) {
		decant_aead_free(aead);
		return err;
	}
	*out = aead;
	return 0;
}

int decant_aead_new(struct decant_aead **out, enum decant_aead_algorithm algorithm,
		    const void *key, size_t key_len)
{
	return decant_aead_new_with(out, algorithm, key, key_len, NULL);
}

static int clone_engines(struct decant_aead *to, const struct decant_aead *from)
{
	for (size_t i = 0; i < from->engines_nr; i++) {
		const struct engine *engine = &from->engines[i];
		int err = engine->ops->clone(&to->engines[i].state, engine->state);

		if (err)
			return err;
		to->engines[i].ops = engine->ops;
		to->engines_nr++;
	}
	return 0;
}

int decant_aead_clone(struct decant_aead **out, const struct decant_aead *aead)
{
	struct decant_aead *to = state_new(sizeof(*to));
	int err;

	if (!to)
		return -ENOMEM;
	to->id = aead->id;
	to->nonce_bytes = aead->nonce_bytes;
	to->tag_bytes = aead->tag_bytes;
	to->verify_first = aead->verify_first;
	to->distinct = aead->distinct;
	to->most_text = aead->most_text;
	ERR_set_mark();
	err = clone_engines(to, aead);
	ERR_pop_to_mark();
	if (err) {
		decant_aead_free(to);
		return err;
	}
	*out = to;
	return 0;
}

void decant_aead_free(struct decant_aead *aead)
{
	if (!aead)
		return;
	for (size_t i = 0; i < aead->engines_nr; i++)
		aead->engines[i].ops->free(aead->engines[i].state);
	state_free(aead, sizeof(*aead));
}

static const struct engine *engine_for(const struct decant_aead *aead, size_t len,
				       size_t aad_len)
{
	const struct engine *other = &aead->engines[1];

	if (aead->engines_nr < 2 || aad_len > other->ops->most_aad ||
	    aead_choice(aead->id, len) == DECANT_CRYPTO_OPENSSL)
		return &aead->engines[0];
	return other;
}

enum decant_crypto_backend decant_aead_backend(const struct decant_aead *aead, size_t len)
{
	return engine_for(aead, len, 0)->ops->id;
}

/* --- before anything is touched --- */

static size_t aad_len(const struct aead_request *rq)
{
	return rq->aad ? decant_iter_count(rq->aad) : 0;
}

static bool has(const struct decant_iter *it, size_t len, size_t more)
{
	size_t count = decant_iter_count(it);

	return len <= count && more <= count - len;
}

static int check(struct decant_aead *aead, const struct aead_request *rq)
{
	size_t aad = aad_len(rq);
	size_t tag = rq->appended ? aead->tag_bytes : 0;

	if (rq->dst.direction != DECANT_DEST || rq->src.direction != DECANT_SOURCE ||
	    (rq->aad && rq->aad->direction != DECANT_SOURCE))
		return -EINVAL;
	if (rq->len > aead->most_text || aad > algorithms[aead->id].most_aad)
		return -EOVERFLOW;
	if (rq->len > aead->engines[0].ops->most_text ||
	    aad > aead->engines[0].ops->most_aad)
		return -EMSGSIZE;
	if (!has(&rq->dst, rq->len, rq->encrypt ? tag : 0) ||
	    !has(&rq->src, rq->len, rq->encrypt ? 0 : tag))
		return -EMSGSIZE;
	if (aead->distinct)
		return 0;
	return overlaps(&rq->dst, rq->len, &rq->src, rq->len + (rq->encrypt ? 0 : tag),
			&aead->scratch)
		       ? -EINVAL
		       : 0;
}

/* --- the work --- */

/* Gathered, for a back end that wants it in one piece. */
static int feed_whole_aad(struct decant_aead *aead, const struct engine *engine,
			  const struct aead_request *rq)
{
	struct decant_iter it = *rq->aad;
	size_t len = aad_len(rq);
	ssize_t got = decant_copy_to(aead->scratch.batch, &it, len);

	aead->scratch.batch_used = most(aead->scratch.batch_used, len);
	if (got != (ssize_t)len)
		return got < 0 ? (int)got : -EFAULT;
	return engine->ops->aad(engine->state, NULL, aead->scratch.batch, len, true);
}

static int feed_aad(struct decant_aead *aead, const struct engine *engine,
		    const struct aead_request *rq)
{
	struct pass pass = {.src = *rq->aad,
			    .len = aad_len(rq),
			    .grain = engine->ops->grain,
			    .direct = engine->ops->direct[aead->id],
			    .absorb = true,
			    .feed = engine->ops->aad,
			    .state = engine->state,
			    .scratch = &aead->scratch};

	if (engine->ops->aad_whole)
		return feed_whole_aad(aead, engine, rq);
	return pass_run(&pass);
}

static int feed_text(struct decant_aead *aead, const struct engine *engine,
		     struct aead_request *rq)
{
	struct pass pass = {.dst = rq->dst,
			    .src = rq->src,
			    .len = rq->len,
			    .grain = engine->ops->grain,
			    .direct = engine->ops->direct[aead->id],
			    .feed = engine->ops->text,
			    .state = engine->state,
			    .scratch = &aead->scratch};
	int err = pass_run(&pass);

	rq->dst = pass.dst;
	rq->src = pass.src;
	return err;
}

/* The tag to verify stands where the text ended; the one that was made goes there. */
static int appended_tag(const struct decant_aead *aead, struct aead_request *rq)
{
	size_t n = aead->tag_bytes;
	ssize_t got = rq->encrypt ? decant_copy_from(&rq->dst, rq->tag, n)
				  : decant_copy_to(rq->tag, &rq->src, n);

	return got == (ssize_t)n ? 0 : got < 0 ? (int)got : -EFAULT;
}

static int stream(struct decant_aead *aead, const struct engine *engine,
		  struct aead_request *rq, const struct aead_start *start)
{
	int err = engine->ops->begin(engine->state, start);

	if (!err && start->aad_len)
		err = feed_aad(aead, engine, rq);
	if (!err)
		err = feed_text(aead, engine, rq);
	if (!err && rq->appended && !rq->encrypt)
		err = appended_tag(aead, rq);
	if (!err)
		err = engine->ops->finish(engine->state, rq->tag, start);
	if (!err && rq->appended && rq->encrypt)
		err = appended_tag(aead, rq);
	return err;
}

static int once(struct decant_aead *aead, const struct engine *engine,
		struct aead_request *rq, const struct aead_start *start)
{
	if (engine->ops->whole)
		return engine->ops->whole(engine->state, rq, start, &aead->scratch);
	return stream(aead, engine, rq, start);
}

/* Verify, by decrypting into nowhere. */
static int rehearse(struct decant_aead *aead, const struct engine *engine,
		    const struct aead_request *rq, const struct aead_start *start)
{
	struct aead_request again = *rq;
	uint8_t tag[DECANT_AEAD_TAG_BYTES];
	int err = decant_iter_discard(&again.dst, rq->len);

	memcpy(tag, rq->tag, sizeof(tag));
	again.tag = tag;
	return err ? err : once(aead, engine, &again, start);
}

static struct aead_start start_of(const struct decant_aead *aead,
				  const struct aead_request *rq)
{
	return (struct aead_start){rq->nonce,	aead->nonce_bytes, aead->tag_bytes,
				   aad_len(rq), rq->len,	   rq->encrypt};
}

/* All or nothing: the iterators go on, or what was written is wiped. */
static ssize_t run(struct decant_aead *aead, struct decant_iter *dst,
		   struct decant_iter *src, struct aead_request *rq)
{
	const struct engine *engine = engine_for(aead, rq->len, aad_len(rq));
	struct aead_start start = start_of(aead, rq);
	struct decant_iter wiped = *dst;
	bool touched = rq->encrypt || !aead->verify_first;
	int err;

	ERR_set_mark();
	err = touched ? 0 : rehearse(aead, engine, rq, &start);
	if (!err) {
		touched = true;
		err = once(aead, engine, rq, &start);
	}
	ERR_pop_to_mark();
	scratch_clean(&aead->scratch);
	if (err) {
		if (touched)
			decant_zero(&wiped, rq->len);
		return err;
	}
	*dst = rq->dst;
	*src = rq->src;
	return (ssize_t)rq->len;
}

ssize_t decant_aead_seal(struct decant_aead *aead, struct decant_iter *dst,
			 struct decant_iter *src, size_t len,
			 const struct decant_iter *aad, const uint8_t *nonce,
			 uint8_t *tag)
{
	struct aead_request rq = {*dst, *src, len, aad, nonce, tag, true, false};
	int err = check(aead, &rq);

	return err ? err : run(aead, dst, src, &rq);
}

ssize_t decant_aead_open(struct decant_aead *aead, struct decant_iter *dst,
			 struct decant_iter *src, size_t len,
			 const struct decant_iter *aad, const uint8_t *nonce,
			 const uint8_t *tag)
{
	uint8_t expected[DECANT_AEAD_TAG_BYTES] = {0};
	struct aead_request rq = {*dst, *src, len, aad, nonce, expected, false, false};
	int err = check(aead, &rq);

	if (err)
		return err;
	memcpy(expected, tag, aead->tag_bytes); /* it may lie where the text goes */
	return run(aead, dst, src, &rq);
}

ssize_t decant_aead_seal_append(struct decant_aead *aead, struct decant_iter *dst,
				struct decant_iter *src, size_t len,
				const struct decant_iter *aad, const uint8_t *nonce)
{
	uint8_t tag[DECANT_AEAD_TAG_BYTES];
	struct aead_request rq = {*dst, *src, len, aad, nonce, tag, true, true};
	ssize_t done = check(aead, &rq);

	if (!done)
		done = run(aead, dst, src, &rq);
	else
		return done;
	return done < 0 ? done : done + (ssize_t)aead->tag_bytes;
}

ssize_t decant_aead_open_append(struct decant_aead *aead, struct decant_iter *dst,
				struct decant_iter *src, size_t len,
				const struct decant_iter *aad, const uint8_t *nonce)
{
	uint8_t tag[DECANT_AEAD_TAG_BYTES] = {0};
	struct aead_request rq = {*dst, *src, len, aad, nonce, tag, false, true};
	int err = check(aead, &rq);

	return err ? err : run(aead, dst, src, &rq);
}

/* --- nonces that are counted --- */

int decant_aead_number(struct decant_aead *aead, const void *prefix, size_t prefix_len,
		       uint64_t first)
{
	size_t bytes;
	uint64_t last;

	if (prefix_len >= aead->nonce_bytes)
		return -EINVAL;
	if (aead->numbered)
		return -EALREADY;
	bytes = least(aead->nonce_bytes - prefix_len, NUMBER_BYTES);
	last = bytes < 8 ? (1ull << (8 * bytes)) - 1 : UINT64_MAX;
	if (first > last)
		return -EOVERFLOW;
	if (prefix_len)
		memcpy(aead->prefix, prefix, prefix_len);
	aead->number = first;
	aead->numbers_left = last - first;
	aead->numbered = true;
	return 0;
}

static void next_nonce(struct decant_aead *aead, uint8_t *nonce)
{
	uint64_t number = aead->number;

	memcpy(nonce, aead->prefix, aead->nonce_bytes);
	for (size_t i = aead->nonce_bytes; i-- && number; number >>= 8)
		nonce[i] = (uint8_t)number;
	aead->number++;
	if (!aead->numbers_left)
		aead->used_up = true;
	aead->numbers_left--;
}

ssize_t decant_aead_seal_number(struct decant_aead *aead, struct decant_iter *dst,
				struct decant_iter *src, size_t len,
				const struct decant_iter *aad, uint8_t *nonce,
				uint8_t *tag)
{
	struct aead_request rq = {*dst, *src, len, aad, nonce, tag, true, false};
	int err = !aead->numbered || aead->used_up ? -ERANGE : check(aead, &rq);

	if (err)
		return err;
	next_nonce(aead, nonce);
	return run(aead, dst, src, &rq);
}
