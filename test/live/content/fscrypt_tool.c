/* SPDX-License-Identifier: MIT */
/*
 * fscrypt_tool.c - encrypt or decrypt standard input as a file of the kernel's would be:
 * fscrypt-tool encrypt|decrypt MASTER NONCE SIZE, in hexadecimal and bytes. For
 * fscrypt_kernel.py.
 */
#include <unistd.h>
#include <decant/fscrypt.h>
#include "rig.h"

#define MOST_BYTES (16u << 20)

static uint8_t text[MOST_BYTES], stored[MOST_BYTES];

static size_t from_hex(uint8_t *out, const char *hex)
{
	size_t n = 0;

	for (; hex[2 * n]; n++)
		REQUIRE(sscanf(hex + 2 * n, "%2hhx", &out[n]) == 1);
	return n;
}

static size_t read_input(uint8_t *into)
{
	size_t len = fread(into, 1, MOST_BYTES, stdin);

	REQUIRE(len < MOST_BYTES);
	return len;
}

int main(int argc, char **argv)
{
	uint8_t master[128], nonce[128];
	struct decant_fscrypt *file;
	struct decant_fscrypt_store store = {flat(stored, MOST_BYTES, DECANT_SOURCE),
					     flat(stored, MOST_BYTES, DECANT_DEST)};
	struct decant_iter it;
	size_t size, len;
	bool encrypt;

	REQUIRE(argc == 5);
	encrypt = !strcmp(argv[1], "encrypt");
	size = strtoul(argv[4], NULL, 10);
	len = from_hex(master, argv[2]);
	REQUIRE(from_hex(nonce, argv[3]) == DECANT_FSCRYPT_NONCE_BYTES);
	REQUIRE(!decant_fscrypt_new(&file, master, len, nonce, 0, encrypt ? 0 : size));
	len = read_input(encrypt ? text : stored);
	it = flat(text, encrypt ? len : MOST_BYTES,
		  encrypt ? DECANT_SOURCE : DECANT_DEST);
	if (encrypt)
		REQUIRE(decant_fscrypt_write(file, &store, &it, len, 0) == (ssize_t)len);
	else
		REQUIRE(decant_fscrypt_read(file, &store, &it, SIZE_MAX, 0) ==
			(ssize_t)size);
	len = encrypt ? (size_t)decant_fscrypt_stored(file, size) : size;
	REQUIRE(fwrite(encrypt ? stored : text, 1, len, stdout) == len);
	decant_fscrypt_free(file);
	return fflush(stdout) != 0;
}
