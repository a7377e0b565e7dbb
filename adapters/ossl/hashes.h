/* SPDX-License-Identifier: MIT */
#ifndef OSSL_HASHES_H
#define OSSL_HASHES_H
/* hashes.h - what a digest's back end is made from; the sizes have been checked. */
#include <decant/hash.h>

struct hash_setup {
	enum decant_hash id;
	const uint8_t *key;
	size_t key_len;
};

/* Fill a digest of zeroes. -ENOTSUP where the kernel's sockets are not built in. */
int hash_evp(struct decant_digest *digest, const struct hash_setup *setup);
int hash_af_alg(struct decant_digest *digest, const struct hash_setup *setup);
#endif
