/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FAULT_CRYPTO_H
#define DECANT_TEST_FAULT_CRYPTO_H
/* crypto.h - one life of everything that has a key: what it was made for, and its end. */
#include <decant/aead.h>
#include <decant/cipher.h>
#include <decant/hash.h>
#include <decant/kdf.h>
#include <openssl/evp.h>
#include <ucontext.h>
#include "each.h"
#include "watch.h"

#define LEN    3000
#define PIECES 50
#define PIECE  (LEN / PIECES)

/* Where a life is lived, if its stack is to be looked at. */
static ucontext_t life, onlooker;
static bool looked_at;

/*
 * A moment for who looks, after a step of a life. In line: what a call of its own would
 * put on the stack is where the step was.
 */
__attribute__((always_inline)) static inline void look(void)
{
	if (looked_at)
		swapcontext(&life, &onlooker);
	else
		CHECK_EQ(watch_in_use(), 0);
}

static struct {
	int algorithm;
	enum decant_crypto_backend backend;
	uint8_t key[64], text[LEN], sealed[LEN + 64], opened[LEN + 64];
} now;

static void fill(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)check_random();
}

/* A new key and text, which nobody should see afterwards but who has the key. */
static void new_secrets(size_t key_len, enum watch text)
{
	fill(now.key, sizeof(now.key));
	fill(now.text, sizeof(now.text));
	watch_forget();
	for (size_t at = 0; at + 16 <= key_len; at += 16)
		watch_secret(now.key + at, WATCH_KEY);
	for (size_t at = 0; at + 16 <= LEN; at += 176)
		watch_secret(now.text + at, text);
}

static struct decant_iter flat(enum decant_direction way, const void *at, size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, way, (void *)(uintptr_t)at, len));
	return it;
}

/* Where byte i of a text lies: pieces are in reverse order, so that none goes on. */
static size_t place_of(size_t i)
{
	return (PIECES - 1 - i / PIECE) * PIECE + i % PIECE;
}

/* In pieces that are too small to be used where they lie. */
static struct decant_iter cut(enum decant_direction way, const void *at)
{
	static struct iovec iov[2][PIECES];
	struct decant_iter it;

	for (size_t i = 0; i < PIECES; i++)
		iov[way][i] = (struct iovec){
			(uint8_t *)(uintptr_t)at + place_of(i * PIECE), PIECE};
	REQUIRE(!decant_iter_iovec(&it, way, iov[way], PIECES));
	return it;
}

static bool is_text(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[place_of(i)] != now.text[place_of(i)])
			return false;
	return true;
}

static bool is_zero(const uint8_t *at, size_t len)
{
	while (len && !at[len - 1])
		len--;
	return !len;
}

/* Nothing of ours is left, and nothing of a secret anywhere. */
static void check_over(void)
{
	CHECK_EQ(watch_blocks, 0);
	CHECK_EQ(fault_files, 0);
	CHECK_EQ(watch_spilled(), 0);
	CHECK_EQ(watch_in_use(), 0);
}

/* What a call that gives bytes gave: they, or an error and then no bytes. */
static int outcome(ssize_t got, size_t len, const uint8_t *out)
{
	if (got < 0)
		CHECK(is_zero(out, LEN));
	else
		CHECK_EQ(got, len);
	return got < 0 ? (int)got : 0;
}

/* The same of one that gives the text back: in line, so that look() sees its stack. */
__attribute__((always_inline)) static inline int opened(ssize_t got, size_t len)
{
	int err = outcome(got, len, now.opened);

	CHECK(err || is_text(now.opened, len));
	look();
	return err;
}

/* The text, as far as it can be had. */
static struct decant_span half(void *state, const struct decant_place *place)
{
	(void)state;
	if (place->pos >= LEN / 2)
		return decant_span_stop(-ENOLINK);
	return (struct decant_span){now.text + place->pos, LEN / 2 - place->pos, NULL};
}

static struct decant_iter broken(void)
{
	static const struct decant_iter_ops ops = {.size = sizeof(ops), .peek = half};
	struct decant_iter it;

	REQUIRE(!decant_iter_custom(&it, DECANT_SOURCE, &ops, NULL, LEN));
	return it;
}

/* A message that breaks off leaves no more than one that does not. */
static void seal_half(struct decant_aead *aead, const uint8_t *nonce)
{
	struct decant_iter src = broken(), dst = cut(DECANT_DEST, now.sealed);
	uint8_t tag[16];

	memset(now.sealed, 0, LEN);
	CHECK(outcome(decant_aead_seal(aead, &dst, &src, LEN, NULL, nonce, tag), LEN,
		      now.sealed) < 0);
	look();
}

static int seal_and_open(struct decant_aead *aead)
{
	static const uint8_t nonce[13] = {1};
	struct decant_iter src = cut(DECANT_SOURCE, now.text), dst, aad;
	uint8_t tag[16];
	int err;

	seal_half(aead, nonce);
	memset(now.sealed, 0, LEN);
	memset(now.opened, 0, LEN);
	aad = flat(DECANT_SOURCE, nonce, 7);
	dst = cut(DECANT_DEST, now.sealed);
	err = outcome(decant_aead_seal(aead, &dst, &src, LEN, &aad, nonce, tag), LEN,
		      now.sealed);
	if (err)
		return err;
	look();
	src = cut(DECANT_SOURCE, now.sealed);
	dst = cut(DECANT_DEST, now.opened);
	return opened(decant_aead_open(aead, &dst, &src, LEN, &aad, nonce, tag), LEN);
}

