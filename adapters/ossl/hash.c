/* SPDX-License-Identifier: MIT */
/* hash.c - digests and MACs: by OpenSSL here, whoever else does it elsewhere. */
#include <errno.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include "evp.h"
#include "hashes.h"
#include "internal.h"

#define DIRECT 512

/* Plain hashes are EVP_MD's business, keyed ones EVP_MAC's. */
struct evp_hash {
	EVP_MD_CTX *md;
	EVP_MAC_CTX *mac;
	bool once, used_up; /* of a key that is good for once */
};

/*
 * OpenSSL's BLAKE2b leaves a block of the text, or of the key, where it worked on it: on
 * the stack, some hundred bytes further than the caller.
 */
static __attribute__((noinline)) void clean_stack(void)
{
	uint8_t below[2048];

	OPENSSL_cleanse(below, sizeof(below));
}

static void evp_fini(struct decant_digest *digest)
{
	struct evp_hash *h = digest->state;
	uint8_t waste[16];
	size_t n;

	/* Poly1305's key is wiped by its end, and by nothing else. */
	if (h->once && !h->used_up)
		(void)!EVP_MAC_final(h->mac, waste, &n, sizeof(waste));
	EVP_MD_CTX_free(h->md);
	EVP_MAC_CTX_free(h->mac); /* wipes what it knows of the key */
	state_free(h, sizeof(*h));
}

static int md_begin(struct decant_digest *digest)
{
	struct evp_hash *h = digest->state;

	return EVP_DigestInit_ex2(h->md, NULL, NULL) ? 0 : evp_failed();
}

static int md_update(struct decant_digest *digest, const void *addr, size_t len)
{
	struct evp_hash *h = digest->state;

	return EVP_DigestUpdate(h->md, addr, len) ? 0 : -EIO;
}

static int md_final(struct decant_digest *digest, void *out)
{
	struct evp_hash *h = digest->state;

	return EVP_DigestFinal_ex(h->md, out, NULL) ? 0 : -EIO;
}

static int mac_begin(struct decant_digest *digest)
{
	struct evp_hash *h = digest->state;

	if (h->used_up)
		return -EKEYEXPIRED;
	return EVP_MAC_init(h->mac, NULL, 0, NULL) ? 0 : evp_failed();
}

/* The key is in from the start; once is all that it is good for. */
static int once_begin(struct decant_digest *digest)
{
	struct evp_hash *h = digest->state;

	return h->used_up ? -EKEYEXPIRED : 0;
}

static int mac_update(struct decant_digest *digest, const void *addr, size_t len)
{
	struct evp_hash *h = digest->state;

	return EVP_MAC_update(h->mac, addr, len) ? 0 : -EIO;
}

static int mac_final(struct decant_digest *digest, void *out)
{
	struct evp_hash *h = digest->state;
	size_t n;

	return EVP_MAC_final(h->mac, out, &n, digest->ops->bytes) ? 0 : evp_failed();
}

static int once_final(struct decant_digest *digest, void *out)
{
	struct evp_hash *h = digest->state;

	h->used_up = true;
	return mac_final(digest, out);
}

static int blake2b_update(struct decant_digest *digest, const void *addr, size_t len)
{
	int err = digest->ops->secret ? mac_update(digest, addr, len)
				      : md_update(digest, addr, len);

	clean_stack();
	return err;
}

static int blake2b_final(struct decant_digest *digest, void *out)
{
	int err = digest->ops->secret ? mac_final(digest, out) : md_final(digest, out);

	clean_stack();
	return err;
}

static int clone_into(struct evp_hash *to, const struct evp_hash *from)
{
	to->used_up = from->used_up;
	if (from->mac) {
		to->mac = EVP_MAC_CTX_dup(from->mac);
		to->once = to->mac && from->once;
		return to->mac ? 0 : -ENOMEM;
	}
	to->md = EVP_MD_CTX_new();
	return to->md && EVP_MD_CTX_copy_ex(to->md, from->md) ? 0 : -ENOMEM;
}

static int evp_clone(struct decant_digest *to, const struct decant_digest *from)
{
	int err;

	to->state = state_new(sizeof(struct evp_hash));
	if (!to->state)
		return -ENOMEM;
	err = clone_into(to->state, from->state);
	if (err)
		evp_fini(to);
	return err;
}

static const struct decant_digest_ops md_256 = {
	"sha-256", 32, DIRECT, false, md_begin, md_update, md_final, evp_clone, evp_fini};
static const struct decant_digest_ops md_512 = {
	"sha-512", 64, DIRECT, false, md_begin, md_update, md_final, evp_clone, evp_fini};
