/* SPDX-License-Identifier: MIT */
/*
 * aead.c - AEAD over iterators with OpenSSL's EVP.
 *
 * The cipher is a stream: it takes one contiguous piece after the other. Each step finds
 * room at the destination, takes as many bytes of the source, and gives both to the
 * cipher. Either side is used where it lies if its piece is large, and goes through the
 * scratch if pieces are small, because a call of the cipher costs more than copying a few
 * hundred bytes.
 */
#include <decant/aead.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define SCRATCH_BYTES 16384
#define DIRECT_BYTES  512 /* pieces from here on go to the cipher as they are */
#define UPDATE_BYTES  (1u << 30) /* EVP's lengths are int */
#define CHECKED_RUNS  16

struct algorithm {
	const char *name;
	size_t key_bytes;
	uint64_t most_text;
	uint64_t most_aad;
};

/* NIST SP 800-38D, 5.2.1.1: the limits are given there in bits */
static const struct algorithm algorithms[] = {
	[DECANT_AEAD_AES_256_GCM] = {"AES-256-GCM", 32, (1ull << 36) - 32,
				     (1ull << 61) - 1},
};

struct decant_aead {
	const struct algorithm *algorithm;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	size_t dirty;
	_Alignas(64) uint8_t scratch[SCRATCH_BYTES];
};

struct request {
	struct decant_iter dst;
	struct decant_iter src;
	size_t len;
	const struct decant_iter *aad;
	const uint8_t *nonce;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int start(struct decant_aead *aead, const void *key)
{
	aead->cipher = EVP_CIPHER_fetch(NULL, aead->algorithm->name, NULL);
	if (!aead->cipher)
		return -ENOTSUP;
	aead->ctx = EVP_CIPHER_CTX_new();
	if (!aead->ctx)
		return -ENOMEM;
	if (!EVP_CipherInit_ex2(aead->ctx, aead->cipher, key, NULL, 1, NULL))
		return -ENOTSUP;
	return 0;
}

int decant_aead_new(struct decant_aead **out, enum decant_aead_algorithm algorithm,
		    const void *key, size_t key_len)
{
	struct decant_aead *aead;
	int err;

	if ((size_t)algorithm >= sizeof(algorithms) / sizeof(*algorithms) || !key ||
	    key_len != algorithms[algorithm].key_bytes)
		return -EINVAL;
	aead = aligned_alloc(_Alignof(struct decant_aead), sizeof(*aead));
	if (!aead)
		return -ENOMEM;
	memset(aead, 0, sizeof(*aead));
	aead->algorithm = &algorithms[algorithm];
	ERR_set_mark();
	err = start(aead, key);
	ERR_pop_to_mark();
	if (err) {
		decant_aead_free(aead);
		return err;
	}
	*out = aead;
	return 0;
}

void decant_aead_free(struct decant_aead *aead)
{
	if (!aead)
		return;
	EVP_CIPHER_CTX_free(aead->ctx); /* wipes what it knows of the key */
	EVP_CIPHER_free(aead->cipher);
	OPENSSL_cleanse(aead, sizeof(*aead));
	free(aead);
}

/* --- before anything is touched --- */

struct runs {
	size_t nr;
	size_t bytes;
	struct {
		uintptr_t addr;
		size_t at; /* position in the text */
		size_t len;
	} run[CHECKED_RUNS];
};

static int runs_add(void *user, struct decant_span span)
{
	struct runs *runs = user;
	uintptr_t addr = (uintptr_t)span.addr;
	size_t last = runs->nr - 1;

	if (runs->nr && runs->run[last].addr + runs->run[last].len == addr) {
		runs->run[last].len += span.len;
	} else {
		if (runs->nr == CHECKED_RUNS)
			return 1;
		runs->run[runs->nr].addr = addr;
		runs->run[runs->nr].at = runs->bytes;
		runs->run[runs->nr++].len = span.len;
	}
	runs->bytes += span.len;
	return 0;
}

static bool runs_list(struct runs *runs, struct decant_iter it, size_t len)
{
	runs->nr = 0;
	runs->bytes = 0;
	decant_for_each(&it, len, runs_add, runs);
	return runs->bytes == len;
}

/* Same memory at the same position is in place; same memory anywhere else is overlap. */
static bool run_overlaps(const struct runs *a, size_t i, const struct runs *b, size_t j)
{
	uintptr_t x = a->run[i].addr, y = b->run[j].addr;

	if (x >= y + b->run[j].len || y >= x + a->run[i].len)
		return false;
	return x - a->run[i].at != y - b->run[j].at;
}

static bool overlaps(const struct request *rq)
{
	struct runs dst, src;

	if (!runs_list(&dst, rq->dst, rq->len) || !runs_list(&src, rq->src, rq->len))
		return false;
	for (size_t i = 0; i < dst.nr; i++)
		for (size_t j = 0; j < src.nr; j++)
			if (run_overlaps(&dst, i, &src, j))
				return true;
	return false;
}

static int check(const struct algorithm *algorithm, const struct request *rq)
{
	size_t aad = rq->aad ? decant_iter_count(rq->aad) : 0;

	if (rq->dst.direction != DECANT_DEST || rq->src.direction != DECANT_SOURCE ||
	    (rq->aad && rq->aad->direction != DECANT_SOURCE))
		return -EINVAL;
	if (rq->len > algorithm->most_text || aad > algorithm->most_aad)
		return -EOVERFLOW;
	if (rq->len > decant_iter_count(&rq->dst) ||
	    rq->len > decant_iter_count(&rq->src))
		return -EMSGSIZE;
	return overlaps(rq) ? -EINVAL : 0;
}

/* --- pieces --- */

static bool is_large(const struct decant_span *span)
{
	return span->addr && span->len >= DIRECT_BYTES;
}

/* What is written there is forgotten. The memory is shared: no plaintext goes there. */
static bool forgets(const struct decant_iter *it)
{
	return decant_kind_get(it->kind)->bytes == DECANT_BYTES_NONE;
}

static int gather_piece(void *user, struct decant_span span)
{
	uint8_t **at = user;

	if (!span.addr || is_large(&span))
		return 1;
	memcpy(*at, span.addr, span.len);
	*at += span.len;
	return 0;
}

static ssize_t gather(struct decant_aead *aead, struct decant_iter *it, size_t most)
{
	uint8_t *at = aead->scratch;

	most = least(most, SCRATCH_BYTES);
	if (!decant_iter_peek(it).addr)
		return decant_copy_to(aead->scratch, it, most);
	return decant_for_each(it, most, gather_piece, &at);
}

/* The next bytes of a source as one piece; the iterator moves past them. */
static int take(struct decant_aead *aead, struct decant_iter *it, size_t most,
		struct decant_span *piece)
{
	ssize_t n;

