/* SPDX-License-Identifier: MIT */
#ifndef BENCH_VERBS_RECORDER_H
#define BENCH_VERBS_RECORDER_H
#include <stddef.h>
#include <stdint.h>

/**
 * struct recorder - what the device was given
 * @requests, @elements, @completions: work requests, their elements, those signalled
 * @posts: calls
 * @sum: of what was looked at
 */
struct recorder {
	size_t requests, elements, completions, posts;
	uint64_t sum;
};

extern struct recorder recorder;
#endif
