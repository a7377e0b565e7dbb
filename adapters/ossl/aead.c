/* SPDX-License-Identifier: MIT */
/*
 * aead.c - AEAD over iterators with OpenSSL's EVP.
 *
 * The cipher is a stream that takes one contiguous piece after the other. What is large
 * and contiguous on both sides is used where it lies. At anything smaller a whole batch
 * goes through the scratch: a call of the cipher costs more than copying some hundred
 * bytes, and looking ahead for the next large piece more than copying a few of them in
 * vain.
 */
#include <decant/aead.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define SCRATCH_BYTES 4096
#define DIRECT_BYTES  1024	 /* pieces from here on go to the cipher as they are */
#define UPDATE_BYTES  (1u << 30) /* EVP's lengths are int */
#define CHECKED_RUNS  8

struct algorithm {
	const char *name;
	size_t key_bytes;
	uint64_t most_text;
	uint64_t most_aad;
};

/* NIST SP 800-38D, 5.2.1.1: the limits are given there in bits. RFC 8439, 2.8. */
static const struct algorithm algorithms[] = {
	[DECANT_AEAD_AES_256_GCM] = {"AES-256-GCM", 32, (1ull << 36) - 32,
				     (1ull << 61) - 1},
	[DECANT_AEAD_AES_128_GCM] = {"AES-128-GCM", 16, (1ull << 36) - 32,
				     (1ull << 61) - 1},
	[DECANT_AEAD_CHACHA20_POLY1305] = {"ChaCha20-Poly1305", 32, (1ull << 38) - 64,
					   UINT64_MAX},
};

struct decant_aead {
	const struct algorithm *algorithm;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	size_t dirty; /* bytes of the scratch to wipe */
	_Alignas(64) uint8_t scratch[SCRATCH_BYTES];
};

struct request {
	struct decant_iter dst;
	struct decant_iter src;
	size_t len;
	bool forget; /* the destination keeps nothing */
	const struct decant_iter *aad;
	const uint8_t *nonce;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
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
	struct iovec iov[CHECKED_RUNS];
	size_t nr;
};

/* All of it as runs of adjacent bytes; false if that is too many. */
static bool runs_list(struct runs *runs, const struct decant_iter *from, size_t len)
{
	struct decant_iter it = *from;
	struct decant_sink sink;

	decant_sink_iovec(&sink, runs->iov, CHECKED_RUNS);
	if (decant_extract(&it, &sink, len) != (ssize_t)len)
		return false;
	runs->nr = sink.nr;
	return true;
}

/* Same memory at the same position is in place; same memory anywhere else is overlap. */
static bool overlap(const struct iovec *a, size_t at_a, const struct iovec *b,
		    size_t at_b)
{
	uintptr_t x = (uintptr_t)a->iov_base, y = (uintptr_t)b->iov_base;

	if (x >= y + b->iov_len || y >= x + a->iov_len)
		return false;
	return x - at_a != y - at_b;
}

static bool overlaps_any(const struct iovec *piece, size_t at, const struct runs *runs)
{
	size_t other = 0;

	for (size_t i = 0; i < runs->nr; i++) {
		if (overlap(piece, at, &runs->iov[i], other))
			return true;
		other += runs->iov[i].iov_len;
	}
	return false;
}

static bool overlaps(const struct request *rq)
{
	struct runs dst, src;
	size_t at = 0;

	if (!runs_list(&dst, &rq->dst, rq->len) || !runs_list(&src, &rq->src, rq->len))
		return false;
	for (size_t i = 0; i < dst.nr; i++) {
		if (overlaps_any(&dst.iov[i], at, &src))
			return true;
		at += dst.iov[i].iov_len;
	}
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
	return !rq->forget && overlaps(rq) ? -EINVAL : 0;
}

/* --- pieces --- */

/* What is written there is forgotten. The memory is shared: no plaintext goes there. */
static bool forgets(const struct decant_iter *it)
{
	return decant_kind_get(it->kind)->bytes == DECANT_BYTES_NONE;
}

