/* SPDX-License-Identifier: MIT */
/*
 * bech32.c - keys as text: a prefix, "1", 52 symbols of five bits, and six of a checksum.
 *
 * Symbols are found by going through all of them, since an identity is a secret and the
 * lines of a table that were touched show in the cache.
 */
#include <string.h>
#include <openssl/crypto.h>
#include "internal.h"

#define SYMBOLS	 52
#define CHECKSUM 6

static const char charset[33] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* All ones if a equals b, else 0; both below 2^31. */
static uint32_t same(uint32_t a, uint32_t b)
{
	return ((a ^ b) - 1) >> 31 ? ~0u : 0;
}

static char symbol_char(unsigned symbol)
{
	uint32_t c = 0;

	for (uint32_t i = 0; i < 32; i++)
		c |= same(i, symbol) & (uint8_t)charset[i];
	return (char)c;
}

/* 32 and more if it is none. */
static unsigned char_symbol(char c)
{
	uint32_t symbol = 0, found = 0;

	for (uint32_t i = 0; i < 32; i++) {
		uint32_t mask = same((uint8_t)c, (uint8_t)charset[i]);

		symbol |= mask & i;
		found |= mask;
	}
	return symbol | (~found & 32);
}

static uint32_t polymod(uint32_t sum, unsigned value)
{
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
					     0x3d4233dd, 0x2a1462b3};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (int i = 0; i < 5; i++)
		sum ^= generator[i] & (0 - (top >> i & 1));
	return sum;
}

/* The checksum is always that of lower case. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* The other case: letters differ from one another by one bit, digits stay. */
static char flip(char c)
{
	return (char)(c ^ (c & 0x40) >> 1);
}

static uint32_t polymod_prefix(const char *prefix)
{
	uint32_t sum = 1;

	for (const char *p = prefix; *p; p++)
		sum = polymod(sum, (unsigned)lower(*p) >> 5);
	sum = polymod(sum, 0);
	for (const char *p = prefix; *p; p++)
		sum = polymod(sum, (unsigned)lower(*p) & 31);
	return sum;
}

/* 256 bits and four of 0 behind them. */
static unsigned symbol_of(const uint8_t key[KEY_BYTES], unsigned i)
{
	unsigned bit = 5 * i, byte = bit / 8;
	unsigned pair =
		(unsigned)key[byte] << 8 | (byte + 1 < KEY_BYTES ? key[byte + 1] : 0);

	return pair >> (11 - bit % 8) & 31;
}

void bech32_encode(char *out, const char *prefix, bool upper,
		   const uint8_t key[KEY_BYTES])
{
	uint32_t sum = polymod_prefix(prefix);
	size_t len = strlen(prefix);
	char *to = out + len;

	memcpy(out, prefix, len);
	*to++ = '1';
	for (unsigned i = 0; i < SYMBOLS; i++) {
		unsigned symbol = symbol_of(key, i);

		sum = polymod(sum, symbol);
		*to++ = symbol_char(symbol);
	}
	for (unsigned i = 0; i < CHECKSUM; i++)
		sum = polymod(sum, 0);
	sum ^= 1;
	for (unsigned i = 0; i < CHECKSUM; i++)
		*to++ = symbol_char(sum >> 5 * (CHECKSUM - 1 - i) & 31);
	*to = '\0';
	for (to = out + len; upper && *to; to++)
		*to = flip(*to);
}

static void put_symbol(uint8_t key[KEY_BYTES + 1], unsigned i, unsigned symbol)
{
	unsigned bit = 5 * i, pair = symbol << (11 - bit % 8);

	key[bit / 8] |= (uint8_t)(pair >> 8);
	key[bit / 8 + 1] |= (uint8_t)pair;
}

/* Whether it looks like a key at all says nothing about which. */
static bool has_form(const char *prefix, const char *text)
{
	size_t len = strlen(prefix);

	return strlen(text) == len + 1 + SYMBOLS + CHECKSUM &&
	       !memcmp(text, prefix, len) && text[len] == '1';
}

bool bech32_decode(uint8_t key[KEY_BYTES], const char *prefix, bool upper,
		   const char *text)
{
	uint8_t room[KEY_BYTES + 2] = {0};
	uint32_t sum = polymod_prefix(prefix), bad = 0;

	if (!has_form(prefix, text))
		return false;
	text += strlen(prefix) + 1;
	for (unsigned i = 0; i < SYMBOLS + CHECKSUM; i++) {
		unsigned symbol = char_symbol(upper ? flip(text[i]) : text[i]);

		bad |= symbol & 32;
		sum = polymod(sum, symbol & 31);
		if (i < SYMBOLS)
			put_symbol(room, i, symbol & 31);
	}
	bad |= (sum ^ 1) | room[KEY_BYTES];
	memcpy(key, room, KEY_BYTES);
	OPENSSL_cleanse(room, sizeof(room));
	return !bad;
}
