/* SPDX-License-Identifier: MIT */
#ifndef CLI_FILTER_H
#define CLI_FILTER_H
/* filter.h - the end point between two hops that encrypts or decrypts. */
#include "crypt.h"
#include "engine.h"

/*
 * Open it behind a source, with a header as far as that can be had: source is NULL if it
 * can't be looked into yet, meta is what is known of it. path is what the source is
 * called. The filter's meta says what comes out. NULL on error; see engine->report.
 */
struct endpoint *filter_open(struct engine *engine, const struct crypt_options *crypt,
			     const struct file_meta *meta, struct endpoint *source,
			     const char *path);

/* armor.c: the same for what puts armor on. */
struct endpoint *armor_open(struct engine *engine, const struct file_meta *meta);
#endif
