/* SPDX-License-Identifier: MIT */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H
/* options.h - what a copy was asked to do. */
#include <decant/uring.h>
#include "crypt.h"
#include "report.h"

enum stats_format { STATS_NONE, STATS_TEXT, STATS_JSON };

/* What keeps the data between hosts secret. */
enum seal { SEAL_AES_256_GCM, SEAL_NONE };

struct copy_options {
	uint64_t chunk;	 /* bytes, a power of two */
	uint64_t depth;	 /* chunks under way */
	uint64_t memory; /* bytes their buffers may take; 0: half of the machine's */
	enum decant_uring_direct direct;
	enum decant_uring_backend io;
	enum stats_format stats;
	bool quiet;
	const char *trace; /* a file for it, or NULL */
	const char *rsh;
	const char *remote_decant;
	const char *key_file; /* for decant://; NULL: none */
	const char *fabric;   /* NULL: as auto */
	uint64_t rails;	      /* connections that carry the data */
	uint64_t timeout; /* seconds without a sign of life of the other side; 0: any */
	enum seal seal;
	struct crypt_options crypt;
	const char *source;
	const char *target;
};

#define COPY_CHUNK_DEFAULT (1u << 20)
#define COPY_CHUNK_LEAST   4096u
#define COPY_DEPTH_DEFAULT 8u
/* Each chunk needs up to five operations of the fabric, which has 4096. */
#define COPY_DEPTH_MOST 512u
#define TIMEOUT_MOST	1000000u

/* False when that ends the command: see report; help was printed if that is empty. */
bool copy_options_parse(struct copy_options *options, int argc, char **argv,
			struct report *report);

/* Whether chunk and depth make sense on this machine; the other side asks again there. */
bool copy_options_check(const struct copy_options *options, struct report *report);
#endif
