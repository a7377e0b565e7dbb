/* SPDX-License-Identifier: MIT */
#ifndef OSSL_AF_ALG_H
#define OSSL_AF_ALG_H
/* af_alg.h - one algorithm of the kernel's, through its sockets (crypto/userspace-if). */
#include "pass.h"

/* One request's bytes of text and of additional data: both fit into a socket's buffer. */
#define ALG_TEXT ((size_t)64 << 10)
#define ALG_AAD	 ((size_t)16 << 10)
#define ALG_FLAT (ALG_TEXT + 64)
#define ALG_IOVS 512 /* of one receive; more go by way of the flat memory */

/**
 * struct alg - an algorithm with its key
 * @key: the socket that has the key
 * @op: the socket that requests go through
 * @pipe: for long pieces, which are spliced
 * @flat: ALG_FLAT bytes for what the kernel can't be pointed at
 */
struct alg {
	int key, op, pipe[2];
	uint8_t *flat;
};

struct alg_key {
	const char *type, *name;
	const uint8_t *key;
	size_t key_len, tag_len;
};

/* What is said before a request's bytes. */
struct alg_request {
	bool encrypt, has_aad;
	const uint8_t *iv;
	size_t iv_len, aad_len;
};

/* 0, -ENOTSUP if the kernel does not have it, or another errno; nothing is left then. */
int alg_open(struct alg *alg, const struct alg_key *key);
int alg_clone(struct alg *alg, const struct alg *from);
void alg_close(struct alg *alg);

/* After an error: whatever socket and pipe still have is dropped. */
int alg_reset(struct alg *alg);

int alg_begin(struct alg *alg, const struct alg_request *rq);
/* The next len bytes of the source, which moves. more: others follow. */
int alg_push(struct alg *alg, struct decant_iter *src, size_t len, bool more);
int alg_push_flat(struct alg *alg, const uint8_t *from, size_t len, bool more);

/*
 * The result: head bytes that nobody wants, len bytes for the destination, which moves,
 * and tail bytes.
 */
int alg_pull(struct alg *alg, size_t head, struct decant_iter *dst, size_t len,
	     uint8_t *tail, size_t tail_len);
#endif
