/* SPDX-License-Identifier: MIT */
#ifndef OSSL_PASS_H
#define OSSL_PASS_H
/*
 * pass.h - bytes of one iterator through a function into another, in pieces that the
 * function can take and that are worth a call of it.
 */
#include <decant/decant.h>

#define PASS_BATCH  8192
#define PASS_BOUNCE 4096

/*
 * Memory that small pieces, and bytes that can't be pointed at, go through. Belongs to a
 * context; clean() leaves nothing in it.
 */
struct scratch {
	size_t batch_used, src_used, dst_used;
	_Alignas(64) uint8_t batch[PASS_BATCH];
	uint8_t src[PASS_BOUNCE], dst[PASS_BOUNCE];
};

void scratch_clean(struct scratch *scratch);

/*
 * Take len bytes at in and put as many at out; both are the same, or do not overlap.
 * After the last call nothing follows. 0 or a negative errno.
 */
typedef int pass_feed(void *state, uint8_t *out, const uint8_t *in, size_t len,
		      bool last);

/**
 * struct pass - what is to be done
 * @dst: where to; where it stands afterwards, if all went well. Ignored if @absorb.
 * @src: where from; where it stands afterwards
 * @len: bytes, which both sides have
 * @grain: all calls but the last get a multiple of this, a power of two up to 16
 * @tail: the last call gets at least so many, or all there is: up to 32
 * @direct: pieces from here on are used where they lie
 * @absorb: nothing comes out; @feed gets NULL
 * @feed: the function; not called at all if @len is 0
 * @state: handed to it
 * @scratch: the context's
 */
struct pass {
	struct decant_iter dst, src;
	size_t len;
	size_t grain, tail, direct;
	bool absorb;
	pass_feed *feed;
	void *state;
	struct scratch *scratch;
};

int pass_run(struct pass *pass);

/* Same memory anywhere but at the same position. dst has len bytes of it, src more. */
bool overlaps(const struct decant_iter *dst, size_t len, const struct decant_iter *src,
	      size_t src_len, struct scratch *scratch);

static inline size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}
#endif
