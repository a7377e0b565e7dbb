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
			(1ull << 61) - 1                                                 \
	}
#define CCM(name, bytes)                                                                 \
	{                                                                                \
		name, "ccm(aes)", bytes, 7, 13, 4, 2, UINT64_MAX, UINT64_MAX             \
	}
#define NUMBER_BYTES 8

/* NIST SP 800-38D, 5.2.1.1: the limits are given there in bits. RFC 8439, 2.8. */
static const struct aead_algorithm algorithms[] = {
	[DECANT_AEAD_AES_256_GCM] = GCM("AES-256-GCM", 32),
	[DECANT_AEAD_AES_128_GCM] = GCM("AES-128-GCM", 16),
	[DECANT_AEAD_CHACHA20_POLY1305] = {"ChaCha20-Poly1305",
					   "rfc7539(chacha20,poly1305)", 32, 12, 12, 16,
					   1, (1ull << 38) - 64, UINT64_MAX},
	[DECANT_AEAD_AES_256_CCM] = CCM("AES-256", 32),
	[DECANT_AEAD_AES_128_CCM] = CCM("AES-128", 16),
};

/* What a clone has as well. */
struct rules {
	enum decant_aead_algorithm id;
	size_t nonce_bytes, tag_bytes;
	bool verify_first, distinct;
	uint64_t most_text;
};

struct decant_aead {
	struct rules rules;
	struct engines engines;
	uint8_t prefix[DECANT_AEAD_NONCE_MOST];
	uint64_t number, numbers_left; /* the next one, and how many follow it */
	bool numbered, used_up;
	struct scratch scratch;
};

_Static_assert(!offsetof(struct aead_ops, common), "an engine's are these");

static const struct aead_ops *ops_of(const struct engine *engine)
{
	return (const struct aead_ops *)(const void *)engine->ops;
}

/* --- a context --- */

/* What the length field of CCM's first block holds (RFC 3610, 2.1). */
static uint64_t most_text(enum decant_aead_algorithm id, size_t nonce_bytes)
{
	size_t length_bytes = 15 - nonce_bytes;

	if (!is_ccm(id) || length_bytes >= 8)
		return algorithms[id].most_text;
	return (1ull << (8 * length_bytes)) - 1;
}

static int set_rules(struct rules *rules, const struct decant_crypto_options *o)
{
	const struct aead_algorithm *a = &algorithms[rules->id];

	rules->nonce_bytes = o->nonce_bytes ? o->nonce_bytes : DECANT_AEAD_NONCE_BYTES;
	rules->tag_bytes = o->tag_bytes ? o->tag_bytes : DECANT_AEAD_TAG_BYTES;
	if (rules->nonce_bytes < a->nonce_least || rules->nonce_bytes > a->nonce_most ||
	    rules->tag_bytes < a->tag_least || rules->tag_bytes > DECANT_AEAD_TAG_BYTES ||
	    (DECANT_AEAD_TAG_BYTES - rules->tag_bytes) % a->tag_step)
		return -EINVAL;
	rules->most_text = most_text(rules->id, rules->nonce_bytes);
	rules->verify_first = o->verify_first;
	rules->distinct = o->distinct;
	return 0;
}

static const struct engine_ops *common(const struct aead_ops *ops)
{
	return ops ? &ops->common : NULL;
}

