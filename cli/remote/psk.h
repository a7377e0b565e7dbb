/* SPDX-License-Identifier: MIT */
#ifndef CLI_PSK_H
#define CLI_PSK_H
/*
 * psk.h - keys that client and server have in common (RFC 9257), in a file with a line
 * NAME:KEY for each, as psktool(1) and stunnel(8) have them. The name is seen on the
 * wire; the key is 32 bytes from a random generator, in hexadecimal. `decant keygen
 * --psk` makes one. A client uses the first, a server accepts all of them.
 */
#include <stddef.h>
#include "report.h"

#define PSK_BYTES     32
#define PSK_NAME_MOST 64

struct psk {
	char name[PSK_NAME_MOST + 1];
	unsigned char key[PSK_BYTES];
};

struct psk_list {
	struct psk *keys;
	size_t nr;
};

/* Read a file that nobody else may read. */
bool psk_load(struct psk_list *list, const char *path, struct report *report);
/* NULL if there is none of this name. */
const struct psk *psk_find(const struct psk_list *list, const void *name, size_t len);
/* Wipe the keys. */
void psk_free(struct psk_list *list);

/* Letters, digits and . _ - @ */
bool psk_name_ok(const char *name);
/* A new key; the name is made up if it is NULL. */
bool psk_new(struct psk *psk, const char *name, struct report *report);
/* The line without its end, in room of PSK_LINE_BYTES. */
void psk_line(const struct psk *psk, char *room);

#define PSK_LINE_BYTES (PSK_NAME_MOST + 1 + 2 * PSK_BYTES + 1)
#endif
