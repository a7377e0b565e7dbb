/* SPDX-License-Identifier: MIT */
#include <input.h>
#include <stdio.h>
#include <string.h>
#include "args.h"

#define OPTIONS_MOST 40
#define FIRST	     256 /* getopt's number of the first option: no letter's */

bool args_flag(const struct args_option *option, void *field, const char *value,
	       struct report *report)
{
	(void)option;
	(void)value;
	(void)report;
	*(bool *)field = true;
	return true;
}

bool args_text(const struct args_option *option, void *field, const char *value,
	       struct report *report)
{
	(void)option;
	(void)report;
	*(const char **)field = value;
	return true;
}

bool args_number(const struct args_option *option, void *field, const char *value,
		 struct report *report)
{
	uint64_t *number = field, most = option->most ? option->most : UINT64_MAX;
	struct explain_error error = {0};
	struct explain_text t = {value, value, value + strlen(value), &error};

	if (!explain_number(&t, option->name, number))
		return report_set(report, EXIT_USAGE, "--%s %s: at %zu: %s", option->name,
				  value, error.at, error.text);
	if (t.at < t.end)
		return report_set(report, EXIT_USAGE, "--%s %s: at %zu: not a number",
				  option->name, value, explain_pos(&t));
	return (*number >= option->least && *number <= most) ||
	       report_set(report, EXIT_USAGE, "--%s %s: expected %llu to %llu",
			  option->name, value, (unsigned long long)option->least,
			  (unsigned long long)most);
}

/* trust, refuse or stage */
static void list_words(const char *const *words, char *room, size_t max)
{
	size_t used = 0;

	for (; *words && used < max; words++)
		used += (size_t)snprintf(room + used, max - used, "%s%s", *words,
					 !words[1]   ? ""
					 : !words[2] ? " or "
						     : ", ");
}

bool args_word(const struct args_option *option, void *field, const char *value,
	       struct report *report)
{
	int index = 0, word;
	char list[128];

	while (value && option->words[index] && strcmp(value, option->words[index]))
		index++;
	if (!option->words[index]) {
		list_words(option->words, list, sizeof(list));
		return report_set(report, EXIT_USAGE, "--%s=%s: expected %s",
				  option->name, value, list);
	}
	word = (int)option->least + index;
	memcpy(field, &word, sizeof(word));
	return true;
}

/* The table in getopt's words. */
static void for_getopt(const struct args *args, struct option *longs, char *letters)
{
	*letters++ = ':';
	*letters++ = 'h';
	for (size_t i = 0; i < args->nr; i++) {
		const struct args_option *o = &args->options[i];

		longs[i] = (struct option){o->name, o->value, NULL, FIRST + (int)i};
		if (o->letter)
			*letters++ = o->letter;
	}
	longs[args->nr] =
		(struct option){"help", no_argument, NULL, FIRST + (int)args->nr};
	longs[args->nr + 1] = (struct option){0};
	*letters = '\0';
}

static const struct args_option *find(const struct args *args, int option)
{
	for (size_t i = 0; i < args->nr; i++)
		if (option == FIRST + (int)i || option == args->options[i].letter)
			return &args->options[i];
	return NULL;
}

/* A letter may stand among others, so getopt says which one it is. */
static bool bad_option(const struct args *args, const char *arg, int option,
		       struct report *report)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	bool is_letter = option == '?' && optopt > ' ' && optopt < 127;

	return report_set(report, EXIT_USAGE, "%s: %s; see decant %s --help",
			  is_letter ? letter : arg,
			  option == ':'	    ? "needs a value"
			  : optopt >= FIRST ? "takes no value"
					    : "unknown option",
			  args->command);
}

static bool check_operands(const struct args *args, char **operands, int nr,
			   struct report *report)
{
	if (nr >= args->least && nr <= args->most)
		return true;
	return report_set(report, EXIT_USAGE, "%s: %sexpected %s; see decant %s --help",
			  nr > args->most ? operands[args->most] : args->command,
			  nr > args->most ? "is one too many; " : "", args->operands,
			  args->command);
}

int args_parse(const struct args *args, int argc, char **argv, void *fields,
	       struct report *report)
{
	struct option longs[OPTIONS_MOST + 2];
	char letters[OPTIONS_MOST + 3];
	const struct args_option *o;
	int option;

	for_getopt(args, longs, letters);
	opterr = 0;
	while ((option = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (option == 'h' || option == FIRST + (int)args->nr) {
			fputs(args->help, stdout);
			return 0;
		}
		o = find(args, option);
		if (!o) {
			bad_option(args, argv[optind - 1], option, report);
			return 0;
		}
		if (!o->take(o, (char *)fields + o->offset, optarg, report))
			return 0;
	}
	return check_operands(args, argv + optind, argc - optind, report) ? optind : 0;
}
