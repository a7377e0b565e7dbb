/* SPDX-License-Identifier: MIT */
/* primitives.c - what the age format asks of OpenSSL, one function each. */
#include <errno.h>
#include <string.h>
#include <decant/aead.h>
#include <decant/kdf.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include "internal.h"

void wipe(void *secret, size_t len)
{
	OPENSSL_cleanse(secret, len);
}

int random_bytes(void *out, size_t len)
{
	int ok;

	ERR_set_mark();
	ok = RAND_priv_bytes(out, (int)len) == 1;
	ERR_pop_to_mark();
	return ok ? 0 : -EIO;
}

static int exchange(uint8_t out[KEY_BYTES], EVP_PKEY *secret, EVP_PKEY *point)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(secret, NULL);
	size_t len = KEY_BYTES;
	int err = -EIO;

	/* A point of low order gives zeroes, and OpenSSL refuses it. */
	if (ctx && EVP_PKEY_derive_init(ctx) > 0)
		err = EVP_PKEY_derive_set_peer_ex(ctx, point, 0) > 0 &&
				      EVP_PKEY_derive(ctx, out, &len) > 0 &&
				      len == KEY_BYTES
			      ? 0
			      : -EINVAL;
	EVP_PKEY_CTX_free(ctx);
	return err;
}

static int base_point(uint8_t out[KEY_BYTES], EVP_PKEY *secret)
{
	size_t len = KEY_BYTES;

	return EVP_PKEY_get_raw_public_key(secret, out, &len) > 0 ? 0 : -EIO;
}

int x25519(uint8_t out[KEY_BYTES], const uint8_t secret[KEY_BYTES], const uint8_t *point)
{
	EVP_PKEY *own, *other = NULL;
	int err = -EIO;

	ERR_set_mark();
	own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, KEY_BYTES);
	if (point)
		other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point,
						    KEY_BYTES);
	if (own && !point)
		err = base_point(out, own);
	else if (own && other)
		err = exchange(out, own, other);
	EVP_PKEY_free(own);
	EVP_PKEY_free(other);
	ERR_pop_to_mark();
	return err;
}

int hkdf_sha256(uint8_t out[KEY_BYTES], const void *key, size_t key_len, const void *salt,
		size_t salt_len, const char *info)
{
	return decant_kdf_hkdf(DECANT_KDF_SHA_256, key, key_len, salt, salt_len, info,
			       strlen(info), out, KEY_BYTES);
}

int hmac_sha256(uint8_t out[KEY_BYTES], const uint8_t key[KEY_BYTES], struct text text)
{
	unsigned len = 0;
	bool ok;

	ERR_set_mark();
	ok = HMAC(EVP_sha256(), key, KEY_BYTES, (const uint8_t *)text.at, text.len, out,
		  &len) &&
	     len == KEY_BYTES;
	ERR_pop_to_mark();
	return ok ? 0 : -EIO;
}

static int run_scrypt(uint8_t out[KEY_BYTES], const OSSL_PARAM *params)
{
	EVP_KDF *kdf;
	EVP_KDF_CTX *ctx;
	int ok;

	ERR_set_mark();
	kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	ok = ctx && EVP_KDF_derive(ctx, out, KEY_BYTES, params) > 0;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	ERR_pop_to_mark();
	return ok ? 0 : -EIO;
}

static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, len);
}

int scrypt_key(uint8_t out[KEY_BYTES], const void *passphrase, size_t len,
	       const uint8_t salt[SALT_BYTES], unsigned work_factor)
{
	static const char label[] = "age-encryption.org/v1/scrypt";
	uint8_t salted[sizeof(label) - 1 + SALT_BYTES];
	uint64_t n = 1ull << work_factor, most = (n + 4) * 1024 + (1 << 20);
	uint32_t r = 8, p = 1;
	const OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_PASSWORD, passphrase, len),
		octets(OSSL_KDF_PARAM_SALT, salted, sizeof(salted)),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &most),
		OSSL_PARAM_construct_end(),
	};

	memcpy(salted, label, sizeof(label) - 1);
	memcpy(salted + sizeof(label) - 1, salt, SALT_BYTES);
	/* What can go wrong with all of these checked is memory. */
	return run_scrypt(out, params) ? -ENOMEM : 0;
}

static const uint8_t no_nonce[DECANT_AEAD_NONCE_BYTES];

/* A context for the one message that its key is for. */
static int once(uint8_t *out, const uint8_t *in, const uint8_t key[KEY_BYTES],
		uint8_t *made, const uint8_t *tag)
{
	struct decant_iter dst, src;
	struct decant_aead *aead;
	ssize_t got;
	int err = decant_aead_new(&aead, DECANT_AEAD_CHACHA20_POLY1305, key, KEY_BYTES);

	if (err)
		return err;
	decant_iter_buf(&dst, DECANT_DEST, out, FILE_KEY_BYTES);
	decant_iter_buf(&src, DECANT_SOURCE, (void *)(uintptr_t)in, FILE_KEY_BYTES);
	got = made ? decant_aead_seal(aead, &dst, &src, FILE_KEY_BYTES, NULL, no_nonce,
				      made)
		   : decant_aead_open(aead, &dst, &src, FILE_KEY_BYTES, NULL, no_nonce,
				      tag);
	decant_aead_free(aead);
	return got < 0 ? (int)got : 0;
}

int wrap_seal(uint8_t out[WRAPPED_BYTES], const uint8_t key[KEY_BYTES],
	      const uint8_t file_key[FILE_KEY_BYTES])
{
	return once(out, file_key, key, out + FILE_KEY_BYTES, NULL);
}

int wrap_open(uint8_t file_key[FILE_KEY_BYTES], const uint8_t key[KEY_BYTES],
	      const uint8_t in[WRAPPED_BYTES])
{
	return once(file_key, in, key, NULL, in + FILE_KEY_BYTES);
}
