/* SPDX-License-Identifier: MIT */
/* main.c - the command: which subcommand is it? */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <decant/decant.h>
#include "command.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{"copy", command_copy, "copy a file, locally or to or from another host"},
	{"explain", command_explain, "show what becomes of a list of buffers"},
	{"keygen", command_keygen, "make a key: to decrypt with, or for two hosts"},
	{"limits", command_limits, "show what files, devices and fabrics demand"},
	{"serve", command_serve, "be the other side of a copy"},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

static int print_help(void)
{
	printf("usage: decant COMMAND [...]\n\n"
	       "One description of a buffer from file to fabric: direct I/O, encryption, "
	       "RDMA.\n\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].what);
	printf("\ndecant COMMAND --help says more; decant --version says which "
	       "version.\n");
	return EXIT_DONE;
}

void command_abandon(const struct report *report)
{
	report_print(report);
	fflush(NULL);
	_exit(report->code);
}

int main(int argc, char **argv)
{
	struct report report = {0};
	const char *name = argc > 1 ? argv[1] : "--help";

	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
		return print_help();
	if (!strcmp(name, "--version")) {
		printf("decant %s\n", decant_version());
		return EXIT_DONE;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	report_set(&report, EXIT_USAGE, "%s: unknown command; see decant --help", name);
	return report_print(&report);
}
