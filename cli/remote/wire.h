/* SPDX-License-Identifier: MIT */
#ifndef CLI_WIRE_H
#define CLI_WIRE_H
/*
 * wire.h - numbers, bytes and strings in and out of a message; little endian. A reader
 * that runs over the end, or meets a string that isn't one, turns bad and gives zeroes
 * from then on: check once, at the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MOST 65536

struct wire {
	unsigned char data[WIRE_MOST];
	size_t len; /* bytes in data */
	size_t at;  /* where the reader is */
	bool bad;
};

/* A number where it stands, 8 bytes. */
void wire_store_u64(void *at, uint64_t value);
uint64_t wire_load_u64(const void *at);

void wire_put_u64(struct wire *wire, uint64_t value);
void wire_put_bytes(struct wire *wire, const void *bytes, size_t len);
void wire_put_text(struct wire *wire, const char *text);

uint64_t wire_get_u64(struct wire *wire);
/* Bytes with their length before them; at most max. Returns the length. */
size_t wire_get_bytes(struct wire *wire, void *room, size_t max);
/* A string into room of max bytes, always terminated. */
void wire_get_text(struct wire *wire, char *room, size_t max);
#endif