	*piece = decant_iter_peek(it);
	piece->len = least(piece->len, most);
	if (is_large(piece) || (piece->addr && piece->len == most))
		return decant_iter_advance(it, piece->len);
	n = gather(aead, it, most);
	if (n <= 0)
		return n ? (int)n : -EFAULT;
	*piece = (struct decant_span){aead->scratch, (size_t)n, NULL};
	if (aead->dirty < piece->len)
		aead->dirty = piece->len;
	return 0;
}

static int ends_small(void *user, struct decant_span span)
{
	(void)user;
	return is_large(&span);
}

/* Where output goes: the destination, or the scratch for as long as pieces are small. */
static struct decant_span room(struct decant_aead *aead, const struct decant_iter *dst,
			       size_t most)
{
	struct decant_span span = decant_iter_peek(dst);
	struct decant_iter ahead = *dst;
	bool forget = forgets(dst);

	span.len = least(span.len, most);
	if (!forget && (is_large(&span) || (span.addr && span.len == most)))
		return span;
	span.addr = aead->scratch;
	span.len = least(most, SCRATCH_BYTES);
	if (!forget)
		span.len = (size_t)decant_for_each(&ahead, span.len, ends_small, NULL);
	return span;
}

/* Output is in the scratch or where it belongs; the iterator moves past it. */
static int give(struct decant_aead *aead, struct decant_iter *dst, const uint8_t *out,
		size_t len)
{
	ssize_t n;

	if (out != aead->scratch)
		return decant_iter_advance(dst, len);
	if (aead->dirty < len)
		aead->dirty = len;
	if (forgets(dst))
		return decant_iter_advance(dst, len);
	n = decant_copy_from(dst, out, len);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EFAULT;
}

/* --- the cipher --- */

static int feed(struct decant_aead *aead, uint8_t *out, const struct decant_span *in)
{
	int n;

	if (!EVP_CipherUpdate(aead->ctx, out, &n, in->addr, (int)in->len))
		return -EIO;
	return n == (int)in->len ? 0 : -EIO;
}

static int feed_aad(struct decant_aead *aead, const struct decant_iter *aad)
{
	struct decant_iter it = *aad;
	struct decant_span in;
	size_t left;
	int err = 0;

	while (!err && (left = decant_iter_count(&it))) {
		err = take(aead, &it, least(left, UPDATE_BYTES), &in);
		if (!err)
			err = feed(aead, NULL, &in);
	}
	return err;
}

static int feed_text(struct decant_aead *aead, struct request *rq)
{
	struct decant_span in, out;
	int err = 0;

	for (size_t left = rq->len; left && !err; left -= in.len) {
		out = room(aead, &rq->dst, least(left, UPDATE_BYTES));
		err = take(aead, &rq->src, out.len, &in);
		if (err)
			break;
		err = feed(aead, out.addr, &in);
		if (!err)
			err = give(aead, &rq->dst, out.addr, in.len);
	}
	return err;
}

static int stream(struct decant_aead *aead, struct request *rq, int encrypt)
{
	int err = 0;

	if (!EVP_CipherInit_ex2(aead->ctx, NULL, NULL, rq->nonce, encrypt, NULL))
		return -EIO;
	if (rq->aad)
		err = feed_aad(aead, rq->aad);
	return err ? err : feed_text(aead, rq);
}

static int seal(struct decant_aead *aead, struct request *rq, uint8_t *tag)
{
	uint8_t rest[EVP_MAX_BLOCK_LENGTH];
	int err = stream(aead, rq, 1), n;

	if (err)
		return err;
	if (!EVP_CipherFinal_ex(aead->ctx, rest, &n) ||
	    EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, DECANT_AEAD_TAG_BYTES,
				tag) != 1)
		return -EIO;
	return 0;
}