/* Whether the next n bytes are one piece that can be pointed at. */
static bool is_whole(const struct decant_span *piece, size_t n)
{
	return piece->addr && piece->len >= n;
}

/*
 * How much to do next: all that is contiguous on both sides if that is worth a call of
 * its own, else a batch that is copied together.
 */
static size_t step(const struct decant_span *in, const struct decant_span *out,
		   size_t left)
{
	size_t n = least(least(in->len, out->len), least(left, UPDATE_BYTES));

	if (n >= DIRECT_BYTES && in->addr && out->addr)
		return n;
	return least(left, SCRATCH_BYTES);
}

/* Make sure of n bytes at piece, gathered if they are not one piece; it moves past them.
 */
static int take(struct decant_aead *aead, struct decant_iter *it,
		struct decant_span *piece, size_t n)
{
	if (is_whole(piece, n))
		return decant_iter_advance(it, n);
	aead->dirty = most(aead->dirty, n);
	piece->addr = aead->scratch;
	return decant_copy_to(aead->scratch, it, n) == (ssize_t)n ? 0 : -EFAULT;
}

/* --- the cipher --- */

static int feed(struct decant_aead *aead, uint8_t *out, const uint8_t *in, size_t len)
{
	int n;

	if (!EVP_CipherUpdate(aead->ctx, out, &n, in, (int)len) || n != (int)len)
		return -EIO;
	return 0;
}

static int feed_aad(struct decant_aead *aead, const struct decant_iter *aad)
{
	struct decant_iter it = *aad;
	struct decant_span in;
	size_t n, left = decant_iter_count(aad);
	int err = 0;

	for (; left && !err; left -= n) {
		in = decant_iter_peek(&it);
		n = step(&in, &in, left);
		err = take(aead, &it, &in, n);
		if (!err)
			err = feed(aead, NULL, in.addr, n);
	}
	return err;
}

/* The cipher's output straight to where it belongs, or by way of the scratch. */
static int give(struct decant_aead *aead, struct request *rq,
		const struct decant_span *out, const uint8_t *in, size_t n)
{
	bool whole = !rq->forget && is_whole(out, n);
	int err = feed(aead, whole ? out->addr : aead->scratch, in, n);

	if (err)
		return err;
	if (!whole)
		aead->dirty = most(aead->dirty, n);
	if (whole || rq->forget)
		return decant_iter_advance(&rq->dst, n);
	return decant_copy_from(&rq->dst, aead->scratch, n) == (ssize_t)n ? 0 : -EFAULT;
}

static int feed_text(struct decant_aead *aead, struct request *rq)
{
	struct decant_span in, out;
	size_t n, left = rq->len;
	int err = 0;

	for (; left && !err; left -= n) {
		in = decant_iter_peek(&rq->src);
		out = decant_iter_peek(&rq->dst);
		n = rq->forget ? least(left, SCRATCH_BYTES) : step(&in, &out, left);
		err = take(aead, &rq->src, &in, n);
		if (!err)
			err = give(aead, rq, &out, in.addr, n);
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
	struct request rq = {*dst, *src, len, forgets(dst), aad, nonce};

	return run(aead, dst, src, &rq, tag, seal);
}

ssize_t decant_aead_open(struct decant_aead *aead, struct decant_iter *dst,
			 struct decant_iter *src, size_t len,
			 const struct decant_iter *aad,
			 const uint8_t nonce[DECANT_AEAD_NONCE_BYTES],
			 const uint8_t tag[DECANT_AEAD_TAG_BYTES])
{
	struct request rq = {*dst, *src, len, forgets(dst), aad, nonce};
	uint8_t expected[DECANT_AEAD_TAG_BYTES];

	memcpy(expected, tag, sizeof(expected)); /* it may lie where the text goes */
	return run(aead, dst, src, &rq, expected, unseal);
}
