/* SPDX-License-Identifier: MIT */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H
/* text.h - numbers and names as text. */
#include <stdint.h>
#include <stdio.h>

/* 1536 -> "1.5 KiB". Writes into room and returns it. */
struct text_size {
	char text[24];
};
struct text_size text_of_size(uint64_t size);

/* Print a JSON string, quotes and escapes included; for what is not UTF-8, U+FFFD. */
void text_json(FILE *out, const char *text);
#endif
