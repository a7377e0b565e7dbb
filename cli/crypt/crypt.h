/* SPDX-License-Identifier: MIT */
#ifndef CLI_CRYPT_H
#define CLI_CRYPT_H
/* crypt.h - copies that encrypt or decrypt: what was asked for, and the keys. */
#include <decant/age.h>
#include "report.h"

enum crypt_way { CRYPT_NONE, CRYPT_ENCRYPT, CRYPT_DECRYPT };

struct crypt_options {
	enum crypt_way way;
	struct decant_age_keys *keys; /* NULL: none were given */
	unsigned recipients, identities, phrases;
	bool armor;
	uint64_t threads; /* 0: as many as there are processors, up to THREADS_DEFAULT */
};

#define THREADS_DEFAULT 4u
#define THREADS_MOST	64u

/* How many end points stand between source and target. */
unsigned crypt_filters(const struct crypt_options *crypt);

/* keys.c: what the options name, added to the keys. */
bool crypt_add_recipient(struct crypt_options *crypt, const char *recipient,
			 struct report *report);
bool crypt_add_key_file(struct crypt_options *crypt, const char *path,
			struct report *report);
bool crypt_add_passphrase_file(struct crypt_options *crypt, const char *path,
			       struct report *report);
/* Encrypt or decrypt: not both. */
bool crypt_set_way(struct crypt_options *crypt, enum crypt_way way,
		   struct report *report);
/* Whether what was given goes together. */
bool crypt_check(const struct crypt_options *crypt, struct report *report);
#endif
