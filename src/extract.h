/* SPDX-License-Identifier: MIT */
#ifndef SRC_EXTRACT_H
#define SRC_EXTRACT_H
/* extract.h - the loop, and what stands on it. */
#include <decant/extract.h>

struct requests;

/*
 * decant_extract() under these limits, but for the rule on whole blocks. With requests
 * the limits on elements and bytes of each are what these say, and the ends of all but
 * the last are recorded.
 */
ssize_t extract(struct decant_iter *from, struct decant_sink *into,
		const struct decant_limits *limits, size_t len,
		struct requests *requests);

/* With the rule on whole blocks. */
ssize_t extract_under(struct decant_iter *from, struct decant_sink *into,
		      const struct decant_limits *limits, size_t len,
		      struct requests *requests);

/* What the limit on all bytes leaves of a request when some were done before. */
size_t limits_clip(const struct decant_limits *limits, size_t done, size_t len);

/* What both divide, if neither is 0; the largest number if that is too large. */
size_t common_multiple(size_t a, size_t b);
#endif
