/* SPDX-License-Identifier: MIT */
/*
 * fscrypt.c - a file in data units: what is stored is what the derivation and the cipher
 * of the kernel's documentation give when both are done by hand; any part can be read and
 * written, whatever the cuts.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>
#include <decant/fscrypt.h>
#include "rig.h"

#define MOST_BYTES (1u << 20)

static uint8_t master[64], nonce[DECANT_FSCRYPT_NONCE_BYTES];
static const size_t units[] = {512, 1024, 4096, 16384, 65536};

/* --- by hand --- */

static void hmac(uint8_t *out, const void *key, int key_len, const void *data, size_t len)
{
	unsigned n = 0;

	REQUIRE(HMAC(EVP_sha512(), key, key_len, data, len, out, &n) && n == 64);
}

/* RFC 5869 without salt, one step: 64 bytes. */
static void derive(uint8_t key[64], size_t master_len)
{
	static const uint8_t zeroes[64];
	uint8_t pseudo[64], info[8 + 1 + 16 + 1] = "fscrypt";

	hmac(pseudo, zeroes, sizeof(zeroes), master, master_len);
	info[8] = 2;
	memcpy(info + 9, nonce, sizeof(nonce));
	info[25] = 1;
	hmac(key, pseudo, sizeof(pseudo), info, sizeof(info));
}

/* Each unit for itself. */
static void encrypt_by_hand(uint8_t *out, const uint8_t *in, size_t len, size_t unit,
			    size_t master_len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[64];

	derive(key, master_len);
	for (size_t i = 0; i < len / unit; i++) {
		uint8_t iv[16] = {(uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16)};
		int n;

		REQUIRE(EVP_EncryptInit_ex(ctx, EVP_aes_256_xts(), NULL, key, iv) &&
			EVP_EncryptUpdate(ctx, out + i * unit, &n, in + i * unit,
					  (int)unit) &&
			n == (int)unit);
	}
	EVP_CIPHER_CTX_free(ctx);
}

/* --- a file beside its flat model --- */

struct scene {
	struct decant_fscrypt *file;
	struct cuts stored; /* the encrypted bytes, in pieces */
	struct decant_fscrypt_store store;
	uint8_t *model; /* the text, and zeroes behind it */
	size_t size, room, unit, master_len;
};

static void set_up(struct scene *s)
{
	uint8_t *garbage;

	for (size_t i = 0; i < sizeof(master); i++)
		master[i] = (uint8_t)check_random();
	for (size_t i = 0; i < sizeof(nonce); i++)
		nonce[i] = (uint8_t)check_random();
	s->unit = units[check_below(5)];
	s->room = (1 + check_below(5)) * s->unit;
	s->master_len = 32 + check_below(33);
	s->size = 0;
	s->model = calloc(1, s->room);
	REQUIRE(s->model);
	cut(&s->stored, s->room, 1 + check_below(3 * s->unit));
	garbage = random_text(s->room);
	scatter(&s->stored, s->stored.memory, garbage);
	free(garbage);
	s->store.read = view(&s->stored, DECANT_SOURCE);
	s->store.write = view(&s->stored, DECANT_DEST);
	REQUIRE(!decant_fscrypt_new(&s->file, master, s->master_len, nonce, s->unit, 0));
}

static void tear_down(struct scene *s)
{
	decant_fscrypt_free(s->file);
	free(s->stored.memory);
	free(s->model);
}

static void write_some(struct scene *s)
{
	size_t pos = check_below(s->room), len = check_below(s->room - pos + 1);
	uint8_t *text;
	struct cuts cuts;
	struct decant_iter src;

	if (check_below(2))
		len = len < 200 ? len : check_below(200);
	if (!check_below(3))
		pos = pos / s->unit * s->unit;
	text = random_text(len);
	cut(&cuts, len, 1 + check_below(5000));
	scatter(&cuts, cuts.memory, text);
	src = view(&cuts, DECANT_SOURCE);
	CHECK_EQ(decant_fscrypt_write(s->file, &s->store, &src, SIZE_MAX, pos), len);
	CHECK_EQ(decant_iter_count(&src), 0);
	memcpy(s->model + pos, text, len);
	if (len && pos + len > s->size)
		s->size = pos + len;
	CHECK_EQ(decant_fscrypt_size(s->file), s->size);
	free(text);
	free(cuts.memory);
}

