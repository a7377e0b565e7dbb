/* SPDX-License-Identifier: MIT */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H
/* args.h - a subcommand's command line: a table of options, and what else it takes. */
#include <getopt.h>
#include <stddef.h>
#include <stdint.h>
#include "report.h"

struct args_option;

/* Set a field to an option's value; NULL where an optional one is missing. */
typedef bool args_take(const struct args_option *option, void *field, const char *value,
		       struct report *report);

struct args_option {
	const char *name;
	int value; /* no_argument, required_argument, optional_argument */
	args_take *take;
	size_t offset;		  /* of the field among what the command keeps */
	char letter;		  /* short form; 0: none */
	uint64_t least, most;	  /* of numbers; 0 and 0: any */
	const char *const *words; /* that it may be, to NULL */
};

args_take args_flag;   /* bool: it was there */
args_take args_text;   /* const char * */
args_take args_number; /* uint64_t: 4096, 0x1000, 4K; from least to most */
/* An enum, or another int: the word's index and least. A missing value is the first. */
args_take args_word;

struct args {
	const char *command; /* copy */
	const char *help;    /* what --help prints */
	const struct args_option *options;
	size_t nr;
	const char *operands; /* what it takes beside them, in words */
	int least, most;      /* of these */
};

/*
 * The index in argv of the first operand, which are the last there. 0 if that ends the
 * command: there is an error in report, or its help was printed.
 */
int args_parse(const struct args *args, int argc, char **argv, void *fields,
	       struct report *report);

#define ARGS_NR(options) (sizeof(options) / sizeof(*(options)))
#endif