static const struct decant_digest_ops blake2b = {"blake2b",	64,	   DIRECT,
						 false,		md_begin,  blake2b_update,
						 blake2b_final, evp_clone, evp_fini};
static const struct decant_digest_ops keyed_blake2b = {
	"blake2b",     64,	  DIRECT,  true, mac_begin, blake2b_update,
	blake2b_final, evp_clone, evp_fini};
static const struct decant_digest_ops hmac_256 = {"hmac-sha-256", 32,	     DIRECT,
						  true,		  mac_begin, mac_update,
						  mac_final,	  evp_clone, evp_fini};
static const struct decant_digest_ops hmac_512 = {"hmac-sha-512", 64,	     DIRECT,
						  true,		  mac_begin, mac_update,
						  mac_final,	  evp_clone, evp_fini};
static const struct decant_digest_ops poly1305 = {"poly1305", 16,	  DIRECT,
						  true,	      once_begin, mac_update,
						  once_final, evp_clone,  evp_fini};

struct algorithm {
	const struct decant_digest_ops *ops, *keyed; /* NULL: not without, or not with */
	size_t key_least, key_most;
	const char *name, *digest; /* OpenSSL's */
};

static const struct algorithm algorithms[] = {
	[DECANT_HASH_SHA_256] = {&md_256, NULL, 0, 0, "SHA256", NULL},
	[DECANT_HASH_SHA_512] = {&md_512, NULL, 0, 0, "SHA512", NULL},
	[DECANT_HASH_BLAKE2B] = {&blake2b, &keyed_blake2b, 1, 64, "BLAKE2B-512", NULL},
	[DECANT_HASH_HMAC_SHA_256] = {NULL, &hmac_256, 0, SIZE_MAX, "HMAC", "SHA256"},
	[DECANT_HASH_HMAC_SHA_512] = {NULL, &hmac_512, 0, SIZE_MAX, "HMAC", "SHA512"},
	[DECANT_HASH_POLY1305] = {NULL, &poly1305, 32, 32, "POLY1305", NULL},
};

static int md_make(struct evp_hash *h, const struct algorithm *a)
{
	EVP_MD *md = EVP_MD_fetch(NULL, a->name, NULL);
	int ok;

	if (!md)
		return evp_failed();
	h->md = EVP_MD_CTX_new();
	ok = h->md && EVP_DigestInit_ex2(h->md, md, NULL);
	EVP_MD_free(md); /* the context has its own reference */
	return ok ? 0 : -ENOMEM;
}

static int mac_make(struct evp_hash *h, const struct algorithm *a,
		    const struct hash_setup *setup)
{
	const char *name = a->ops ? "BLAKE2BMAC" : a->name;
	const uint8_t none = 0;
	OSSL_PARAM params[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, name, NULL);

	if (!mac)
		return evp_failed();
	h->mac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (!h->mac)
		return -ENOMEM;
	if (a->digest)
		params[0] = OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)a->digest, 0);
	if (!EVP_MAC_init(h->mac, setup->key ? setup->key : &none, setup->key_len,
			  params))
		return evp_failed();
	h->once = setup->id == DECANT_HASH_POLY1305;
	return 0;
}

int hash_evp(struct decant_digest *digest, const struct hash_setup *setup)
{
	const struct algorithm *a = &algorithms[setup->id];
	bool keyed = setup->key_len || !a->ops;
	int err;

	digest->state = state_new(sizeof(struct evp_hash));
	if (!digest->state)
		return -ENOMEM;
	digest->ops = keyed ? a->keyed : a->ops;
	ERR_set_mark();
	err = keyed ? mac_make(digest->state, a, setup) : md_make(digest->state, a);
	ERR_pop_to_mark();
	if (err)
		evp_fini(digest);
	return err;
}

static bool is_key(const struct algorithm *a, const void *key, size_t len)
{
	if (len && !key)
		return false;
	if (!len && a->ops)
		return true;
	return a->keyed && len >= a->key_least && len <= a->key_most;
}

int decant_digest_hash(struct decant_digest *digest, enum decant_hash hash,
		       const void *key, size_t key_len,
		       const struct decant_crypto_options *options)
{
	struct hash_setup setup = {hash, key, key_len};
	struct decant_crypto_options o;
	struct decant_digest made = {0};
	int err = options_read(&o, options);

	if (err || (size_t)hash >= sizeof(algorithms) / sizeof(*algorithms) ||
	    !is_key(&algorithms[hash], key, key_len))
		return -EINVAL;
	if (o.backend == DECANT_CRYPTO_IPSEC_MB)
		return -ENOTSUP;
	err = o.backend == DECANT_CRYPTO_AF_ALG ? hash_af_alg(&made, &setup)
						: hash_evp(&made, &setup);
	if (!err)
		*digest = made;
	return err;
}