static int make(struct decant_aead *aead, const struct decant_crypto_options *options,
		const uint8_t *key)
{
	const struct aead_algorithm *a = &algorithms[aead->rules.id];
	struct engine_offer offer = {
		common(is_ccm(aead->rules.id) ? &aead_ccm : &aead_evp),
		common(aead_ipsec_mb), common(aead_af_alg)};
	struct engine_setup setup = {.algorithm = aead->rules.id,
				     .name = a->name,
				     .kernel = a->kernel,
				     .key = key,
				     .key_bytes = a->key_bytes};
	int err = set_rules(&aead->rules, options);

	if (err)
		return err;
	setup.nonce_bytes = aead->rules.nonce_bytes;
	setup.tag_bytes = aead->rules.tag_bytes;
	return engines_make(&aead->engines, options->backend, &offer, &setup);
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
	aead->rules.id = algorithm;
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

int decant_aead_clone(struct decant_aead **out, const struct decant_aead *aead)
{
	struct decant_aead *to = state_new(sizeof(*to));
	int err;

	if (!to)
		return -ENOMEM;
	to->rules = aead->rules;
	err = engines_clone(&to->engines, &aead->engines);
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
	engines_free(&aead->engines);
	state_free(aead, sizeof(*aead));
}

static const struct engine *engine_for(const struct decant_aead *aead, size_t len,
				       size_t aad_len)
{
	const struct engine *at = aead->engines.at;

	if (aead->engines.nr < 2 || aad_len > ops_of(&at[1])->most_aad ||
	    aead_choice(aead->rules.id, len) == DECANT_CRYPTO_OPENSSL)
		return &at[0];
	return &at[1];
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
	size_t tag = rq->appended ? aead->rules.tag_bytes : 0;
	const struct aead_ops *ops = ops_of(&aead->engines.at[0]);

	if (rq->dst.direction != DECANT_DEST || rq->src.direction != DECANT_SOURCE ||
	    (rq->aad && rq->aad->direction != DECANT_SOURCE))
		return -EINVAL;
	if (rq->len > aead->rules.most_text || aad > algorithms[aead->rules.id].most_aad)
		return -EOVERFLOW;
	if (rq->len > ops->most_text || aad > ops->most_aad)
		return -EMSGSIZE;
	if (!has(&rq->dst, rq->len, rq->encrypt ? tag : 0) ||
	    !has(&rq->src, rq->len, rq->encrypt ? 0 : tag))
		return -EMSGSIZE;
	if (aead->rules.distinct)
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
	return ops_of(engine)->aad(engine->state, NULL, aead->scratch.batch, len, true);
}

static int feed_aad(struct decant_aead *aead, const struct engine *engine,
		    const struct aead_request *rq)
{
	const struct aead_ops *ops = ops_of(engine);
	struct pass pass = {.src = *rq->aad,
			    .len = aad_len(rq),
			    .grain = ops->grain,
			    .direct = ops->direct[aead->rules.id],
			    .absorb = true,
			    .feed = ops->aad,
			    .state = engine->state,
			    .scratch = &aead->scratch};

	if (ops->aad_whole)
		return feed_whole_aad(aead, engine, rq);
	return pass_run(&pass);
}

static int feed_text(struct decant_aead *aead, const struct engine *engine,
		     struct aead_request *rq)
{
	const struct aead_ops *ops = ops_of(engine);
	struct pass pass = {.dst = rq->dst,
			    .src = rq->src,
			    .len = rq->len,
			    .grain = ops->grain,
			    .direct = ops->direct[aead->rules.id],
			    .feed = ops->text,
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
	size_t n = aead->rules.tag_bytes;
	ssize_t got = rq->encrypt ? decant_copy_from(&rq->dst, rq->tag, n)
				  : decant_copy_to(rq->tag, &rq->src, n);

	return got == (ssize_t)n ? 0 : got < 0 ? (int)got : -EFAULT;
}

static int stream(struct decant_aead *aead, const struct engine *engine,
		  struct aead_request *rq, const struct aead_start *start)
{
	const struct aead_ops *ops = ops_of(engine);
	int err = ops->begin(engine->state, start);

	if (!err && start->aad_len)
		err = feed_aad(aead, engine, rq);
	if (!err)
		err = feed_text(aead, engine, rq);
	if (!err && rq->appended && !rq->encrypt)
		err = appended_tag(aead, rq);
	if (!err)
		err = ops->finish(engine->state, rq->tag, start);
	if (!err && rq->appended && rq->encrypt)
		err = appended_tag(aead, rq);
	return err;
}

static int once(struct decant_aead *aead, const struct engine *engine,
		struct aead_request *rq, const struct aead_start *start)
{
	const struct aead_ops *ops = ops_of(engine);
	int err;

	if (ops->whole)
		return ops->whole(engine->state, rq, start, &aead->scratch);
	err = stream(aead, engine, rq, start);
	if (ops->clean)
		ops->clean(engine->state);
	return err;
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
	return (struct aead_start){rq->nonce,
				   aead->rules.nonce_bytes,
				   aead->rules.tag_bytes,
				   aad_len(rq),
				   rq->len,
				   rq->encrypt};
}

/* All or nothing: the iterators go on, or what was written is wiped. */
static ssize_t run(struct decant_aead *aead, struct decant_iter *dst,
		   struct decant_iter *src, struct aead_request *rq)
{
	const struct engine *engine = engine_for(aead, rq->len, aad_len(rq));
	struct aead_start start = start_of(aead, rq);
	struct decant_iter wiped = *dst;
	bool touched = rq->encrypt || !aead->rules.verify_first;
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
	memcpy(expected, tag, aead->rules.tag_bytes); /* it may lie where the text goes */
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
	return done < 0 ? done : done + (ssize_t)aead->rules.tag_bytes;
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

	if (prefix_len >= aead->rules.nonce_bytes)
		return -EINVAL;
	if (aead->numbered)
		return -EALREADY;
	bytes = least(aead->rules.nonce_bytes - prefix_len, NUMBER_BYTES);
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

	memcpy(nonce, aead->prefix, aead->rules.nonce_bytes);
	for (size_t i = aead->rules.nonce_bytes; i-- && number; number >>= 8)
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