static int aead_life(void)
{
	static const size_t key_bytes[] = {32, 16, 32, 32, 16};
	struct decant_crypto_options options = {sizeof(options), .backend = now.backend};
	struct decant_aead *aead = NULL, *clone = NULL;
	int err;

	new_secrets(key_bytes[now.algorithm], WATCH_TEXT);
	err = decant_aead_new_with(&aead, (enum decant_aead_algorithm)now.algorithm,
				   now.key, key_bytes[now.algorithm], &options);
	look();
	if (!err)
		err = decant_aead_clone(&clone, aead);
	look();
	if (!err)
		err = seal_and_open(clone);
	decant_aead_free(clone);
	decant_aead_free(aead);
	check_over();
	return err;
}

/* XTS' first tweak: it gives the second half of the key's work away. */
static void watch_tweak(const uint8_t iv[16], size_t key_bytes)
{
	size_t at = fault_at, calls = fault_calls;
	EVP_CIPHER_CTX *ctx;
	static uint8_t tweak[16]; /* the stack is looked at */
	int n;

	fault_at = 0;
	ctx = EVP_CIPHER_CTX_new();
	REQUIRE(ctx &&
		EVP_EncryptInit_ex(
			ctx, key_bytes == 64 ? EVP_aes_256_ecb() : EVP_aes_128_ecb(),
			NULL, now.key + key_bytes / 2, NULL) &&
		EVP_EncryptUpdate(ctx, tweak, &n, iv, 16));
	EVP_CIPHER_CTX_free(ctx);
	watch_secret(tweak, WATCH_TEXT);
	fault_at = at;
	fault_calls = calls;
}

static void encrypt_half(struct decant_cipher *cipher, size_t len, const uint8_t *iv)
{
	struct decant_iter src = broken(), dst = cut(DECANT_DEST, now.sealed);

	memset(now.sealed, 0, LEN);
	CHECK(outcome(decant_cipher_encrypt(cipher, &dst, &src, len, iv), len,
		      now.sealed) < 0);
	look();
}

static int encrypt_and_decrypt(struct decant_cipher *cipher, size_t len)
{
	static const uint8_t iv[16] = {3};
	struct decant_iter src = cut(DECANT_SOURCE, now.text);
	struct decant_iter dst = cut(DECANT_DEST, now.sealed);
	int err;

	if (now.algorithm <= DECANT_CIPHER_AES_128_XTS)
		watch_tweak(iv, now.algorithm == DECANT_CIPHER_AES_256_XTS ? 64 : 32);
	encrypt_half(cipher, len, iv);

	memset(now.sealed, 0, LEN);
	memset(now.opened, 0, LEN);
	err = outcome(decant_cipher_encrypt(cipher, &dst, &src, len, iv), len,
		      now.sealed);
	if (err)
		return err;
	look();
	src = cut(DECANT_SOURCE, now.sealed);
	dst = cut(DECANT_DEST, now.opened);
	return opened(decant_cipher_decrypt(cipher, &dst, &src, len, iv), len);
}

static int cipher_life(void)
{
	static const size_t key_bytes[] = {64, 32, 32, 16, 32, 16};
	struct decant_crypto_options options = {sizeof(options), .backend = now.backend};
	bool xts = now.algorithm <= DECANT_CIPHER_AES_128_XTS;
	size_t len = now.algorithm <= DECANT_CIPHER_AES_128_CBC ? 2960 : LEN - 1;
	struct decant_cipher *cipher = NULL, *clone = NULL;
	int err;

	new_secrets(key_bytes[now.algorithm], WATCH_TEXT);
	err = decant_cipher_new(&cipher, (enum decant_cipher_algorithm)now.algorithm,
				now.key, key_bytes[now.algorithm], xts ? 512 : 0,
				&options);
	look();
	if (!err)
		err = decant_cipher_clone(&clone, cipher);
	look();
	if (!err)
		err = encrypt_and_decrypt(clone, len);
	decant_cipher_free(clone);
	decant_cipher_free(cipher);
	check_over();
	return err;
}

static int absorb(struct decant_digest *digest)
{
	struct decant_iter src = cut(DECANT_SOURCE, now.text);
	struct decant_digest clone = {0};
	ssize_t got = decant_digest_update(digest, &src, LEN - 5);
	int err;

	look();
	if (got != LEN - 5)
		return got < 0 ? (int)got : -EFAULT;
	err = decant_digest_clone(&clone, digest);
	look();
	if (err)
		return err;
	err = decant_digest_final(&clone, now.sealed);
	if (!err)
		err = decant_digest_final(digest, now.opened);
	look();
	CHECK(err || !memcmp(now.sealed, now.opened, decant_digest_bytes(digest)));
	decant_digest_fini(&clone);
	return err;
}

static int hash_life(void)
{
	struct decant_crypto_options options = {sizeof(options), .backend = now.backend};
	size_t key_len = now.algorithm < DECANT_HASH_BLAKE2B ? 0 : 32;
	struct decant_digest digest = {0};
	int err;

	new_secrets(key_len, WATCH_TEXT);
	err = decant_digest_hash(&digest, (enum decant_hash)now.algorithm, now.key,
				 key_len, &options);
	look();
	CHECK(!err || !digest.ops);
	if (!err) {
		err = absorb(&digest);
		decant_digest_fini(&digest);
	}
	check_over();
	return err;
}

static int kdf_life(void)
{
	static const uint8_t nonce[16] = {1};
	int err;

	new_secrets(64, WATCH_TEXT);
	memset(now.sealed, 0xee, 64);
	err = decant_kdf_fscrypt(now.key, 64, DECANT_FSCRYPT_PER_FILE_KEY, nonce, 16,
				 now.sealed, 64);
	look();
	CHECK(!err || is_zero(now.sealed, 64));
	CHECK(err || !is_zero(now.sealed, 64));
	check_over();
	return err;
}
#endif
