/* SPDX-License-Identifier: MIT */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H
/* text.h - numbers in and out of text. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "4096", "64K", "1MiB", "2G": binary multiples. False if it is none or too large. */
bool text_to_size(const char *text, uint64_t *size);

/* 1536 -> "1.5 KiB". Writes into room and returns it. */
struct text_size {
	char text[24];
};
struct text_size text_of_size(uint64_t size);

/* Print a JSON string, quotes and escapes included. */
void text_json(FILE *out, const char *text);
#endif
