/* SPDX-License-Identifier: MIT */
/*
 * kdf.c - decant_kdf_* against RFC 5869's test cases and against HKDF written down from
 * the RFC over HMAC.
 */
#include "check.h"
#include <decant/kdf.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct text {
	uint8_t at[128];
	size_t len;
};

/* Bytes that count up, or stay the same if step is 0. */
static struct text row(uint8_t first, uint8_t step, size_t len)
{
	struct text t = {.len = len};

	for (size_t i = 0; i < len; i++)
		t.at[i] = (uint8_t)(first + step * i);
	return t;
}

static bool is_hex(const uint8_t *got, size_t len, const char *hex)
{
	if (strlen(hex) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		REQUIRE(sscanf(hex + 2 * i, "%2x", &byte) == 1);
		if (got[i] != byte)
			return false;
	}
	return true;
}

static bool gives(struct text key, struct text salt, struct text info, const char *hex)
{
	uint8_t out[128];
	size_t len = strlen(hex) / 2;

	CHECK_EQ(decant_kdf_hkdf(DECANT_KDF_SHA_256, key.at, key.len, salt.at, salt.len,
				 info.at, info.len, out, len),
		 0);
	return is_hex(out, len, hex);
}

/* RFC 5869, A.1 to A.3 */
static void published(void)
{
	CHECK(gives(row(0x0b, 0, 22), row(0, 1, 13), row(0xf0, 1, 10),
		    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		    "34007208d5b887185865"));
	CHECK(gives(row(0, 1, 80), row(0x60, 1, 80), row(0xb0, 1, 80),
		    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		    "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		    "cc30c58179ec3e87c14c01d5c1f3434f1d87"));
	CHECK(gives(row(0x0b, 0, 22), row(0, 0, 0), row(0, 0, 0),
		    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		    "9d201395faa4b61a96c8"));
}

/* RFC 5869, 2.2 and 2.3, word by word. */
static void by_hand(const EVP_MD *md, const uint8_t *key, size_t key_len,
		    const uint8_t *salt, size_t salt_len, const uint8_t *info,
		    size_t info_len, uint8_t *out, size_t len)
{
	uint8_t zeroes[64] = {0}, prk[64], t[64 + 1024 + 1];
	size_t size = (size_t)EVP_MD_get_size(md), have = 0;

	if (!salt_len)
		salt = zeroes, salt_len = size;
	REQUIRE(HMAC(md, salt, (int)salt_len, key, key_len, prk, NULL));
	for (uint8_t i = 1; len; i++) {
		size_t n = len < size ? len : size;

		memcpy(t + have, info, info_len);
		t[have + info_len] = i;
		REQUIRE(HMAC(md, prk, (int)size, t, have + info_len + 1, t, NULL));
		memcpy(out, t, n);
		have = size;
		out += n;
		len -= n;
	}
}

static void random_cases(void)
{
	static uint8_t key[200], salt[200], info[300], out[16320], want[16320];

	for (size_t i = 0; i < 500 && !check_failed; i++) {
		bool big = check_below(2);
		size_t key_len = 1 + check_below(sizeof(key)), most = big ? 16320 : 8160;
		size_t salt_len = check_below(sizeof(salt)), len = 1 + check_below(200);
		size_t info_len = check_below(sizeof(info));

		len = check_below(50) ? len : most;
		for (size_t j = 0; j < 200; j++)
			key[j] = salt[j] = info[j] = (uint8_t)check_random();
		CHECK_EQ(decant_kdf_hkdf(big ? DECANT_KDF_SHA_512 : DECANT_KDF_SHA_256,
					 key, key_len, salt, salt_len, info, info_len,
					 out, len),
			 0);
		by_hand(big ? EVP_sha512() : EVP_sha256(), key, key_len, salt, salt_len,
			info, info_len, want, len);
		CHECK(!memcmp(out, want, len));
	}
}

/* Linux' label before the info: eight bytes and the purpose in a ninth. */
static void fscrypt(void)
{
	struct text master = row(1, 3, 64), nonce = row(0xa0, 7, 16);

	for (unsigned purpose = 1; purpose <= 7; purpose++) {
		uint8_t label[25] = "fscrypt", got[64], want[64];
		size_t info_len = purpose == 1 || purpose == 7 ? 0 : 16;

		label[8] = (uint8_t)purpose;
		memcpy(label + 9, nonce.at, info_len);
		by_hand(EVP_sha512(), master.at, 64, NULL, 0, label, 9 + info_len, want,
			64);
		CHECK_EQ(decant_kdf_fscrypt(master.at, 64,
					    (enum decant_fscrypt_purpose)purpose,
					    nonce.at, info_len, got, 64),
			 0);
		CHECK(!memcmp(got, want, 64));
	}
}

static bool wiped(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i])
			return false;
	return true;
}

static int try_hkdf(int hash, size_t key_len, size_t info_len, size_t len)
{
	static uint8_t key[2000], out[20000];
	int err;

	memset(out, 0xee, sizeof(out));
	err = decant_kdf_hkdf((enum decant_kdf_hash)hash, key, key_len, NULL, 0, key,
			      info_len, out, len);
	CHECK(!err || wiped(out, len));
	CHECK_EQ(out[len], 0xee);
	return err;
}

static int try_fscrypt(int purpose, size_t master_len, size_t info_len)
{
	uint8_t bytes[300] = {1}, out[20];

	memset(out, 0xee, sizeof(out));
	int err = decant_kdf_fscrypt(bytes, master_len,
				     (enum decant_fscrypt_purpose)purpose, bytes,
				     info_len, out, 16);
	CHECK(!err || wiped(out, 16));
	return err;
}

static void refusals(void)
{
	CHECK_EQ(try_hkdf(2, 10, 0, 10), -EINVAL);
	CHECK_EQ(try_hkdf(0, 0, 0, 10), -EINVAL);
	CHECK_EQ(try_hkdf(0, 10, 0, 0), -EINVAL);
	CHECK_EQ(try_hkdf(0, 10, 0, 8161), -EOVERFLOW);
	CHECK_EQ(try_hkdf(1, 10, 0, 16321), -EOVERFLOW);
	CHECK_EQ(try_hkdf(1, 10, 1025, 10), -EOVERFLOW);
	CHECK_EQ(try_hkdf(1, 10, 1024, 16320), 0);
	CHECK_EQ(try_fscrypt(0, 32, 0), -EINVAL);
	CHECK_EQ(try_fscrypt(8, 32, 0), -EINVAL);
	CHECK_EQ(try_fscrypt(1, 15, 0), -EINVAL);
	CHECK_EQ(try_fscrypt(1, 65, 0), -EINVAL);
	CHECK_EQ(try_fscrypt(2, 32, 256), -EOVERFLOW);
	CHECK_EQ(try_fscrypt(2, 16, 255), 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"RFC 5869", published},
		{"against HMAC by hand", random_cases},
		{"fscrypt's labels", fscrypt},
		{"refusals", refusals},
	};

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
