/* SPDX-License-Identifier: MIT */
/* crc.c - CRC-32C by ISA-L. */
#include <string.h>
#include <isa-l/crc.h>
#include <decant/crc.h>

#define DIRECT 768 /* from here on gathering costs more than a call */

/* What is kept is the sum without the inversions at both ends. */
static int crc_begin(struct decant_digest *digest)
{
	digest->word[0] = 0xffffffff;
	return 0;
}

static int crc_update(struct decant_digest *digest, const void *addr, size_t len)
{
	digest->word[0] = crc32_iscsi((unsigned char *)(uintptr_t)addr, (int)len,
				      (unsigned)digest->word[0]);
	return 0;
}

static int crc_final(struct decant_digest *digest, void *out)
{
	uint32_t crc = ~(uint32_t)digest->word[0];

	memcpy(out, &crc, sizeof(crc));
	return 0;
}

static int crc_clone(struct decant_digest *to, const struct decant_digest *from)
{
	*to = *from;
	return 0;
}

static const struct decant_digest_ops ops = {
	.name = "crc-32c",
	.bytes = sizeof(uint32_t),
	.direct = DIRECT,
	.begin = crc_begin,
	.update = crc_update,
	.final = crc_final,
	.clone = crc_clone,
};

void decant_digest_crc32c(struct decant_digest *digest)
{
	memset(digest, 0, sizeof(*digest));
	digest->ops = &ops;
}

ssize_t decant_crc32c(struct decant_iter *it, size_t len, uint32_t *crc)
{
	struct decant_digest digest = {&ops, NULL, {(uint32_t) ~*crc}, true};
	ssize_t got = decant_digest_update(&digest, it, len);

	if (got >= 0)
		(void)!decant_digest_final(&digest, crc);
	return got;
}