static int unseal(struct decant_aead *aead, struct request *rq, uint8_t *tag)
{
	uint8_t rest[EVP_MAX_BLOCK_LENGTH];
	int err = stream(aead, rq, 0), n;

	if (err)
		return err;
	if (EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, DECANT_AEAD_TAG_BYTES,
				tag) != 1)
		return -EIO;
	return EVP_CipherFinal_ex(aead->ctx, rest, &n) > 0 ? 0 : -EBADMSG;
}

/* All or nothing: hand the iterators over, or wipe what was written. */
static ssize_t run(struct decant_aead *aead, struct decant_iter *dst,
		   struct decant_iter *src, struct request *rq, uint8_t *tag,
		   int (*op)(struct decant_aead *, struct request *, uint8_t *))
{
	struct decant_iter wiped = *dst;
	int err = check(aead->algorithm, rq);

	if (err)
		return err;
	ERR_set_mark();
	err = op(aead, rq, tag);
	ERR_pop_to_mark();
	OPENSSL_cleanse(aead->scratch, aead->dirty);
	aead->dirty = 0;
	if (err) {
		decant_zero(&wiped, rq->len);
		return err;
	}
	*dst = rq->dst;
	*src = rq->src;
	return (ssize_t)rq->len;
}

ssize_t decant_aead_seal(struct decant_aead *aead, struct decant_iter *dst,
			 struct decant_iter *src, size_t len,
			 const struct decant_iter *aad,
			 const uint8_t nonce[DECANT_AEAD_NONCE_BYTES],
			 uint8_t tag[DECANT_AEAD_TAG_BYTES])
{
	struct request rq = {*dst, *src, len, aad, nonce};

	return run(aead, dst, src, &rq, tag, seal);
}

ssize_t decant_aead_open(struct decant_aead *aead, struct decant_iter *dst,
			 struct decant_iter *src, size_t len,
			 const struct decant_iter *aad,
			 const uint8_t nonce[DECANT_AEAD_NONCE_BYTES],
			 const uint8_t tag[DECANT_AEAD_TAG_BYTES])
{
	struct request rq = {*dst, *src, len, aad, nonce};
	uint8_t expected[DECANT_AEAD_TAG_BYTES];

	memcpy(expected, tag, sizeof(expected)); /* it may lie where the text goes */
	return run(aead, dst, src, &rq, expected, unseal);
}
