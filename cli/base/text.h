/* SPDX-License-Identifier: MIT */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H
/* text.h - numbers and names as text. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* 1536 -> "1.5 KiB". */
struct text_size {
	char text[24];
};
struct text_size text_of_size(uint64_t size);

/* All of it to a descriptor; false and errno if that can't be. */
bool text_write(int fd, const void *text, size_t len);

/* The bytes of the UTF-8 sequence at text; 0 if there is none (RFC 3629, 4). */
size_t text_utf8(const char *text);

/* Print a JSON string, quotes and escapes included; for what is not UTF-8, U+FFFD. */
void text_json(FILE *out, const char *text);
#endif