static void read_some(struct scene *s)
{
	size_t pos = check_below(s->size + 2), want = check_below(s->size + 100), n;
	struct cuts cuts;
	struct decant_iter dst, text;

	n = pos >= s->size ? 0 : want < s->size - pos ? want : s->size - pos;
	cut(&cuts, want, 1 + check_below(5000));
	memset(cuts.memory, GAP, cuts.room);
	dst = view(&cuts, DECANT_DEST);
	CHECK_EQ(decant_fscrypt_read(s->file, &s->store, &dst, SIZE_MAX, pos), n);
	CHECK_EQ(decant_iter_consumed(&dst), n);
	decant_iter_revert(&dst, n);
	dst.direction = DECANT_SOURCE;
	text = flat(s->model + (n ? pos : 0), n, DECANT_SOURCE);
	CHECK_EQ(decant_equal(&dst, &text, n), 1);
	free(cuts.memory);
}

static void check_stored(struct scene *s)
{
	size_t len = (size_t)decant_fscrypt_stored(s->file, s->size);
	uint8_t *wanted = malloc(len + 1);
	struct decant_iter it;

	REQUIRE(wanted);
	encrypt_by_hand(wanted, s->model, len, s->unit, s->master_len);
	it = flat(wanted, len, DECANT_SOURCE);
	CHECK_EQ(decant_equal(&s->store.read, &it, len), 1);
	free(wanted);
}

static void any_part(void)
{
	size_t cases = check_cases(120);

	for (size_t i = 0; i < cases && !check_failed; i++) {
		struct scene s;

		set_up(&s);
		for (int j = 0; j < 12 && !check_failed; j++) {
			write_some(&s);
			read_some(&s);
		}
		check_stored(&s);
		tear_down(&s);
	}
	decant_fscrypt_free(NULL);
}

/* --- limits and errors --- */

static void what_is_refused(void)
{
	struct decant_fscrypt *file = NULL;

	CHECK_EQ(decant_fscrypt_new(&file, master, 31, nonce, 0, 0), -EINVAL);
	CHECK_EQ(decant_fscrypt_new(&file, master, 65, nonce, 0, 0), -EINVAL);
	CHECK_EQ(decant_fscrypt_new(&file, master, 32, NULL, 0, 0), -EINVAL);
	CHECK_EQ(decant_fscrypt_new(&file, master, 32, nonce, 256, 0), -EINVAL);
	CHECK_EQ(decant_fscrypt_new(&file, master, 32, nonce, 3000, 0), -EINVAL);
	CHECK_EQ(decant_fscrypt_new(&file, master, 32, nonce, 131072, 0), -EINVAL);
	CHECK(!file);
}

static void the_store_ends(void)
{
	static uint8_t memory[3 * 4096], text[5 * 4096], back[5 * 4096];
	struct decant_fscrypt_store store = {flat(memory, 3 * 4096, DECANT_SOURCE),
					     flat(memory, 3 * 4096, DECANT_DEST)};
	struct decant_iter it = flat(text, sizeof(text), DECANT_SOURCE);
	struct decant_fscrypt *file;

	memset(text, 7, sizeof(text));
	REQUIRE(!decant_fscrypt_new(&file, master, 64, nonce, 0, 0));
	CHECK_EQ(decant_fscrypt_stored(file, 1), 4096);
	CHECK(decant_fscrypt_stored(file, UINT64_MAX) == UINT64_MAX);
	CHECK_EQ(decant_fscrypt_write(file, &store, &it, SIZE_MAX, 3 * 4096), -ENOSPC);
	CHECK_EQ(decant_fscrypt_size(file), 0);
	CHECK_EQ(decant_fscrypt_write(file, &store, &it, SIZE_MAX, 100), 3 * 4096 - 100);
	CHECK_EQ(decant_fscrypt_write(file, &store, &it, 1, SSIZE_MAX), -EOVERFLOW);
	CHECK_EQ(decant_fscrypt_size(file), 3 * 4096);
	decant_iter_truncate(&store.read, 5000);
	it = flat(back, sizeof(back), DECANT_DEST);
	CHECK_EQ(decant_fscrypt_read(file, &store, &it, SIZE_MAX, 0), 4096);
	CHECK(back[0] == 0 && back[99] == 0 && back[100] == 7 && back[4095] == 7);
	CHECK_EQ(decant_fscrypt_read(file, &store, &it, SIZE_MAX, 4096), -ENODATA);
	CHECK_EQ(decant_fscrypt_read(file, &store, &store.read, 1, 0), -EINVAL);
	CHECK_EQ(decant_fscrypt_write(file, &store, &it, 1, 0), -EINVAL);
	decant_fscrypt_free(file);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"any part, and what is stored", any_part},
		{"what is refused", what_is_refused},
		{"the store ends", the_store_ends},
	};

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
