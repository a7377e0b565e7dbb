/* SPDX-License-Identifier: MIT */
/* kdf.c - HKDF by OpenSSL, and fscrypt's use of it. */
#include <decant/kdf.h>

#include <errno.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include "evp.h"

#define MOST_INFO     1024 /* enough for any format; OpenSSL has a limit, too */
#define STEPS	      255  /* RFC 5869, 2.3 */
#define FSCRYPT_INFO  255
#define FSCRYPT_LEAST 16
#define FSCRYPT_MOST  64

static const struct {
	const char *name;
	size_t bytes;
} hashes[] = {
	[DECANT_KDF_SHA_256] = {"SHA256", 32},
	[DECANT_KDF_SHA_512] = {"SHA512", 64},
};

struct bytes {
	const void *addr;
	size_t len;
};

/* OpenSSL's parameters aren't const, but it only reads these. */
static OSSL_PARAM octets(const char *name, struct bytes b)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)b.addr, b.len);
}

static int derive(EVP_KDF_CTX *ctx, const char *hash, struct bytes key, struct bytes salt,
		  struct bytes info, void *out, size_t out_len)
{
	OSSL_PARAM params[5], *p = params;

	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						(char *)(uintptr_t)hash, 0);
	*p++ = octets(OSSL_KDF_PARAM_KEY, key);
	if (salt.len)
		*p++ = octets(OSSL_KDF_PARAM_SALT, salt);
	if (info.len)
		*p++ = octets(OSSL_KDF_PARAM_INFO, info);
	*p = OSSL_PARAM_construct_end();
	if (EVP_KDF_derive(ctx, out, out_len, params) > 0)
		return 0;
	return evp_failed() == -ENOMEM ? -ENOMEM : -EIO;
}

static int hkdf(const char *hash, struct bytes key, struct bytes salt, struct bytes info,
		void *out, size_t out_len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int err = ctx ? derive(ctx, hash, key, salt, info, out, out_len) : -ENOMEM;

	EVP_KDF_CTX_free(ctx); /* wipes what it knows of the key */
	EVP_KDF_free(kdf);
	return err;
}

static int check(size_t hash, struct bytes key, struct bytes info, size_t out_len)
{
	if (hash >= sizeof(hashes) / sizeof(*hashes) || !key.addr || !key.len || !out_len)
		return -EINVAL;
	if (out_len > STEPS * hashes[hash].bytes || info.len > MOST_INFO)
		return -EOVERFLOW;
	return 0;
}

int decant_kdf_hkdf(enum decant_kdf_hash hash, const void *key, size_t key_len,
		    const void *salt, size_t salt_len, const void *info, size_t info_len,
		    void *out, size_t out_len)
{
	struct bytes from = {key, key_len}, with = {salt, salt ? salt_len : 0},
		     about = {info, info ? info_len : 0};
	int err = check((size_t)hash, from, about, out_len);

	if (!err) {
		ERR_set_mark();
		err = hkdf(hashes[hash].name, from, with, about, out, out_len);
		ERR_pop_to_mark();
	}
	if (err)
		OPENSSL_cleanse(out, out_len);
	return err;
}

int decant_kdf_fscrypt(const void *master, size_t master_len,
		       enum decant_fscrypt_purpose purpose, const void *info,
		       size_t info_len, void *out, size_t out_len)
{
	uint8_t label[9 + FSCRYPT_INFO] = "fscrypt";

	if (purpose < DECANT_FSCRYPT_KEY_IDENTIFIER ||
	    purpose > DECANT_FSCRYPT_INODE_HASH_KEY || master_len < FSCRYPT_LEAST ||
	    master_len > FSCRYPT_MOST || info_len > FSCRYPT_INFO) {
		OPENSSL_cleanse(out, out_len);
		return info_len > FSCRYPT_INFO ? -EOVERFLOW : -EINVAL;
	}
	label[8] = (uint8_t)purpose;
	if (info_len)
		memcpy(label + 9, info, info_len);
	return decant_kdf_hkdf(DECANT_KDF_SHA_512, master, master_len, NULL, 0, label,
			       9 + info_len, out, out_len);
}
